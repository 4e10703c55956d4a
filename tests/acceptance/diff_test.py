"""Differences: what changed in a list or in one thing between two moments; sums and counts as of any moment."""

import collections
import datetime
import json
import random
import sys

import grpc
import pytest

from book import ROOT, Book, Refused, date, day_of
from lists import all_lists, diff, packed, pages, requests, unpack

sys.path.insert(0, str(ROOT / "tests/cli"))

from command_line import NOT_FOUND, USAGE, Cli  # noqa: E402

END = 20171231
DIAOQU = "990101100202"
ADDED, REMOVED, CHANGED = 1, 2, 3


@pytest.fixture(scope="module")
def book(client):
    book = Book(client).open().load("reference").load("sample")
    book.wait_for_views()
    return book


@pytest.fixture(scope="module")
def lists(book):
    return requests(book)


@pytest.fixture(scope="module")
def cli(server, book):
    return Cli(server)


def ended(stream):
    with pytest.raises(grpc.RpcError) as error:
        list(stream)
    return Refused.of_call(error.value)


def key(row):
    return row.SerializeToString(deterministic=True)


def list_at(book, method, seq, fields):
    """The rows, or nothing when the thing asked for was not there."""
    try:
        return collections.Counter(key(row) for row in pages(book, method, read={
            "seq": seq, "effective_date": date(END)}, **fields))
    except Refused as refused:
        assert refused.code == "NOT_FOUND"
        return None


def void_a_visit(book):
    """Its id."""
    visit = pages(book, "duties.Visits", read={"at_least_seq": book.last_seq})[0].visit_id
    void = book.void("assistance", "VISIT", "a visit", END, as_="checker")
    void["record.id"] = visit
    book.given(void)
    return visit


# --- lists -----------------------------------------------------------------------------------------------------------

def test_a_difference_applied_to_the_earlier_list_gives_the_later_one(book, lists):
    """Over every list and random pairs of moments, and one that takes a row away."""
    assert sorted(all_lists()) == sorted(lists)
    moments = random.Random(20261123)
    kinds = set()
    whole = book.last_seq
    void_a_visit(book)
    for method, fields in lists.items():
        if method == "ledger.ReadEvents":
            continue
        pairs = [sorted(moments.randint(1, whole) for _ in range(2)) for _ in range(4)]
        for since, until in [*pairs, (whole, book.last_seq)]:
            rows, wanted = list_at(book, method, since, fields), list_at(book, method, until, fields)
            if rows is None or wanted is None:
                continue
            unchanged = sum(rows.values())
            header, found, trailer = diff(book, method, since, until, day=END, **fields)
            assert (getattr(header, "from").seq, header.to.seq) == (since, until)
            for difference in found:
                kinds.add(difference.kind)
                assert difference.HasField("before") == (difference.kind != ADDED)
                assert difference.HasField("after") == (difference.kind != REMOVED)
                assert bool(difference.changed_fields) == (difference.kind == CHANGED)
                if difference.HasField("before"):
                    rows[key(unpack(book, difference.before))] -= 1
                    unchanged -= 1
                if difference.HasField("after"):
                    rows[key(unpack(book, difference.after))] += 1
                assert all(since < change.seq <= until and change.actor.subject for change in difference.changes)
            assert +rows == wanted and min(rows.values(), default=0) >= 0, (method, since, until)
            assert trailer.unchanged == unchanged
            assert trailer.added + trailer.removed + trailer.changed == len(found)
    assert kinds == {ADDED, REMOVED, CHANGED}


def test_what_changed_in_a_village_since(book):
    """Who, when and why stands beside each row."""
    name, since = book.fresh("moved in"), book.last_seq
    book.given(book.register_household(name, members=3, region=DIAOQU), book.register_household(book.fresh("elsewhere")))
    header, found, trailer = diff(book, "household_file.Households", since, region=DIAOQU, day=END)
    assert header.to.seq == book.last_seq
    difference, = found
    assert difference.kind == ADDED and trailer.added == 1 and trailer.unchanged == 38
    row = unpack(book, difference.after)
    assert row.household.household_id == book.id(name) and row.members == 3
    change = difference.changes[-1]
    assert change.event_type == "registry.v1.HouseholdRegistered" and change.actor.subject == "maker"
    assert change.source.note == "synthetic" and change.recorded_time.seconds > 0


