"""One ledger of a running server, in the words of the domain.

A Book makes requests that are complete and acceptable; a test changes what it is about and sends them. Things are named
by short words, which stand for fixed ids. Days are numbers: 20170615.
"""

import copy
import dataclasses
import datetime
import random
import re
import uuid

import taizhang_client
from taizhang_client import ROOT, Refused, command_file, date

COUNTY = "990101"
COMMITTEE = "6e9cbb94-5d91-51c2-b356-daf718c338b2"  # the checker of the sample book acts for it
RECEIVER = "receiver"
DAY = 20170615
FIRST_DAY = 20120101

_ids = random.Random(20170615)


def uid(name):
    return taizhang_client.uid(name)


def fresh_request_id():
    """A new request id; the same ones in every run."""
    return str(uuid.UUID(int=_ids.getrandbits(128), version=4))


# Callers beside the plain ones. `maker` and `both` are workers of the book; `both` could check what it made.
PROFILES = {
    "maker": {"roles": ["ROLE_MAKER"], "worker_id": uid("worker maker")},
    "maker2": {"roles": ["ROLE_MAKER"]},
    "self": {"roles": ["ROLE_MAKER"], "worker_id": uid("worker self"), "rights": ["SELF_APPROVE"]},
    "both": {"roles": ["ROLE_MAKER", "ROLE_CHECKER"], "worker_id": uid("worker both"), "org_id": COMMITTEE},
    "checker": {"roles": ["ROLE_CHECKER"], "org_id": COMMITTEE},
    "elsewhere": {"roles": ["ROLE_MAKER", "ROLE_CHECKER", "ROLE_OPERATOR", "ROLE_READER"], "regions": ["110101"]},
    "villager": {"roles": ["ROLE_MAKER", "ROLE_CHECKER", "ROLE_OPERATOR"], "regions": ["990101100299"]},
    "nobody": {"roles": ["ROLE_READER"]},
}
SERVER_PROFILES = {name: {"subject": name} | profile for name, profile in PROFILES.items()}


# --- parts of requests -----------------------------------------------------------------------------------------------

def day_of(fields):
    """A Date as a dict or message -> 20170615; absent: 0."""
    if not isinstance(fields, dict):
        return fields.year * 10000 + fields.month * 100 + fields.day
    return fields["year"] * 10000 + fields["month"] * 100 + fields["day"]


def subject(kind, an_id):
    return {"kind": "SUBJECT_KIND_" + kind, "id": an_id}


def quantity(whole, unit):
    return {"milli": whole * 1000, "unit": "UNIT_" + unit}


def figure(fen, qualifier="EXACT", **more):
    fields = {"qualifier": "QUALIFIER_" + qualifier, "nature": "NATURE_ACTUAL", **more}
    return fields if fen is None else fields | {"fen": fen}


def citizen_number(order, born=19800101, county=COUNTY):
    """18 digits with their check character; `order` below 1,000."""
    number = f"{county}{born}{order:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return number + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(number, weights)) % 11]


_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(order):
    """GB 32100 with the inner check of GB 11714; `order` below 10^8."""
    code8 = f"{order:08}"
    inner = 11 - sum(int(digit) * weight for digit, weight in zip(code8, (3, 7, 9, 10, 5, 8, 4, 2))) % 11
    code17 = "91990101" + code8 + {10: "X", 11: "0"}.get(inner, str(inner))
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(_CREDIT.index(character) * weight for character, weight in zip(code17, weights))
    return code17 + _CREDIT[(31 - total % 31) % 31]


def _steps(path):
    for part in path.replace("]", "").split("."):
        name, *indexes = part.split("[")
        yield name
        yield from (int(index) for index in indexes)


def put(fields, path, value):
    """Sets "members[0].identity.name"; a list grows by one when the index is its length."""
    *way, last = _steps(path)
    for step in way:
        if isinstance(step, int):
            while len(fields) <= step:
                fields.append({})
            fields = fields[step]
        else:
            fields = fields.setdefault(step, {})
    if isinstance(last, int) and last == len(fields):
        fields.append(value)
    else:
        fields[last] = value


def take(fields, path):
    for step in _steps(path):
        fields = fields[step]
    return fields


def remove(fields, path):
    *way, last = _steps(path)
    for step in way:
        fields = fields[step]
    del fields[last]


