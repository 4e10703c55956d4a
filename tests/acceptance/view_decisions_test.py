"""What operators decide about views, over a port: which version answers, which events are passed over."""

import re
import subprocess
import sys
import time

import grpc
import pytest

from book import ROOT, Book, fresh_request_id
from taizhang_client import PATIENCE_S, Refused, context

sys.path.insert(0, str(ROOT / "tests/cli"))

from command_line import Cli  # noqa: E402

VIEW = "household_file"


@pytest.fixture(scope="module")
def book(client):
    book = Book(client).prepared()
    book.given(book.register_household("h"), book.register_household("other"))
    return book


def decide(book, method, reason="tried out", as_="operator", **fields):
    made = context(request=fresh_request_id(), effective=20170601)
    if reason:
        made["reason"] = reason
    return book.client.call(f"admin.{method}", {"context": made, "view": VIEW, **fields}, as_=as_)


def status(book, view=VIEW):
    found, = [one for one in book.client.call("admin.GetStatus", {}, as_="operator").views if one.name == view]
    return found


def wait_for(book, holds):
    end = time.monotonic() + PATIENCE_S
    while not holds(status(book)):
        assert time.monotonic() < end, status(book)
        time.sleep(0.05)


def compared(book, method, **fields):
    """The one answer of a comparison."""
    try:
        answer, = book.client.stream(method, {"view": VIEW, **fields}, as_="operator")
    except grpc.RpcError as error:
        raise Refused.of_call(error) from None
    return answer


def verified(book, **scope):
    report = compared(book, "admin.VerifyView", **scope)
    assert report.equal, report.difference
    return report


def households(book):
    return len(book.ask("household_file.Households", page={"page_size": 1000}).rows)


def test_the_one_version_answers(book):
    book.wait_for_views()
    assert status(book).live and status(book).version == 1
    answer = decide(book, "SwitchView", ledger="000000", view_version=1)
    assert answer.receipt.ledger == "000001" and not answer.receipt.unchanged
    assert decide(book, "SwitchView", ledger="000000", view_version=1).receipt.unchanged
    # A version that no process has: recorded, and followed as soon as somebody has it.
    decide(book, "SwitchView", ledger="000000", view_version=7)
    assert households(book) == 2
    decide(book, "SwitchView", ledger="000000", view_version=1)
    assert status(book).live


@pytest.mark.parametrize("fields, code, reason", [
    ({"ledger": "000000", "view_version": 1, "reason": ""}, "INVALID_ARGUMENT", "REASON_REQUIRED"),
    ({"ledger": "000000", "view_version": 0}, "INVALID_ARGUMENT", "AMOUNT_NOT_POSITIVE"),
    ({"ledger": "990101", "view_version": 1}, "FAILED_PRECONDITION", "LEDGER_KIND_NOT_ALLOWED"),
    ({"ledger": "000000", "view_version": 1, "as_": "maker"}, "PERMISSION_DENIED", "NOT_AUTHORISED"),
])
def test_a_switch_is_refused(book, fields, code, reason):
    with pytest.raises(Refused) as refused:
        decide(book, "SwitchView", **fields)
    assert (refused.value.code, refused.value.reason) == (code, reason)


def test_an_event_beyond_the_end_cannot_be_passed_over(book):
    with pytest.raises(Refused) as refused:
        decide(book, "SkipViewEvent", ledger=book.ledger, seq=1_000_000)
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "SEQ_NOT_REACHED")
    assert refused.value.zh


def test_what_is_passed_over_is_gone_from_the_view_and_told(book):
    seq = book.given(book.register_household("never mind")).receipt.first_seq
    assert households(book) == 3
    decided = decide(book, "SkipViewEvent", "written by a test", ledger=book.ledger, seq=seq)
    wait_for(book, lambda view: view.skipped_events_total == 1 and not view.building)
    now = status(book)
    told, = now.skipped_events
    assert (told.ledger, told.seq, told.reason) == (book.ledger, seq, "written by a test")
    assert told.decided_by == f"{decided.receipt.ledger}/{decided.receipt.first_seq}"
    # The view had understood the event: it was built anew without it.
    assert "passed over" in now.rebuilt_why
    assert households(book) == 2
    assert verified(book).skipped_events == 1
    assert verified(book, ledger=book.ledger, seq=seq - 1).skipped_events == 0
    # The event itself is in the ledger, and in every other view.
    assert book.ask("ledger.ReadEvents", from_seq=seq, page={"page_size": 1}).events[0].seq == seq
    assert not status(book, "history").skipped_events