def test_a_figure_that_changed_is_named(book):
    line = pages(book, "fund_execution.BySource", source_kind="SOURCE_KIND_SELF_RAISED")[0]
    since = book.last_seq
    arrival = book.record_arrival("since", "x", 500)
    arrival["fund_line_id"] = line.fund_line_id
    book.given(arrival)
    _, found, _ = diff(book, "fund_execution.BySource", since, day=END)
    difference, = found
    assert list(difference.changed_fields) == ["version", "event_ids", "figures.arrived_fen", "figures.balance_fen"]
    before, after = unpack(book, difference.before), unpack(book, difference.after)
    assert after.figures.balance_fen - before.figures.balance_fen == 500
    assert [change.seq for change in difference.changes] == [book.last_seq]


def test_two_effective_dates_of_one_moment(book):
    request = {"query": packed(book, "fund_execution.BySource"),
               "from": {"seq": book.last_seq, "effective_date": date(20170430)},
               "to": {"seq": book.last_seq, "effective_date": date(END)}}
    differences = [difference for message in book.client.stream("lists.Diff", request)
                   for difference in message.rows.differences]
    assert differences and not any(difference.changes for difference in differences)


# --- one thing -------------------------------------------------------------------------------------------------------

def test_one_thing_is_added_then_changed(book):
    card = {"asset_id": pages(book, "asset_register.Register")[0].asset_id}
    versions = [version.version for version in pages(book, "asset_register.AssetHistory", **card)]
    formed = min(versions)
    _, found, trailer = diff(book, "asset_register.Card", formed - 1, formed, day=END, **card)
    assert [difference.kind for difference in found] == [ADDED] and trailer.added == 1
    assert [change.seq for change in found[0].changes] == [formed]
    _, found, _ = diff(book, "asset_register.Card", formed, max(versions), day=END, **card)
    difference, = found
    assert difference.kind == CHANGED and "asset.state" in difference.changed_fields
    assert {change.seq for change in difference.changes} <= set(versions)
    _, found, trailer = diff(book, "asset_register.Card", 1, 2, day=END, **card)
    assert not found and trailer.unchanged == 0


def test_a_voided_visit_was_removed(book):
    since = book.last_seq
    visit = void_a_visit(book)
    header, found, _ = diff(book, "household_file.ShowVisit", since, visit_id=visit, day=END)
    assert [difference.kind for difference in found] == [REMOVED] and header.to.seq == book.last_seq
    assert unpack(book, found[0].before).visit.visit_id == visit
    _, found, trailer = diff(book, "duties.Visits", since, day=END)
    assert [difference.kind for difference in found] == [REMOVED] and trailer.unchanged > 0


def test_counts_per_village_are_one_thing(book):
    since = book.last_seq
    book.given(book.register_household(book.fresh("counted"), members=2, region=DIAOQU))
    _, found, _ = diff(book, "household_file.CountHouseholds", since, day=END)
    difference, = found
    assert {"households", "persons", "villages"} <= set(difference.changed_fields)
    before, after = unpack(book, difference.before), unpack(book, difference.after)
    assert (after.households - before.households, after.persons - before.persons) == (1, 2)
    assert not after.HasField("freshness")


# --- what is refused -------------------------------------------------------------------------------------------------

def test_a_malformed_difference_says_what_is_wrong(book):
    def refused(**request):
        return ended(book.client.stream("lists.Diff", request, as_=request.pop("as_", "reader")))

    households = packed(book, "household_file.Households")
    assert refused(query=households).violations[0][0] == "from"
    assert refused(query=households | {"read": {"seq": "3"}}, **{"from": {"seq": 1}}).violations[0][0] == "query.read"
    assert refused(query=households | {"page": {"page_size": 3}}, **{"from": {"seq": 1}}).violations[0][0] == "query.page"
    assert refused(query=households, **{"from": {"seq": 5}, "to": {"seq": 4}}).violations[0][0] == "to"
    assert refused(query=households, **{"from": {"seq": -1}}).code == "INVALID_ARGUMENT"
    assert refused(query=packed(book, "ledger.ReadEvents"), **{"from": {"seq": 1}}).violations[0][0] == "query"
    assert refused(query=households, as_="elsewhere", **{"from": {"seq": 1}}).code == "PERMISSION_DENIED"


# --- the command line ------------------------------------------------------------------------------------------------

def test_the_command_line_tells_it_to_people_and_programs(book, cli):
    since = book.last_seq
    book.given(book.register_household(book.fresh("told"), members=2, region=DIAOQU))
    words = ["diff", "household_file.Households", json.dumps({"region": DIAOQU}), "--since", since,
             "--until", book.last_seq, "--on", "2017-12-31"]
    text = cli.ok(*words)
    assert "added  household.household_id " in text and "registry.v1.HouseholdRegistered" in text
    assert "1 added, 0 removed, 0 changed" in text
    one, = [json.loads(line) for line in cli.ok(*words, "--json").splitlines()]
    assert one["kind"] == "DIFFERENCE_KIND_ADDED" and one["after"]["members"] == 2
    text = cli.ok("diff", "household_file.CountHouseholds", "--since", since, "--until", book.last_seq,
                  "--on", "2017-12-31")
    assert "  households: " in text and " → " in text


