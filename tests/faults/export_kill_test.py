"""kill -9 of the server in the middle of an export: the command line says that the file is not complete, and goes on to
the same bytes when the server is back."""

import os
import subprocess
import sys
import time

import pytest
from taizhang_client import BUILD, PATIENCE_S, ROOT, Server, context, date, uid

sys.path.insert(0, str(ROOT / "tests/cli"))

from command_line import OK, UNAVAILABLE, Cli  # noqa: E402

HOUSEHOLDS = 4000
KILLS = 3
VILLAGE = "990101100201"


@pytest.fixture
def book(tmp_path):
    """A server, and a seq up to which its book has many households."""
    server = Server(tmp_path / "server")
    client = server.start()
    cli = Cli(server)
    cli.ok("ledger", "open", "990101", "--name", "示例县", "--on", "2012-01-01")
    for name in ("reference", "sample"):
        cli.ok("apply", ROOT / f"deploy/{name}.jsonl")
    stream = client.bulk()
    last = 0
    for first in range(0, HOUSEHOLDS, 200):
        results = stream.execute([("registry.RegisterHousehold", {
            "context": context(uid(f"request {name}"), 20170601), "ledger": "990101", "household_id": uid(f"h {name}"),
            "region": VILLAGE, "members": [{
                "person_id": uid(f"person {name}"), "relation": "0", "is_head": True,
                "identity": {"name": "test", "birth_date": date(19700101)}, "sex": "1", "ethnic": "01",
                "education": "70"}]}) for name in range(first, first + 200)])
        last = results[-1].receipt.last_seq
    stream.close()
    client.close()
    # A view that was never flushed is built anew, and no token of before is of it: the files are written.
    assert server.stop() == 0
    server.start().close()
    yield server, last
    server.kill()


def test_kill_9_in_the_middle_of_an_export(book, tmp_path):
    server, last = book
    out, part, state, meta = (tmp_path / f"rows.csv{end}" for end in ("", ".part", ".part.state", ".meta.json"))
    words = [BUILD / "apps/taizhang/taizhang", "export", "household_file.Households", "--as-of-seq", str(last),
             "--at-least-seq", str(last), "--on", "2017-12-31", "--rows-per-message", "1", "--out", out]
    kills = 0
    while kills < KILLS:
        environment = os.environ | {"TAIZHANG_CONFIG": str(Cli(server).config)}
        before = part.stat().st_size if part.exists() else 0
        process = subprocess.Popen([*words, *(["--resume"] if kills else [])], env=environment, text=True,
                                   stderr=subprocess.PIPE)
        while process.poll() is None and not (state.exists() and part.stat().st_size > before + 50_000):
            time.sleep(0.002)
        server.kill()
        _, said = process.communicate(timeout=PATIENCE_S)
        server.start().close()
        if process.returncode == OK:  # it was through before: once more from the beginning
            out.unlink()
            meta.unlink()
            kills = 0
            continue
        assert process.returncode == UNAVAILABLE and "not complete" in said and "--resume" in said, said
        assert not out.exists() and state.exists()
        kills += 1
    cli = Cli(server)
    cli.ok(*words[1:], "--resume")
    whole = tmp_path / "whole.csv"
    cli.ok(*words[1:-1], whole)
    assert out.read_bytes() == whole.read_bytes()
    assert len(out.read_bytes().splitlines()) > HOUSEHOLDS
