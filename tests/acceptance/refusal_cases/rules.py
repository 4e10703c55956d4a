"""What commands of admin and rules refuse."""

import dataclasses

from book import date

from .breaks import (
    Break, CONTEXT_DATE, FAR, Row, all_of, append, as_profile, before_state, cancelled, code, drop, put, reused,
    stale_version, words)

_codes = iter(range(990201, 990299))
_villages = iter(range(300, 599))


def open_ledger_base(book):
    request = book.create_region(book.ledger)
    return dataclasses.replace(request, method="admin.OpenLedger", fields={
        "context": request["context"], "ledger": str(next(_codes)), "kind": "LEDGER_KIND_COUNTY", "name": "示例"})


OPEN_LEDGER = Row("admin.OpenLedger", open_ledger_base, [
    Break("FIELD_REQUIRED", "context.source", drop("context.source")),
    Break("NOT_AUTHORISED", "", as_profile("nobody"), takes=words("caller")),
    Break("NOT_AUTHORISED", "ledger", as_profile("elsewhere"), takes=words("caller")),
    Break("REQUEST_CANCELLED", "context.request_id", all_of(put("ledger", lambda r, b: b.ledger), cancelled),
          takes=words("request")),
    Break("REQUEST_ID_REUSED", "context.request_id", all_of(put("ledger", lambda r, b: b.ledger), reused),
          needs=words("request")),
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
    Break("PARAMETER_NOT_FOUND", "key", put("key", "no.such.key"), takes=words("parameter")),
    stale_version(needs=words("parameter")),
    Break("SCOPE_DIMENSION_INVALID", "scope", put("scope.org", "ANY"), needs=words("parameter"),
          takes=words("known_scope")),
    Break("VALUE_TYPE_MISMATCH", "value", put("value", {"flag": True}), needs=words("parameter")),
    Break("VALUE_OUT_OF_BOUNDS", "value", put("value", {"days": 101}), needs=words("parameter")),
    Break("VALIDITY_OVERLAPS", "valid_from_date", put("scope.kind", "OLD"), needs=words("parameter known_scope")),
], {("VALUE_TYPE_MISMATCH", "VALUE_OUT_OF_BOUNDS"): put("value", {"fen": 101})})


ROWS = [OPEN_LEDGER, CREATE_REGION, PUBLISH_CODE_LIST, DEFINE_PARAMETER, SET_PARAMETER]
