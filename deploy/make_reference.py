#!/usr/bin/env python3
"""Writes reference.jsonl beside itself: the code lists and parameters every ledger starts with, with their sources.

Contents: slice-1 §5. Rule numbers (R-08 …) and facts (A1a-03 …) are those of the requirements; they stand in the source
of each command. The sources give no first day: 2012-01-01 is the product's, and each command says so.
"""

import os

from command_file import CommandFile, date, fen, fixed_id

BOOK = "reference"
FIRST_DAY = "2012-01-01"
FIRST_DAY_NOTE = "起始日2012-01-01为系统设定，来源未载明"
CONFIRM_NOTE = "待与标准文本核对"

# list_id: (version, standard, [(code, label, class?)])
LISTS = {
    "document_kind": ("2012", "产品代码表：文件种类", [
        ("RULE", "规定"), ("BUDGET", "计划"), ("RECEIPT", "收据"), ("BANK_SLIP", "回单"), ("LIST", "清单"),
        ("CERTIFICATE", "权属证书"), ("REGISTER", "名册"), ("REPORT", "总结"), ("PHOTO", "照片"), ("OTHER", "其他")]),
    "worker_rank": ("2012", "产品代码表：干部职级", [
        ("COUNTY_LEADER", "县级领导"), ("UNIT_HEAD", "单位负责人"), ("SECTION", "科级干部"), ("STAFF", "一般干部"),
        ("COMMITTEE", "村两委干部")]),
    "worker_post": ("2012", "产品代码表：帮扶岗位", [
        ("FIRST_SECRETARY", "第一书记"), ("TEAM_LEADER", "队长"), ("TEAM_MEMBER", "队员"),
        ("RESPONSIBLE", "帮扶责任人"), ("LIAISON", "联络员"), ("RESERVE_CADRE", "后备干部"),
        ("TOWN_CADRE", "包村干部"), ("TEACHER", "教师")]),
    "pairing_role": ("2012", "产品代码表：结对角色", [
        ("RESPONSIBLE", "帮扶责任人"), ("LIAISON", "联络员"), ("LEADER", "包保领导"), ("UNIT", "帮扶单位"),
        ("BRANCH", "结对支部")]),
    "visit_purpose": ("2012", "产品代码表：走访目的", [
        ("SURVEY", "走访调查"), ("CARE", "慰问"), ("POLICY", "政策宣传"), ("FOLLOW_UP", "回访"),
        ("COORDINATION", "协调")]),
    "household_status": ("2012", "产品代码表：农户状态", [
        ("ORDINARY", "一般农户", "ORDINARY"), ("POOR", "贫困户", "POOR"), ("RETURNED", "返贫户", "POOR"),
        ("LIFTED", "脱贫户", "LIFTED"), ("UNSTABLE", "脱贫不稳定户", "MONITORED"),
        ("MARGINAL", "边缘易致贫户", "MONITORED"), ("SUDDEN", "突发严重困难户", "MONITORED"),
        ("RISK_REMOVED", "风险消除户", "RISK_REMOVED"), ("PENDING", "待识别", "PENDING")]),
    "issue_category": ("2012", "产品代码表：诉求类别", [
        ("LOAN_DELAY", "贷款缓慢", "REQUEST"), ("HOUSING", "住房困难", "DIFFICULTY"), ("WATER", "饮水", "DIFFICULTY"),
        ("MARKET", "市场风险", "RISK"), ("OTHER", "其他")]),
    "fund_purpose": ("2012", "产品代码表：资金用途", [
        ("TERRACE", "梯田"), ("FARM_INPUT", "春耕物资"), ("OFFICE", "村委会办公"), ("PARTY", "党建设施"),
        ("FESTIVAL", "节日慰问"), ("STUDENT_AID", "助学"), ("INFRASTRUCTURE", "基础设施"), ("INDUSTRY", "产业"),
        ("LIVELIHOOD", "民生")]),
    "sector": ("2012", "产品代码表：资金领域", [
        ("HOUSING", "保障性住房"), ("AGRICULTURE", "农林水牧"), ("SOCIAL", "社会事业"),
        ("SETTLEMENT", "牧民定居及垦区危房")]),
    "donor_class": ("2012", "产品代码表：捐赠方类别", [
        ("PERSON", "个人"), ("ENTERPRISE", "企业"), ("ORGANISATION", "组织"), ("AID_PROVINCE", "对口支援省")]),
    "price_item": ("2012", "产品代码表：计价项目，类别为计量单位", [
        ("TERRACE", "梯田", "MU"), ("FESTIVAL_GIFT_HOUSEHOLD", "慰问（按户）", "HOUSEHOLD"),
        ("STUDENT_AID_HOUSEHOLD", "助学（按户）", "HOUSEHOLD"), ("FESTIVAL_GIFT_PERSON", "慰问（按人）", "PERSON"),
        ("STUDENT_AID_PERSON", "助学（按人）", "PERSON"), ("CHILD_AID", "留守儿童", "PERSON")]),
    "asset_kind": ("2012", "产品代码表：资产种类", [
        ("OFFICE_GOODS", "办公用品"), ("NOTICE_BOARD", "党务公示栏"), ("BOOKS", "图书"), ("COMPUTER", "电脑"),
        ("EQUIPMENT", "设备"), ("GREENHOUSE", "大棚")]),
    "asset_condition": ("2012", "产品代码表：资产状况", [
        ("GOOD", "完好"), ("WORN", "陈旧"), ("DAMAGED", "损坏", "DEFECT"), ("MISSING", "缺失", "DEFECT")]),
    "manager_duty": ("2012", "产品代码表：管护职责", [
        ("KEEPING", "保管"), ("MAINTENANCE", "管护"), ("OPERATION", "运营")]),
    "relation": ("2008", "GB/T 4761-2008 家庭关系代码", [
        ("0", "本人"), ("1", "配偶"), ("2", "子"), ("3", "女"), ("4", "孙子、孙女或外孙子、外孙女"), ("5", "父母"),
        ("6", "祖父母或外祖父母"), ("7", "兄、弟、姐、妹"), ("8", "其他")]),
    "sex": ("2003", "GB/T 2261.1-2003 人的性别代码", [
        ("0", "未知的性别"), ("1", "男性"), ("2", "女性"), ("9", "未说明的性别")]),
    "ethnic_group": ("1991", "GB/T 3304-1991 中国各民族名称的罗马字母拼写法和代码", [
        (f"{number:02}", name) for number, name in enumerate((
            "汉族 蒙古族 回族 藏族 维吾尔族 苗族 彝族 壮族 布依族 朝鲜族 满族 侗族 瑶族 白族 土家族 哈尼族 哈萨克族 傣族 黎族 "
            "傈僳族 佤族 畲族 高山族 拉祜族 水族 东乡族 纳西族 景颇族 柯尔克孜族 土族 达斡尔族 仫佬族 羌族 布朗族 撒拉族 毛南族 "
            "仡佬族 锡伯族 阿昌族 普米族 塔吉克族 怒族 乌孜别克族 俄罗斯族 鄂温克族 德昂族 保安族 裕固族 京族 塔塔尔族 独龙族 "
            "鄂伦春族 赫哲族 门巴族 珞巴族 基诺族").split(), start=1)] + [("97", "其他"), ("98", "外国血统中国籍人士")]),
    "education": ("2006", "GB/T 4658-2006 学历代码", [
        ("10", "研究生教育"), ("20", "大学本科教育"), ("30", "大学专科教育"), ("40", "中等职业教育"),
        ("60", "普通高级中学教育"), ("70", "初级中学教育"), ("80", "小学教育"), ("90", "其他")]),
    "citizen_region": ("2007", "GB/T 2260-2007 省级行政区划代码前两位", [
        ("11", "北京市"), ("12", "天津市"), ("13", "河北省"), ("14", "山西省"), ("15", "内蒙古自治区"), ("21", "辽宁省"),
        ("22", "吉林省"), ("23", "黑龙江省"), ("31", "上海市"), ("32", "江苏省"), ("33", "浙江省"), ("34", "安徽省"),
        ("35", "福建省"), ("36", "江西省"), ("37", "山东省"), ("41", "河南省"), ("42", "湖北省"), ("43", "湖南省"),
        ("44", "广东省"), ("45", "广西壮族自治区"), ("46", "海南省"), ("50", "重庆市"), ("51", "四川省"), ("52", "贵州省"),
        ("53", "云南省"), ("54", "西藏自治区"), ("61", "陕西省"), ("62", "甘肃省"), ("63", "青海省"),
        ("64", "宁夏回族自治区"), ("65", "新疆维吾尔自治区"), ("71", "台湾省"), ("81", "香港特别行政区"),
        ("82", "澳门特别行政区")]),
}

