#!/usr/bin/env python3
"""Writes sample.jsonl beside itself: the sample book of slice-1 §8, for ledger 990101, after reference.jsonl.

The facts are those of group A4. Everything the facts do not say is made up, and the source of each command says so:
regions, persons, numbers, workers, days, payees, arrivals of self-raised money. Citizen numbers are synthetic: their
region part is 99, which no province has.
"""

import os

from command_file import CommandFile, date, fen, fixed_id
from make_reference import LISTS

BOOK = "sample"
COUNTY = "990101"
TOWN = "990101100"
JIAYI = "990101100201"
DIAOQU = "990101100202"
FIRST_DAY = "2012-01-01"
YEAR_DAY = "2017-01-01"
SYNTHETIC = "合成数据"

HOUSEHOLDS = 38
# Households 1-16, 17-28, 29-38 go to the first, second and third unit.
SHARE_LAST = [16, 28, 38]

book = CommandFile(BOOK)


def an_id(name):
    return fixed_id(f"{BOOK}: {name}")


def source(facts="", made_up="日期与人员"):
    """What comes from a fact of the report, and what is made up beside it."""
    if not facts:
        return {"kind": "KIND_REPORT_TEXT", "note": SYNTHETIC}
    return {"kind": "KIND_REPORT_TEXT", "note": f"{facts}；{made_up}为{SYNTHETIC}"}


def document(name, kind, title):
    return {"document_id": an_id(f"document: {name}"), "kind": kind, "title": title}


def subject(kind, an_id_or_code):
    return {"kind": "SUBJECT_KIND_" + kind, "id": an_id_or_code}


def figure(amount_fen):
    return {"qualifier": "QUALIFIER_EXACT", "nature": "NATURE_ACTUAL", "fen": fen(amount_fen)}


def quantity(count, unit):
    return {"milli": str(count * 1000), "unit": "UNIT_" + unit}


def text(value, masked=False):
    return {"text": value, "masked": True} if masked else {"text": value}


def day_of_month(year_month, day):
    return date(f"{year_month}-{day:02}")


# --- reference data of this book -------------------------------------------------------------------------------------

def add_reference():
    for region, name, level in ((COUNTY, "示例县", "COUNTY"), (TOWN, "示例镇", "TOWNSHIP"),
                                (JIAYI, "贾驿村", "VILLAGE"), (DIAOQU, "吊渠村", "VILLAGE")):
        book.add("operator", "rules.CreateRegion", f"region {region}",
                 {"region": region, "name": name, "level": "ADMIN_LEVEL_" + level, "valid_from_date": date(FIRST_DAY)},
                 source("A4-06，A4-07", "区划代码") if level == "VILLAGE" else source(), effective=FIRST_DAY)
    version, standard, provinces = LISTS["citizen_region"]
    book.add("operator", "rules.PublishCodeList", "list citizen_region with 99",
             {"list_id": "citizen_region", "version": f"{version}-sample", "valid_from_date": date("2012-01-02"),
              "standard": standard + "，加示例用99",
              "entries": [{"code": code, "label": label} for code, label in provinces] +
                         [{"code": "99", "label": "示例"}]},
             source(), effective="2012-01-02")
    decision = document("book rules", "RULE", "示例台账设定")
    book.add("operator", "rules.SetParameter", "golive.date",
             {"key": "golive.date", "value": {"date": date(YEAR_DAY)}, "valid_from_date": date(FIRST_DAY),
              "document": decision}, source(), effective=FIRST_DAY)
    book.add("operator", "rules.SetParameter", "pairing.end_requires BRANCH_VILLAGE",
             {"key": "pairing.end_requires", "scope": {"kind": "BRANCH_VILLAGE"}, "value": {"enum_set": {}},
              "valid_from_date": date(FIRST_DAY), "document": decision}, source(), effective=FIRST_DAY)


# --- who there is ----------------------------------------------------------------------------------------------------

def org(name):
    return an_id(f"organisation: {name}")


def worker(name):
    return an_id(f"worker: {name}")


def add_organisation(name, label, kind, facts="", masked=False, level=None, region=COUNTY, parent=None):
    request = {"org_id": org(name), "name": text(label, masked), "kind": "ORGANISATION_KIND_" + kind}
    if level:
        request["level"] = "ADMIN_LEVEL_" + level
    request["region"] = region
    if parent:
        request["parent_org_id"] = org(parent)
    book.add("maker", "registry.RegisterOrganisation", f"organisation {name}", request,
             source(facts, "上下级归属"), effective=FIRST_DAY)


