"""What the acceptance tests share: one client made from the protos, one server for each file."""

import atexit
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import taizhang_client  # noqa: E402

_modules = tempfile.mkdtemp(prefix="taizhang-protos-")
atexit.register(shutil.rmtree, _modules, ignore_errors=True)
taizhang_client.generate(_modules)

from book import SERVER_PROFILES  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory, request):
    """A server of this file's own; `settings` of the module go into its configuration."""
    made = taizhang_client.Server(tmp_path_factory.mktemp("server"), profiles=SERVER_PROFILES,
                                  settings=getattr(request.module, "SETTINGS", ""))
    made.client = made.start()
    yield made
    made.client.close()
    made.kill()


@pytest.fixture(scope="module")
def client(server):
    return server.client
