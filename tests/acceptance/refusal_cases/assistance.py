"""What commands of assistance refuse."""

from book import date, subject

from .breaks import (
    Break, CONTEXT_DATE, Row, UNKNOWN, all_of, append, before_state, code, drop, id_taken, put, setup, stale_version,
    subject_late, subject_unknown, words)


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
          takes=words("helper")),
    Break("HELPED_KIND_MISMATCH", "helped", put("helped", lambda r, b: subject("WORKER", b.id("helper 2"))),
          takes=words("helped")),
    Break("HELPER_NOT_ACTIVE", "helper", put("helper", lambda r, b: subject("WORKER", b.id("late worker")))),
    Break("HELPED_NOT_ACTIVE", "helped", late_household),
    Break("PAIRING_EXISTS", "helped", same_pairing, needs=words("helper helped")),
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
        Break("PAIRING_NOT_FOUND", "pairing_id", put("pairing_id", UNKNOWN), takes=words("pairing")),
        Break("PAIRING_NOT_FOUND", "successor_pairing_id", put("successor_pairing_id", UNKNOWN)),
        Break("PAIRING_ALREADY_ENDED", "pairing_id", needs=words("pairing"), change=setup(
            lambda r, b: b.end_pairing("", 20170531, "IN_ERROR").having(pairing_id=r["pairing_id"]))),
        stale_version(needs=words("pairing")),
        Break("DATE_ORDER_INVALID", "to_date", put("to_date", date(20170531)), needs=words("pairing")),
        Break("PARAMETER_MISSING", "cause", put("to_date", date(20180101)), needs=words("pairing"),
              takes=words("rule")),
        Break("NOT_LIFTED", "cause", put("to_date", date(20170915)), needs=words("pairing"),
              takes=words("rule")),
        Break("HELPED_STILL_ACTIVE", "cause", end_otherwise("HELPED_GONE"), needs=words("pairing rule")),
        Break("HELPER_STILL_ACTIVE", "cause", end_otherwise("HELPER_DIED"), needs=words("pairing rule")),
        Break("SUCCESSOR_MISMATCH", "successor_pairing_id", other_successor(20170702), needs=words("pairing")),
        Break("SUCCESSOR_GAP", "successor_pairing_id", late_successor, needs=words("pairing")),
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
          takes=words("household")),
    id_taken("visit_id", visit_base),
    Break("ID_TAKEN", "requests[0].issue_id", issue_taken),
    Break("SUBJECT_NOT_FOUND", "visited.id", visit_of_unknown("ORGANISATION"), takes=words("household")),
    Break("SUBJECT_NOT_ACTIVE", "visited.id", put("visited", lambda r, b: subject("ORGANISATION", b.id("late org"))),
          takes=words("household")),
    Break("HOUSEHOLD_NOT_FOUND", "visited.id", visit_of_unknown("HOUSEHOLD"), takes=words("household")),
    Break("HOUSEHOLD_NOT_ACTIVE", "visited.id", visited_late_household, takes=words("household")),
    Break("WORKER_NOT_FOUND", "visitors[1]", append("visitors", UNKNOWN)),
    Break("WORKER_NOT_ACTIVE", "visitors[1]", append("visitors", lambda r, b: b.id("late worker"))),
    Break("VISIT_REPEATED", "visited.id", needs=words("household"), change=setup(
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
    Break("ISSUE_NOT_FOUND", "issue_id", put("issue_id", UNKNOWN), takes=words("issue")),
    Break("ISSUE_RESOLVED", "issue_id", needs=words("issue"),
          change=setup(lambda r, b: b.resolve_issue("").having(issue_id=r["issue_id"]))),
    stale_version(needs=words("issue")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170609)), needs=words("issue")),
]

ASSIGN_ISSUE = Row("assistance.AssignIssue", issue_base(lambda book, issue: book.assign_issue(issue)),
                   before_state(CONTEXT_DATE, county_only=True) + [
    subject_unknown("escalated_to"), subject_late("escalated_to", "late org"),
    *ISSUE_BREAKS,
    Break("DATE_ORDER_INVALID", "due_date", put("due_date", date(20170601)), needs=words("issue")),
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
    Break("ISSUE_NOT_FOUND", "issue_id", put("issue_id", UNKNOWN), takes=words("issue")),
    Break("ISSUE_NOT_RESOLVED", "issue_id", open_issue, needs=words("issue")),
    stale_version(needs=words("issue")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170609)), needs=words("issue")),
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
    Break("RECORD_NOT_FOUND", "record", put("record.id", UNKNOWN), takes=words("record")),
    Break("RECORD_NOT_VOIDABLE", "record", pairing_as_record, takes=words("record")),
    Break("ALREADY_VOIDED", "record", void_again("assistance"), needs=words("record rule")),
    stale_version(needs=words("record")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170609)), needs=words("record")),
    Break("PARAMETER_MISSING", "record", lambda r, b: None, world="bare", takes=words("rule"),
          needs=words("record")),
    Break("SECOND_PERSON_REQUIRED", "record", put(CONTEXT_DATE, date(20170711)), needs=words("record rule")),
])


ROWS = [START_PAIRING, END_PAIRING, RECORD_VISIT, ASSIGN_ISSUE, RESOLVE_ISSUE, REOPEN_ISSUE, VOID_VISIT]
