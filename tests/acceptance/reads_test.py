"""Reading: events by position, following them, moments of the past, freshness, pages of one moment, row history."""

import threading
import time

import grpc
import pytest

from book import Book, Refused, date, day_of, subject
from taizhang_client import PATIENCE_S

LINE_EVENTS = ["taizhang.funds.v1.FundLineOpened", "taizhang.funds.v1.BudgetRecorded",
               "taizhang.funds.v1.FundsArrived", "taizhang.funds.v1.FundsAllocated",
               "taizhang.funds.v1.FundsCommitted", "taizhang.funds.v1.FundsDisbursed"]


@pytest.fixture(scope="module")
def book(client):
    book = Book(client).prepared()
    book.given(book.open_line("J"), book.record_budget("plan", "J", 20_000_000, "PLAN"))
    for n in range(4):
        book.given(book.record_arrival(f"a{n}", "J", 5_000_000, day=20170110 + n),
                   book.spend(f"p{n}", "J", 5_000_000, day=20170801 - 100 * n, price=("TERRACE", 50_000, 100, "MU")))
    for n in range(30):
        book.given(book.register_household(f"h{n}"))
    return book


def pages(book, method, rows, size, **fields):
    """All rows, and the freshness of each page."""
    found, fresh, token = [], [], ""
    while True:
        answer = book.ask(method, page={"page_size": size, "page_token": token}, **fields)
        found += getattr(answer, rows)
        fresh.append(answer.freshness)
        assert len(getattr(answer, rows)) <= size
        token = answer.next_page_token
        if not token:
            return found, fresh


def seqs(events):
    return [event.seq for event in events]


# --- events by position ----------------------------------------------------------------------------------------------

def test_events_forward_and_backward_in_pages(book):
    last = book.last_seq
    for size in (7, 1000):
        assert seqs(pages(book, "ledger.ReadEvents", "events", size)[0]) == list(range(1, last + 1))
        assert seqs(pages(book, "ledger.ReadEvents", "events", size, backward=True)[0]) == list(range(last, 0, -1))
    assert seqs(pages(book, "ledger.ReadEvents", "events", 3, from_seq=5, to_seq=11)[0]) == list(range(5, 12))
    assert seqs(pages(book, "ledger.ReadEvents", "events", 3, from_seq=11, to_seq=5, backward=True)[0]) == \
        list(range(11, 4, -1))
    assert not book.ask("ledger.ReadEvents", from_seq=last + 1).events


def test_events_by_type_subject_and_context(book):
    line = subject("FUND_LINE", book.id("J"))
    of_line = pages(book, "ledger.ReadEvents", "events", 5, filter={"subjects": [line]})[0]
    assert [event.type for event in of_line] == LINE_EVENTS[:2] + LINE_EVENTS[2:] * 4
    arrived = pages(book, "ledger.ReadEvents", "events", 3, backward=True,
                    filter={"types": LINE_EVENTS[2:3], "subjects": [line]})[0]
    assert len(arrived) == 4 and seqs(arrived) == sorted(seqs(arrived), reverse=True)
    funds = pages(book, "ledger.ReadEvents", "events", 1000, filter={"contexts": ["funds"]})[0]
    assert seqs(funds) == seqs(of_line)
    assert not book.ask("ledger.ReadEvents", filter={"types": ["taizhang.funds.v1.NoSuchEvent"]}).events


def test_an_envelope_says_everything(book):
    payment = book.spend("enveloped", "J", 1, "FESTIVAL").having(amount_fen=1)
    payment["context.correlation_id"] = "c-1"
    payment["context.reason"] = "因为"
    book.given(book.record_arrival("a enveloped", "J", 1))
    receipt = book.given(payment).receipt
    events = book.ask("ledger.ReadEvents", from_seq=receipt.first_seq, to_seq=receipt.last_seq).events
    assert [event.type for event in events] == LINE_EVENTS[3:]
    for event in events:
        assert event.id == f"{book.ledger}/{event.seq}" and event.id in receipt.event_ids
        assert event.source == f"/ledgers/{book.ledger}"
        assert event.dataschema == event.type.replace(".", "/")
        assert (event.commit_first_seq, event.commit_last_seq) == (receipt.first_seq, receipt.last_seq)
        assert event.time == receipt.recorded_time
        assert event.request_id == payment["context.request_id"]
        assert (event.correlation_id, event.reason, event.command) == ("c-1", "因为", "funds.SpendDirectly")
        assert day_of(event.effective_date) == day_of(payment["paid_date"])
        assert event.actor.subject == "maker" and event.actor.worker_id and not event.self_approved
        assert event.source_document.note == "synthetic"
    from taizhang.funds.v1 import events_pb2

    paid = events_pb2.FundsDisbursed.FromString(events[-1].payload)
    assert (paid.payment_id, paid.amount_fen, paid.village) == (payment["payment_id"], 1, book.village)
    assert events[-1].subject == f"PAYMENT/{payment['payment_id']}"


