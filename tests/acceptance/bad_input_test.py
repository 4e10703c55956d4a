"""Input that is wrong in every way we could think of: each call is answered cleanly."""

import random

import grpc
import pytest

from bad_input import commands, encoded, prepared_book, queries, raw_call, refused_by
from book import Book, citizen_number, credit_code, Refused
from taizhang_client import token_of


@pytest.fixture(scope="module")
def book(client):
    return prepared_book(client)


# --- bytes -----------------------------------------------------------------------------------------------------------

def test_bytes_that_are_no_message(book):
    random_bytes = random.Random(1)
    for request in commands(book) + queries(book):
        call, _ = raw_call(book, request.method, request.as_)
        for raw in (b"\xff" * 40, b"\x0a\xff\xff\xff\xff\x0f", b"\x00", b"\x0b\x0c", random_bytes.randbytes(300),
                    encoded(book, request)[:-1]):
            refused = refused_by(lambda: call(raw))
            assert refused.code in ("INVALID_ARGUMENT", "PERMISSION_DENIED"), (request.method, raw, refused)
            assert refused.reason and refused.zh


def test_text_that_is_no_utf8(book):
    request = book.open_line(book.fresh("line"))
    call, _ = raw_call(book, request.method)
    raw = encoded(book, request).replace("TERRACE".encode(), b"TER\xff\xfeCE")
    refused = refused_by(lambda: call(raw))
    assert refused.code == "INVALID_ARGUMENT"


def test_a_deeply_nested_message_is_refused(book):
    call, _ = raw_call(book, "registry.RegisterHousehold")
    raw = b""
    for _ in range(3000):  # groups of an unknown field, one inside the other
        raw = b"\xa3\x06" + raw + b"\xa4\x06"
    assert refused_by(lambda: call(raw)).code == "INVALID_ARGUMENT"


def test_requests_over_the_limit_name_it(book):
    request = book.record_visit(book.fresh("visit"), "h")
    request["context.reason"] = "x" * 600_000
    refused = book.refusal(request)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "LIMIT_EXCEEDED")
    assert refused.metadata["limit"] == "request_bytes_max" and refused.metadata["max"] == "524288"
    # Beyond what the transport itself takes.
    request["context.reason"] = "x" * 8_000_000
    assert book.refusal(request).code in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
    # Within the limit, but over the length of the field.
    request["context.reason"] = "x" * 500_000
    refused = book.refusal(request)
    assert refused.reason == "FIELD_INVALID" and refused.metadata["field"] == "context.reason"
    assert len(str(refused)) < 2_000


def test_lists_and_commits_over_the_limit_name_it(book):
    request = book.record_visit(book.fresh("visit"), "h")
    request["visitors"] = [book.id("helper")] * 1001
    assert book.refusal(request).reason == "TOO_MANY_ROWS"
    # A thousand members with long names fit into a request, but their events are too much for one commit.
    household = book.register_household(book.fresh("household"))
    household["members"] = [book.member(f"{book.fresh('person')} {'名' * 60}", place == 0) for place in range(1000)]
    try:
        book.send(household)
    except Refused as refused:
        assert refused.code == "INVALID_ARGUMENT" and "limit" in refused.metadata


def test_many_violations_are_answered_within_bounds(book):
    household = book.register_household(book.fresh("household"))
    household["members"] = [{"person_id": "x" * 60, "relation": "y" * 70} for _ in range(1000)]
    refused = book.refusal(household)
    assert refused.code == "INVALID_ARGUMENT" and 10 < len(refused.violations) < 1000
    assert int(refused.metadata["violations_omitted"]) > 0


# --- what nobody defined ---------------------------------------------------------------------------------------------

def test_unknown_fields_are_refused_wherever_they_stand(book):
    visit = book.record_visit(book.fresh("visit"), "h", issues=[(book.fresh("issue"), "REQUEST", "OTHER")])
    visit["evidence"] = [book.document("paper")]
    method = book.client.method(visit.method)
    unknown = b"\xfa\x3e\x01x"  # field 1007, one character

    def with_unknown(path):
        message = book.client.message(method.input_type, visit.fields)
        inner = message
        for step in path:
            inner = inner[step] if isinstance(step, int) else getattr(inner, step)
        inner.MergeFromString(unknown)
        return message.SerializeToString()

    call, _ = raw_call(book, visit.method)
    for path in ([], ["context"], ["context", "source"], ["visited"], ["date"], ["evidence", 0], ["requests", 0],
                 ["requests", 0, "text"]):
        refused = refused_by(lambda: call(with_unknown(path)))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID"), path
    query, read = raw_call(book, "duties.Due", "reader")
    raw = book.client.message(read.input_type, {"ledger": book.ledger}).SerializeToString()
    assert refused_by(lambda: query(raw + unknown)).reason == "FIELD_INVALID"