@dataclasses.dataclass
class Request:
    """A command or query to be sent, and by whom."""

    method: str
    fields: dict
    as_: str = "maker"
    # What the one who made it wants to remember of it.
    notes: dict = dataclasses.field(default_factory=dict)

    def __getitem__(self, path):
        return take(self.fields, path)

    def __setitem__(self, path, value):
        put(self.fields, path, value)

    def __delitem__(self, path):
        remove(self.fields, path)

    def copy(self):
        return copy.deepcopy(self)

    def having(self, **values):
        """A changed copy: fields of the first level."""
        changed = self.copy()
        changed.fields.update(values)
        return changed

    def by(self, profile):
        changed = self.copy()
        changed.as_ = profile
        return changed

    def again(self):
        """The same, as a request of its own."""
        changed = self.copy()
        changed["context.request_id"] = fresh_request_id()
        return changed


# --- the book --------------------------------------------------------------------------------------------------------

class Book:
    def __init__(self, client, ledger=COUNTY, kind="COUNTY"):
        self.client = client
        self.ledger = ledger
        self.kind = kind
        self.town = ledger + "100"
        self.village = self.town + "201"
        self.other_village = self.town + "202"
        self.group = self.village + "001"
        self._fresh = 0
        self._citizens = 0
        self.last_seq = 0
        self._told_of = None  # (client, last_seq): up to there that server tells of events

    def open(self):
        self.opening = Request("admin.OpenLedger", {"context": self.context(FIRST_DAY), "ledger": self.ledger,
                                                    "kind": "LEDGER_KIND_" + self.kind, "name": "示例"}, "operator")
        self.given(self.opening)
        return self

    def load(self, name, without=()):
        """A command file of deploy/, without the parameters named."""
        for profile, method, request in command_file(ROOT / f"deploy/{name}.jsonl", self.ledger):
            if request.get("key") not in without or not method.endswith("Parameter"):
                self.given(Request(method, request, profile))
        return self

    def send(self, request, timeout=60):
        """The answer; Refused when there is none."""
        answer = self.client.call(request.method, request.fields, as_=request.as_, timeout=timeout)
        if hasattr(answer, "receipt") and answer.receipt.ledger == self.ledger:
            self.last_seq = max(self.last_seq, answer.receipt.last_seq)
        return answer

    def given(self, *requests):
        for request in requests:
            try:
                answer = self.send(request)
            except Refused as refused:
                raise AssertionError(f"{request.method} as {request.as_}: {refused} {refused.violations}\n"
                                     f"{request.fields}") from None
        return answer

    def execute(self, requests, batch=200):
        """Through the bulk stream, as maker: the results, in order. Refused ones do not stop the others."""
        from taizhang.ledger.v1 import bulk_pb2

        def messages():
            for first in range(0, len(requests), batch):
                message = bulk_pb2.ExecuteRequest()
                for request in requests[first:first + batch]:
                    context, name = request.method.split(".")
                    command = getattr(message.commands.add(), context)
                    field = getattr(command, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
                    field.CopyFrom(self.client.message(field.DESCRIPTOR, request.fields))
                yield message

        call = self.client.channel.stream_stream(
            "/taizhang.ledger.v1.CommandService/Execute", request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=bulk_pb2.ExecuteResponse.FromString)
        metadata = [("authorization", "Bearer " + taizhang_client.token_of("maker"))]
        responses = call(messages(), timeout=300, metadata=metadata)
        results = [result for response in responses for result in response.results]
        self.last_seq = max([self.last_seq] + [result.receipt.last_seq for result in results])
        return results

    def refusal(self, request):
        """The Refused that it ends with."""
        try:
            answer = self.send(request)
        except Refused as refused:
            return refused
        raise AssertionError(f"{request.method} was accepted: {request.fields}\n{answer}")

    def ask(self, method, as_="reader", day=None, seq=None, at=None, timeout=60, **fields):
        """A query that sees everything this book was told. seq: as of; at: as of this recorded time; day: on_date."""
        self.wait_for_events()
        read = {"at_least_seq": self.last_seq}
        if day:
            read["effective_date"] = date(day)
        if seq is not None:
            read["seq"] = seq
        if at is not None:
            read["recorded_time"] = at.ToJsonString()
        return self.client.call(method, {"read": read, "ledger": self.ledger, **fields}, as_=as_, timeout=timeout)

    def wait_for_events(self):
        """Until view `ledger` holds everything this book was told: rows of other views name their events, and it says who
        wrote those, when and why."""
        if self._told_of != (self.client, self.last_seq):
            self.client.call("ledger.ReadEvents", {"ledger": self.ledger, "read": {"at_least_seq": self.last_seq},
                                                   "page": {"page_size": 1}}, as_="reader")
            self._told_of = (self.client, self.last_seq)

    def wait_for_views(self):
        """Until every view is built and holds everything this book was told."""
        self.client.wait_for_views()

    def fresh(self, kind):
        """A name that was not used before."""
        self._fresh += 1
        return f"{kind} {self._fresh}"

    def id(self, name):
        return uid(f"{self.ledger}/{name}")

    def new_citizen(self, born=19800101):
        self._citizens += 1
        day, order = divmod(self._citizens, 999)
        day = datetime.date(born // 10000, born // 100 % 100, born % 100) + datetime.timedelta(day)
        return citizen_number(order + 1, f"{day:%Y%m%d}")

    @staticmethod
    def context(effective=None, **more):
        return taizhang_client.context(request=fresh_request_id(), effective=effective, **more)

    def _request(self, method, fields, effective=None, as_="maker", **more):
        head = {"context": self.context(effective, **more), "ledger": self.ledger}
        return Request(method, head | {name: value for name, value in fields.items() if value is not None}, as_)

    def document(self, name, kind="REPORT"):
        return {"document_id": self.id("document " + name), "kind": kind, "title": name}

    # --- rules

    def create_region(self, code, since=FIRST_DAY):
        level = {2: "PROVINCE", 4: "PREFECTURE", 6: "COUNTY", 9: "TOWNSHIP", 12: "VILLAGE", 15: "GROUP"}[len(code)]
        return self._request("rules.CreateRegion", {
            "region": code, "name": "区划" + code, "level": "ADMIN_LEVEL_" + level, "valid_from_date": date(since)},
            FIRST_DAY, "operator")

    def publish_list(self, list_id, entries, version="1", since=FIRST_DAY):
        """entries: code or (code, class)."""
        pairs = [entry if isinstance(entry, tuple) else (entry, "") for entry in entries]
        return self._request("rules.PublishCodeList", {
            "list_id": list_id, "version": version, "valid_from_date": date(since), "standard": "测试",
            "entries": [{"code": code, "label": code, "class": of} for code, of in pairs]}, since, "operator")

    def define_parameter(self, key, kind, dims=(), resolution="MOST_SPECIFIC", when_missing="CANNOT_DECIDE",
                         bounds=None):
        return self._request("rules.DefineParameter", {
            "key": key, "type": "PARAMETER_TYPE_" + kind, "scope_dims": list(dims), "bounds": bounds,
            "resolution": "RESOLUTION_" + resolution, "when_missing": "WHEN_MISSING_" + when_missing, "text": key},
            FIRST_DAY, "operator")

    def set_parameter(self, key, value, scope=None, since=FIRST_DAY, to=None, supersedes=None):
        return self._request("rules.SetParameter", {
            "key": key, "value": value, "scope": scope or {}, "valid_from_date": date(since),
            "valid_to_date": date(to) if to else None, "document": self.document("rule", "RULE"),
            "supersedes_version": supersedes}, FIRST_DAY, "operator")

    # --- registry

    def register_organisation(self, name, kind="GOVERNMENT", day=FIRST_DAY, **more):
        fields = {"org_id": self.id(name), "name": {"text": name}, "kind": "ORGANISATION_KIND_" + kind,
                  "region": self.ledger}
        return self._request("registry.RegisterOrganisation", fields | more, day)

    def register_worker(self, name, org="unit", rank="STAFF", post="RESPONSIBLE", day=FIRST_DAY, **more):
        fields = {"worker_id": self.id(name), "identity": {"name": name}, "org_id": self.id(org), "rank": rank,
                  "post": post}
        return self._request("registry.RegisterWorker", fields | more, day)

    def member(self, name, head=False):
        return {"person_id": self.id(name), "relation": "0" if head else "2", "is_head": head,
                "identity": {"name": name, "citizen_number": self.new_citizen()},
                "sex": "1" if head else "2", "ethnic": "01", "education": "90"}

    def register_household(self, name, members=1, region=None, day=20150101):
        return self._request("registry.RegisterHousehold", {
            "household_id": self.id(name), "region": region or self.village,
            "members": [self.member(f"{name} person {place}", place == 0) for place in range(members)]}, day)

    def load_status(self, household, status="LIFTED", since=20161231, to=None, day=DAY):
        period = {"status": status, "from_date": date(since)} | ({"to_date": date(to)} if to else {})
        return self._request("registry.LoadHouseholdStatus", {
            "household_id": self.id(household), "periods": [period],
            "document": self.document("register", "REGISTER")}, day)

    # --- assistance

    def start_pairing(self, name, helped, helper=("WORKER", "helper"), kind="CADRE_HOUSEHOLD", day=20170601):
        """helped: the name of a household, or (kind, id)."""
        return self._request("assistance.StartPairing", {
            "pairing_id": self.id(name), "kind": "PAIRING_KIND_" + kind,
            "helper": subject(helper[0], self.id(helper[1])),
            "helped": subject("HOUSEHOLD", self.id(helped)) if isinstance(helped, str) else subject(*helped),
            "role": "RESPONSIBLE", "from_date": date(day), "document": self.document("pairings", "LIST")})

    def end_pairing(self, name, day, cause="LIFTED", successor=None):
        return self._request("assistance.EndPairing", {
            "pairing_id": self.id(name), "to_date": date(day), "cause": "PAIRING_END_CAUSE_" + cause,
            "successor_pairing_id": self.id(successor) if successor else None})

    def record_visit(self, name, visited, lead="helper", day=20170610, channel="HOME", issues=(), **more):
        """visited: the name of a household, or (kind, id). issues: (name, kind, category)."""
        fields = {"visit_id": self.id(name),
                  "visited": subject("HOUSEHOLD", self.id(visited)) if isinstance(visited, str) else subject(*visited),
                  "visitors": [self.id(lead)], "date": date(day), "channel": "VISIT_CHANNEL_" + channel,
                  "purpose": "SURVEY",
                  "requests": [{"issue_id": self.id(issue), "kind": "ISSUE_KIND_" + kind, "category": category}
                               for issue, kind, category in issues]}
        return self._request("assistance.RecordVisit", fields | more)

    def assign_issue(self, name, owner=("WORKER", "helper"), due=20170715, day=DAY):
        return self._request("assistance.AssignIssue", {
            "issue_id": self.id(name), "owner": subject(owner[0], self.id(owner[1])), "due_date": date(due)}, day)

    def resolve_issue(self, name, day=DAY):
        return self._request("assistance.ResolveIssue", {
            "issue_id": self.id(name), "result": "ISSUE_RESULT_SOLVED", "evidence": [self.document("answer")]}, day)

    def reopen_issue(self, name, day=DAY):
        return self._request("assistance.ReopenIssue", {"issue_id": self.id(name)}, day)

    def void(self, context, kind, name, day, as_="maker", replaced_by=None):
        """context: "assistance" or "assets"."""
        return self._request(f"{context}.VoidRecord", {
            "record": subject(kind, self.id(name)), "replaced_by": self.id(replaced_by) if replaced_by else None},
            day, as_, reason="记错了")

    # --- funds

    def open_line(self, name, source="SELF_RAISED", purposes=("TERRACE", "FESTIVAL", "STUDENT_AID"), owner="unit",
                  day=20170101, **more):
        fields = {"fund_line_id": self.id(name), "name": {"text": name}, "source_kind": "SOURCE_KIND_" + source,
                  "level": "ADMIN_LEVEL_COUNTY", "year": 2017, "purposes": list(purposes),
                  "owner_org_id": self.id(owner), "region": self.ledger}
        return self._request("funds.OpenFundLine", fields | more, day)

    def record_budget(self, name, line, fen, nature="ISSUED", day=20170105, **more):
        fields = {"fund_line_id": self.id(line), "budget_id": self.id(name), "nature": "BUDGET_NATURE_" + nature,
                  "amount_fen": fen, "document": self.document("budget", "BUDGET")}
        return self._request("funds.RecordBudget", fields | more, day)

    def record_arrival(self, name, line, fen, day=20170110, **more):
        fields = {"fund_line_id": self.id(line), "arrival_id": self.id(name), "amount_fen": fen, "date": date(day),
                  "bank_reference": name}
        return self._request("funds.RecordFundsArrival", fields | more)

    def spend(self, name, line, fen, purpose="TERRACE", day=20170201, price=None, **more):
        """price: (item, unit price, whole quantity, unit)."""
        fields = {"payment_id": self.id(name), "fund_line_id": self.id(line), "purpose": purpose,
                  "region": self.village, "payee": {"subject": subject("ORGANISATION", self.id("firm"))},
                  "amount_fen": fen, "paid_date": date(day), "evidence": [self.document(name, "RECEIPT")],
                  "approved_by": self.id("approver")}
        if price:
            fields["price"] = {"item": price[0], "unit_price_fen": price[1], "quantity": quantity(price[2], price[3])}
        return self._request("funds.SpendDirectly", fields | more)

    # --- assets

    def form_asset(self, name, fen=3_400_000, day=20170610, asset_class="PUBLIC", **more):
        fields = {"asset_id": self.id(name), "asset_class": "ASSET_CLASS_" + asset_class, "kind": "BOOKS",
                  "name": {"text": name}, "region": self.other_village,
                  "parts": [{"source_kind": "SOURCE_KIND_SELF_RAISED", "fen": fen}] if fen else [],
                  "value": figure(fen), "quantity": quantity(10, "PIECE"), "formed_date": date(day)}
        return self._request("assets.FormAsset", fields | more)

    def check_asset(self, name, asset, day=20170615, found=10, condition="GOOD", **more):
        fields = {"check_id": self.id(name), "asset_id": self.id(asset), "check_date": date(day),
                  "found": quantity(found, "PIECE"), "condition": condition,
                  "checker_worker_id": self.id("approver")}
        return self._request("assets.CheckAsset", fields | more)

    def confirm_title(self, asset, owner=None, day=20170620):
        owner = owner or subject("VILLAGE", self.other_village)
        return self._request("assets.ConfirmTitle", {
            "asset_id": self.id(asset), "owner": owner,
            "rights": [{"right": "ASSET_RIGHT_OWNERSHIP", "holder": dict(owner)}],
            "certificate": self.document("certificate", "CERTIFICATE"), "title_date": date(day)})

    def offer_asset(self, name, assets, to=None, day=20170625, as_="maker"):
        return self._request("assets.OfferAsset", {
            "offer_id": self.id(name), "asset_ids": [self.id(asset) for asset in assets],
            "to": to or subject("VILLAGE", self.other_village), "document": self.document("hand-over", "LIST"),
            "offered_date": date(day)}, as_=as_)

    def answer_offer(self, name, decision="ACCEPT", day=20170630, as_="checker"):
        fields = {"offer_id": self.id(name), "decision": "OFFER_DECISION_" + decision,
                  "sign_offs": [{"role": "ROLE_RECEIVER", "org_id": self.id("unit"), "date": date(day),
                                 "mark": "MARK_SEAL"}], "date": date(day)}
        if decision == "ACCEPT":
            fields["manager"] = {"subject": subject("WORKER", self.id("approver")), "duties": ["KEEPING"]}
        return self._request("assets.AnswerAssetOffer", fields, as_=as_)

    # --- what most tests stand on

    def give_places(self):
        for code in (self.ledger, self.town, self.village, self.other_village, self.group):
            self.given(self.create_region(code))
        numbers = [code for code in range(11, 83)]
        self.given(self.publish_list("citizen_region", [f"{code}" for code in numbers] + ["99"], "test", 20120102))
        return self

    def give_people(self):
        """Organisations "unit", "unit 2", "firm"; workers "helper", "helper 2", "head", "approver", the callers'."""
        self.given(self.register_organisation("unit", "PAIRING_UNIT"),
                   self.register_organisation("unit 2", "PAIRING_UNIT"),
                   self.register_organisation("firm", "ENTERPRISE"))
        for name in ("helper", "helper 2", "approver"):
            self.given(self.register_worker(name))
        self.given(self.register_worker("head", rank="UNIT_HEAD", post="TEAM_LEADER"))
        for profile in ("maker", "self", "both"):
            self.given(self.register_worker("worker " + profile, worker_id=PROFILES[profile]["worker_id"]))
        return self

    def give_golive(self, day=20170101):
        self.given(self.set_parameter("golive.date", {"date": date(day)}))
        return self

    def prepared(self, without=()):
        """Opened, with reference data, places and people."""
        self.open().load("reference", without).give_places().give_people()
        if "golive.date" not in without:
            self.give_golive()
        return self