HOUSEHOLD_KINDS = ["CADRE_HOUSEHOLD", "ENTERPRISE_HOUSEHOLD", "TEACHER_HOUSEHOLD", "LIAISON_HOUSEHOLD"]
CHANNELS = ["HOME", "PHONE", "MESSAGE", "OFFICE", "FIELD"]
VISIT_DIMS = ["helper_kind", "rank", "category", "region"]
OWN_MONEY = ["SELF_RAISED", "SPECIAL_HELP_FUND"]
PUBLIC_MONEY = ["CENTRAL", "PROVINCIAL", "PREFECTURE", "COUNTY", "COUNTERPART_AID", "WON"]
DEFAULT_RULE = ("产品默认设定", "产品默认")


def rate(amount_fen, unit):
    return {"rate": {"fen": fen(amount_fen), "unit": "UNIT_" + unit, "mode": "MODE_EXACT"}}


# key: (type, unit, bounds, dims, resolution, when_missing, text, [(scope, value, rule, note)])
PARAMETERS = {
    "pairing.end_requires": (
        "ENUM_SET", "", {"members": ["LIFTED", "HANDOVER", "SUCCESSOR"]}, ["kind"], "MOST_SPECIFIC", "CANNOT_DECIDE",
        "结束结对须具备的条件，具备其中一项即可；空集表示期满即可结束。",
        [({"kind": kind}, {"enum_set": {"members": ["LIFTED", "SUCCESSOR"]}}, "R-08", "R-08；A3-13，A4-18")
         for kind in HOUSEHOLD_KINDS]),
    "visit.frequency": (
        "COUNT_PER_PERIOD", "次", {"min": "1", "max": "366"}, VISIT_DIMS, "STRICTEST_HIGH", "CANNOT_DECIDE",
        "帮扶责任人走访每户的次数下限；几项规定同时适用时，以折合全年次数最多的为准。",
        [({"category": "LIFTED"}, {"count_per_period": {"count": 1, "period": "CALENDAR_PERIOD_QUARTER"}}, "R-09",
          "R-09；A1a-03")]),
    "visit.channels_counted": (
        "ENUM_SET", "", {"members": CHANNELS}, VISIT_DIMS, "MOST_SPECIFIC", "CANNOT_DECIDE",
        "计入走访次数的走访方式。",
        [({}, {"enum_set": {"members": ["HOME"]}}, "R-09", "A1a-03；电话、微信联系另计，不计入次数")]),
    "funds.purposes_allowed": (
        "CODES", "", {"list": "fund_purpose"}, ["source_kind"], "MOST_SPECIFIC", "CANNOT_DECIDE",
        "该类资金准许的用途。",
        [({"source_kind": kind},
          {"codes": {"list": "fund_purpose", "codes": [entry[0] for entry in LISTS["fund_purpose"][2]]}}, *DEFAULT_RULE)
         for kind in OWN_MONEY + ["WON"]]),
    "funds.direct_spending": (
        "BOOL", "", None, ["source_kind"], "MOST_SPECIFIC", "CANNOT_DECIDE",
        "该类资金可否不立项而直接支出。",
        [({"source_kind": kind}, {"flag": kind in OWN_MONEY}, "产品默认设定", "model §6.3")
         for kind in OWN_MONEY + PUBLIC_MONEY]),
    "rate.amount": (
        "RATE", "分", {"min": "1"}, ["item"], "MOST_SPECIFIC", "NO_RULE",
        "计价项目的补助标准：每一计量单位多少分，须等于、不低于或不高于。",
        [({"item": "TERRACE"}, rate(50000, "MU"), "R-20", "R-20；A4-06"),
         ({"item": "STUDENT_AID_HOUSEHOLD"}, rate(100000, "HOUSEHOLD"), "R-21", "R-21；A4-15"),
         ({"item": "STUDENT_AID_PERSON"}, rate(100000, "PERSON"), "R-21", "R-21；A4-15"),
         ({"item": "FESTIVAL_GIFT_HOUSEHOLD"}, rate(30000, "HOUSEHOLD"), "R-22", "R-22；A4-12"),
         ({"item": "FESTIVAL_GIFT_PERSON"}, rate(30000, "PERSON"), "R-22", "R-22；A4-12"),
         ({"item": "CHILD_AID"}, rate(40000, "PERSON"), "R-23", "R-23；A1b-15")]),
    "budget.per_head": (
        "AMOUNT_ITEMS", "分", None, ["role", "level"], "MOST_SPECIFIC", "NO_RULE",
        "按人头核定的经费：每人每期各项金额。",
        [({"role": "FIRST_SECRETARY", "level": "COUNTY"},
          {"amount_items": {"items": [{"text": "第一项", "fen": fen(1250000)}, {"text": "第二项", "fen": fen(500000)},
                                      {"text": "第三项", "fen": fen(40000)}], "period": "CALENDAR_PERIOD_YEAR"}},
          "R-24", "R-24；A3-23；期间未载明，推定为一年")]),
    "progress.basically_complete_bp": (
        "BP", "基点", {"min": "0", "max": "10000"}, ["indicator"], "MOST_SPECIFIC", "NO_RULE",
        "称为“基本完成”的最低完成比例；尚待商定（X-15），未设定前不作此判定。", []),
    "asset.title_due": (
        "MONTH_DAY", "", None, ["class"], "MOST_SPECIFIC", "CANNOT_DECIDE",
        "资产确权的期限：形成次年的这一天。",
        [({}, {"month_day": {"month": 3, "day": 31}}, "R-27", "R-27；A1a-12")]),
    "asset.manager_required": (
        "BOOL", "", None, ["class"], "MOST_SPECIFIC", "CANNOT_DECIDE",
        "资产移交时是否必须落实管护人。",
        [({}, {"flag": True}, "R-28", "R-28；A1a-13")]),
    "void.second_person_after_days": (
        "DAYS", "天", {"min": "0", "max": "3650"}, ["kind"], "MOST_SPECIFIC", "CANNOT_DECIDE",
        "记录日期过去多少天以后，作废须由登记人以外的人办理。",
        [({}, {"days": 30}, *DEFAULT_RULE)]),
    "golive.date": (
        "DATE", "", None, [], "MOST_SPECIFIC", "CANNOT_DECIDE",
        "本台账启用日；此前的农户状态可凭名册补录。每本台账各自设定。", []),
}

