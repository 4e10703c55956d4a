"""One question to many ledgers: every row once, in either order, each ledger's freshness, and who could not answer."""

import json
import sys

import pytest

from book import ROOT, Book, Refused
from lists import packed, unpack

sys.path.insert(0, str(ROOT / "tests/cli"))

from command_line import OK, UNAVAILABLE, Cli  # noqa: E402

LEDGERS = ("990101", "990301", "990302")


@pytest.fixture(scope="module")
def books(client):
    books = [Book(client, ledger).prepared() for ledger in LEDGERS]
    for place, book in enumerate(books):
        for name in range(3 + place):
            book.given(book.register_household(f"household {name}"))
        book.ask("household_file.CountHouseholds")  # the view is that far
    return books


def gather(book, method, as_="reader", order=None, ledgers=(), prefix="", rows=0, **fields):
    """(header, [(ledger, row)], trailer)"""
    query = packed(book, method, **fields)
    del query["ledger"]
    header, told, trailer = None, [], None
    request = {"query": query, "ledgers": list(ledgers), "ledger_prefix": prefix, "rows_per_message": rows}
    if order:
        request["order"] = f"GATHER_ORDER_{order}"
    for message in book.client.stream("lists.Gather", request, as_=as_):
        kind = message.WhichOneof("message")
        if kind == "header":
            header = message.header
        elif kind == "rows":
            assert not rows or len(message.rows.rows) <= rows
            told += [(row.ledger, unpack(book, row.row)) for row in message.rows.rows]
        else:
            trailer = message.trailer
    return header, told, trailer


def households(book):
    return [(book.ledger, row) for row in book.ask("household_file.Households", page={"page_size": 1000}).rows]


def test_every_row_of_every_ledger(books):
    header, told, trailer = gather(books[0], "household_file.Households", rows=2)
    assert list(header.ledgers) == sorted(LEDGERS)
    assert told == [pair for book in books for pair in households(book)]
    assert trailer.rows == len(told) == 12 and trailer.failed_ledgers == 0
    for book, answer in zip(books, trailer.ledgers):
        assert (answer.ledger, answer.freshness.ledger, answer.freshness.seq) == (book.ledger, book.ledger, book.last_seq)
        assert answer.rows == len(households(book)) and not answer.HasField("failure")


def test_rows_are_merged_in_the_order_of_the_list(books):
    """Fund lines stand in the order of their sources."""
    sources = ("SELF_RAISED", "DONATION", "COUNTY")
    for book in books:
        for source in sources:
            if source != "SELF_RAISED":
                book.given(book.set_parameter("funds.purposes_allowed", {"codes": {"list": "fund_purpose", "codes": ["TERRACE"]}},
                                              {"source_kind": source}))
            book.given(book.open_line(f"line {source}", source, ["TERRACE"]))
        book.ask("fund_execution.BySource")
    _, told, trailer = gather(books[0], "fund_execution.BySource", order="BY_ROW", rows=2)
    kinds = [row.source_kind for _, row in told]
    assert kinds == sorted(kinds) and len(set(kinds)) == len(sources)
    by_ledger = [(book.ledger, row) for book in books for row in book.ask("fund_execution.BySource").rows]
    assert sorted(told, key=str) == sorted(by_ledger, key=str) and trailer.rows == len(by_ledger)


def test_one_answer_of_each_ledger(books):
    _, told, trailer = gather(books[0], "household_file.CountHouseholds", prefix="9903")
    assert [(ledger, row.households) for ledger, row in told] == [("990301", 4), ("990302", 5)]
    assert [answer.rows for answer in trailer.ledgers] == [1, 1]


def test_a_common_moment_is_a_recorded_time(books):
    event = books[1].ask("ledger.ReadEvents", from_seq=books[1].last_seq, page={"page_size": 1}).events[0]
    books[1].given(books[1].register_household("later"))
    books[1].ask("household_file.CountHouseholds")  # the view is that far
    _, told, trailer = gather(books[0], "household_file.CountHouseholds", ledgers=["990301"],
                              read={"at_least_seq": 0, "recorded_time": event.time.ToJsonString()})
    assert told[0][1].households == 4 and trailer.ledgers[0].freshness.final


def test_who_cannot_answer_is_named_and_holds_nobody_up(books):
    _, told, trailer = gather(books[0], "household_file.CountHouseholds", ledgers=["990301", "110000"])
    assert [ledger for ledger, _ in told] == ["990301"]
    failed = [answer for answer in trailer.ledgers if answer.HasField("failure")]
    assert [(answer.ledger, answer.failure.code) for answer in failed] == [("110000", 5)]  # NOT_FOUND
    details = [unpack(books[0], detail) for detail in failed[0].failure.details]
    assert any(getattr(detail, "reason", "") == "LEDGER_NOT_FOUND" for detail in details)
    assert any("台账" in getattr(detail, "message", "") for detail in details)


@pytest.mark.parametrize("query, field", [
    ({"read": {"seq": 5}}, "query.read"), ({"read": {"at_least_seq": 5}}, "query.read"),
    ({"page": {"page_size": 5}}, "query.page"), ({"ledger": "990101"}, "query.ledger")])
def test_what_is_of_one_ledger_is_refused(books, query, field):
    asked = {"@type": "type.googleapis.com/taizhang.household_file.v1.HouseholdsRequest", **query}
    with pytest.raises(Exception) as error:
        list(books[0].client.stream("lists.Gather", {"query": asked}, as_="reader"))
    refused = Refused.of_call(error.value)
    assert refused.code == "INVALID_ARGUMENT" and field in str(refused.violations)


def test_the_command_line(server, books):
    cli = Cli(server)
    done = cli.run("gather", "household_file.CountHouseholds", "--ledgers", "990301,110000,990302")
    assert done.returncode == UNAVAILABLE
    assert [(line["ledger"], line["row"]["households"]) for line in map(json.loads, done.stdout.split("\n")[:-1])] == [
        ("990301", 5), ("990302", 5)]
    assert "LEDGER_NOT_FOUND" in done.stderr and "1 ledgers did not answer" in done.stderr
    assert cli.run("gather", "household_file.CountHouseholds", "--prefix", "9903").returncode == OK