def test_an_auditors_fold_passes_over_the_same(book, server, tmp_path):
    """From the server, and from a file alone, which says so."""
    cli = Cli(server)
    seq, = [skipped.seq for skipped in status(book).skipped_events]
    def listed(view):
        return book.client.call("views.ListSkipped", {"ledger": book.ledger, "view": view}, as_="reader").skipped

    assert [(one.seq, one.reason) for one in listed(VIEW)] == [(seq, "written by a test")]
    assert not listed("history")
    live = cli.json("replay", "--view", VIEW)
    assert (live["result"], live["skipped_events"]) == ("equal", "1")
    assert cli.json("replay", "--view", VIEW, "--to", seq - 1)["skipped_events"] == "0"
    file = tmp_path / "book.events"
    told = cli.json("events", "export", "--out", file)
    assert told["skipped_events"] == cli.json("events", "check", file)["skipped_events"] == "1"
    alone = cli.json("replay", "--view", VIEW, "--from", file, "--offline")
    assert (alone["digest"], alone["skipped_events"]) == (live["digest"], "1")
    assert cli.json("replay", "--view", "history", "--from", file)["result"] == "equal"
    said = cli.ok("replay", "--view", VIEW, "--from", file)
    assert re.search(rf"passed over +seq {seq} \(000001/\d+: written by a test\)", said), said
    read = subprocess.run([sys.executable, ROOT / "docs/auditors/python/read_export.py", file], capture_output=True)
    assert read.returncode == 0, read.stderr


def test_a_rebuild_passes_over_the_same(book):
    before = verified(book).digest
    book.client.call("admin.RebuildView", {"view": VIEW}, as_="operator")
    wait_for(book, lambda view: not view.building)
    assert households(book) == 2
    assert verified(book).digest == before


def test_it_holds_over_a_restart(book, server):
    before = verified(book).digest
    server.client.close()
    server.stop()
    server.client = book.client = server.start()
    assert households(book) == 2
    assert status(book).skipped_events_total == 1
    assert verified(book).digest == before


def test_verify_of_a_ledger_at_a_moment(book):
    whole = verified(book, ledger=book.ledger)
    past = verified(book, ledger=book.ledger, seq=5)
    assert whole.ledgers == past.ledgers == 1 and past.versions < whole.versions
    for fields, code in (({"seq": 5}, "INVALID_ARGUMENT"), ({"ledger": book.ledger, "seq": 10**9}, "FAILED_PRECONDITION"),
                         ({"ledger": "110101"}, "NOT_FOUND"), ({"version": 9}, "NOT_FOUND")):
        with pytest.raises(Refused) as refused:
            compared(book, "admin.VerifyView", **fields)
        assert refused.value.code == code


def test_the_version_that_answers_is_neither_dropped_nor_compared_with_itself(book):
    with pytest.raises(Refused) as refused:
        book.client.call("admin.DropView", {"view": VIEW, "version": 1}, as_="operator")
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "VIEW_ANSWERS")
    with pytest.raises(Refused) as refused:
        book.client.call("admin.DropView", {"view": VIEW, "version": 2}, as_="operator")
    assert refused.value.code == "NOT_FOUND"
    with pytest.raises(Refused) as refused:
        compared(book, "admin.CompareViews", version=1, other_version=1)
    assert refused.value.code == "INVALID_ARGUMENT"
    with pytest.raises(Refused) as refused:
        compared(book, "admin.CompareViews", version=1, other_version=2)
    assert refused.value.code == "NOT_FOUND"


def test_files_of_another_program_are_told_and_kept(book, server):
    left = server.data / "views" / "household_file-v9"
    left.mkdir()
    unknown = book.client.call("admin.GetStatus", {}, as_="operator").unknown_views
    assert [(one.name, one.version) for one in unknown] == [(VIEW, 9)]
    book.client.call("admin.DropView", {"view": VIEW, "version": 9}, as_="operator")
    assert not left.exists()


def test_the_command_line_passes_over_and_tells_which(book, server):
    cli = Cli(server)
    seq = book.given(book.register_household("never mind this either")).receipt.first_seq
    before = households(book)
    skip = ("view", "skip", VIEW, "--ledger", book.ledger, "--seq", seq, "--reason", "由测试写入")
    assert f"does not stand still at {book.ledger}/{seq}" in cli.run(*skip).stderr
    assert cli.ok(*skip, "--folded") == f"{VIEW} passes over {book.ledger}/{seq} for ever\n"
    wait_for(book, lambda view: view.skipped_events_total == 2 and not view.building)
    assert households(book) == before - 1
    assert re.search(rf"^{VIEW} +1 +{book.ledger}/{seq} +000001/\d+ +由测试写入$", cli.ok("view", "status"), re.M)
