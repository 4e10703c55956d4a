"""The command line: the protos of the tests' own client, made once for every test file here."""

import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import pytest  # noqa: E402
import taizhang_client  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def generated_protos(tmp_path_factory):
    taizhang_client.generate(tmp_path_factory.mktemp("generated"))
