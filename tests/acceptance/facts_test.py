"""Acceptance cases of facts.md §5 that the slice carries, each in a ledger of its own; coverage.txt lists all cases."""

import importlib
import pathlib
import re

import pytest

from book import ROOT, Book, day_of, figure, subject

COVERAGE = pathlib.Path(__file__).with_name("coverage.txt")
FACTS = ROOT.parent / "shared/domain/facts.md"
MU = 50_000  # fen for a mu of terrace


@pytest.fixture
def book(client, request):
    """test_T05_… gets ledger 990205."""
    number = int(re.match(r"test_T(\d+)_", request.node.name)[1])
    return Book(client, f"9902{number:02}").prepared()


def progress(book, day, line="J", **as_of):
    rows = book.ask("fund_execution.Progress", day=day, fund_line_ids=[book.id(line)], **as_of).rows
    assert len(rows) == 1
    return rows[0]


def state_of(row, field="state"):
    value = row.DESCRIPTOR.fields_by_name[field]
    return value.enum_type.values_by_number[getattr(row, field)].name.split("STATE_", 1)[-1]


def test_T05_terraces_at_the_rate_of_a_mu(book):
    book.given(book.open_line("J"), book.record_arrival("a", "J", 30_000_000))
    wrong = book.spend("wrong", "J", 14_999_999, price=("TERRACE", MU, 300, "MU"))
    refused = book.refusal(wrong)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PRICE_MISMATCH")
    answer = book.given(book.spend("p", "J", 15_000_000, price=("TERRACE", MU, 300, "MU")))
    assert (answer.balances.paid_fen, answer.balances.cash_fen) == (15_000_000, 15_000_000)
    row = book.ask("fund_execution.BySource", fund_line_id=book.id("J")).rows[0]
    assert row.figures.paid_fen == 15_000_000


def test_T06_gifts_to_persons_and_households(book):
    book.given(book.open_line("D"), book.record_arrival("a", "D", 360_000))
    book.given(book.spend("persons", "D", 90_000, "FESTIVAL", price=("FESTIVAL_GIFT_PERSON", 30_000, 3, "PERSON")))
    book.given(book.spend("households", "D", 270_000, "FESTIVAL",
                          price=("FESTIVAL_GIFT_HOUSEHOLD", 30_000, 9, "HOUSEHOLD")))
    assert book.ask("fund_execution.ByVillage", village=book.village).total.paid_fen == 360_000


def test_T07_aid_to_households_and_persons_is_never_one_unit(book):
    book.given(book.open_line("D"), book.record_arrival("a", "D", 1_300_000))
    together = book.spend("together", "D", 1_300_000, "STUDENT_AID",
                          price=("STUDENT_AID_PERSON", 100_000, 13, "HOUSEHOLD"))
    assert book.refusal(together).reason == "UNIT_MISMATCH"
    book.given(book.spend("households", "D", 1_000_000, "STUDENT_AID",
                          price=("STUDENT_AID_HOUSEHOLD", 100_000, 10, "HOUSEHOLD")))
    book.given(book.spend("persons", "D", 300_000, "STUDENT_AID",
                          price=("STUDENT_AID_PERSON", 100_000, 3, "PERSON")))
    row = book.ask("fund_execution.BySource", fund_line_id=book.id("D")).rows[0]
    assert (row.figures.paid_fen, row.figures.balance_fen) == (1_300_000, 0)


def test_T09_progress_is_basically_complete_only_by_a_threshold(book):
    book.given(book.open_line("J", purposes=["TERRACE", "FARM_INPUT"]),
               book.record_budget("plan", "J", 20_000_000, "PLAN", 20170101),
               book.record_arrival("a1", "J", 15_000_000), book.record_arrival("a2", "J", 1_890_000),
               book.spend("terraces", "J", 15_000_000, day=20170731, price=("TERRACE", MU, 300, "MU")),
               book.spend("seed", "J", 1_890_000, "FARM_INPUT", day=20170320))
    scope = {"indicator": "PAID_OF_PLAN"}
    key = "progress.basically_complete_bp"
    book.given(book.set_parameter(key, {"bp": 8_000}, scope, 20170901, 20170930),
               book.set_parameter(key, {"bp": 9_000}, scope, 20171001, 20171031))
    for day, state in ((20170815, "NO_THRESHOLD"), (20170915, "BASICALLY_COMPLETE"), (20171015, "UNDER_WAY")):
        row = progress(book, day)
        assert (row.paid_fen, row.paid_percent, row.short_fen, state_of(row)) == (16_890_000, "84.45", 3_110_000, state)
        assert [use.version for use in row.thresholds] == {"NO_THRESHOLD": [0], "BASICALLY_COMPLETE": [1],
                                                           "UNDER_WAY": [2]}[state]