def test_unknown_enum_values_are_refused_wherever_they_stand(book):
    visit = book.record_visit(book.fresh("visit"), "h", issues=[(book.fresh("issue"), "REQUEST", "OTHER")])
    asset = book.form_asset(book.fresh("asset"))
    tries = [(visit, "channel"), (visit, "visited.kind"), (visit, "requests[0].kind"), (visit, "context.source.kind"),
             (asset, "asset_class"), (asset, "value.qualifier"), (asset, "value.nature"), (asset, "quantity.unit"),
             (asset, "parts[0].source_kind")]
    for request, path in tries:
        for number in (77, -1, 2**31 - 1):
            changed = request.again()
            changed[path] = number
            refused = book.refusal(changed)
            assert refused.code == "INVALID_ARGUMENT", path
            assert (refused.reason, refused.metadata["field"]) == ("FIELD_INVALID", path), refused


def test_unspecified_is_no_value(book):
    for path, request in (("channel", book.record_visit("x", "h")), ("kind", book.start_pairing("x", "h")),
                          ("asset_class", book.form_asset("x")), ("source_kind", book.open_line("x"))):
        request[path] = 0
        refused = book.refusal(request)
        assert (refused.reason, refused.metadata["field"]) == ("FIELD_REQUIRED", path)


# --- values ----------------------------------------------------------------------------------------------------------

def test_every_wrong_digit_of_a_citizen_number(book):
    number = citizen_number(123, 19840229)
    for at in range(18):
        for digit in "0123456789X" if at == 17 else "0123456789":
            if digit == number[at]:
                continue
            worker = book.register_worker(book.fresh("worker"), day=20170101)
            worker["identity.citizen_number"] = number[:at] + digit + number[at + 1:]
            assert book.refusal(worker).reason == "CITIZEN_NUMBER_INVALID", worker["identity.citizen_number"]
    # Two digits changed places; too short; letters; not yet born; no such day.
    for wrong in (number[:4] + number[5] + number[4] + number[6:], number[:17], number[:10], "A" * 18,
                  citizen_number(1, 20990101), citizen_number(1, 19830229), citizen_number(1, 18991231)):
        worker = book.register_worker(book.fresh("worker"), day=20170101)
        worker["identity.citizen_number"] = wrong
        assert book.refusal(worker).reason == "CITIZEN_NUMBER_INVALID", wrong
    # Small x, full-width digits and spaces: a form is repaired only where the standard says so.
    ending_in_x = next(citizen_number(n, 19840229) for n in range(200, 300) if citizen_number(n, 19840229)[-1] == "X")
    worker = book.register_worker(book.fresh("worker"), day=20170101)
    worker["identity.citizen_number"] = ending_in_x.lower()
    book.given(worker)
    worker = book.register_worker(book.fresh("worker"), day=20170101)
    worker["identity.citizen_number"] = ending_in_x
    assert book.refusal(worker).reason == "CITIZEN_NUMBER_TAKEN"


def test_every_wrong_character_of_a_credit_code(book):
    code = credit_code(1234567)
    for at in range(18):
        for character in ("0", "7", "A", "I", "Z"):
            if character != code[at]:
                organisation = book.register_organisation(
                    book.fresh("org"), credit_code=code[:at] + character + code[at + 1:])
                assert book.refusal(organisation).reason == "CREDIT_CODE_INVALID", organisation["credit_code"]
    for wrong in (code[:17], code + "0", code.lower() if code.lower() != code else "x" * 18):
        assert book.refusal(book.register_organisation(book.fresh("org"), credit_code=wrong)).reason == \
            "CREDIT_CODE_INVALID"
    named = book.register_organisation(book.fresh("org"), credit_code=code)
    named["org_id"] = "uscc:" + credit_code(7654321)
    refused = book.refusal(named)
    assert (refused.reason, refused.metadata["field"]) == ("FIELD_INVALID", "credit_code")
    named["org_id"] = "uscc:" + code
    book.given(named)