def test_a_date_is_the_end_of_that_day_in_our_zone(book, cli, tmp_path):
    zone = datetime.timezone(datetime.timedelta(hours=8))
    newest = book.ask("ledger.ReadEvents", backward=True, page={"page_size": 1}).events[0].time
    today = datetime.datetime.fromtimestamp(newest.seconds, zone).date()
    yesterday = today - datetime.timedelta(days=1)
    lines = book.ask("fund_execution.BySource").rows  # waits until the view holds everything
    rows = len(lines)
    assert f"{rows} added, 0 removed" in cli.ok("diff", "fund_execution.BySource", "--since", yesterday)
    assert f"0 changed, {rows} unchanged" in cli.ok("diff", "fund_execution.BySource", "--since", today)
    assert "0 added, 0 removed" in cli.ok("diff", "fund_execution.BySource", "--since", "2020-01-01", "--until",
                                           yesterday)
    line = lines[0].fund_line_id
    assert cli.ok("fund", "show", line, "--as-of-time", today).startswith(f"fund line  {line}\n")
    assert cli.run("fund", "show", line, "--as-of-time", yesterday).returncode == NOT_FOUND
    assert cli.run("fund", "show", line, "--as-of-time", "2017-02-30").returncode == USAGE
    assert int(cli.json("events", "export", "--to", today, "--out", tmp_path / "today")["last_seq"]) == book.last_seq
    assert cli.run("events", "export", "--to", yesterday, "--out", tmp_path / "yesterday").returncode == NOT_FOUND
    assert cli.json("replay", "--view", "fund_execution", "--to", today)["result"] == "equal"


def test_wrong_moments_are_refused(cli):
    for words in ([], ["--since", "yesterday"], ["--since", "2017-02-30"], ["--since", "3", "--until", "x"]):
        assert cli.run("diff", "fund_execution.BySource", *words).returncode == USAGE, words


# --- sums and counts as of any moment --------------------------------------------------------------------------------

def test_sums_and_counts_as_of_every_commit_are_the_fold_of_what_came_before(book):
    """A line's balance, what villages were paid, households and persons of each village: by seq and by time."""
    from taizhang.funds.v1 import events_pb2 as funds
    from taizhang.registry.v1 import events_pb2 as registry

    events = pages(book, "ledger.ReadEvents", as_="maker")
    balance, paid = collections.Counter(), collections.Counter()
    households, persons, village_of = collections.Counter(), collections.Counter(), {}
    for event in events:
        kind = event.type.removeprefix("taizhang.")
        if kind == "funds.v1.FundsArrived":
            said = funds.FundsArrived.FromString(event.payload)
            balance[said.fund_line_id] += said.amount_fen
        elif kind == "funds.v1.FundsDisbursed":
            said = funds.FundsDisbursed.FromString(event.payload)
            balance[said.fund_line_id] -= said.amount_fen
            paid[said.village] += said.amount_fen
        elif kind == "registry.v1.HouseholdRegistered":
            said = registry.HouseholdRegistered.FromString(event.payload)
            village_of[said.household_id] = said.region[:12]
            households[said.region[:12]] += 1
        elif kind == "registry.v1.MemberAdded":
            said = registry.MemberAdded.FromString(event.payload)
            persons[village_of[said.household_id]] += 1
        if event.seq != event.commit_last_seq or event.seq % 5:
            continue
        for moment in ({"seq": event.seq}, {"at": event.time}):
            lines = book.ask("fund_execution.BySource", day=END, page={"page_size": 1000}, **moment)
            assert lines.freshness.seq == event.seq
            assert {row.fund_line_id: row.figures.balance_fen for row in lines.rows if row.figures.balance_fen} == \
                +balance, moment
            villages = book.ask("fund_execution.ByVillage", day=END, page={"page_size": 1000}, **moment)
            assert {total.village: total.paid_fen for total in villages.village_totals if total.paid_fen} == +paid
            count = book.ask("household_file.CountHouseholds", day=END, **moment)
            assert {row.region: row.households for row in count.villages} == households
            assert {row.region: row.persons for row in count.villages} == persons
    assert sum(balance.values()) >= 100_000_000 and households[DIAOQU] >= 38
    # The oldest of everything is not newer than what was asked: every event has its day.
    assert all(day_of(event.effective_date) for event in events if event.type.startswith("taizhang.funds."))
