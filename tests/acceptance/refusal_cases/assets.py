"""What commands of assets refuse."""

from book import date, figure, subject

from .breaks import (
    Break, CONTEXT_DATE, Row, UNKNOWN, all_of, append, before_state, code, drop, id_taken, put, region_unknown,
    setup, stale_version, subject_late, subject_unknown, words)


def asset_base(book):
    return book.form_asset(book.fresh("asset"))


FORM_ASSET = Row("assets.FormAsset", asset_base, before_state("formed_date", county_only=True) + [
    code("kind"),
    region_unknown(),
    id_taken("asset_id", asset_base),
    subject_unknown("parts[0]", {"fund_line_id": UNKNOWN, "fen": 3_400_000}, "parts[0].fund_line_id"),
    subject_unknown("care_id", takes=words("origin")),
    Break("PROJECT_NOT_FOUND", "project_id", put("project_id", UNKNOWN), needs=words("origin")),
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
    Break("ASSET_NOT_FOUND", "asset_id", put("asset_id", UNKNOWN), takes=words("asset")),
    stale_version(needs=words("asset")),
    Break("DATE_ORDER_INVALID", "check_date", put("check_date", date(20170609)), needs=words("asset")),
    Break("UNIT_MISMATCH", "found.unit", put("found.unit", "UNIT_COPY"), needs=words("asset")),
])

CONFIRM_TITLE = Row("assets.ConfirmTitle", lambda book: book.confirm_title(checked(book)),
                    before_state("title_date", county_only=True) + [
    code("certificate.kind"),
    Break("SUBJECT_NOT_FOUND", "owner.id", put("owner", subject("ORGANISATION", UNKNOWN))),
    Break("SUBJECT_NOT_ACTIVE", "owner.id", put("owner", lambda r, b: subject("ORGANISATION", b.id("late org")))),
    Break("ASSET_NOT_FOUND", "asset_id", put("asset_id", UNKNOWN), takes=words("asset checked")),
    Break("ASSET_NOT_CHECKED", "asset_id", put("asset_id", lambda r, b: b.id(formed(b))), needs=words("asset"),
          takes=words("checked")),
    Break("OWNER_KIND_NOT_ALLOWED", "owner.kind", needs=words("asset"), change=all_of(
        put("owner", lambda r, b: subject("WORKER", b.id("helper"))),
        put("rights[0].holder", lambda r, b: subject("WORKER", b.id("helper"))))),
    Break("ALREADY_TITLED", "asset_id", needs=words("checked"), change=setup(
        lambda r, b: b.confirm_title("").having(asset_id=r["asset_id"]))),
    stale_version(needs=words("asset")),
    Break("DATE_ORDER_INVALID", "title_date", put("title_date", date(20170609)), needs=words("checked")),
    Break("OWNERSHIP_MISSING", "rights", put("rights[0].right", "ASSET_RIGHT_INCOME"), needs=words("asset")),
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
        Break("OFFER_NOT_FOUND", "offer_id", put("offer_id", UNKNOWN), takes=words("offer")),
        Break("ALREADY_ANSWERED", "offer_id", needs=words("offer"), change=setup(
            lambda r, b: b.answer_offer("", "REJECT").having(offer_id=r["offer_id"]))),
        stale_version(needs=words("offer")),
        Break("SAME_ACTOR", "offer_id", own_offer, needs=words("offer caller")),
        Break("DATE_ORDER_INVALID", "date", put("date", date(20170624)), needs=words("offer")),
        Break("NOT_THE_RECEIVER", "offer_id", offer_to_another, needs=words("offer")),
        Break("SIGNATURE_MISSING", "sign_offs", put("sign_offs", []), needs=words("offer")),
        Break("PARAMETER_MISSING", "manager", drop("manager"), world="bare", needs=words("offer"),
              takes=words("rule")),
        Break("MANAGER_MISSING", "manager", drop("manager"), needs=words("offer rule")),
    ],
    {("SAME_ACTOR", "NOT_THE_RECEIVER"): own_offer_to_another})


def void_check_base(book):
    asset, check = formed(book), book.fresh("check")
    book.given(book.check_asset(check, asset))
    return book.void("assets", "CHECK", check, 20170620)


def asset_as_record(request, book):
    request["record"] = subject("ASSET", book.id(formed(book)))


VOID_CHECK = Row("assets.VoidRecord", void_check_base, before_state(CONTEXT_DATE, county_only=True) + [
    Break("RECORD_NOT_FOUND", "record", put("record.id", UNKNOWN), takes=words("record")),
    Break("RECORD_NOT_VOIDABLE", "record", asset_as_record, takes=words("record")),
    Break("ALREADY_VOIDED", "record", needs=words("record rule"), change=setup(
        lambda r, b: b.void("assets", "CHECK", "", 20170620).having(record=r["record"]))),
    stale_version(needs=words("record")),
    Break("DATE_ORDER_INVALID", CONTEXT_DATE, put(CONTEXT_DATE, date(20170614)), needs=words("record")),
    Break("PARAMETER_MISSING", "record", lambda r, b: None, world="bare", needs=words("record"), takes=words("rule")),
    Break("SECOND_PERSON_REQUIRED", "record", put(CONTEXT_DATE, date(20170716)), needs=words("record rule")),
])


ROWS = [FORM_ASSET, CHECK_ASSET, CONFIRM_TITLE, OFFER_ASSET, ANSWER_ASSET_OFFER, VOID_CHECK]