def test_wrong_region_codes(book):
    for code in ("99", "9901", "99010", "990101000", "990101600", "990101100000", "990101100201000", "990101 00",
                 "99010１100", "9901011002010011", "-90101100"):
        request = book.create_region(book.town)
        request["region"] = code
        assert book.refusal(request).reason in ("REGION_CODE_INVALID", "REGION_NOT_IN_LEDGER", "FIELD_INVALID"), code
        household = book.register_household(book.fresh("household"), region=code)
        assert book.refusal(household).reason in ("FIELD_INVALID", "REGION_NOT_FOUND", "NOT_A_VILLAGE"), code


IMPOSSIBLE = [(2017, 2, 29), (1900, 2, 29), (2100, 2, 29), (2017, 4, 31), (2017, 13, 1), (2017, 0, 1), (2017, 1, 0),
              (2017, 1, 32), (1899, 12, 31), (2200, 1, 1), (0, 0, 0), (-2017, 1, 1), (2017, -1, 1), (2**31 - 1, 1, 1),
              (2017, 2**31 - 1, 1), (2017, 1, -2**31)]


def test_impossible_dates(book):
    visit = book.record_visit(book.fresh("visit"), "h", issues=[(book.fresh("issue"), "REQUEST", "OTHER")])
    worker = book.register_worker(book.fresh("worker"))
    status = book.load_status("h")
    for request, path in ((visit, "date"), (visit, "requests[0].due_date"), (worker, "context.effective_date"),
                          (worker, "identity.birth_date"), (status, "periods[0].to_date"),
                          (status, "document.issued_date")):
        for year, month, day in IMPOSSIBLE:
            changed = request.again()
            changed[path] = {"year": year, "month": month, "day": day}
            refused = book.refusal(changed)
            assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID"), (path, year, month, day)
            assert path in [field for field, _ in refused.violations]


NEAR = [2**63 - 1, 2**63 - 2, -(2**63), -(2**63) + 1, 10**15 + 1, 10**18]


def test_money_near_the_end_of_int64(book):
    line = book.fresh("line")
    book.given(book.open_line(line))
    for fen in NEAR:
        for request, path in ((book.record_budget("x", line, fen), "amount_fen"),
                              (book.record_arrival("x", line, fen), "amount_fen"),
                              (book.spend("x", line, fen), "amount_fen"),
                              (book.form_asset("x", fen), "parts[0].fen")):
            refused = book.refusal(request)
            assert refused.code == "INVALID_ARGUMENT" and path in [field for field, _ in refused.violations]
            assert refused.reason == ("AMOUNT_NOT_POSITIVE" if fen < 0 else "FIELD_INVALID"), refused
    for milli in NEAR:
        asset = book.form_asset("x")
        asset["quantity.milli"] = milli
        refused = book.refusal(asset)
        # Below the lower bound and not positive are both told; which stands first is the walk's.
        assert refused.reason in ("AMOUNT_NOT_POSITIVE", "FIELD_INVALID")
        assert refused.metadata["field"] == "quantity.milli"
    # Products beyond int64: price x quantity, heads x rate, a thousand parts.
    spend = book.spend("x", line, 10**15, price=("TERRACE", 10**15, 1, "MU"))
    spend["price.quantity"] = {"milli": 10**15, "unit": "UNIT_MU"}
    assert book.refusal(spend).reason == "PRICE_MISMATCH"
    budget = book.record_budget("x", line, 10**15, per_head={"role": "FIRST_SECRETARY", "heads": 2**31 - 1})
    assert book.refusal(budget).reason == "RATE_MISMATCH"
    asset = book.form_asset("x", 10**15)
    asset["parts"] = [{"source_kind": "SOURCE_KIND_WON", "fen": 10**15}] * 1000
    assert book.refusal(asset).reason == "PARTS_DO_NOT_SUM"


