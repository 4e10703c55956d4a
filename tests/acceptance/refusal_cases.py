"""What each command refuses, in the order of design §4 and of its row in slice-1 §2: the data of refusals_test.py.

A Row holds a base request, which is acceptable, and the Breaks of it in their order. A Break changes the request, or
what stands in the book, so that exactly its reason holds. Two breaks go together unless they set the same field, or the
later one needs something (`needs`) that the earlier one takes away (`takes`).
"""

import dataclasses
from typing import Callable

from book import PROFILES, citizen_number, credit_code, date, figure, subject

UNKNOWN = "11111111-2222-3333-4444-555555555555"
FAR = 21990101
DIRECTORY = "000000"
STALE = 1  # seq 1 founds the ledger: no aggregate has that version


@dataclasses.dataclass
class Break:
    reason: str
    # In the answer's metadata; "": the answer names none.
    field: str
    # change(request, book)
    change: Callable
    needs: frozenset = frozenset()
    takes: frozenset = frozenset()
    # The book it is tried in: "bare" lacks the parameters of BARE.
    world: str = "full"


@dataclasses.dataclass
class Row:
    method: str
    base: Callable  # of a book
    breaks: list
    # (earlier, later) -> change: both hold by one change, where the two own changes would collide.
    together: dict = dataclasses.field(default_factory=dict)


# Parameters that the bare book never heard of.
BARE = ("golive.date", "rate.amount", "budget.per_head", "asset.manager_required", "void.second_person_after_days")


def _words(text):
    return frozenset(text.split())


def put(path, value):
    def change(request, book):
        request[path] = value(request, book) if callable(value) else value
    return change


def append(path, value):
    def change(request, book):
        request[path].append(value(request, book) if callable(value) else value)
    return change


def drop(path):
    def change(request, book):
        del request[path]
    return change


def all_of(*changes):
    def change(request, book):
        for one in changes:
            one(request, book)
    return change


def setup(*requests):
    """Sends what is made of (request, book) before the request itself."""
    def change(request, book):
        for make in requests:
            book.given(make(request, book))
    return change


def code(path, field=None):
    return Break("CODE_NOT_IN_LIST", field or path, put(path, "NO_SUCH_CODE"))


def region_unknown(path="region"):
    return Break("REGION_NOT_FOUND", path, put(path, lambda r, b: b.town + "299"))


def id_taken(path, request_of):
    """request_of(book) puts something else under the id that the request names."""
    def change(request, book):
        other = request_of(book)
        book.given(other)
        request[path] = other[path]
    return Break("ID_TAKEN", path, change)


def subject_unknown(path, value=UNKNOWN, field=None, **more):
    return Break("SUBJECT_NOT_FOUND", field or path, put(path, value), **more)


def subject_late(path, name, field=None, **more):
    """`name`: of what the book has from 2018 on only."""
    return Break("SUBJECT_NOT_ACTIVE", field or path, put(path, lambda r, b: b.id(name)), **more)


def stale_version(**more):
    return Break("VERSION_MISMATCH", "context.expected_version", put("context.expected_version", STALE), **more)


def reused(request, book):
    if request["ledger"] == DIRECTORY:
        # The only requests there are those that opened ledgers.
        request["context.request_id"] = book.opening["context.request_id"]
        return
    other = book.publish_list(book.fresh("used").replace(" ", "_"), ["A"])
    other["context.request_id"] = request["context.request_id"]
    book.given(other.having(ledger=request["ledger"]))


def cancelled(request, book):
    book.client.call("ledger.GetOutcome", {"ledger": request["ledger"], "settle": True,
                                           "request_id": request["context.request_id"]}, as_="maker")


def _as(profile):
    def change(request, book):
        request.as_ = profile
    return change


def before_state(effective, county_only):
    """Stages (b) to (e) that all commands have; `effective` is the path of the effective date."""
    other_kind = "990000" if county_only else DIRECTORY
    return [
        Break("FIELD_REQUIRED", "context.source", drop("context.source")),
        Break("NOT_AUTHORISED", "", _as("nobody"), takes=_words("caller")),
        Break("NOT_AUTHORISED", "ledger", _as("elsewhere"), takes=_words("caller")),
        Break("LEDGER_NOT_FOUND", "ledger", put("ledger", "990198"), takes=_words("ledger")),
        Break("LEDGER_KIND_NOT_ALLOWED", "ledger", put("ledger", other_kind)),
        Break("REQUEST_CANCELLED", "context.request_id", cancelled, needs=_words("ledger"), takes=_words("request")),
        Break("REQUEST_ID_REUSED", "context.request_id", reused, needs=_words("ledger request")),
        Break("EFFECTIVE_DATE_IN_FUTURE", effective, put(effective, date(FAR))),
    ]


CONTEXT_DATE = "context.effective_date"


# --- admin and rules -------------------------------------------------------------------------------------------------

_codes = iter(range(990201, 990299))
_villages = iter(range(300, 599))


def open_ledger_base(book):
    request = book.create_region(book.ledger)
    return dataclasses.replace(request, method="admin.OpenLedger", fields={
        "context": request["context"], "ledger": str(next(_codes)), "kind": "LEDGER_KIND_COUNTY", "name": "示例"})


