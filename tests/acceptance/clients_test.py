"""The example clients of docs/clients, made from the protos alone: a command once however often it is sent, every event once
although client and server are killed."""

import contextlib
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest

from book import Book
from taizhang_client import PATIENCE_S, ROOT, token_of

EXAMPLES = ROOT / "docs/clients"
# Of a build of the Go client, with nothing in its cache.
BUILD_S_MAX = 600


@pytest.fixture(scope="module")
def python_client(tmp_path_factory):
    generated = tmp_path_factory.mktemp("generated")
    protos = [str(path) for path in (ROOT / "proto").rglob("*.proto")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I", ROOT / "proto", f"--python_out={generated}",
                    f"--grpc_python_out={generated}", *protos], check=True, timeout=BUILD_S_MAX)
    return [sys.executable, EXAMPLES / "python/client.py", generated]


@pytest.fixture(scope="module")
def go_client(tmp_path_factory):
    """Built as its head says; the modules come through the Go module proxy."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    assert go, "no Go here: install golang-go (deploy/packages_tests.txt)"
    environment = os.environ | {"PATH": f"{pathlib.Path(go).parent}:{os.environ['PATH']}"}
    subprocess.run([EXAMPLES / "go/generate.sh"], check=True, timeout=BUILD_S_MAX, env=environment)
    binary = tmp_path_factory.mktemp("go") / "client"
    subprocess.run([go, "build", "-buildvcs=false", "-o", binary, "."], cwd=EXAMPLES / "go", check=True,
                   timeout=BUILD_S_MAX)
    return [binary]


@pytest.fixture(scope="module", params=["python", "go"])
def example(request):
    return request.getfixturevalue(f"{request.param}_client")


@pytest.fixture(scope="module")
def book(server):
    # The same port after every start: a client is not told of another one.
    server.config.write_text(server.config.read_text().replace('\nlisten: "127.0.0.1:0"', f'\nlisten: "{server.address}"'))
    return Book(server.client).prepared()


def environment():
    return os.environ | {"TAIZHANG_TOKEN": token_of("maker")}


def run(example, book, *words):
    return subprocess.run([*example, book.client.address, book.ledger, *words], capture_output=True, text=True,
                          timeout=PATIENCE_S, env=environment())


def test_a_command_is_recorded_once(example, book):
    org = [book.id(book.fresh("organisation")), "镇政府", book.ledger]
    first = run(example, book, "register", *org)
    assert first.returncode == 0 and first.stdout.startswith("seq "), first.stderr
    again = run(example, book, "register", *org)
    assert again.stdout == first.stdout.replace("\n", " (recorded before)\n")


def test_a_refusal_is_told_in_both_languages(example, book):
    refused = run(example, book, "register", book.id(book.fresh("organisation")), "镇政府", "110101")
    assert refused.returncode != 0
    assert "REGION_NOT_FOUND 区划不存在" in refused.stderr


def results_of(path):
    """(seq, type, payload) of every event the example kept."""
    if path.suffix == ".sqlite":
        # The client writes at the same time: whoever finds the file locked waits.
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE_S)) as db:
            # The file is there before its tables are.
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'event'").fetchone():
                return []
            return db.execute("SELECT seq, type, payload FROM event ORDER BY seq").fetchall()
    lines = path.read_text().split("\n")[:-1]
    return [(int(seq), kind, bytes.fromhex(payload)) for seq, kind, _, payload in (line.split(" ") for line in lines)]


def test_every_event_is_met_once_although_both_are_killed(example, book, server, tmp_path):
    results = tmp_path / ("results.sqlite" if "python" in str(example[0]) else "results")
    started = []

    def follow():
        started.append(subprocess.Popen([*example, book.client.address, book.ledger, "follow", results], env=environment()))

    def wait_until_all():
        end = time.monotonic() + PATIENCE_S
        newest = book.ask("ledger.ReadEvents", backward=True, page={"page_size": 1}).events[0].seq
        while not results.exists() or len(results_of(results)) < newest:
            assert time.monotonic() < end and started[-1].poll() is None
            time.sleep(0.05)

    try:
        follow()
        for place in range(6):
            book.given(book.register_household(book.fresh("household")))
            if place == 1:
                wait_until_all()
            if place == 2:
                started[-1].kill()
                started[-1].wait()
                follow()
            if place == 4:
                server.kill()
                book.client.close()
                book.client = server.client = server.start()
        wait_until_all()
    finally:
        for process in started:
            process.kill()
            process.wait()
    page, events = None, []
    while page is None or page.next_page_token:
        page = book.ask("ledger.ReadEvents", as_="maker",
                        page={"page_size": 1000, "page_token": page.next_page_token if page else ""})
        events += page.events
    assert results_of(results) == [(event.seq, event.type, event.payload) for event in events]
