"""What became of a request: committed, absent, cancelled, repeated, unchanged, only tried out; also after a kill -9."""

import concurrent.futures
import threading

import grpc
import pytest

from book import Book, Refused, fresh_request_id, subject
from taizhang_client import PATIENCE_S

ABSENT, COMMITTED, CANCELLED = 3, 1, 4


@pytest.fixture(scope="module")
def book(client):
    book = Book(client).prepared()
    book.given(book.register_household("h"))
    return book


def outcome(book, request_id, settle=False, as_="maker"):
    return book.client.call("ledger.GetOutcome", {"ledger": book.ledger, "request_id": request_id, "settle": settle},
                            as_=as_)


def newest(book):
    return book.ask("ledger.ReadEvents", backward=True, page={"page_size": 1}).events[0].seq


def id_of(request):
    return request["context.request_id"]


def test_a_committed_request_has_its_receipt(book):
    visit = book.record_visit("committed", "h", day=20170601)
    receipt = book.given(visit).receipt
    for settle in (False, True, False):
        answer = outcome(book, id_of(visit), settle)
        assert answer.outcome == COMMITTED
        assert answer.receipt.first_seq == receipt.first_seq and answer.receipt.event_ids == receipt.event_ids
        assert answer.receipt.recorded_time == receipt.recorded_time


def test_an_absent_request_may_still_come(book):
    visit = book.record_visit("late", "h", day=20170602)
    assert outcome(book, id_of(visit)).outcome == ABSENT
    assert not book.given(visit).receipt.duplicate
    assert outcome(book, id_of(visit)).outcome == COMMITTED


def test_a_settled_request_never_comes(book):
    visit = book.record_visit("settled", "h", day=20170603)
    before = newest(book)
    assert outcome(book, id_of(visit), settle=True).outcome == CANCELLED
    for _ in range(2):
        refused = book.refusal(visit)
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "REQUEST_CANCELLED")
    assert outcome(book, id_of(visit), settle=True).outcome == CANCELLED
    assert outcome(book, id_of(visit)).outcome == CANCELLED
    # It takes no seq, and the visit itself may be recorded under another request.
    assert newest(book) == before
    assert book.given(visit.again()).receipt.first_seq == before + 1


def test_settling_is_for_those_who_may_send(book):
    request_id = fresh_request_id()
    with pytest.raises(Refused) as refused:
        outcome(book, request_id, settle=True, as_="reader")
    assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "NOT_AUTHORISED")
    assert outcome(book, request_id, as_="reader").outcome == ABSENT


def test_the_scope_of_a_request_id_is_its_ledger(book):
    visit = book.record_visit("scope", "h", day=20170604)
    book.given(visit)
    other = Book(book.client, "990301").open()
    assert outcome(other, id_of(visit)).outcome == ABSENT
    region = other.create_region(other.ledger)
    region["context.request_id"] = id_of(visit)
    assert not other.given(region).receipt.duplicate


def test_validate_only_writes_nothing(book):
    visit = book.record_visit("tried", "h", day=20170605)
    visit["context.validate_only"] = True
    before = newest(book)
    answer = book.given(visit)
    assert (answer.receipt.first_seq, answer.receipt.last_seq, answer.receipt.decided_on_seq) == (0, 0, before)
    assert answer.visit_id == visit["visit_id"] and answer.leader_rank == "STAFF"
    assert newest(book) == before and outcome(book, id_of(visit)).outcome == ABSENT
    visit["visitors"] = [book.id("nobody")]
    assert book.refusal(visit).reason == "WORKER_NOT_FOUND"
    # The same request id may then be sent in earnest: validate_only is no part of what it says.
    visit["visitors"] = [book.id("helper")]
    visit["context.validate_only"] = False
    done = book.given(visit)
    assert done.receipt.first_seq == before + 1 and not done.receipt.duplicate