OPEN_LEDGER = Row("admin.OpenLedger", open_ledger_base, [
    Break("FIELD_REQUIRED", "context.source", drop("context.source")),
    Break("NOT_AUTHORISED", "", _as("nobody"), takes=_words("caller")),
    Break("NOT_AUTHORISED", "ledger", _as("elsewhere"), takes=_words("caller")),
    Break("REQUEST_CANCELLED", "context.request_id", all_of(put("ledger", lambda r, b: b.ledger), cancelled),
          takes=_words("request")),
    Break("REQUEST_ID_REUSED", "context.request_id", all_of(put("ledger", lambda r, b: b.ledger), reused),
          needs=_words("request")),
    Break("EFFECTIVE_DATE_IN_FUTURE", CONTEXT_DATE, put(CONTEXT_DATE, date(FAR))),
    Break("LEDGER_CODE_INVALID", "ledger", put("kind", "LEDGER_KIND_PROVINCE")),
    Break("LEDGER_EXISTS", "ledger", all_of(put("ledger", lambda r, b: b.ledger), put("name", "另一个名字"))),
])

CREATE_REGION = Row(
    "rules.CreateRegion", lambda book: book.create_region(book.town + str(next(_villages))),
    before_state(CONTEXT_DATE, county_only=False) + [
        Break("REGION_NOT_IN_LEDGER", "region", put("region", "990102100201")),
        Break("REGION_CODE_INVALID", "region", put("region", lambda r, b: b.town + "000")),
        Break("REGION_EXISTS", "region", all_of(put("region", lambda r, b: b.village), put("name", "另一个名字"))),
        Break("PARENT_REGION_NOT_FOUND", "region", put("valid_from_date", date(20111231))),
        Break("LEVEL_MISMATCH", "level", put("level", "ADMIN_LEVEL_GROUP")),
    ],
    {("REGION_NOT_IN_LEDGER", "REGION_CODE_INVALID"): put("region", "990102100000")})


def publish_base(book):
    name = book.fresh("list").replace(" ", "_")
    book.given(book.publish_list(name, ["A", "B"]))
    return book.publish_list(name, ["A", "B"], "2", 20130101)


PUBLISH_CODE_LIST = Row("rules.PublishCodeList", publish_base, before_state(CONTEXT_DATE, county_only=False) + [
    stale_version(),
    Break("LIST_VERSION_EXISTS", "version", put("version", "1")),
    Break("CODE_REPEATED", "entries[2].code", append("entries", {"code": "A", "label": "A"})),
    Break("SUCCESSOR_UNKNOWN", "entries[0].successors", put("entries[0].successors", ["WATER"])),
    Break("VALIDITY_OVERLAPS", "valid_from_date", put("valid_from_date", date(20111231))),
])

DEFINE_PARAMETER = Row(
    "rules.DefineParameter",
    lambda book: book.define_parameter(book.fresh("key").replace(" ", "_"), "DAYS", bounds={"min": 1, "max": 9}),
    before_state(CONTEXT_DATE, county_only=False) + [
        Break("PARAMETER_EXISTS", "key", put("key", "visit.frequency")),
        Break("BOUNDS_INVALID", "bounds", put("bounds", {"list": "sector"})),
    ])


def set_base(book):
    key = book.fresh("key").replace(" ", "_")
    book.given(book.define_parameter(key, "DAYS", ["kind"], bounds={"min": 0, "max": 100}),
               book.set_parameter(key, {"days": 7}, {"kind": "OLD"}))
    return book.set_parameter(key, {"days": 8}, {"kind": "NEW"})


SET_PARAMETER = Row("rules.SetParameter", set_base, before_state(CONTEXT_DATE, county_only=False) + [
    code("document.kind"),
    Break("PARAMETER_NOT_FOUND", "key", put("key", "no.such.key"), takes=_words("parameter")),
    stale_version(needs=_words("parameter")),
    Break("SCOPE_DIMENSION_INVALID", "scope", put("scope.org", "ANY"), needs=_words("parameter"),
          takes=_words("known_scope")),
    Break("VALUE_TYPE_MISMATCH", "value", put("value", {"flag": True}), needs=_words("parameter")),
    Break("VALUE_OUT_OF_BOUNDS", "value", put("value", {"days": 101}), needs=_words("parameter")),
    Break("VALIDITY_OVERLAPS", "valid_from_date", put("scope.kind", "OLD"), needs=_words("parameter known_scope")),
], {("VALUE_TYPE_MISMATCH", "VALUE_OUT_OF_BOUNDS"): put("value", {"fen": 101})})


# --- registry --------------------------------------------------------------------------------------------------------

_credit = iter(range(20_000_000, 30_000_000))


def organisation_base(book):
    return book.register_organisation(book.fresh("org"), credit_code=credit_code(next(_credit)))


def taken_credit_code(request, book):
    taken = credit_code(next(_credit))
    book.given(book.register_organisation(book.fresh("org"), credit_code=taken))
    request["credit_code"] = taken


REGISTER_ORGANISATION = Row("registry.RegisterOrganisation", organisation_base,
                            before_state(CONTEXT_DATE, county_only=False) + [
    region_unknown(),
    id_taken("org_id", organisation_base),
    subject_unknown("parent_org_id"), subject_unknown("accountable_worker_id"),
    subject_late("parent_org_id", "late org"), subject_late("accountable_worker_id", "late worker"),
    Break("CREDIT_CODE_INVALID", "credit_code", put("credit_code", "91990101123456785A")),
    Break("CREDIT_CODE_TAKEN", "credit_code", taken_credit_code),
    Break("PARENT_CYCLE", "parent_org_id", put("parent_org_id", lambda r, b: r["org_id"])),
])