def add_worker(name, label, of, rank, post, since, facts="", village=None, sent_by_level=None):
    request = {"worker_id": worker(name), "identity": {"name": label}, "org_id": org(of), "rank": rank, "post": post}
    if sent_by_level:
        request["sent_by_level"] = "ADMIN_LEVEL_" + sent_by_level
    if village:
        request["village"] = village
    book.add("maker", "registry.RegisterWorker", f"worker {name}", request, source(facts, "姓名、单位与日期"),
             effective=since)


def add_organisations():
    add_organisation("bureau", "××省××局", "GOVERNMENT", "A4-01", masked=True, level="PROVINCE")
    add_organisation("company", "××公司", "ENTERPRISE", "A4-01", masked=True)
    add_organisation("unit 1", "××一四九队", "PAIRING_UNIT", "A4-01", masked=True, parent="bureau")
    add_organisation("unit 2", "××勘查院", "PAIRING_UNIT", "A4-01", masked=True, parent="company")
    add_organisation("unit 3", "第三帮扶单位", "PAIRING_UNIT")
    add_organisation("town", "示例镇人民政府", "GOVERNMENT", level="TOWNSHIP", region=TOWN)
    add_organisation("committee", "吊渠村村民委员会", "COMMITTEE", level="VILLAGE", region=DIAOQU)
    add_organisation("branch 1", "××一四九队党支部", "BRANCH", "A4-04", masked=True, parent="unit 1")
    add_organisation("branch 2", "××勘查院党支部", "BRANCH", "A4-04", masked=True, parent="unit 2")


def add_workers():
    add_worker("head 1", "赵××", "unit 1", "UNIT_HEAD", "TEAM_LEADER", FIRST_DAY, "A4-02")
    add_worker("head 2", "钱××", "unit 2", "UNIT_HEAD", "TEAM_LEADER", FIRST_DAY, "A4-02")
    for unit, label in ((1, "孙××"), (2, "李××"), (3, "周××")):
        add_worker(f"responsible {unit}", label, f"unit {unit}", "STAFF", "RESPONSIBLE", YEAR_DAY, "A4-22")
    add_worker("reserve", "吴××", "unit 1", "STAFF", "RESERVE_CADRE", YEAR_DAY, "A4-03", village=DIAOQU)
    add_worker("town", "郑××", "town", "SECTION", "TOWN_CADRE", YEAR_DAY)
    add_worker("committee", "王××", "committee", "COMMITTEE", "LIAISON", YEAR_DAY, village=DIAOQU)


# --- households ------------------------------------------------------------------------------------------------------

SURNAMES = "冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范"
# relation, sex (1 male, 2 female), birth year of household 1, education
MEMBERS = [("0", "1", 1958, "70"), ("1", "2", 1960, "80"), ("2", "1", 1985, "60"), ("3", "2", 1990, "40")]


def citizen_number(number17):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(number17, weights))
    return number17 + "10X98765432"[total % 11]


def household(n):
    return an_id(f"household: {n}")


def member(n, place):
    relation, sex, birth_year, education = MEMBERS[place]
    born = f"{birth_year + n % 7:04}{1 + n % 12:02}{1 + n % 28:02}"
    order = 2 * n + (1 if sex == "1" else 0)  # odd for men, even for women
    surname = SURNAMES[n - 1] if relation != "1" else SURNAMES[-n]
    return {"person_id": an_id(f"person: {n}/{place + 1}"), "relation": relation, "is_head": place == 0,
            "identity": {"name": surname + "××", "citizen_number": citizen_number(f"{COUNTY}{born}{order:03}")},
            "sex": sex, "ethnic": "01", "education": education}


def add_households():
    register = document("register", "REGISTER", "吊渠村脱贫户名册")
    for n in range(1, HOUSEHOLDS + 1):
        facts = source("A4-21，A4-22", "人员、号码与状态")
        book.add("maker", "registry.RegisterHousehold", f"household {n}",
                 {"household_id": household(n), "region": DIAOQU, "group_no": 1 + (n - 1) // 10,
                  "members": [member(n, place) for place in range(1 + n % 4)]},
                 facts, effective="2017-05-01")
        book.add("maker", "registry.LoadHouseholdStatus", f"status of household {n}",
                 {"household_id": household(n), "periods": [{"status": "LIFTED", "from_date": date("2016-12-31")}],
                  "document": register}, facts, effective="2017-05-01")


