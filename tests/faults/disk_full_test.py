"""A full disk under the journal, the state tables, the views: clear errors, nothing acknowledged is lost, and the
service goes on by itself when there is space again. Each on a small tmpfs of its own; without the right to mount one
the tests are skipped, which the summary counts."""

import subprocess
import threading
import time

import answers
import callers
import grpc
import history
import judge
import pytest
from kill_test import replayed
from taizhang_client import PATIENCE_S, Refused, Server, context, uid

SETTINGS = "journal { segment_bytes: 4194304 disk_full_retry_us: 100000 } writer { state_mark_commits: 500 }\n"
DISK_BYTES = 96 << 20


@pytest.fixture
def small_disk():
    """Mounts a tmpfs on a folder; gone after the test."""
    mounted = []

    def mount(folder):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "none", str(folder)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"FULL DISKS ARE NOT TESTED HERE: no tmpfs may be mounted: {done.stderr.strip()}")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False)


class Filler:
    """A file that takes every byte of a disk, also those that are freed meanwhile, until it is removed."""

    def __init__(self, folder):
        self.path = folder / "filler"
        self._stop = threading.Event()
        self._full = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with open(self.path, "wb", buffering=0) as file:
            while not self._stop.is_set():
                for size in (1 << 20, 4096, 1):
                    try:
                        while file.write(bytes(size)) == size and not self._stop.is_set():
                            pass
                    except OSError:
                        continue
                self._full.set()
                time.sleep(0.01)

    def wait_until_full(self):
        assert self._full.wait(PATIENCE_S)

    def remove(self):
        self._stop.set()
        self._thread.join()
        self.path.unlink()


def big_visit(book, number):
    """A visit with much paper: some 40 KB in the journal."""
    return {
        "context": context(uid(f"big request {number}")), "ledger": callers.LEDGER, "visit_id": uid(f"big visit {number}"),
        "visited": {"kind": "SUBJECT_KIND_VILLAGE", "id": callers.VILLAGES[0]}, "visitors": [book.workers[0]],
        "date": {"year": 2018, "month": 1, "day": 1}, "channel": "VISIT_CHANNEL_FIELD", "purpose": "SURVEY",
        "evidence": [{"document_id": uid(f"paper {number} {i}"), "kind": "PHOTO", "title": "x" * 150}
                     for i in range(200)]}


def write_until_full(book, client, count):
    """Sends big visits, at most `count`; returns how many were accepted and the answers that were errors."""
    accepted, errors = 0, []
    for number in range(count):
        visit = big_visit(book, number)
        answer = book.send(client, 1, "assistance.RecordVisit", visit, names=visit["visit_id"])
        if "ok" in answer:
            accepted += 1
        else:
            errors.append(answer)
            if len(errors) == 20:
                break
    return accepted, errors


def accepted_again(book, client):
    """Sends small commands until one is accepted."""
    give_up = time.monotonic() + PATIENCE_S
    number = 0
    while time.monotonic() < give_up:
        number += 1
        visit = big_visit(book, f"after {number}")
        visit["evidence"] = []
        if "ok" in book.send(client, 1, "assistance.RecordVisit", visit, names=visit["visit_id"]):
            return True
        time.sleep(0.2)
    return False


def assert_clear(errors):
    for error in errors:
        assert error["error"] == "RESOURCE_EXHAUSTED" and error["effect"] == "none", error


def assert_nothing_lost(server, client, book, folder):
    """After a restart everything that was acknowledged is there, and the views are a replay's."""
    client.close()
    assert server.stop() == 0, server.log_text()
    client = server.start()
    found = answers.events(client, at_least_seq=book.last_seq)
    assert judge.judge(history.read(book.history.path), found) == []
    live = answers.views(client, book, book.last_seq)
    client.close()
    assert server.stop() == 0
    fresh = replayed(server, folder)
    try:
        assert answers.views(fresh.start(), book, book.last_seq) == live
    finally:
        fresh.kill()


@pytest.mark.parametrize("full", ["everything", "journal", "state", "views"])
def test_a_full_disk(tmp_path, small_disk, full):
    server = Server(tmp_path / "server", settings=SETTINGS)
    disk = server.data if full == "everything" else server.data / full
    server.data.mkdir(mode=0o700)
    small_disk(disk)
    book = callers.Book(history.History(tmp_path / "history"))
    try:
        client = server.start()
        book.open(client)
        filler = Filler(disk)
        accepted, errors = write_until_full(book, client, count=400)
        assert_clear(errors)
        if full in ("everything", "journal"):
            assert errors, "the journal's disk was never full"
            assert accepted > 0, "the space that was set aside was not used"
        give_up = time.monotonic() + PATIENCE_S
        while full == "views" and not server.has_logged("view_disk_full"):
            assert time.monotonic() < give_up, "the views' disk was never full"
            time.sleep(0.05)
        # Reading goes on, or says why not.
        for said in answers.views(client, book, 1).values():
            assert not said.startswith((b"UNKNOWN", b"INTERNAL")), said[:80]
        filler.remove()
        assert accepted_again(book, client), server.log_text()
        wait_until_folded(client, book)
        assert_nothing_lost(server, client, book, tmp_path / "replay")
    finally:
        server.kill()