def test_validate_only_of_a_ledger_opens_none(book):
    opening = Book(book.client, "990302").create_region("990302")
    fields = {"context": opening["context"] | {"validate_only": True}, "ledger": "990302", "kind": "LEDGER_KIND_COUNTY",
              "name": "示例"}
    assert book.client.call("admin.OpenLedger", fields, as_="operator").receipt.first_seq == 0
    with pytest.raises(Refused) as refused:
        book.client.call("rules.CreateRegion", opening.fields, as_="operator")
    assert refused.value.reason == "LEDGER_NOT_FOUND"


def test_an_equal_create_is_unchanged_and_binds_no_request_id(book):
    visit = book.record_visit("equal", "h", day=20170606)
    receipt = book.given(visit).receipt
    again = visit.again()
    answer = book.given(again)
    assert answer.receipt.unchanged and not answer.receipt.duplicate
    assert answer.receipt.first_seq == receipt.first_seq
    assert outcome(book, id_of(again)).outcome == ABSENT
    other = book.record_visit("other", "h", day=20170607)
    other["context.request_id"] = id_of(again)
    assert not book.given(other).receipt.duplicate
    # Equal is what the request says, wherever it came from; other content under the id is not.
    again = visit.again()
    again["context.source.note"] = "from elsewhere"
    assert book.given(again).receipt.unchanged
    again = visit.again()
    again["purpose"] = "CARE"
    assert book.refusal(again).reason == "ID_TAKEN"


def test_opening_a_ledger_again_is_unchanged(book):
    request = book.opening.again()
    answer = book.given(request)
    assert answer.receipt.unchanged and answer.receipt.first_seq == 1
    assert book.given(book.opening).receipt.duplicate


def test_two_callers_with_one_request_id_get_one_answer(book):
    """Sent at the same time, 20 times each: decided once, the others are duplicates."""
    for n in range(10):
        visit = book.record_visit(f"twice {n}", "h", day=20160601 + n)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            receipts = [answer.receipt for answer in pool.map(lambda _: book.send(visit), range(20))]
        assert sum(not receipt.duplicate for receipt in receipts) == 1
        assert len({receipt.first_seq for receipt in receipts}) == 1