def worker_base(book):
    request = book.register_worker(book.fresh("worker"), day=20120201)
    request["identity.citizen_number"] = book.new_citizen()
    return request


def taken_citizen(request, book):
    other = worker_base(book)
    book.given(other)
    request["identity.citizen_number"] = other["identity.citizen_number"]


REGISTER_WORKER = Row("registry.RegisterWorker", worker_base, before_state(CONTEXT_DATE, county_only=False) + [
    code("rank"), code("post"),
    region_unknown("village"),
    id_taken("worker_id", worker_base),
    subject_unknown("org_id"), subject_unknown("person_id"), subject_late("org_id", "late org"),
    Break("CITIZEN_NUMBER_INVALID", "identity.citizen_number",
          put("identity.citizen_number", citizen_number(1, 19800230))),
    Break("CITIZEN_NUMBER_TAKEN", "identity.citizen_number", taken_citizen),
])


def household_base(book):
    return book.register_household(book.fresh("household"), members=4)


def person_elsewhere(request, book):
    other = household_base(book)
    book.given(other)
    request["members[0].person_id"] = other["members[0].person_id"]


REGISTER_HOUSEHOLD = Row(
    "registry.RegisterHousehold", household_base, before_state(CONTEXT_DATE, county_only=True) + [
        code("members[2].relation"), code("members[0].sex"), code("members[2].ethnic"), code("members[2].education"),
        region_unknown(),
        id_taken("household_id", household_base),
        Break("NOT_A_VILLAGE", "region", put("region", lambda r, b: b.town)),
        Break("MEMBERS_EMPTY", "members", put("members", []), takes=_words("members")),
        Break("NO_HEAD", "members", put("members[0].is_head", False), needs=_words("members"),
              takes=_words("head")),
        Break("TWO_HEADS", "members[1].is_head", put("members[1].is_head", True),
              needs=_words("members head")),
        Break("CITIZEN_NUMBER_INVALID", "members[3].identity.citizen_number",
              put("members[3].identity.citizen_number", "110101198001010011"), needs=_words("members")),
        Break("BIRTH_DATE_MISMATCH", "members[1].identity.birth_date",
              put("members[1].identity.birth_date", date(19991231)), needs=_words("members")),
        Break("CITIZEN_NUMBER_REPEATED", "members[2].identity.citizen_number",
              put("members[2].identity.citizen_number", lambda r, b: r["members[1].identity.citizen_number"]),
              needs=_words("members")),
        Break("PERSON_ACTIVE_ELSEWHERE", "members[0].person_id", person_elsewhere, needs=_words("members")),
    ],
    {("REGION_NOT_FOUND", "NOT_A_VILLAGE"): put("region", lambda r, b: b.ledger + "150")})


def status_base(book):
    name = book.fresh("household")
    book.given(book.register_household(name))
    return book.load_status(name, since=20160101, to=20161130)


LOAD_HOUSEHOLD_STATUS = Row("registry.LoadHouseholdStatus", status_base,
                            before_state(CONTEXT_DATE, county_only=True) + [
    code("periods[0].status"), code("document.kind"),
    Break("HOUSEHOLD_NOT_FOUND", "household_id", put("household_id", UNKNOWN), takes=_words("household")),
    stale_version(needs=_words("household")),
    Break("PARAMETER_MISSING", "periods", lambda r, b: None, world="bare", takes=_words("golive")),
    Break("AFTER_GOLIVE", "periods[1].from_date", append("periods", {"status": "POOR", "from_date": date(20170102)}),
          needs=_words("golive")),
    Break("STATUS_OVERLAPS", "periods[1]",
          append("periods", {"status": "POOR", "from_date": date(20161130), "to_date": date(20161210)})),
])


# --- assistance ------------------------------------------------------------------------------------------------------

def pairing_base(book):
    household = book.fresh("household")
    book.given(book.register_household(household))
    return book.start_pairing(book.fresh("pairing"), household)


def late_household(request, book):
    name = book.fresh("household")
    book.given(book.register_household(name, day=20180101))
    request["helped"] = subject("HOUSEHOLD", book.id(name))


def same_pairing(request, book):
    # Later than the one asked for, which is open and so reaches it.
    other = book.start_pairing(book.fresh("pairing"), "", day=20180601)
    book.given(other.having(helped=request["helped"], helper=request["helper"], kind=request["kind"]))


START_PAIRING = Row("assistance.StartPairing", pairing_base, before_state("from_date", county_only=True) + [
    code("role"), code("document.kind"),
    id_taken("pairing_id", pairing_base),
    subject_unknown("accountable_worker_id"), subject_late("accountable_worker_id", "late worker"),
    Break("HELPER_KIND_MISMATCH", "helper", put("helper", lambda r, b: subject("ORGANISATION", b.id("unit"))),
          takes=_words("helper")),
    Break("HELPED_KIND_MISMATCH", "helped", put("helped", lambda r, b: subject("WORKER", b.id("helper 2"))),
          takes=_words("helped")),
    Break("HELPER_NOT_ACTIVE", "helper", put("helper", lambda r, b: subject("WORKER", b.id("late worker")))),
    Break("HELPED_NOT_ACTIVE", "helped", late_household),
    Break("PAIRING_EXISTS", "helped", same_pairing, needs=_words("helper helped")),
])