def test_T15_two_funds_keep_two_balances(book):
    for line, unit in (("F1", "unit"), ("F2", "unit 2")):
        book.given(book.open_line(line, "SPECIAL_HELP_FUND", owner=unit),
                   book.record_arrival("a " + line, line, 50_000_000))
    answer = book.ask("fund_execution.BySource", source_kind="SOURCE_KIND_SPECIAL_HELP_FUND")
    assert [row.figures.balance_fen for row in answer.rows] == [50_000_000, 50_000_000]
    assert (answer.total.figures.arrived_fen, answer.total.figures.balance_fen) == (100_000_000, 100_000_000)


HOUSEHOLDS = 567
UNVISITED = (3, 77, 400, 567)


def all_rows(book, method, day, **fields):
    rows, token = [], ""
    while True:
        page = book.ask(method, day=day, page={"page_size": 250, "page_token": token}, **fields)
        rows += page.rows
        token = page.next_page_token
        if not token:
            return rows


def test_T33_every_lifted_household_is_owed_a_visit_a_quarter(book):
    """The county's whole list goes through the bulk stream."""
    requests = []
    for n in range(1, HOUSEHOLDS + 1):
        requests += [book.register_household(f"h{n}", day=20170101), book.load_status(f"h{n}", "LIFTED", 20161231),
                     book.start_pairing(f"p{n}", f"h{n}", day=20170301)]
    requests += [book.record_visit(f"v{n}", f"h{n}", day=20170401 + 100 * (n % 3) + n % 28)
                 for n in range(1, HOUSEHOLDS + 1) if n not in UNVISITED]
    results = book.execute(requests)
    assert len(results) == len(requests) and all(result.HasField("receipt") for result in results)
    owed = all_rows(book, "duties.Due", 20170630, include_met=True)
    assert len(owed) == HOUSEHOLDS
    assert sum(row.required for row in owed) == 567
    assert sum(row.done for row in owed) == HOUSEHOLDS - len(UNVISITED)
    assert {row.rule.key for row in owed} == {"visit.frequency"}
    overdue = all_rows(book, "duties.Overdue", 20170701)
    assert {row.household_id for row in overdue} == {book.id(f"h{n}") for n in UNVISITED}
    assert {(day_of(row.period_first), day_of(row.period_last)) for row in overdue} == {(20170401, 20170630)}


def test_T34_the_stricter_of_two_rules_governs_and_says_why(book):
    monthly = {"count_per_period": {"count": 1, "period": "CALENDAR_PERIOD_MONTH"}}
    book.given(book.set_parameter("visit.frequency", monthly, {"helper_kind": "CADRE_HOUSEHOLD"}))
    book.given(book.register_household("h"), book.load_status("h", "LIFTED", 20161231),
               book.start_pairing("p", "h", day=20170101))
    row, = book.ask("duties.Due", day=20170815).rows
    assert (row.required, row.done) == (1, 0)
    assert (day_of(row.period_first), day_of(row.period_last)) == (20170801, 20170831)
    assert [use.value for use in row.rules_matched][0] == row.rule.value
    assert len(row.rules_matched) == 2 and len({use.version for use in row.rules_matched}) == 2
    assert row.why == "stricter: 12 > 4 a year"


def test_T44_four_sectors_of_won_money(book):
    amounts = {"HOUSING": 15_600_000_000, "AGRICULTURE": 10_100_000_000, "SOCIAL": 10_000_000_000,
               "SETTLEMENT": 8_400_000_000}
    for sector, fen in amounts.items():
        book.given(book.open_line(sector, "WON", ["INFRASTRUCTURE"], sector=sector),
                   book.record_budget("b " + sector, sector, fen), book.record_arrival("a " + sector, sector, fen))
    answer = book.ask("fund_execution.BySource", source_kind="SOURCE_KIND_WON")
    assert {total.sector: total.figures.arrived_fen for total in answer.sector_totals} == amounts
    assert answer.total.figures.arrived_fen == answer.total.figures.budgeted_fen == 44_100_000_000


def test_T56_an_unknown_value_is_no_zero(book):
    book.given(book.form_asset("known", 3_400_000), book.form_asset("unknown", None, value=figure(None, "UNKNOWN")))
    answer = book.ask("asset_register.Register")
    assert (answer.count, answer.value.fen, answer.value_incomplete) == (2, 3_400_000, True)
    alone = book.ask("asset_register.Card", asset_id=book.id("unknown"))
    assert not alone.asset.value.HasField("fen")


def counted(book, **moment):
    """{channel: (visits, event ids)} of June 2017."""
    rows = book.ask("duties.VisitsByPeriod", day=20171231, period="CALENDAR_PERIOD_QUARTER", household_id=book.id("h"),
                    from_date={"year": 2017, "month": 6, "day": 1}, to_date={"year": 2017, "month": 6, "day": 30},
                    **moment).rows
    return {row.channel: (row.visits, list(row.event_ids)) for row in rows}