STANDARD_LISTS = {"relation", "sex", "ethnic_group", "education", "citizen_region"}


def source_of(rule, note):
    """Rules of the requirements come from reports; what the product sets itself comes from the system."""
    kind = "KIND_REPORT_TEXT" if rule.startswith("R-") else "KIND_SYSTEM"
    return {"kind": kind, "note": f"{note}；{FIRST_DAY_NOTE}"}


def document_of(rule):
    title = f"帮扶工作规定（{rule}）" if rule.startswith("R-") else rule
    return {"document_id": fixed_id(f"{BOOK}: document: {rule}"), "kind": "RULE", "title": title}


def entry_of(code, label, code_class=""):
    entry = {"code": code, "label": label}
    if code_class:
        entry["class"] = code_class
    return entry


def add_lists(book):
    for list_id, (version, standard, entries) in LISTS.items():
        note = f"{CONFIRM_NOTE}；{FIRST_DAY_NOTE}" if list_id in STANDARD_LISTS else FIRST_DAY_NOTE
        book.add("operator", "rules.PublishCodeList", f"list {list_id} {version}",
                 {"list_id": list_id, "version": version, "valid_from_date": date(FIRST_DAY), "standard": standard,
                  "entries": [entry_of(*entry) for entry in entries]},
                 {"kind": "KIND_SYSTEM", "note": note}, effective=FIRST_DAY)


def add_parameters(book):
    for key, (value_type, unit, bounds, dims, resolution, missing, text, settings) in PARAMETERS.items():
        request = {"key": key, "type": "PARAMETER_TYPE_" + value_type}
        if unit:
            request["unit"] = unit
        if bounds:
            request["bounds"] = bounds
        request.update({"scope_dims": dims, "resolution": "RESOLUTION_" + resolution,
                        "when_missing": "WHEN_MISSING_" + missing, "text": text})
        book.add("operator", "rules.DefineParameter", f"parameter {key}", request,
                 {"kind": "KIND_SYSTEM", "note": "产品参数目录"}, effective=FIRST_DAY)
        for scope, value, rule, note in settings:
            request = {"key": key}
            if scope:
                request["scope"] = scope
            request.update({"value": value, "valid_from_date": date(FIRST_DAY), "document": document_of(rule)})
            name = f"set {key} " + ",".join(f"{dimension}={code}" for dimension, code in scope.items())
            book.add("operator", "rules.SetParameter", name, request, source_of(rule, note), effective=FIRST_DAY)


def make():
    book = CommandFile(BOOK)
    add_lists(book)
    add_parameters(book)
    return book


if __name__ == "__main__":
    make().write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.jsonl"))