def test_sums_that_would_leave_int64(client):
    """9,223 arrivals of 10^15 fen fit; the next one would not, is refused, and the sum stands."""
    book = Book(client, "990304").prepared()
    line = book.fresh("line")
    book.given(book.open_line(line))
    arrivals = [book.record_arrival(book.fresh("huge"), line, 10**15) for _ in range(2**63 // 10**15)]
    results = book.execute(arrivals, batch=500)
    assert all(result.HasField("receipt") for result in results)
    refused = book.refusal(book.record_arrival(book.fresh("huge"), line, 10**15))
    assert (refused.code, refused.reason) in (("INVALID_ARGUMENT", "FIELD_INVALID"),
                                              ("FAILED_PRECONDITION", "ARRIVAL_EXCEEDS_BUDGET")), refused
    row = book.ask("fund_execution.BySource", fund_line_id=book.id(line)).rows[0]
    assert row.figures.arrived_fen == len(arrivals) * 10**15
    # A second line's 10^15 fit by themselves; the total of both lines does not, and is refused rather than wrong.
    other = book.fresh("line")
    book.given(book.open_line(other), book.record_arrival(book.fresh("huge"), other, 10**15))
    with pytest.raises(Refused) as refused:
        book.ask("fund_execution.BySource")
    assert (refused.value.code, refused.value.reason) == ("OUT_OF_RANGE", "SUM_OUT_OF_RANGE") and refused.value.zh
    assert len(book.ask("fund_execution.Progress").rows) == 2


def test_texts_with_characters_that_do_not_belong(book):
    for text in ("a\x00b", "\x07", "\x7f", "a\x1bb"):
        organisation = book.register_organisation(book.fresh("org"))
        organisation["name.text"] = text
        refused = book.refusal(organisation)
        assert (refused.reason, refused.metadata["field"]) == ("FIELD_INVALID", "name.text")
    for text in ("😀" * 200, "字" * 200, "‮אבג", "ﷺ", "e\u0301" * 100):
        organisation = book.register_organisation(book.fresh("org"))
        organisation["name.text"] = text
        book.given(organisation)
    organisation["name.text"] = "字" * 201
    assert book.refusal(organisation.again()).reason == "FIELD_INVALID"


def test_ids_that_are_none(book):
    good = book.id("household x")
    for wrong in (good.upper(), good.replace("-", ""), "{" + good + "}", good + " ", good[:-1], good[:-1] + "g", " "):
        household = book.register_household(book.fresh("household"))
        household["household_id"] = wrong
        refused = book.refusal(household)
        assert (refused.reason, refused.metadata["field"]) == ("FIELD_INVALID", "household_id"), wrong
        household = book.register_household(book.fresh("household"))
        household["context.request_id"] = wrong
        assert book.refusal(household).metadata["field"] == "context.request_id"


# --- callers ---------------------------------------------------------------------------------------------------------

def test_no_token_a_wrong_one_and_wrong_ways_to_send_it(book):
    visit = book.record_visit(book.fresh("visit"), "h")
    raw = encoded(book, visit)
    good = token_of("maker")
    for metadata, reason in (([], "TOKEN_MISSING"), ([("authorization", "Bearer ")], "TOKEN_UNKNOWN"),
                             ([("authorization", "Bearer " + good + "x")], "TOKEN_UNKNOWN"),
                             ([("authorization", good)], "TOKEN_UNKNOWN"),
                             ([("authorization", "Basic " + good)], "TOKEN_UNKNOWN"),
                             ([("authorization", "Bearer " + good.upper())], "TOKEN_UNKNOWN"),
                             ([("authorization", "Bearer " + "x" * 5000)], "TOKEN_UNKNOWN"),
                             ([("x-token", good)], "TOKEN_MISSING")):
        call, _ = raw_call(book, visit.method, metadata=metadata)
        refused = refused_by(lambda: call(raw))
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", reason), metadata
        assert good not in str(refused) and refused.zh


def test_foreign_regions(book):
    visit = book.record_visit(book.fresh("visit"), "h")
    for request in commands(book) + queries(book):
        refused = book.refusal(request.by("elsewhere"))
        assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "NOT_AUTHORISED"), request.method
    assert book.refusal(visit.by("elsewhere")).metadata["field"] == "ledger"


def test_a_deadline_is_required(book):
    visit = book.record_visit(book.fresh("visit"), "h")
    call, _ = raw_call(book, visit.method, timeout=None)
    refused = refused_by(lambda: call(encoded(book, visit)))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "DEADLINE_REQUIRED")
    query, method = raw_call(book, "duties.Due", "reader", timeout=None)
    raw = book.client.message(method.input_type, {"ledger": book.ledger}).SerializeToString()
    assert refused_by(lambda: query(raw)).reason == "DEADLINE_REQUIRED"


