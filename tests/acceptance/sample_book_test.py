"""The sample book of slice-1 §8 over a port: its expected answers, also after the loss of all derived data."""

import shutil
import sys

import pytest

from book import COMMITTEE, COUNTY, ROOT, Book, Refused, Request, command_file, day_of, subject

sys.path.insert(0, str(ROOT / "deploy"))

from command_file import fixed_id  # noqa: E402

# A digest of the state goes into the journal every few commits; a rebuilt state that differs at any of them refuses the
# start.
SETTINGS = "writer { state_mark_commits: 40 }\n"
END = 20171231
JIAYI, DIAOQU = "990101100201", "990101100202"


def an_id(name):
    return fixed_id(f"sample: {name}")


@pytest.fixture(scope="module")
def book(client):
    book = Book(client).open().load("reference").load("sample")
    book.wait_for_views()
    return book


def money(figures):
    return (figures.arrived_fen, figures.paid_fen, figures.balance_fen)


def test_every_line_is_accepted_and_sent_again_a_duplicate(book):
    before = book.last_seq
    for name in ("reference", "sample"):
        for profile, method, fields in command_file(ROOT / f"deploy/{name}.jsonl", COUNTY):
            receipt = book.send(Request(method, fields, profile)).receipt
            assert receipt.duplicate and receipt.first_seq > 0
    newest = book.ask("ledger.ReadEvents", backward=True, page={"page_size": 1})
    assert newest.events[0].seq == newest.freshness.seq == before


def test_households_persons_and_pairings(book):
    count = book.ask("household_file.CountHouseholds", day=END)
    assert (count.households, count.persons) == (38, 95)
    assert [(row.region, row.region_name, row.households) for row in count.villages] == [(DIAOQU, "吊渠村", 38)]
    open_pairings = book.ask("duties.Pairings", day=END, page={"page_size": 1000}).rows
    assert len(open_pairings) == 39
    for unit, households in ((1, 16), (2, 12), (3, 10)):
        helper = subject("WORKER", an_id(f"worker: responsible {unit}"))
        rows = book.ask("duties.Pairings", day=END, helper=helper, page={"page_size": 1000}).rows
        assert len(rows) == households


def test_money_by_source(book):
    special = book.ask("fund_execution.BySource", day=END, source_kind="SOURCE_KIND_SPECIAL_HELP_FUND")
    assert money(special.total.figures) == (100_000_000, 0, 100_000_000)
    assert [money(row.figures) for row in special.rows] == [(50_000_000, 0, 50_000_000)] * 2
    raised = book.ask("fund_execution.BySource", day=END, source_kind="SOURCE_KIND_SELF_RAISED")
    assert money(raised.total.figures) == (22_550_000, 22_550_000, 0)
    everything = book.ask("fund_execution.BySource", day=END)
    assert money(everything.total.figures) == (122_550_000, 22_550_000, 100_000_000)


def test_money_by_village(book):
    answer = book.ask("fund_execution.ByVillage", day=END)
    assert {total.village: (total.committed_fen, total.paid_fen) for total in answer.village_totals} == {
        JIAYI: (16_890_000, 16_890_000), DIAOQU: (5_660_000, 5_660_000)}
    assert answer.none_village.paid_fen == 0
    assert answer.total.paid_fen == 22_550_000


def progress(book, day, **moment):
    row, = book.ask("fund_execution.Progress", day=day, fund_line_ids=[an_id("fund line: J")], **moment).rows
    state = row.DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number[row.state].name
    return (row.paid_fen, row.paid_percent, row.short_fen, state.removeprefix("PROGRESS_STATE_"))


def first_payment(book):
    """last_seq of the payment that was recorded first: for the terraces, paid on 2017-07-31."""
    payment = subject("PAYMENT", an_id("payment: J terrace"))
    return max(event.seq for event in book.ask("ledger.ReadEvents", filter={"subjects": [payment]}).events)


def test_progress_of_line_j(book):
    assert progress(book, 20170815) == (16_890_000, "84.45", 3_110_000, "NO_THRESHOLD")


def test_as_of_1_the_recorded_order(book):
    assert progress(book, END, seq=first_payment(book)) == (15_000_000, "75.00", 5_000_000, "NO_THRESHOLD")