def test_personal_payloads_are_for_makers_and_checkers(book):
    registered = {"types": ["taizhang.registry.v1.PersonRegistered"]}
    for as_, withheld in (("maker", False), ("checker", False), ("reader", True), ("operator", True)):
        event = book.ask("ledger.ReadEvents", as_=as_, filter=registered, page={"page_size": 1}).events[0]
        assert event.payload_withheld == withheld and bool(event.payload) != withheld


# --- following -------------------------------------------------------------------------------------------------------

def follow(book, as_="reader", **fields):
    """By a server that tells of everything the book was told."""
    book.wait_for_events()
    return book.client.stream("ledger.Subscribe", {"ledger": book.ledger, **fields}, as_=as_)


def take_until(stream, kind):
    """(seqs of the events, the message of that kind, kinds before it)"""
    found, kinds = [], []
    for message in stream:
        which = message.WhichOneof("message")
        if which == "batch":
            found += seqs(message.batch.events)
        if which == kind:
            return found, getattr(message, which), kinds
        kinds.append(which)
    raise AssertionError(f"the stream ended without {kind}: {kinds}")


@pytest.mark.parametrize("part", [0, 0.5, 1])
def test_subscribe_from_any_position_into_the_present(book, part):
    last = book.last_seq
    after = int(last * part)
    stream = follow(book, after_seq=after, heartbeat_ms=100)
    found, caught_up, _ = take_until(stream, "caught_up")
    assert found == list(range(after + 1, last + 1)) and caught_up.seq == last
    _, heartbeat, _ = take_until(stream, "heartbeat")
    assert heartbeat.seq == last and heartbeat.lag_ms >= 0
    receipt = book.given(book.register_household(book.fresh("followed"))).receipt
    live = []
    while len(live) < receipt.last_seq - last:
        more, _, _ = take_until(stream, "batch")
        live += more
    assert live == list(range(last + 1, receipt.last_seq + 1))
    stream.cancel()


def test_a_filtered_subscription_tells_how_far_it_has_looked(book):
    stream = follow(book, after_seq=0, heartbeat_ms=100, filter={"types": LINE_EVENTS[2:3]})
    found, caught_up, _ = take_until(stream, "caught_up")
    assert len(found) == len(book.ask("ledger.ReadEvents", filter={"types": LINE_EVENTS[2:3]}).events)
    assert caught_up.seq == book.last_seq
    receipt = book.given(book.register_household(book.fresh("passed"))).receipt
    while True:
        more, checkpoint, _ = take_until(stream, "checkpoint")
        assert not more
        if checkpoint.seq >= receipt.last_seq:
            break
    stream.cancel()


def test_two_readers_see_what_a_busy_writer_writes(book):
    """Every event once and in order, while 200 commands come in."""
    first = book.last_seq
    stream = follow(book, after_seq=first)
    results = book.execute([book.register_household(book.fresh("busy")) for _ in range(200)], batch=20)
    last = results[-1].receipt.last_seq
    found = []
    for message in stream:
        if message.WhichOneof("message") == "batch":
            found += seqs(message.batch.events)
        if found and found[-1] == last:
            break
    assert found == list(range(first + 1, last + 1))
    stream.cancel()


def test_a_subscription_beyond_the_end_claims_nothing(book):
    """It waits for what comes after its position, and says how far the ledger is."""
    stream = follow(book, after_seq=book.last_seq + 2, heartbeat_ms=100)
    _, heartbeat, before = take_until(stream, "heartbeat")
    assert heartbeat.seq == book.last_seq and not before
    first = book.last_seq
    receipt = book.given(book.register_household(book.fresh("beyond"), members=2)).receipt
    found, _, _ = take_until(stream, "caught_up")
    assert found == list(range(first + 3, receipt.last_seq + 1))
    stream.cancel()


def test_a_subscription_ends_when_the_server_stops_it(book):
    stream = book.client.stream("ledger.Subscribe", {"ledger": book.ledger, "after_seq": book.last_seq,
                                                     "heartbeat_ms": 100}, timeout=1)
    with pytest.raises(grpc.RpcError) as ended:
        for _ in stream:
            pass
    assert ended.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


# --- moments ---------------------------------------------------------------------------------------------------------