def test_methods_that_are_not_there(book):
    channel = book.client.channel
    metadata = [("authorization", "Bearer " + token_of("maker"))]
    for path in ("/taizhang.funds.v1.FundsService/NoSuchMethod", "/no.such.Service/Method", "/x", "/"):
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(path)(b"", timeout=60, metadata=metadata)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED, path


# --- page tokens -----------------------------------------------------------------------------------------------------

def test_altered_and_foreign_page_tokens(book):
    for n in range(12):
        book.given(book.register_household(book.fresh("household")))
    request = {"ledger": book.ledger, "page": {"page_size": 3}}

    def ask(method="household_file.Households", token="", **fields):
        changed = {**request, **fields, "page": {"page_size": 3, "page_token": token}}
        return book.client.call(method, changed, as_="reader")

    token = ask().next_page_token
    assert ask(token=token).rows
    flips = random.Random(2)
    altered = [token[:-1], token + "A", token[1:], token * 2, "", "A" * len(token), "=", "字", token.swapcase()]
    for at in range(len(token)):
        altered.append(token[:at] + flips.choice([c for c in "ABCDxyz019-_" if c != token[at]]) + token[at + 1:])
    for wrong in altered:
        if not wrong:
            continue
        refused = refused_by(lambda: ask(token=wrong))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"), wrong
    assert refused_by(lambda: ask(token="A" * 1025)).reason == "FIELD_INVALID"
    # Of another list, another filter, another moment.
    for method, fields in (("household_file.Issues", {}), ("duties.Visits", {}),
                           ("household_file.Households", {"status": "LIFTED"}),
                           ("household_file.Households", {"read": {"seq": 50}})):
        refused = refused_by(lambda: ask(method, token, **fields))
        assert refused.reason == "PAGE_TOKEN_INVALID", (method, fields)
    other = Book(book.client, "990303").open()
    assert refused_by(lambda: ask(token=token, ledger=other.ledger)).reason == "PAGE_TOKEN_INVALID"


# --- the bulk stream -------------------------------------------------------------------------------------------------

def test_a_bulk_stream_answers_each_command_for_itself(book):
    good = [book.register_household(book.fresh("household")) for _ in range(3)]
    wrong = good[0].again()
    wrong["household_id"] = "x"
    results = book.execute([good[0], wrong, good[1], good[1], good[2]])
    assert [result.HasField("receipt") for result in results] == [True, False, True, True, True]
    assert results[3].receipt.duplicate
    from google.rpc import error_details_pb2

    info = error_details_pb2.ErrorInfo()
    assert results[1].refusal.details[0].Unpack(info) and info.reason == "FIELD_INVALID"


def test_bulk_messages_that_are_wrong(book):
    from taizhang.ledger.v1 import bulk_pb2

    stub = book.client.channel.stream_stream("/taizhang.ledger.v1.CommandService/Execute",
                                             request_serializer=lambda raw: raw, response_deserializer=lambda raw: raw)

    def send(*raw, timeout=60):
        metadata = [("authorization", "Bearer " + token_of("maker"))]
        return [bulk_pb2.ExecuteResponse.FromString(one) for one in stub(iter(raw), timeout=timeout, metadata=metadata)]

    assert send() == []
    empty = bulk_pb2.ExecuteRequest()
    empty.commands.add()
    empty.commands.add().funds.SetInParent()
    for raw in (empty.SerializeToString(), empty.SerializeToString() + b"\xfa\x3e\x01x"):
        try:
            results = send(raw)[0].results
            assert len(results) == 2 and all(result.HasField("refusal") for result in results)
            assert all(result.refusal.code == 3 for result in results)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    for raw in (b"\xff\xff\xff", b"\x0a\x05abc"):
        assert refused_by(lambda: send(raw)).code == "INVALID_ARGUMENT"
    large = bulk_pb2.ExecuteRequest()
    large.commands.add().funds.open_fund_line.name.text = "x" * 1_100_000
    refused = refused_by(lambda: send(large.SerializeToString()))
    assert refused.code == "INVALID_ARGUMENT" and refused.metadata["limit"] == "bulk_message_bytes_max"
    many = bulk_pb2.ExecuteRequest()
    for _ in range(1001):
        many.commands.add()
    refused = refused_by(lambda: send(many.SerializeToString()))
    assert refused.code == "INVALID_ARGUMENT" and refused.metadata["limit"] == "bulk_message_commands_max"
