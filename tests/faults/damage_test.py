"""Flipped bytes in the files of state and views: the same answers, DATA_LOSS, or a refused start that names the place;
never another answer. A view is built anew by itself. The journal's bytes are left alone: their damage is
tests/faults/segment_damage_test.cc. An older copy of it, whole in itself, is found by what was made of the true one."""

import random
import shutil
import time

import answers
import callers
import history
import pytest
from taizhang_client import PATIENCE_S, ROOT, Refused, Server, command_file, context

SEEDS = range(10)  # each flips one byte in state and one in a view
# RocksDB's own diary; nothing reads it.
NOT_DATA = ("LOG", "LOCK")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A closed server with the sample book, and what it answers."""
    folder = tmp_path_factory.mktemp("good")
    server = Server(folder / "server")
    made = callers.Book(history.History(folder / "history"))
    client = server.start()
    made.open(client)
    client.close()
    assert server.stop() == 0
    made.server = server
    client = server.start()
    made.told = told_by(client, made)
    client.close()
    assert server.stop() == 0
    return made


def repeats(book):
    """Requests whose answer the state alone knows: sent before, equal under another id, contradicting."""
    for file in ("reference.jsonl", "sample.jsonl"):
        for number, (profile, method, request) in enumerate(command_file(ROOT / "deploy" / file, callers.LEDGER)):
            yield profile, method, request
            equal = {**request, "context": {**request["context"], "request_id": context()["request_id"]}}
            yield profile, method, {**equal, "context": {**equal["context"], "validate_only": True}}
            if "source" in request["context"] and number % 3 == 0:
                other = {**request["context"], "reason": "another"}
                yield profile, method, {**request, "context": other}


def told_by(client, book):
    """Every answer of state and views, in order."""
    told = []
    for profile, method, request in repeats(book):
        try:
            response = client.call(method, request, as_=profile)
            told.append(f"{response.receipt.first_seq}-{response.receipt.last_seq} {response.receipt.duplicate}"
                        f" {response.receipt.unchanged}")
        except Refused as refused:
            told.append(f"{refused.code} {refused.reason}")
    try:
        told += answers.events(client)
    except Refused as refused:
        told.append(f"{refused.code} {refused.reason}")
    told += answers.views(client, book, book.last_seq).values()
    return told


def flip(rng, folder):
    """Flips bits of one byte somewhere below `folder`; mostly where the rows are."""
    files = [f for f in folder.rglob("*") if f.is_file() and f.stat().st_size > 0 and not f.name.startswith(NOT_DATA)]
    rows = [f for f in files if f.suffix == ".sst"]
    assert rows, f"no table file in {folder}"
    file = rng.choice(rows if rng.random() < 0.75 else files)
    content = bytearray(file.read_bytes())
    at = rng.randrange(len(content))
    content[at] ^= rng.randrange(1, 256)
    file.write_bytes(content)
    return f"{file.relative_to(folder.parent)} at {at}"


def damaged_copy(book, folder):
    copy = Server(folder)
    shutil.copytree(book.server.data, copy.data, ignore=shutil.ignore_patterns("address*"))
    return copy


def same_or_said(right, told):
    """Positions of answers that are neither the right one nor an honest failure."""
    honest = ("DATA_LOSS", "UNAVAILABLE")  # found, and being built anew
    return [(n, a, b) for n, (a, b) in enumerate(zip(right, told))
            if a != b and not (b if isinstance(b, str) else b.decode(errors="replace")).startswith(honest)]


def mended(client):
    """The views, by name, once each is built and folds."""
    end = time.monotonic() + PATIENCE_S
    while True:
        views = client.call("admin.GetStatus", {}, as_="operator").views
        if not any(view.building or view.stopped_why for view in views):
            return {view.name: view for view in views}
        assert time.monotonic() < end, views
        time.sleep(0.05)


@pytest.mark.parametrize("part", ["state", "views"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_byte_is_never_another_answer(book, tmp_path, part, seed):
    rng = random.Random(seed * 2 + (part == "views"))
    server = damaged_copy(book, tmp_path / "server")
    folder = server.data / part
    if part == "views":
        folder = rng.choice(sorted(f for f in folder.iterdir() if f.is_dir()))
    place = flip(rng, folder)
    print(place)
    try:
        try:
            client = server.start(built=False)
        except RuntimeError as refused:
            assert part in str(refused) or folder.name in str(refused), f"the refusal does not name the place: {refused}"
            return
        told = told_by(client, book)
        if len(told) != len(book.told):  # the ledger view answers once instead of event by event
            events = len(book.told) - len(told)
            assert events > 0
            assert any(isinstance(one, str) and one.startswith(("DATA_LOSS", "UNAVAILABLE")) for one in told)
        else:
            assert same_or_said(book.told, told) == []
        if part == "views":
            mended(client)
            assert told_by(client, book) == book.told
    finally:
        server.kill()


@pytest.mark.parametrize("view", answers.VIEWS)
def test_view_verify_finds_a_flipped_byte(book, tmp_path, view):
    server = damaged_copy(book, tmp_path / "server")
    folder = next(f for f in (server.data / "views").iterdir() if f.name.startswith(f"{view}-v"))
    table = max(folder.rglob("*.sst"), key=lambda f: f.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 3] ^= 0xFF
    table.write_bytes(content)
    try:
        try:
            client = server.start(built=False)
        except RuntimeError as refused:
            assert folder.name in str(refused)
            return
        mended(client)
        report = next(iter(client.stream("admin.VerifyView", {"view": view}, as_="operator")))
        # Found when it was opened, or now.
        if report.equal:
            assert mended(client)[view].rebuilt_why
            return
        assert report.difference
        assert mended(client)[view].rebuilt_why
        report = next(iter(client.stream("admin.VerifyView", {"view": view}, as_="operator")))
        assert report.equal, report.difference
    finally:
        server.kill()


def test_a_start_on_an_older_copy_of_the_journal_is_refused(book, tmp_path):
    server = damaged_copy(book, tmp_path / "server")
    shutil.copytree(server.data / "journal", tmp_path / "older")
    client = server.start()
    client.call("admin.OpenLedger", {"ledger": "990102", "kind": "LEDGER_KIND_COUNTY", "name": "other",
                                     "context": context(effective=20120101)}, as_="operator")
    client.close()
    assert server.stop() == 0
    shutil.rmtree(server.data / "journal")
    shutil.copytree(tmp_path / "older", server.data / "journal")
    shutil.rmtree(server.data / "views")  # they would say so, too
    with pytest.raises(RuntimeError, match=r"ended with 1:(.|\n)*the writer does not continue partition 0 .*up to offset"):
        server.start()