def test_read_your_writes(book):
    """The seq of a receipt is enough to see it at once."""
    for _ in range(30):
        name = book.fresh("seen")
        receipt = book.given(book.register_household(name)).receipt
        sheet = book.client.call("household_file.Sheet", {
            "ledger": book.ledger, "household_id": book.id(name), "read": {"at_least_seq": receipt.last_seq}},
            as_="reader")
        assert sheet.freshness.seq >= receipt.last_seq


def test_a_seq_that_does_not_come_says_how_far_it_is(book):
    book.ask("household_file.CountHouseholds")  # the view holds everything
    for read in ({"at_least_seq": book.last_seq + 100}, {"seq": book.last_seq + 100}):
        with pytest.raises(Refused) as refused:
            book.client.call("household_file.CountHouseholds", {"ledger": book.ledger, "read": read}, timeout=0.5)
        assert refused.value.code == "DEADLINE_EXCEEDED"
        # The client's own clock may end the call first; the server's answer then is not there to be read.
        if refused.value.reason:
            assert refused.value.metadata["seq"] == str(book.last_seq)


def test_waiting_ends_when_the_seq_comes(book):
    wanted = book.last_seq + 3
    answers = []

    def wait():
        answers.append(book.client.call("household_file.CountHouseholds", {
            "ledger": book.ledger, "read": {"at_least_seq": wanted}}, as_="reader"))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    assert not answers
    book.given(book.register_household(book.fresh("awaited")))
    thread.join(PATIENCE_S)
    assert answers and answers[0].freshness.seq >= wanted


def test_as_of_every_seq_is_the_fold_of_what_came_before(book):
    """A line's figures as of each seq equal the sums of its events up to there."""
    from taizhang.funds.v1 import events_pb2

    events = book.ask("ledger.ReadEvents", page={"page_size": 1000},
                      filter={"subjects": [subject("FUND_LINE", book.id("J"))]}).events
    arrived = paid = 0
    for event in events:
        if event.type == LINE_EVENTS[2]:
            arrived += events_pb2.FundsArrived.FromString(event.payload).amount_fen
        if event.type == LINE_EVENTS[5]:
            paid += events_pb2.FundsDisbursed.FromString(event.payload).amount_fen
        for moment in ({"seq": event.seq}, {"at": event.time} if event.seq == event.commit_last_seq else {}):
            if not moment:
                continue
            answer = book.ask("fund_execution.BySource", day=20180101, fund_line_id=book.id("J"), **moment)
            figures = answer.rows[0].figures
            assert (figures.arrived_fen, figures.paid_fen) == (arrived, paid), moment
            assert answer.freshness.seq == event.seq
    assert arrived >= 20_000_000


def test_a_moment_of_the_past_is_final_and_one_to_come_is_not(book):
    event = book.ask("ledger.ReadEvents", from_seq=book.last_seq - 5, page={"page_size": 1}).events[0]
    book.given(book.register_household(book.fresh("later")))
    past = book.ask("household_file.CountHouseholds", at=event.time)
    assert past.freshness.final and past.freshness.seq == event.commit_last_seq
    assert past.freshness.recorded_time == event.time
    from google.protobuf.timestamp_pb2 import Timestamp

    future = Timestamp(seconds=event.time.seconds + 3600)
    answer = book.ask("household_file.CountHouseholds", at=future)
    assert not answer.freshness.final and answer.freshness.seq == book.last_seq
    # Nothing was written since: the owner closes the time on demand.
    now = Timestamp()
    now.GetCurrentTime()
    end = time.monotonic() + PATIENCE_S
    while not (answer := book.ask("household_file.CountHouseholds", at=now)).freshness.final:
        assert time.monotonic() < end, "the time was not closed"
    assert answer.freshness.seq == book.last_seq
    before = Timestamp(seconds=event.time.seconds - 10 * 365 * 86400)
    answer = book.ask("household_file.CountHouseholds", at=before)
    assert answer.freshness.final and answer.freshness.seq == 0 and answer.households == 0
    assert book.ask("household_file.CountHouseholds", seq=book.last_seq).freshness.final


def test_both_times_are_independent(book):
    """What was known then of a day, and what is known now of it."""
    name = book.fresh("dated")
    before = book.last_seq
    book.given(book.register_household(name, day=20160501))

    def count(**moment):
        return book.ask("household_file.CountHouseholds", **moment).households

    assert count(day=20160501) - count(day=20160430) == 1
    assert count(day=20160501, seq=before) == count(day=20160430, seq=before)


def test_freshness(book):
    fresh = book.ask("fund_execution.ByVillage").freshness
    assert (fresh.ledger, fresh.view, fresh.view_version) == (book.ledger, "fund_execution", 1)
    assert fresh.seq == fresh.journal_seq == book.last_seq and fresh.lag_ms >= 0
    newest = book.ask("ledger.ReadEvents", backward=True, page={"page_size": 1}).events[0]
    assert fresh.recorded_time == newest.time