# --- assistance ------------------------------------------------------------------------------------------------------

def unit_of(n):
    return next(unit for unit, last in enumerate(SHARE_LAST, start=1) if n <= last)


def add_pairings():
    plan = document("pairing list", "LIST", "吊渠村结对帮扶清单")
    for n in range(1, HOUSEHOLDS + 1):
        book.add("maker", "assistance.StartPairing", f"pairing of household {n}",
                 {"pairing_id": an_id(f"pairing: household {n}"), "kind": "PAIRING_KIND_CADRE_HOUSEHOLD",
                  "helper": subject("WORKER", worker(f"responsible {unit_of(n)}")),
                  "helped": subject("HOUSEHOLD", household(n)), "role": "RESPONSIBLE",
                  "from_date": date("2017-06-01"), "document": plan}, source("A4-21，A4-22", "日期与各单位所分户"))
    agreement = document("branch agreement", "RULE", "支部结对协议")
    for number, village in ((1, JIAYI), (2, DIAOQU)):
        book.add("maker", "assistance.StartPairing", f"pairing of branch {number}",
                 {"pairing_id": an_id(f"pairing: branch {number}"), "kind": "PAIRING_KIND_BRANCH_VILLAGE",
                  "helper": subject("ORGANISATION", org(f"branch {number}")), "helped": subject("VILLAGE", village),
                  "role": "BRANCH", "from_date": date("2014-01-01"), "document": agreement}, source("A4-04", "日期"))
    book.add("maker", "assistance.EndPairing", "end of the pairing of branch 1",
             {"pairing_id": an_id("pairing: branch 1"), "to_date": date("2017-05-31"),
              "cause": "PAIRING_END_CAUSE_TERM_ENDED"}, source("A4-04", "日期"))


def add_visit(name, request, facts, made_up):
    book.add("maker", "assistance.RecordVisit", f"visit {name}", {"visit_id": an_id(f"visit: {name}"), **request},
             source(facts, made_up))


def add_household_visit(n, round_number, day, channel, purpose):
    add_visit(f"household {n} round {round_number}",
              {"visited": subject("HOUSEHOLD", household(n)), "visitors": [worker(f"responsible {unit_of(n)}")],
               "date": day, "channel": "VISIT_CHANNEL_" + channel, "purpose": purpose, "round": round_number},
              "A4-05", "日期与方式")


def add_visits():
    add_visit("village with the heads",
              {"visited": subject("VILLAGE", DIAOQU), "visitors": [worker("head 1"), worker("head 2")],
               "date": date("2017-05-20"), "channel": "VISIT_CHANNEL_FIELD", "purpose": "COORDINATION"}, "A4-02", "日期")
    for n in range(1, HOUSEHOLDS + 1):
        add_household_visit(n, 1, day_of_month("2017-06", 5 + n % 20), "HOME", "SURVEY")
    for n in range(1, HOUSEHOLDS + 1):
        add_household_visit(n, 2, day_of_month("2017-08", 5 + n % 20), "HOME" if n <= 36 else "PHONE", "FOLLOW_UP")


def add_issue():
    issue = an_id("issue: slow loans")
    add_visit("village about loans",
              {"visited": subject("VILLAGE", DIAOQU), "visitors": [worker("head 1")], "date": date("2017-09-05"),
               "channel": "VISIT_CHANNEL_FIELD", "purpose": "FOLLOW_UP",
               "requests": [{"issue_id": issue, "kind": "ISSUE_KIND_REQUEST", "category": "LOAN_DELAY",
                             "text": text("村民反映贷款办理缓慢"), "due_date": date("2017-10-31")}]},
              "A4-16", "日期")
    book.add("maker", "assistance.AssignIssue", "slow loans to the town",
             {"issue_id": issue, "owner": subject("ORGANISATION", org("town")), "due_date": date("2017-10-31")},
             source("A4-16", "日期"), effective="2017-09-06")
    book.add("maker", "assistance.ResolveIssue", "slow loans resolved",
             {"issue_id": issue, "result": "ISSUE_RESULT_SOLVED",
              "evidence": [document("loans", "REPORT", "贷款办理情况说明")], "told_date": date("2017-10-21")},
             source("A4-16", "日期"), effective="2017-10-20")


