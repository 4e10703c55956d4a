"""What commands of registry refuse."""

from book import citizen_number, credit_code, date

from .breaks import (
    Break, CONTEXT_DATE, Row, UNKNOWN, append, before_state, code, id_taken, put, region_unknown, stale_version,
    subject_late, subject_unknown, words)

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
        Break("MEMBERS_EMPTY", "members", put("members", []), takes=words("members")),
        Break("NO_HEAD", "members", put("members[0].is_head", False), needs=words("members"),
              takes=words("head")),
        Break("TWO_HEADS", "members[1].is_head", put("members[1].is_head", True),
              needs=words("members head")),
        Break("CITIZEN_NUMBER_INVALID", "members[3].identity.citizen_number",
              put("members[3].identity.citizen_number", "110101198001010011"), needs=words("members")),
        Break("BIRTH_DATE_MISMATCH", "members[1].identity.birth_date",
              put("members[1].identity.birth_date", date(19991231)), needs=words("members")),
        Break("CITIZEN_NUMBER_REPEATED", "members[2].identity.citizen_number",
              put("members[2].identity.citizen_number", lambda r, b: r["members[1].identity.citizen_number"]),
              needs=words("members")),
        Break("PERSON_ACTIVE_ELSEWHERE", "members[0].person_id", person_elsewhere, needs=words("members")),
    ],
    {("REGION_NOT_FOUND", "NOT_A_VILLAGE"): put("region", lambda r, b: b.ledger + "150")})


def status_base(book):
    name = book.fresh("household")
    book.given(book.register_household(name))
    return book.load_status(name, since=20160101, to=20161130)


LOAD_HOUSEHOLD_STATUS = Row("registry.LoadHouseholdStatus", status_base,
                            before_state(CONTEXT_DATE, county_only=True) + [
    code("periods[0].status"), code("document.kind"),
    Break("HOUSEHOLD_NOT_FOUND", "household_id", put("household_id", UNKNOWN), takes=words("household")),
    stale_version(needs=words("household")),
    Break("PARAMETER_MISSING", "periods", lambda r, b: None, world="bare", takes=words("golive")),
    Break("AFTER_GOLIVE", "periods[1].from_date", append("periods", {"status": "POOR", "from_date": date(20170102)}),
          needs=words("golive")),
    Break("STATUS_OVERLAPS", "periods[1]",
          append("periods", {"status": "POOR", "from_date": date(20161130), "to_date": date(20161210)})),
])


ROWS = [REGISTER_ORGANISATION, REGISTER_WORKER, REGISTER_HOUSEHOLD, LOAD_HOUSEHOLD_STATUS]