def end_base(book):
    """ENTERPRISE_HOUSEHOLD ends by a successor until August 2017, then only when lifted, from 2018 on nobody knows."""
    household, successor = book.fresh("household"), book.fresh("pairing")
    book.given(book.register_household(household), book.load_status(household, "POOR"))
    pairing = book.fresh("pairing")
    firm = ("ORGANISATION", "firm")
    book.given(book.start_pairing(pairing, household, firm, "ENTERPRISE_HOUSEHOLD"),
               book.start_pairing(successor, household, ("ORGANISATION", "firm 2"), "ENTERPRISE_HOUSEHOLD", 20170702))
    request = book.end_pairing(pairing, 20170801, "SUCCEEDED", successor)
    request.notes["household"] = household
    return request


def end_otherwise(cause):
    return all_of(put("cause", "PAIRING_END_CAUSE_" + cause), drop("successor_pairing_id"))


def other_successor(day):
    def change(request, book):
        household, successor = book.fresh("household"), book.fresh("pairing")
        book.given(book.register_household(household),
                   book.start_pairing(successor, household, ("ORGANISATION", "firm 2"), "ENTERPRISE_HOUSEHOLD", day))
        request["successor_pairing_id"] = book.id(successor)
    return change


def late_successor(request, book):
    late = book.fresh("pairing")
    book.given(book.start_pairing(late, request.notes["household"], ("ORGANISATION", "firm 3"), "ENTERPRISE_HOUSEHOLD",
                                  20171201))
    request["successor_pairing_id"] = book.id(late)


END_PAIRING = Row(
    "assistance.EndPairing", end_base, before_state("to_date", county_only=True) + [
        Break("PAIRING_NOT_FOUND", "pairing_id", put("pairing_id", UNKNOWN), takes=_words("pairing")),
        Break("PAIRING_NOT_FOUND", "successor_pairing_id", put("successor_pairing_id", UNKNOWN)),
        Break("PAIRING_ALREADY_ENDED", "pairing_id", needs=_words("pairing"), change=setup(
            lambda r, b: b.end_pairing("", 20170531, "IN_ERROR").having(pairing_id=r["pairing_id"]))),
        stale_version(needs=_words("pairing")),
        Break("DATE_ORDER_INVALID", "to_date", put("to_date", date(20170531)), needs=_words("pairing")),
        Break("PARAMETER_MISSING", "cause", put("to_date", date(20180101)), needs=_words("pairing"),
              takes=_words("rule")),
        Break("NOT_LIFTED", "cause", put("to_date", date(20170915)), needs=_words("pairing"),
              takes=_words("rule")),
        Break("HELPED_STILL_ACTIVE", "cause", end_otherwise("HELPED_GONE"), needs=_words("pairing rule")),
        Break("HELPER_STILL_ACTIVE", "cause", end_otherwise("HELPER_DIED"), needs=_words("pairing rule")),
        Break("SUCCESSOR_MISMATCH", "successor_pairing_id", other_successor(20170702), needs=_words("pairing")),
        Break("SUCCESSOR_GAP", "successor_pairing_id", late_successor, needs=_words("pairing")),
    ],
    {("DATE_ORDER_INVALID", "PARAMETER_MISSING"): put("to_date", date(20111231)),
     ("SUCCESSOR_MISMATCH", "SUCCESSOR_GAP"): other_successor(20171201)})


def visit_base(book):
    household = book.fresh("household")
    book.given(book.register_household(household))
    return book.record_visit(book.fresh("visit"), household, issues=[(book.fresh("issue"), "REQUEST", "LOAN_DELAY")])


def visit_of_unknown(kind):
    return put("visited", lambda r, b: subject(kind, UNKNOWN))


def visited_late_household(request, book):
    name = book.fresh("household")
    book.given(book.register_household(name, day=20180101))
    request["visited"] = subject("HOUSEHOLD", book.id(name))


def issue_taken(request, book):
    other = visit_base(book)
    book.given(other)
    request["requests[0].issue_id"] = other["requests[0].issue_id"]


RECORD_VISIT = Row("assistance.RecordVisit", visit_base, before_state("date", county_only=True) + [
    code("purpose"), code("requests[0].category"),
    Break("REGION_NOT_FOUND", "visited.id", put("visited", lambda r, b: subject("VILLAGE", b.town + "299")),
          takes=_words("household")),
    id_taken("visit_id", visit_base),
    Break("ID_TAKEN", "requests[0].issue_id", issue_taken),
    Break("SUBJECT_NOT_FOUND", "visited.id", visit_of_unknown("ORGANISATION"), takes=_words("household")),
    Break("SUBJECT_NOT_ACTIVE", "visited.id", put("visited", lambda r, b: subject("ORGANISATION", b.id("late org"))),
          takes=_words("household")),
    Break("HOUSEHOLD_NOT_FOUND", "visited.id", visit_of_unknown("HOUSEHOLD"), takes=_words("household")),
    Break("HOUSEHOLD_NOT_ACTIVE", "visited.id", visited_late_household, takes=_words("household")),
    Break("WORKER_NOT_FOUND", "visitors[1]", append("visitors", UNKNOWN)),
    Break("WORKER_NOT_ACTIVE", "visitors[1]", append("visitors", lambda r, b: b.id("late worker"))),
    Break("VISIT_REPEATED", "visited.id", needs=_words("household"), change=setup(
        lambda r, b: b.record_visit(b.fresh("visit"), "").having(visited=r["visited"]))),
    Break("CATEGORY_KIND_MISMATCH", "requests[0].category", put("requests[0].category", "WATER")),
])