def wait_until_folded(client, book):
    """Every view goes on by itself."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        said = answers.views(client, book, book.last_seq, timeout=5)
        late = [name for name, answer in said.items()
                if answer.startswith((b"DEADLINE_EXCEEDED", b"UNAVAILABLE", b"RESOURCE_EXHAUSTED", b"DATA_LOSS"))]
        if not late:
            return
        assert time.monotonic() < give_up, f"stands still after the disk had space again: {late}"
        time.sleep(0.2)


@pytest.mark.parametrize("full", ["state", "views"])
def test_a_stop_and_a_start_while_derived_files_have_no_room(tmp_path, small_disk, full):
    server = Server(tmp_path / "server", settings=SETTINGS)
    server.data.mkdir(mode=0o700)
    small_disk(server.data / full)
    book = callers.Book(history.History(tmp_path / "history"))
    try:
        client = server.start()
        book.open(client)
        filler = Filler(server.data / full)
        filler.wait_until_full()
        client.close()
        # What is not written is folded again; the journal has it.
        assert server.stop() == 0, server.log_text()
        try:
            server.start(built=False)
            server.kill()
        except RuntimeError as refused:
            assert "space" in str(refused).lower(), refused
        filler.remove()
        client = server.start()
        wait_until_folded(client, book)
        assert_nothing_lost(server, client, book, tmp_path / "replay")
    finally:
        server.kill()


def test_a_start_on_a_full_disk_says_so(tmp_path, small_disk):
    server = Server(tmp_path / "server", settings=SETTINGS)
    server.data.mkdir(mode=0o700)
    small_disk(server.data)
    filler = Filler(server.data)
    filler.wait_until_full()
    try:
        with pytest.raises(RuntimeError, match="(?i)space|full|exhausted"):
            server.start()
        filler.remove()
        client = server.start()
        try:
            client.call("admin.OpenLedger", {"context": context(effective=20120101), "ledger": callers.LEDGER,
                                             "kind": "LEDGER_KIND_COUNTY", "name": "test"}, as_="operator")
        except Refused as refused:
            raise AssertionError(server.log_text()) from refused
        client.close()
        assert server.stop() == 0
    finally:
        server.kill()


def digests(client):
    """By view, of everything."""
    return {view: client.call("admin.GetViewDigest", {"view": view}, as_="operator").SerializeToString(deterministic=True)
            for view in answers.VIEWS}


def verified(client, view):
    """What VerifyView says: whether it is equal, or its error."""
    try:
        said, = client.stream("admin.VerifyView", {"view": view}, as_="operator")
    except grpc.RpcError as error:
        return Refused.of_call(error)
    return said.equal


def test_a_rebuild_and_a_verify_without_room(tmp_path, small_disk):
    server = Server(tmp_path / "server", settings=SETTINGS)
    server.data.mkdir(mode=0o700)
    small_disk(server.data / "views")
    book = callers.Book(history.History(tmp_path / "history"))
    try:
        client = server.start()
        book.open(client)
        assert write_until_full(book, client, count=60) == (60, [])
        client.wait_for_views()
        before, held = answers.views(client, book, book.last_seq), digests(client)
        filler = Filler(server.data / "views")
        filler.wait_until_full()

        refused = verified(client, "duties")
        assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "NO_ROOM"), refused
        assert not (server.data / "views/duties-v1.verify").exists(), "it keeps room that is needed"
        assert answers.views(client, book, book.last_seq) == before

        with pytest.raises(Refused) as refused:
            client.call("admin.RebuildView", {"view": "fund_execution"}, as_="operator")
        assert (refused.value.code, refused.value.reason) == ("RESOURCE_EXHAUSTED", "NO_ROOM"), refused.value
        assert answers.views(client, book, book.last_seq) == before

        filler.remove()
        client.call("admin.RebuildView", {"view": "fund_execution"}, as_="operator")
        client.wait_for_views()
        assert answers.views(client, book, book.last_seq) == before
        assert digests(client) == held
        assert verified(client, "duties") is True and verified(client, "fund_execution") is True
        client.close()
        assert server.stop() == 0, server.log_text()
    finally:
        server.kill()