# --- money -----------------------------------------------------------------------------------------------------------

def line(name):
    return an_id(f"fund line: {name}")


def add_line(name, label, source_kind, owner, region, purposes, facts):
    book.add("maker", "funds.OpenFundLine", f"fund line {name}",
             {"fund_line_id": line(name), "name": text(label), "source_kind": "SOURCE_KIND_" + source_kind,
              "level": "ADMIN_LEVEL_COUNTY", "year": 2017, "purposes": purposes, "owner_org_id": org(owner),
              "region": region}, source(facts, "年度、级次与归口单位"), effective=YEAR_DAY)


def add_arrival(name, fund_line, amount_fen, facts, made_up="日期与回单号"):
    book.add("maker", "funds.RecordFundsArrival", f"arrival {name}",
             {"fund_line_id": line(fund_line), "arrival_id": an_id(f"arrival: {name}"), "amount_fen": fen(amount_fen),
              "date": date("2017-01-10"), "bank_reference": f"SAMPLE-{name.upper().replace(' ', '-')}"},
             source(facts, made_up))


def add_payment(name, fund_line, region, purpose, amount_fen, day, facts, payee=None, price=None):
    request = {"payment_id": an_id(f"payment: {name}"), "fund_line_id": line(fund_line), "purpose": purpose,
               "region": region, "payee": payee or {"subject": subject("VILLAGE", region)},
               "amount_fen": fen(amount_fen)}
    if price:
        item, unit_price_fen, count, unit = price
        request["price"] = {"item": item, "unit_price_fen": fen(unit_price_fen), "quantity": quantity(count, unit)}
    request.update({"paid_date": date(day), "evidence": [document(f"receipt {name}", "RECEIPT", "付款收据")],
                    "approved_by": worker("head 1")})
    book.add("maker", "funds.SpendDirectly", f"payment {name}", request, source(facts, "日期、收款方与审批人"))


def to_label(value):
    return {"label": text(value)}


def add_special_funds():
    purposes = [entry[0] for entry in LISTS["fund_purpose"][2]]
    for number in (1, 2):
        add_line(f"F{number}", f"专项帮扶基金（{'一' if number == 1 else '二'}）", "SPECIAL_HELP_FUND", f"unit {number}",
                 COUNTY, purposes, "A4-08")
        add_arrival(f"F{number}", f"F{number}", 50_000_000, "A4-08")


def add_jiayi_money():
    add_line("J", "贾驿村自筹帮扶资金", "SELF_RAISED", "unit 1", JIAYI, ["TERRACE", "FARM_INPUT"], "A4-17")
    book.add("maker", "funds.RecordBudget", "plan of J",
             {"fund_line_id": line("J"), "budget_id": an_id("budget: J"), "nature": "BUDGET_NATURE_PLAN",
              "amount_fen": fen(20_000_000), "document": document("plan J", "BUDGET", "贾驿村帮扶资金计划")},
             source("A4-17", "日期"), effective=YEAR_DAY)
    add_arrival("J terrace", "J", 15_000_000, "A4-17", "到账（按支出倒推）")
    add_arrival("J input", "J", 1_890_000, "A4-17", "到账（按支出倒推）")
    # Recorded in this order: the later day first.
    add_payment("J terrace", "J", JIAYI, "TERRACE", 15_000_000, "2017-07-31", "A4-06，A4-17",
                price=("TERRACE", 50_000, 300, "MU"))
    add_payment("J input", "J", JIAYI, "FARM_INPUT", 1_890_000, "2017-03-20", "A4-13，A4-17")


DIAOQU_PAYMENTS = [
    # name, amount, purpose, day, facts, payee, price
    ("D office", 3_400_000, "OFFICE", "2017-06-08", "A4-10", None, None),
    ("D board", 400_000, "PARTY", "2017-06-08", "A4-11", None, None),
    ("D books", 200_000, "PARTY", "2017-06-08", "A4-11", None, None),
    ("D gift persons", 90_000, "FESTIVAL", "2017-01-20", "A4-12", "受慰问群众3人（名单另存）",
     ("FESTIVAL_GIFT_PERSON", 30_000, 3, "PERSON")),
    ("D gift households", 270_000, "FESTIVAL", "2017-01-20", "A4-12", "受慰问结对户9户（名单另存）",
     ("FESTIVAL_GIFT_HOUSEHOLD", 30_000, 9, "HOUSEHOLD")),
    ("D aid households", 1_000_000, "STUDENT_AID", "2017-08-20", "A4-15", "大学生家庭10户（名单另存）",
     ("STUDENT_AID_HOUSEHOLD", 100_000, 10, "HOUSEHOLD")),
    ("D aid persons", 300_000, "STUDENT_AID", "2017-08-20", "A4-15", "高中学生3人（名单另存）",
     ("STUDENT_AID_PERSON", 100_000, 3, "PERSON")),
]