def test_as_of_1_by_recorded_time(book):
    event = book.ask("ledger.ReadEvents", from_seq=first_payment(book), page={"page_size": 1}).events[0]
    assert progress(book, END, at=event.time) == (15_000_000, "75.00", 5_000_000, "NO_THRESHOLD")


def test_as_of_2_the_effective_date(book):
    assert progress(book, 20170430) == (1_890_000, "9.45", 18_110_000, "NO_THRESHOLD")


def test_as_of_both_together(book):
    assert progress(book, 20170430, seq=first_payment(book)) == (0, "0.00", 20_000_000, "NO_THRESHOLD")


def test_visits_due_and_overdue(book):
    assert len(book.ask("duties.Due", day=20170701, page={"page_size": 1000}).rows) == 38
    overdue = book.ask("duties.Overdue", day=20171001).rows
    assert {row.household_id for row in overdue} == {an_id("household: 37"), an_id("household: 38")}
    for row in overdue:
        assert (row.required, row.done, row.status) == (1, 0, "LIFTED")
        assert (day_of(row.period_first), day_of(row.period_last)) == (20170701, 20170930)
    # The pairings began inside the second quarter.
    assert not book.ask("duties.Overdue", day=20170701).rows


def test_visits_of_the_third_quarter(book):
    rows = [row for row in book.ask("duties.VisitsByPeriod", day=20170930, period="CALENDAR_PERIOD_QUARTER").rows
            if row.visited_kind == 2]
    assert (sum(row.visits for row in rows), sum(row.counted for row in rows)) == (38, 36)
    assert sorted((row.visits, row.counted) for row in rows) == [(2, 0), (36, 36)]


def test_assets(book):
    answer = book.ask("asset_register.Register", day=END)
    assert answer.count == 3 and [row.state for row in answer.rows] == [5, 5, 5]
    assert (answer.value.fen, answer.value.qualifier, answer.value_incomplete) == (4_000_000, 1, False)
    assert {row.holder.id for row in answer.rows} == {DIAOQU}
    assert {row.manager.subject.id for row in answer.rows} == {COMMITTEE}
    assert not book.ask("asset_register.LateTitle", day=20180401).rows
    assert len(book.ask("asset_register.WithoutManager", day=20170620).rows) == 3
    assert not book.ask("asset_register.WithoutManager", day=END).rows
    card = book.ask("asset_register.Card", day=END, asset_id=an_id("asset: books"))
    assert (len(card.checks), len(card.offers), len(card.managers)) == (1, 1, 1)


def test_issues(book):
    assert not book.ask("household_file.Issues", day=END).rows
    resolved, = book.ask("household_file.Issues", day=END, include_resolved=True).rows
    assert (resolved.issue_id, resolved.category, day_of(resolved.resolved_date)) == (
        an_id("issue: slow loans"), "LOAN_DELAY", 20171020)
    assert len(book.ask("household_file.Issues", day=20171019).rows) == 1


def test_a_households_page(book):
    sheet = book.ask("household_file.Sheet", as_="maker", day=END, household_id=an_id("household: 3"))
    assert len(sheet.members) == 4 and sheet.members[0].is_head and sheet.status == "LIFTED"
    assert sheet.statuses[0].loaded and len(sheet.pairings) == 1
    assert {row.channel: row.visits for row in sheet.visits_this_year} == {1: 2}
    number = sheet.members[0].person.identity.citizen_number
    found = book.ask("household_file.FindByCitizenNumber", as_="maker", day=END, citizen_number=number)
    assert found.household.household_id == an_id("household: 3") and found.is_head
    # A reader sees that there is something, and not what.
    hidden = book.ask("household_file.Sheet", day=END, household_id=an_id("household: 3"))
    assert all(member.person.withheld and not member.person.HasField("identity") for member in hidden.members)


def test_who_recorded_what_and_from_which_document(book):
    entry = book.ask("history.SubjectHistory", subject=subject("FUND_LINE", an_id("fund line: J"))).entries[0]
    paid = {change.field: (change.before, change.after) for change in entry.changes}["balances.paid_fen"]
    assert paid == ("15000000", "16890000")
    assert entry.entry.change.actor.subject == "maker" and entry.entry.change.command == "funds.SpendDirectly"
    by_document = book.ask("history.ByDocument", document_id=an_id("document: receipt J input")).entries
    assert any(one.version == entry.entry.version for one in by_document)
    request_id = entry.entry.change.request_id
    by_request = book.ask("history.ByRequest", request_id=request_id).entries
    assert [one.change.request_id for one in by_request] == [request_id] * 3
    assert book.ask("history.LateEntries", days_min=1000).entries


