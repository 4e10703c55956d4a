"""kill -9 in the middle of 64 callers, again and again: what was acknowledged is there once, what was refused never,
and every view is what a replay of the journal from nothing gives."""

import random
import shutil
import subprocess
import time

import answers
import callers
import history
import judge
import pytest
from taizhang_client import BUILD, Server

KILLS = 20
CALLERS = 64
# Small segments and frequent marks: several segments are filled, and every start compares many digests of the state.
SETTINGS = "journal { segment_bytes: 4194304 } writer { state_mark_commits: 500 }\n"


def replayed(server, folder):
    """A server on a copy of the journal alone, so that state and views are folded from nothing."""
    fresh = Server(folder, settings=SETTINGS)
    shutil.copytree(server.data, fresh.data, ignore=shutil.ignore_patterns("state", "views", "address*"))
    return fresh


def compare_with_replay(server, client, book, folder):
    live = answers.views(client, book, book.last_seq)
    live_events = answers.events(client, at_least_seq=book.last_seq)
    for view in answers.VIEWS:
        report = next(iter(client.stream("admin.VerifyView", {"view": view}, as_="operator")))
        assert report.equal, f"{view}: {report.difference}"
    client.close()
    assert server.stop() == 0
    fresh = replayed(server, folder)
    try:
        client = fresh.start()
        assert answers.events(client, at_least_seq=book.last_seq) == live_events
        again = answers.views(client, book, book.last_seq)
    finally:
        fresh.kill()
    assert [name for name in live if live[name] != again[name]] == []
    assert all(said for said in live.values())


def kill_amid(book, server, client, life, seed):
    """One life: 64 callers, and the server dies under them. Returns how many calls it took with it."""
    rng = random.Random(seed)
    running, _ = callers.start_callers(book, server.address, life, seed, CALLERS)
    time.sleep(rng.uniform(0.0, 0.8))
    in_flight = sum(caller.in_flight for caller in running)
    server.kill()
    callers.join(running)
    book.history.dead(life)
    client.close()
    return in_flight


@pytest.mark.parametrize("seed", [1])
def test_kill_in_the_middle_of_64_callers(tmp_path, seed):
    print(f"seed {seed}")
    rng = random.Random(seed)
    server = Server(tmp_path / "server", settings=SETTINGS)
    book = callers.Book(history.History(tmp_path / "history"))
    known = []
    try:
        client = server.start()
        book.open(client)
        for life in range(1, KILLS + 1):
            assert kill_amid(book, server, client, life, seed * 100 + life) > 0, "nothing was in flight at the kill"
            lost = [c for c in history.unsure(history.read(book.history.path)) if c["life"] == life]
            assert lost, "no call was left without an answer"
            if rng.random() < 0.3:
                die_while_starting(server, rng)
            client = server.start()
            # What was read in an earlier life never changes.
            found = answers.events(client, at_least_seq=book.last_seq)
            assert found[:len(known)] == known
            known = found
            assert judge.judge(history.read(book.history.path), found) == []
            if life % 7 == 0:
                compare_with_replay(server, client, book, tmp_path / f"replay {life}")
                client = server.start()
        compare_with_replay(server, client, book, tmp_path / "replay at the end")
    finally:
        server.kill()
    assert_it_was_busy(history.read(book.history.path))


def die_while_starting(server, rng):
    """A start that is killed on its way, also in the middle of its recovery."""
    with open(server.folder / "taizhangd.log", "ab") as log:
        process = subprocess.Popen([BUILD / "apps/taizhangd/taizhangd", "--config", server.config],
                                   stdout=log, stderr=log)
        time.sleep(rng.uniform(0.0, 0.4))
        process.kill()
        process.wait()


def assert_it_was_busy(entries):
    """The history holds every kind of answer, or the test proves less than it says."""
    told = {"first": 0, "duplicate": 0, "unchanged": 0, "refused": 0, "unknown": 0}
    for entry in entries:
        if "ok" in entry:
            ok = entry["ok"]
            told["duplicate" if ok["duplicate"] else "unchanged" if ok["unchanged"] else "first"] += 1
        elif entry.get("effect") == "none":
            told["refused"] += 1
        elif entry.get("effect") == "unknown":
            told["unknown"] += 1
    assert all(count >= 20 for count in told.values()), told
    reasons = {entry["reason"] for entry in entries if entry.get("effect") == "none"}
    assert {"VISIT_REPEATED", "HOUSEHOLD_NOT_FOUND", "REQUEST_ID_REUSED", "REQUEST_CANCELLED", "LINE_NOT_FUNDED",
            "RECEIPT_REPEATED"} <= reasons, reasons
    assert {"COMMITTED", "ABSENT", "CANCELLED"} <= {entry.get("outcome") for entry in entries}