def test_pages_are_of_one_moment_while_writing_goes_on(book):
    """Between every two pages something is written."""
    for method, rows, key in (("household_file.Households", "rows", lambda row: row.household.household_id),
                              ("ledger.ReadEvents", "events", lambda event: event.seq)):
        found, moments, token = [], set(), ""
        size = 1 + len(pages(book, method, rows, 1000)[0]) // 8
        while True:
            answer = book.ask(method, page={"page_size": size, "page_token": token})
            found += getattr(answer, rows)
            moments.add(answer.freshness.seq)
            token = answer.next_page_token
            if not token:
                break
            book.given(book.register_household(book.fresh("meanwhile")))
        moment, = moments
        assert moment < book.last_seq
        again, _ = pages(book, method, rows, 1000, seq=moment)
        assert [key(row) for row in found] == [key(row) for row in again]


def test_a_rows_history_names_who_when_why_and_from_which_document(book):
    line = book.fresh("line")
    opening = book.open_line(line)
    budget = book.record_budget(book.fresh("budget"), line, 500)
    budget["context.reason"] = "县里下达"
    first = book.given(opening).receipt
    second = book.given(budget.by("maker2")).receipt
    versions, _ = pages(book, "fund_execution.LineHistory", "versions", 1, fund_line_id=book.id(line))
    assert [version.version for version in versions] == [second.last_seq, first.last_seq]
    newest, oldest = versions
    assert newest.change.actor.subject == "maker2" and newest.change.reason == "县里下达"
    assert newest.change.recorded_time == second.recorded_time
    assert day_of(newest.change.effective_date) == day_of(budget["context.effective_date"])
    assert newest.change.event_type == "funds.v1.BudgetRecorded" and newest.change.command == "funds.RecordBudget"
    assert budget["document.document_id"] in newest.document_ids
    assert (newest.figures.budgeted_fen, oldest.figures.budgeted_fen) == (500, 0)
    assert newest.change.event_id == second.event_ids[-1] and not newest.change.pending
    # The version of a row is what expected_version wants.
    arrival = book.record_arrival(book.fresh("arrival"), line, 500)
    arrival["context.expected_version"] = oldest.version
    assert book.refusal(arrival).reason == "VERSION_MISMATCH"
    arrival["context.expected_version"] = newest.version
    book.given(arrival)


def test_what_is_not_there(book):
    unknown = "11111111-2222-3333-4444-555555555555"
    for method, fields, reason in (("household_file.Sheet", {"household_id": unknown}, "HOUSEHOLD_NOT_FOUND"),
                                   ("asset_register.Card", {"asset_id": unknown}, "ASSET_NOT_FOUND"),
                                   ("household_file.ShowVisit", {"visit_id": unknown}, "VISIT_NOT_FOUND")):
        with pytest.raises(Refused) as refused:
            book.ask(method, **fields)
        assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", reason) and refused.value.zh
    # Not yet on that day.
    with pytest.raises(Refused) as refused:
        book.ask("household_file.Sheet", day=20141231, household_id=book.id("h1"))
    assert refused.value.reason == "HOUSEHOLD_NOT_FOUND"
    with pytest.raises(Refused) as refused:
        book.client.call("household_file.CountHouseholds", {"ledger": "990398"}, as_="reader")
    assert refused.value.code == "NOT_FOUND"


def test_who_may_read(book):
    with pytest.raises(Refused) as refused:
        book.ask("household_file.CountHouseholds", as_="elsewhere")
    assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "NOT_AUTHORISED")
    with pytest.raises(Refused) as refused:
        book.client.call("household_file.CountHouseholds", {"ledger": book.ledger}, as_=None)
    assert refused.value.code == "UNAUTHENTICATED"
    for method in ("admin.GetStatus",):
        with pytest.raises(Refused) as refused:
            book.client.call(method, {}, as_="reader")
        assert refused.value.code == "PERMISSION_DENIED"


def test_a_read_that_is_malformed(book):
    wrong = [({"read": {"effective_date": date(20170229)}}, "read.effective_date"),
             ({"read": {"at_least_seq": -1}}, "read.at_least_seq"), ({"read": {"seq": -1}}, "read.seq"),
             ({"page": {"page_size": 1001}}, "page.page_size"), ({"region": "99010"}, "region")]
    for fields, field in wrong:
        with pytest.raises(Refused) as refused:
            book.client.call("household_file.Households", {"ledger": book.ledger, **fields}, as_="reader")
        assert refused.value.code == "INVALID_ARGUMENT", fields
        assert refused.value.violations[0][0] == field, refused.value.violations