def issue_base(make):
    def base(book):
        issue = book.fresh("issue")
        book.given(book.record_visit(book.fresh("visit"), ("VILLAGE", book.village),
                                     issues=[(issue, "REQUEST", "OTHER")]))
        return make(book, issue)
    return base


ISSUE_BREAKS = [
    Break("ISSUE_NOT_FOUND", "issue_id", put("issue_id", UNKNOWN), takes=_words("issue")),
    Break("ISSUE_RESOLVED", "issue_id", needs=_words("issue"),
          change=setup(lambda r, b: b.resolve_issue("").having(issue_id=r["issue_id"]))),
    stale_version(needs=_words("issue")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170609)), needs=_words("issue")),
]

ASSIGN_ISSUE = Row("assistance.AssignIssue", issue_base(lambda book, issue: book.assign_issue(issue)),
                   before_state(CONTEXT_DATE, county_only=True) + [
    subject_unknown("escalated_to"), subject_late("escalated_to", "late org"),
    *ISSUE_BREAKS,
    Break("DATE_ORDER_INVALID", "due_date", put("due_date", date(20170601)), needs=_words("issue")),
    Break("OWNER_NOT_ACTIVE", "owner", put("owner", lambda r, b: subject("WORKER", b.id("late worker")))),
])

RESOLVE_ISSUE = Row("assistance.ResolveIssue", issue_base(lambda book, issue: book.resolve_issue(issue)),
                    before_state(CONTEXT_DATE, county_only=True) + [
    code("evidence[0].kind"),
    *ISSUE_BREAKS,
    Break("EVIDENCE_MISSING", "evidence", put("evidence", [])),
])


def reopened_issue_base(book):
    issue = book.fresh("issue")
    book.given(book.record_visit(book.fresh("visit"), ("VILLAGE", book.village), issues=[(issue, "REQUEST", "OTHER")]),
               book.resolve_issue(issue))
    return book.reopen_issue(issue)


def open_issue(request, book):
    issue = book.fresh("issue")
    book.given(book.record_visit(book.fresh("visit"), ("VILLAGE", book.village), issues=[(issue, "REQUEST", "OTHER")]))
    request["issue_id"] = book.id(issue)


REOPEN_ISSUE = Row("assistance.ReopenIssue", reopened_issue_base, before_state(CONTEXT_DATE, county_only=True) + [
    Break("ISSUE_NOT_FOUND", "issue_id", put("issue_id", UNKNOWN), takes=_words("issue")),
    Break("ISSUE_NOT_RESOLVED", "issue_id", open_issue, needs=_words("issue")),
    stale_version(needs=_words("issue")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170609)), needs=_words("issue")),
])


def void_visit_base(book):
    household, visit = book.fresh("household"), book.fresh("visit")
    book.given(book.register_household(household), book.record_visit(visit, household))
    return book.void("assistance", "VISIT", visit, 20170620)


def void_again(context):
    return setup(lambda r, b: b.void(context, "VISIT", "", 20170620).having(record=r["record"]))


def pairing_as_record(request, book):
    pairing = pairing_base(book)
    book.given(pairing)
    request["record"] = subject("PAIRING", pairing["pairing_id"])


VOID_VISIT = Row("assistance.VoidRecord", void_visit_base, before_state(CONTEXT_DATE, county_only=True) + [
    Break("RECORD_NOT_FOUND", "record", put("record.id", UNKNOWN), takes=_words("record")),
    Break("RECORD_NOT_VOIDABLE", "record", pairing_as_record, takes=_words("record")),
    Break("ALREADY_VOIDED", "record", void_again("assistance"), needs=_words("record rule")),
    stale_version(needs=_words("record")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170609)), needs=_words("record")),
    Break("PARAMETER_MISSING", "record", lambda r, b: None, world="bare", takes=_words("rule"),
          needs=_words("record")),
    Break("SECOND_PERSON_REQUIRED", "record", put(CONTEXT_DATE, date(20170711)), needs=_words("record rule")),
])


# --- funds -----------------------------------------------------------------------------------------------------------

def line_base(book):
    return book.open_line(book.fresh("line"), "DONATION", ["TERRACE"])


OPEN_FUND_LINE = Row("funds.OpenFundLine", line_base, before_state(CONTEXT_DATE, county_only=False) + [
    code("sector"),
    region_unknown(),
    id_taken("fund_line_id", line_base),
    subject_unknown("owner_org_id"), subject_unknown("raised_by_org_id"), subject_late("owner_org_id", "late org"),
    Break("PARAMETER_MISSING", "purposes", put("source_kind", "SOURCE_KIND_CENTRAL"), takes=_words("rule")),
    Break("PURPOSE_NOT_ALLOWED", "purposes[1]", append("purposes", "OFFICE"), needs=_words("rule")),
    Break("ORIGIN_LINE_NOT_FOUND", "origin_line", put("origin_line", UNKNOWN)),
])