def test_T59_a_visit_corrected_a_month_later(book):
    book.given(book.register_household("h"), book.load_status("h"), book.start_pairing("p", "h", day=20170101))
    old = book.given(book.record_visit("wrong", "h", day=20170610, channel="HOME")).receipt
    again = book.void("assistance", "VISIT", "wrong", 20170711, replaced_by="right")
    assert book.refusal(again).reason == "SECOND_PERSON_REQUIRED"
    book.given(again.again().by("checker"))
    new = book.given(book.record_visit("right", "h", day=20170610, channel="PHONE")).receipt

    home, phone = 1, 2
    then = {home: (1, [f"{book.ledger}/{old.last_seq}"])}
    assert counted(book, seq=old.last_seq) == then
    assert counted(book, at=old.recorded_time) == then
    assert counted(book) == {phone: (1, [f"{book.ledger}/{new.last_seq}"])}
    versions = book.ask("household_file.VisitHistory", visit_id=book.id("wrong")).rows
    assert [row.visit.voided for row in versions] == [True, False]
    assert versions[0].visit.replaced_by == book.id("right") and versions[0].change.actor.subject == "checker"
    assert versions[0].change.reason == "记错了"


def test_T60_the_same_command_twice_counts_once(book):
    book.given(book.register_household("h"))
    visit = book.record_visit("v", "h")
    first = book.given(visit)
    second = book.given(visit)
    assert second.receipt.duplicate and not first.receipt.duplicate
    second.receipt.duplicate = False
    assert second == first
    third = book.given(visit.again())
    assert third.receipt.unchanged and not third.receipt.duplicate
    assert third.receipt.first_seq == first.receipt.first_seq
    rows = book.ask("duties.Visits", visited=subject("HOUSEHOLD", book.id("h"))).rows
    assert len(rows) == 1
    assert book.ask("ledger.ReadEvents", backward=True, page={"page_size": 1}).events[0].seq == first.receipt.last_seq


def test_T61_a_pairing_does_not_end_before_the_household_is_lifted(book):
    book.given(book.register_household("h"), book.load_status("h", "POOR"), book.start_pairing("p", "h", day=20170601),
               book.start_pairing("next", "h", ("WORKER", "helper 2"), day=20170802),
               book.start_pairing("late", "h", ("WORKER", "head"), day=20170803))
    for cause in ("TERM_ENDED", "LIFTED"):
        refused = book.refusal(book.end_pairing("p", 20170801, cause))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "NOT_LIFTED")
    assert book.refusal(book.end_pairing("p", 20170801, "SUCCEEDED", "late")).reason == "SUCCESSOR_GAP"
    book.given(book.end_pairing("p", 20170801, "SUCCEEDED", "next"))
    open_then = book.ask("duties.Pairings", day=20170802).rows
    assert [row.pairing_id for row in open_then] == [book.id("next")]


def test_T62_an_asset_titled_after_march_is_late(book):
    for name, day in (("late", 20170401), ("in time", 20170331)):
        book.given(book.form_asset(name, day=20160610), book.check_asset("c " + name, name, 20160615),
                   book.confirm_title(name, day=day))
    book.given(book.form_asset("untitled", day=20160610))
    rows = {row.asset.asset_id: row for row in book.ask("asset_register.LateTitle", day=20170410).rows}
    assert set(rows) == {book.id("late"), book.id("untitled")}
    assert (rows[book.id("late")].days_late, day_of(rows[book.id("late")].due_date)) == (1, 20170331)
    assert rows[book.id("untitled")].days_late == 10


# --- which case is where ---------------------------------------------------------------------------------------------

def coverage():
    """{case: (state, text)}: state "test", "part" or "waits"."""
    listed = {}
    for line in COVERAGE.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        found = re.fullmatch(r"(T-\d\d) (test|part|waits): (.+)", line)
        assert found, line
        assert found[1] not in listed, line
        listed[found[1]] = (found[2], found[3])
    return listed


def test_coverage_names_tests_that_are_there():
    named = set()
    for case, (state, text) in coverage().items():
        tests = re.findall(r"(\w+_test)\.py::(\w+)", text)
        assert bool(tests) == (state in ("test", "part")), case
        assert state != "part" or "waits for" in text, case
        for module, name in tests:
            assert name.startswith(f"test_{case.replace('-', '')}_"), f"{case}: {name}"
            assert callable(getattr(importlib.import_module(module), name, None)), f"{case}: {module}.{name}"
            named.add((module, name))
    written = {(path.stem, name) for path in COVERAGE.parent.glob("*_test.py")
               for name in re.findall(r"^def (test_T\d+_\w+)", path.read_text(), re.M)}
    assert written == named


def test_coverage_lists_every_case_of_the_facts():
    if not FACTS.exists():
        pytest.skip(f"{FACTS} is not here: coverage.txt was not compared with it")
    section = FACTS.read_text().split("\n## 5.")[1].split("\n## ")[0]
    assert set(coverage()) == set(re.findall(r"^\| (T-\d\d) ", section, re.M))