def add_diaoqu_money():
    add_line("D", "吊渠村自筹帮扶资金", "SELF_RAISED", "unit 2", DIAOQU, ["OFFICE", "PARTY", "FESTIVAL", "STUDENT_AID"],
             "A4-10，A4-11，A4-12，A4-15")
    for name, amount, _, _, facts, _, _ in DIAOQU_PAYMENTS:
        add_arrival(name, "D", amount, facts, "到账（按支出倒推）")
    for name, amount, purpose, day, facts, payee, price in DIAOQU_PAYMENTS:
        add_payment(name, "D", DIAOQU, purpose, amount, day, facts, to_label(payee) if payee else None, price)


# --- assets ----------------------------------------------------------------------------------------------------------

ASSETS = [
    # name, kind, label, value, count, unit, facts
    ("office", "OFFICE_GOODS", "村委会办公用品", 3_400_000, 1, "PIECE", "A4-10"),
    ("board", "NOTICE_BOARD", "党务公示栏", 400_000, 1, "PIECE", "A4-11"),
    ("books", "BOOKS", "党建图书", 200_000, 100, "COPY", "A4-11"),
]


def asset(name):
    return an_id(f"asset: {name}")


def add_assets():
    village = subject("VILLAGE", DIAOQU)
    for name, kind, label, value, count, unit, facts in ASSETS:
        book.add("maker", "assets.FormAsset", f"asset {name}",
                 {"asset_id": asset(name), "asset_class": "ASSET_CLASS_PUBLIC", "kind": kind, "name": text(label),
                  "region": DIAOQU, "parts": [{"fund_line_id": line("D"), "fen": fen(value)}], "value": figure(value),
                  "quantity": quantity(count, unit), "formed_date": date("2017-06-10")}, source(facts, "日期与数量"))
        book.add("maker", "assets.CheckAsset", f"check of asset {name}",
                 {"check_id": an_id(f"check: {name}"), "asset_id": asset(name), "check_date": date("2017-06-15"),
                  "found": quantity(count, unit), "condition": "GOOD", "checker_worker_id": worker("town")},
                 source(facts, "核查"))
        book.add("maker", "assets.ConfirmTitle", f"title of asset {name}",
                 {"asset_id": asset(name), "owner": village,
                  "rights": [{"right": "ASSET_RIGHT_OWNERSHIP", "holder": village}],
                  "certificate": document(f"certificate {name}", "CERTIFICATE", f"{label}权属证书"),
                  "title_date": date("2017-06-20")}, source(facts, "确权"))
    offer = an_id("offer: assets of D")
    committee = org("committee")
    book.add("maker", "assets.OfferAsset", "offer of the assets",
             {"offer_id": offer, "asset_ids": [asset(name) for name, *_ in ASSETS], "to": village,
              "document": document("hand-over list", "LIST", "资产移交清单"), "offered_date": date("2017-06-25")},
             source("A4-10，A4-11", "移交"))
    book.add("checker", "assets.AnswerAssetOffer", "answer to the offer",
             {"offer_id": offer, "decision": "OFFER_DECISION_ACCEPT",
              "sign_offs": [{"role": "ROLE_RECEIVER", "org_id": committee, "date": date("2017-06-30"),
                             "mark": "MARK_SEAL"}],
              "manager": {"subject": subject("ORGANISATION", committee), "duties": ["KEEPING", "MAINTENANCE"]},
              "date": date("2017-06-30")}, source("A4-10，A4-11", "移交"))


def make():
    add_reference()
    add_organisations()
    add_workers()
    add_households()
    add_pairings()
    add_special_funds()
    add_jiayi_money()
    add_diaoqu_money()
    add_assets()
    add_visits()
    add_issue()
    return book


if __name__ == "__main__":
    make().write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample.jsonl"))