def test_after_kill_9_every_request_is_there_once(server, book):
    """Calls in flight at the kill are sent again with their ids: exactly once each, whatever became of the answer. Whoever
    has the 150th answer kills; some are only sent then, so that the kill comes in the middle."""
    requests = [book.record_visit(f"crash {n}", "h", lead="helper 2", day=20150102 + n % 20 + 100 * (n // 20 % 12),
                                  channel=("HOME", "PHONE")[n // 240]) for n in range(480)]
    settled = book.record_visit("settled before the crash", "h", day=20170620)
    assert outcome(book, id_of(settled), settle=True).outcome == CANCELLED
    answered, killer, killed = {}, threading.Lock(), threading.Event()

    def send(number, request):
        if number >= len(requests) - 100:
            assert killed.wait(PATIENCE_S)
        try:
            answered[id_of(request)] = book.send(request, timeout=30).receipt
        except Refused as refused:
            assert refused.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"), refused
        if len(answered) >= 150 and killer.acquire(blocking=False):
            server.kill()
            killed.set()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for _ in pool.map(send, range(len(requests)), requests):
            pass
    assert 150 <= len(answered) < len(requests)
    server.client.close()
    server.client = book.client = server.start()

    for request in requests:
        was = outcome(book, id_of(request))
        receipt = book.send(request).receipt
        assert receipt.duplicate == (was.outcome == COMMITTED)
        if id_of(request) in answered:
            assert was.outcome == COMMITTED, "acknowledged and lost"
            before = answered[id_of(request)]
            assert (receipt.first_seq, receipt.recorded_time) == (before.first_seq, before.recorded_time)
    rows, token = [], ""
    while True:
        page = book.ask("duties.Visits", worker_id=book.id("helper 2"), page={"page_size": 1000, "page_token": token})
        rows += page.rows
        token = page.next_page_token
        if not token:
            break
    assert sorted(row.visit_id for row in rows) == sorted(request["visit_id"] for request in requests)
    assert outcome(book, id_of(settled)).outcome == CANCELLED
    assert book.refusal(settled).reason == "REQUEST_CANCELLED"


def test_a_reused_id_is_refused_also_after_a_restart(server, book):
    visit = book.record_visit("reused", "h", day=20170621)
    receipt = book.given(visit).receipt
    other = visit.copy()
    other["purpose"] = "CARE"
    assert book.refusal(other).reason == "REQUEST_ID_REUSED"
    server.client.close()
    assert server.stop() == 0
    server.client = book.client = server.start()
    assert book.refusal(other).reason == "REQUEST_ID_REUSED"
    repeated = book.given(visit).receipt
    assert repeated.duplicate and repeated.event_ids == receipt.event_ids


def test_the_same_body_in_another_encoding_is_the_same_request(server, book):
    """Fields in another order, numbers in longer varints, defaults written out: what it says counts, not its bytes."""
    visit = book.record_visit("encoded", "h", day=20170622, round=3)
    receipt = book.given(visit).receipt
    method = book.client.method(visit.method)
    message = book.client.message(method.input_type, visit.fields)
    fields = split(message.SerializeToString())
    encodings = [b"".join(reversed(fields)), b"".join(sorted(fields))]
    # round = 3 as a varint of five bytes; pooled channel value twice, the last one counts.
    encodings.append(b"".join(fields) + bytes([9 << 3, 0x83, 0x80, 0x80, 0x80, 0x00]))
    call = book.client.channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}",
                                           request_serializer=lambda raw: raw, response_deserializer=None)
    from taizhang.assistance.v1 import commands_pb2
    from taizhang_client import token_of

    for raw in encodings:
        assert commands_pb2.RecordVisitRequest.FromString(raw) == message
        answer = commands_pb2.RecordVisitResponse.FromString(
            call(raw, timeout=60, metadata=[("authorization", "Bearer " + token_of("maker"))]))
        assert answer.receipt.duplicate and answer.receipt.first_seq == receipt.first_seq


def split(raw):
    """The top-level fields of a message, each with its tag."""
    def varint(at):
        value = shift = 0
        while True:
            byte = raw[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    fields, at = [], 0
    while at < len(raw):
        tag, after = varint(at)
        kind = tag & 7
        assert kind in (0, 2)
        value, after = varint(after)
        end = after + value if kind == 2 else after
        fields.append(raw[at:end])
        at = end
    return fields


def test_an_answer_that_never_came_is_asked_for(book):
    """A deadline too short to be met tells what is known; the outcome then decides."""
    visit = book.record_visit("hurried", "h", day=20170623)
    try:
        book.send(visit, timeout=0.0005)
    except Refused as refused:
        assert refused.code == "DEADLINE_EXCEEDED"
    answer = outcome(book, id_of(visit), settle=True)
    assert answer.outcome in (COMMITTED, CANCELLED)
    book.last_seq = max(book.last_seq, answer.receipt.last_seq)
    visited = book.ask("duties.Visits", visited=subject("HOUSEHOLD", book.id("h")), page={"page_size": 1000}).rows
    assert (visit["visit_id"] in {row.visit_id for row in visited}) == (answer.outcome == COMMITTED)


def test_get_outcome_of_what_is_not_there(book):
    for fields in ({"ledger": "990399", "request_id": fresh_request_id()},
                   {"ledger": book.ledger, "request_id": "none"}):
        with pytest.raises(Refused) as refused:
            book.client.call("ledger.GetOutcome", fields)
        assert refused.value.code in ("NOT_FOUND", "INVALID_ARGUMENT")
        assert grpc.StatusCode[refused.value.code] and refused.value.zh