HEAD_FEN = 1_250_000 + 500_000 + 40_000


def budget_base(book):
    line = book.fresh("line")
    book.given(book.open_line(line))
    return book.record_budget(book.fresh("budget"), line, 2 * HEAD_FEN,
                              per_head={"role": "FIRST_SECRETARY", "heads": 2})


def lump_budget(book):
    request = budget_base(book)
    del request["per_head"]
    return request


LINE_BREAKS = [
    Break("FUND_LINE_NOT_FOUND", "fund_line_id", put("fund_line_id", UNKNOWN), takes=_words("line")),
    stale_version(needs=_words("line")),
]

RECORD_BUDGET = Row("funds.RecordBudget", budget_base, before_state(CONTEXT_DATE, county_only=False) + [
    code("per_head.role"), code("document.kind"),
    id_taken("budget_id", lump_budget),
    *LINE_BREAKS,
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20161231)), needs=_words("line")),
    Break("PARAMETER_MISSING", "per_head", lambda r, b: None, world="bare", takes=_words("rule"), needs=_words("line")),
    Break("RATE_MISMATCH", "amount_fen", put("amount_fen", 2 * HEAD_FEN + 1), needs=_words("line rule")),
    Break("ARRIVAL_EXCEEDS_BUDGET", "amount_fen", needs=_words("line"), change=setup(
        lambda r, b: b.record_arrival(b.fresh("arrival"), "", 10 * HEAD_FEN).having(fund_line_id=r["fund_line_id"]))),
])


def arrival_base(book):
    line = book.fresh("line")
    book.given(book.open_line(line), book.record_budget(book.fresh("budget"), line, 1_000_000))
    return book.record_arrival(book.fresh("arrival"), line, 1_000_000)


RECORD_FUNDS_ARRIVAL = Row("funds.RecordFundsArrival", arrival_base, before_state("date", county_only=False) + [
    code("donor_class"),
    id_taken("arrival_id", arrival_base),
    subject_unknown("donor", subject("ORGANISATION", UNKNOWN), "donor.id"), subject_unknown("asset_income_id"),
    Break("SUBJECT_NOT_ACTIVE", "donor.id", put("donor", lambda r, b: subject("ORGANISATION", b.id("late org")))),
    *LINE_BREAKS,
    Break("DATE_ORDER_INVALID", "date", put("date", date(20161231)), needs=_words("line")),
    Break("RECEIPT_REPEATED", "bank_reference", put("bank_reference", "known receipt")),
    Break("ARRIVAL_EXCEEDS_BUDGET", "amount_fen", put("amount_fen", 1_000_001), needs=_words("line")),
])


def spend_base(book):
    line = book.fresh("line")
    book.given(book.open_line(line), book.record_arrival(book.fresh("arrival"), line, 15_000_000))
    return book.spend(book.fresh("payment"), line, 15_000_000, price=("TERRACE", 50_000, 300, "MU"))


def lump_sum(book):
    request = spend_base(book)
    del request["price"]
    return request


def line_of(source, fen=None):
    def change(request, book):
        line = book.fresh("line")
        book.given(book.open_line(line, source, ["TERRACE"]))
        if fen:
            book.given(book.record_arrival(book.fresh("arrival"), line, fen))
        request["fund_line_id"] = book.id(line)
    return change


SPEND_DIRECTLY = Row("funds.SpendDirectly", spend_base, before_state("paid_date", county_only=True) + [
    code("purpose"), code("price.item"), code("evidence[0].kind"),
    region_unknown(),
    id_taken("payment_id", lump_sum),
    subject_unknown("approved_by"), subject_unknown("payee.subject.id"), subject_late("approved_by", "late worker"),
    *LINE_BREAKS,
    Break("SAME_ACTOR", "approved_by", put("approved_by", PROFILES["maker"]["worker_id"]), needs=_words("line caller")),
    Break("DATE_ORDER_INVALID", "paid_date", put("paid_date", date(20161231)), needs=_words("line")),
    Break("UNIT_MISMATCH", "price.quantity.unit", put("price.quantity.unit", "UNIT_PERSON"), needs=_words("line")),
    Break("PARAMETER_MISSING", "fund_line_id", line_of("DONATION", 15_000_000), needs=_words("line")),
    Break("DIRECT_SPENDING_NOT_ALLOWED", "fund_line_id", line_of("WON", 15_000_000), needs=_words("line")),
    Break("PROJECT_NOT_FOUND", "project_id", all_of(drop("region"), put("project_id", UNKNOWN)), needs=_words("line")),
    Break("PURPOSE_NOT_ALLOWED", "purpose", put("purpose", "OFFICE"), needs=_words("line")),
    Break("PRICE_MISMATCH", "amount_fen", put("amount_fen", 14_999_999)),
    Break("PARAMETER_MISSING", "price", lambda r, b: None, world="bare", takes=_words("rate"), needs=_words("line")),
    Break("RATE_MISMATCH", "price.unit_price_fen", needs=_words("line rate"),
          change=all_of(put("price.unit_price_fen", 60_000), put("price.quantity.milli", 250_000))),
    Break("EVIDENCE_MISSING", "evidence", put("evidence", [])),
    Break("LINE_NOT_FUNDED", "amount_fen", line_of("SELF_RAISED"), needs=_words("line")),
])