# Every query of every view, at several moments.
def answers(book):
    household, line, asset = an_id("household: 37"), an_id("fund line: J"), an_id("asset: books")
    seq = first_payment(book)
    page = {"page": {"page_size": 20}}
    questions = [(method, fields) for method, fields in [
        ("household_file.Sheet", {"household_id": household}), ("household_file.Households", page),
        ("household_file.CountHouseholds", {}), ("household_file.Timeline", {"household_id": household}),
        ("household_file.ShowVisit", {"visit_id": an_id("visit: household 37 round 1")}),
        ("household_file.Issues", {"include_resolved": True}),
        ("household_file.HouseholdHistory", {"household_id": household}),
        ("household_file.VisitHistory", {"visit_id": an_id("visit: household 37 round 1")}),
        ("household_file.IssueHistory", {"issue_id": an_id("issue: slow loans")}),
        ("duties.Due", {"include_met": True} | page), ("duties.Overdue", {}),
        ("duties.VisitsByPeriod", {"period": "CALENDAR_PERIOD_QUARTER"}), ("duties.Visits", page),
        ("duties.Pairings", {"include_closed": True} | page),
        ("duties.PairingHistory", {"pairing_id": an_id("pairing: branch 1")}),
        ("fund_execution.BySource", {}), ("fund_execution.ByVillage", {}), ("fund_execution.Progress", {}),
        ("fund_execution.LineHistory", {"fund_line_id": line}),
        ("asset_register.Card", {"asset_id": asset}), ("asset_register.Register", {}),
        ("asset_register.LateTitle", {}), ("asset_register.WithoutManager", {}),
        ("asset_register.AssetHistory", {"asset_id": asset}),
        ("history.SubjectHistory", {"subject": subject("FUND_LINE", line)}),
        ("history.LateEntries", {"days_min": 1} | page),
        ("history.ByDocument", {"document_id": an_id("document: pairing list")} | page),
        ("ledger.ReadEvents", {"page": {"page_size": 1000}}), ("ledger.ReadEvents", {"backward": True} | page),
    ]]
    found = {}
    for as_ in ("maker", "reader"):
        for moment in ({"day": END}, {"day": 20170930, "seq": seq}, {"day": 20170615, "seq": book.last_seq}):
            for i, (method, fields) in enumerate(questions):
                try:
                    answer = book.ask(method, as_=as_, **moment, **fields)
                except Refused as refused:  # as of that seq it is not there yet
                    found[(i, method, as_, str(moment))] = str(refused)
                    continue
                if hasattr(answer, "next_page_token"):
                    answer.next_page_token = ""  # a token ends with the build of the view that gave it
                found[(i, method, as_, str(moment))] = answer.SerializeToString(deterministic=True)
    return found


def digests(book):
    views = [view.name for view in book.client.call("admin.GetStatus", {}, as_="operator").views]
    assert len(views) == 7
    found = {}
    for view in views:
        report, = book.client.stream("admin.VerifyView", {"view": view}, as_="operator")
        assert report.equal, f"{view}: {report.difference}"
        found[view] = (report.digest, report.versions)
    return found


def test_T58_dropped_and_rebuilt_the_book_is_the_same_byte_for_byte(server, book):
    answered, digest = answers(book), digests(book)
    assert sum(isinstance(answer, bytes) for answer in answered.values()) > 150
    server.client.close()
    assert server.stop() == 0
    for derived in ("state", "views"):
        shutil.rmtree(server.data / derived)
    server.client = book.client = server.start()
    book.wait_for_views()
    again = answers(book)
    assert digests(book) == digest
    assert [question for question in answered if again[question] != answered[question]] == []
    for profile, method, fields in command_file(ROOT / "deploy/sample.jsonl", COUNTY):
        assert book.send(Request(method, fields, profile)).receipt.duplicate
