"""What commands of funds refuse."""

from book import PROFILES, date, subject

from .breaks import (
    Break, CONTEXT_DATE, Row, UNKNOWN, all_of, append, before_state, code, drop, id_taken, put, region_unknown,
    setup, stale_version, subject_late, subject_unknown, words)


def line_base(book):
    return book.open_line(book.fresh("line"), "DONATION", ["TERRACE"])


OPEN_FUND_LINE = Row("funds.OpenFundLine", line_base, before_state(CONTEXT_DATE, county_only=False) + [
    code("sector"),
    region_unknown(),
    id_taken("fund_line_id", line_base),
    subject_unknown("owner_org_id"), subject_unknown("raised_by_org_id"), subject_late("owner_org_id", "late org"),
    Break("PARAMETER_MISSING", "purposes", put("source_kind", "SOURCE_KIND_CENTRAL"), takes=words("rule")),
    Break("PURPOSE_NOT_ALLOWED", "purposes[1]", append("purposes", "OFFICE"), needs=words("rule")),
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
    Break("FUND_LINE_NOT_FOUND", "fund_line_id", put("fund_line_id", UNKNOWN), takes=words("line")),
    stale_version(needs=words("line")),
]

RECORD_BUDGET = Row("funds.RecordBudget", budget_base, before_state(CONTEXT_DATE, county_only=False) + [
    code("per_head.role"), code("document.kind"),
    id_taken("budget_id", lump_budget),
    *LINE_BREAKS,
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20161231)), needs=words("line")),
    Break("PARAMETER_MISSING", "per_head", lambda r, b: None, world="bare", takes=words("rule"), needs=words("line")),
    Break("RATE_MISMATCH", "amount_fen", put("amount_fen", 2 * HEAD_FEN + 1), needs=words("line rule")),
    Break("ARRIVAL_EXCEEDS_BUDGET", "amount_fen", needs=words("line"), change=setup(
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
    Break("DATE_ORDER_INVALID", "date", put("date", date(20161231)), needs=words("line")),
    Break("RECEIPT_REPEATED", "bank_reference", put("bank_reference", "known receipt")),
    Break("ARRIVAL_EXCEEDS_BUDGET", "amount_fen", put("amount_fen", 1_000_001), needs=words("line")),
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
    Break("SAME_ACTOR", "approved_by", put("approved_by", PROFILES["maker"]["worker_id"]), needs=words("line caller")),
    Break("DATE_ORDER_INVALID", "paid_date", put("paid_date", date(20161231)), needs=words("line")),
    Break("UNIT_MISMATCH", "price.quantity.unit", put("price.quantity.unit", "UNIT_PERSON"), needs=words("line")),
    Break("PARAMETER_MISSING", "fund_line_id", line_of("DONATION", 15_000_000), needs=words("line")),
    Break("DIRECT_SPENDING_NOT_ALLOWED", "fund_line_id", line_of("WON", 15_000_000), needs=words("line")),
    Break("PROJECT_NOT_FOUND", "project_id", all_of(drop("region"), put("project_id", UNKNOWN)), needs=words("line")),
    Break("PURPOSE_NOT_ALLOWED", "purpose", put("purpose", "OFFICE"), needs=words("line")),
    Break("PRICE_MISMATCH", "amount_fen", put("amount_fen", 14_999_999)),
    Break("PARAMETER_MISSING", "price", lambda r, b: None, world="bare", takes=words("rate"), needs=words("line")),
    Break("RATE_MISMATCH", "price.unit_price_fen", needs=words("line rate"),
          change=all_of(put("price.unit_price_fen", 60_000), put("price.quantity.milli", 250_000))),
    Break("EVIDENCE_MISSING", "evidence", put("evidence", [])),
    Break("LINE_NOT_FUNDED", "amount_fen", line_of("SELF_RAISED"), needs=words("line")),
])


ROWS = [OPEN_FUND_LINE, RECORD_BUDGET, RECORD_FUNDS_ARRIVAL, SPEND_DIRECTLY]