# --- assets ----------------------------------------------------------------------------------------------------------

def asset_base(book):
    return book.form_asset(book.fresh("asset"))


FORM_ASSET = Row("assets.FormAsset", asset_base, before_state("formed_date", county_only=True) + [
    code("kind"),
    region_unknown(),
    id_taken("asset_id", asset_base),
    subject_unknown("parts[0]", {"fund_line_id": UNKNOWN, "fen": 3_400_000}, "parts[0].fund_line_id"),
    subject_unknown("care_id", takes=_words("origin")),
    Break("PROJECT_NOT_FOUND", "project_id", put("project_id", UNKNOWN), needs=_words("origin")),
    Break("PARTS_DO_NOT_SUM", "parts", put("value", figure(3_400_001))),
])


def formed(book):
    asset = book.fresh("asset")
    book.given(book.form_asset(asset))
    return asset


def checked(book, **more):
    asset = formed(book)
    book.given(book.check_asset(book.fresh("check"), asset, **more))
    return asset


def titled(book):
    asset = checked(book)
    book.given(book.confirm_title(asset))
    return asset


CHECK_ASSET = Row("assets.CheckAsset", lambda book: book.check_asset(book.fresh("check"), formed(book)),
                  before_state("check_date", county_only=True) + [
    code("condition"),
    id_taken("check_id", lambda book: book.check_asset(book.fresh("check"), formed(book))),
    subject_unknown("checker_worker_id"), subject_late("checker_worker_id", "late worker"),
    Break("ASSET_NOT_FOUND", "asset_id", put("asset_id", UNKNOWN), takes=_words("asset")),
    stale_version(needs=_words("asset")),
    Break("DATE_ORDER_INVALID", "check_date", put("check_date", date(20170609)), needs=_words("asset")),
    Break("UNIT_MISMATCH", "found.unit", put("found.unit", "UNIT_COPY"), needs=_words("asset")),
])

CONFIRM_TITLE = Row("assets.ConfirmTitle", lambda book: book.confirm_title(checked(book)),
                    before_state("title_date", county_only=True) + [
    code("certificate.kind"),
    Break("SUBJECT_NOT_FOUND", "owner.id", put("owner", subject("ORGANISATION", UNKNOWN))),
    Break("SUBJECT_NOT_ACTIVE", "owner.id", put("owner", lambda r, b: subject("ORGANISATION", b.id("late org")))),
    Break("ASSET_NOT_FOUND", "asset_id", put("asset_id", UNKNOWN), takes=_words("asset checked")),
    Break("ASSET_NOT_CHECKED", "asset_id", put("asset_id", lambda r, b: b.id(formed(b))), needs=_words("asset"),
          takes=_words("checked")),
    Break("OWNER_KIND_NOT_ALLOWED", "owner.kind", needs=_words("asset"), change=all_of(
        put("owner", lambda r, b: subject("WORKER", b.id("helper"))),
        put("rights[0].holder", lambda r, b: subject("WORKER", b.id("helper"))))),
    Break("ALREADY_TITLED", "asset_id", needs=_words("checked"), change=setup(
        lambda r, b: b.confirm_title("").having(asset_id=r["asset_id"]))),
    stale_version(needs=_words("asset")),
    Break("DATE_ORDER_INVALID", "title_date", put("title_date", date(20170609)), needs=_words("checked")),
    Break("OWNERSHIP_MISSING", "rights", put("rights[0].right", "ASSET_RIGHT_INCOME"), needs=_words("asset")),
])


def offered(request, book):
    asset = titled(book)
    book.given(book.offer_asset(book.fresh("offer"), [asset]))
    return book.id(asset)


def defective(request, book):
    asset = titled(book)
    book.given(book.check_asset(book.fresh("check"), asset, 20170622, condition="DAMAGED"))
    return book.id(asset)


def offer_base(book):
    return book.offer_asset(book.fresh("offer"), [titled(book)])


OFFER_ASSET = Row("assets.OfferAsset", offer_base, before_state("offered_date", county_only=True) + [
    code("document.kind"),
    Break("REGION_NOT_FOUND", "to.id", put("to", lambda r, b: subject("VILLAGE", b.town + "299"))),
    id_taken("offer_id", offer_base),
    Break("SUBJECT_NOT_FOUND", "to.id", put("to", subject("HOUSEHOLD", UNKNOWN))),
    Break("SUBJECT_NOT_ACTIVE", "to.id", put("to", lambda r, b: subject("ORGANISATION", b.id("late org")))),
    Break("ASSET_NOT_FOUND", "asset_ids[1]", append("asset_ids", UNKNOWN)),
    Break("ASSET_NOT_TITLED", "asset_ids[1]", append("asset_ids", lambda r, b: b.id(checked(b)))),
    Break("ALREADY_OFFERED", "asset_ids[1]", append("asset_ids", offered)),
    Break("DATE_ORDER_INVALID", "offered_date", put("offered_date", date(20170619))),
    Break("DEFECTS_OPEN", "asset_ids[1]", append("asset_ids", defective)),
])


def answer_base(book):
    offer = book.fresh("offer")
    book.given(book.offer_asset(offer, [titled(book)]))
    return book.answer_offer(offer)


def own_offer(request, book):
    offer = book.fresh("offer")
    book.given(book.offer_asset(offer, [titled(book)], as_="both"))
    request["offer_id"] = book.id(offer)
    request.as_ = "both"


def offer_to_another(request, book):
    offer = book.fresh("offer")
    book.given(book.offer_asset(offer, [titled(book)], subject("ORGANISATION", book.id("unit 2"))))
    request["offer_id"] = book.id(offer)


def own_offer_to_another(request, book):
    offer = book.fresh("offer")
    book.given(book.offer_asset(offer, [titled(book)], subject("ORGANISATION", book.id("unit 2")), as_="both"))
    request["offer_id"] = book.id(offer)
    request.as_ = "both"


ANSWER_ASSET_OFFER = Row(
    "assets.AnswerAssetOffer", answer_base, before_state("date", county_only=True) + [
        code("manager.duties[0]"),
        subject_unknown("sign_offs[0].org_id"), subject_unknown("manager.subject.id"),
        subject_late("sign_offs[0].org_id", "late org"),
        Break("OFFER_NOT_FOUND", "offer_id", put("offer_id", UNKNOWN), takes=_words("offer")),
        Break("ALREADY_ANSWERED", "offer_id", needs=_words("offer"), change=setup(
            lambda r, b: b.answer_offer("", "REJECT").having(offer_id=r["offer_id"]))),
        stale_version(needs=_words("offer")),
        Break("SAME_ACTOR", "offer_id", own_offer, needs=_words("offer caller")),
        Break("DATE_ORDER_INVALID", "date", put("date", date(20170624)), needs=_words("offer")),
        Break("NOT_THE_RECEIVER", "offer_id", offer_to_another, needs=_words("offer")),
        Break("SIGNATURE_MISSING", "sign_offs", put("sign_offs", []), needs=_words("offer")),
        Break("PARAMETER_MISSING", "manager", drop("manager"), world="bare", needs=_words("offer"),
              takes=_words("rule")),
        Break("MANAGER_MISSING", "manager", drop("manager"), needs=_words("offer rule")),
    ],
    {("SAME_ACTOR", "NOT_THE_RECEIVER"): own_offer_to_another})


def void_check_base(book):
    asset, check = formed(book), book.fresh("check")
    book.given(book.check_asset(check, asset))
    return book.void("assets", "CHECK", check, 20170620)


def asset_as_record(request, book):
    request["record"] = subject("ASSET", book.id(formed(book)))


VOID_CHECK = Row("assets.VoidRecord", void_check_base, before_state(CONTEXT_DATE, county_only=True) + [
    Break("RECORD_NOT_FOUND", "record", put("record.id", UNKNOWN), takes=_words("record")),
    Break("RECORD_NOT_VOIDABLE", "record", asset_as_record, takes=_words("record")),
    Break("ALREADY_VOIDED", "record", needs=_words("record rule"), change=setup(
        lambda r, b: b.void("assets", "CHECK", "", 20170620).having(record=r["record"]))),
    stale_version(needs=_words("record")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170614)), needs=_words("record")),
    Break("PARAMETER_MISSING", "record", lambda r, b: None, world="bare", needs=_words("record"), takes=_words("rule")),
    Break("SECOND_PERSON_REQUIRED", "record", put(CONTEXT_DATE, date(20170716)), needs=_words("record rule")),
])


ROWS = [OPEN_LEDGER, CREATE_REGION, PUBLISH_CODE_LIST, DEFINE_PARAMETER, SET_PARAMETER, REGISTER_ORGANISATION,
        REGISTER_WORKER, REGISTER_HOUSEHOLD, LOAD_HOUSEHOLD_STATUS, START_PAIRING, END_PAIRING, RECORD_VISIT,
        ASSIGN_ISSUE, RESOLVE_ISSUE, REOPEN_ISSUE, VOID_VISIT, OPEN_FUND_LINE, RECORD_BUDGET, RECORD_FUNDS_ARRIVAL,
        SPEND_DIRECTLY, FORM_ASSET, CHECK_ASSET, CONFIRM_TITLE, OFFER_ASSET, ANSWER_ASSET_OFFER, VOID_CHECK]


def give_what_rows_need(book):
    """Things that begin in 2018, and rules of the rows above."""
    book.given(book.register_organisation("late org", day=20180101),
               book.register_worker("late worker", day=20180101),
               book.register_organisation("firm 2", "ENTERPRISE"), book.register_organisation("firm 3", "ENTERPRISE"))
    kind = {"kind": "ENTERPRISE_HOUSEHOLD"}
    members = "pairing.end_requires"
    # The reference data has {LIFTED, SUCCESSOR} for it, from 2012 on.
    book.given(book.set_parameter(members, {"enum_set": {"members": ["SUCCESSOR"]}}, kind, 20130101, 20170831, 2))
    book.given(book.set_parameter(members, {"enum_set": {"members": ["LIFTED"]}}, kind, 20170901, 20171231))
    book.given(book.set_parameter("funds.purposes_allowed", {"codes": {"list": "fund_purpose", "codes": ["TERRACE"]}},
                                  {"source_kind": "DONATION"}))
    book.given(book.open_line("known line"), book.record_arrival("known receipt", "known line", 1))
