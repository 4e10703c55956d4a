"""Callers of a county's book: many threads that record visits, payments and households, repeat themselves, contradict
themselves and ask what became of what they sent. All they do and hear stands in a History."""

import hashlib
import json
import random
import threading
import time

from taizhang_client import PATIENCE_S, ROOT, Client, Refused, command_file, context, date, uid

LEDGER = "990101"
VILLAGES = ("990101100201", "990101100202")
# Few days, so that a visit is often there already.
DAYS = [20180101 + day for day in range(28)]
CHANNELS = ("VISIT_CHANNEL_HOME", "VISIT_CHANNEL_PHONE", "VISIT_CHANNEL_OFFICE")
DEADLINE_S = 30
MESSAGE_COMMANDS_MAX = 4


class Book:
    """What every caller knows: the sample book's people, and what was sent so far."""

    def __init__(self, history):
        self.history = history
        self.households = []
        self.workers = []
        self.fund_line = ""
        self.sent = []       # (method, request without its id, request id, names)
        self.unsure = []     # request ids nobody heard of again
        self.last_seq = 0    # highest seq that was acknowledged

    def open(self, client):
        """Opens the ledger and applies reference data and sample book."""
        self.send(client, 0, "admin.OpenLedger",
                  {"ledger": LEDGER, "kind": "LEDGER_KIND_COUNTY", "name": "test", "context": context(effective=20120101)},
                  as_="operator", names=LEDGER)
        for file in ("reference.jsonl", "sample.jsonl"):
            for profile, method, request in command_file(ROOT / "deploy" / file, LEDGER):
                self.send(client, 0, method, request, as_=profile)
                if method == "registry.RegisterHousehold":
                    self.households.append(request["household_id"])
                elif method == "registry.RegisterWorker":
                    self.workers.append(request["worker_id"])
                elif method == "funds.OpenFundLine":
                    self.fund_line = request["fund_line_id"]

    def send(self, client, life, method, request, as_="maker", names=""):
        """Sends a command, noted before and after. Returns the entry of its answer."""
        number = self._note(life, method, request, names)
        try:
            response = client.call(method, request, as_=as_, timeout=DEADLINE_S)
        except Refused as refused:
            return self._refused(number, refused)
        return self._accepted(number, response.receipt)

    def send_bulk(self, stream, life, commands):
        """The same for several commands [(method, request, names)] in one message of a bulk stream."""
        numbers = [self._note(life, *command) for command in commands]
        try:
            results = stream.execute([(method, request) for method, request, _ in commands])
        except Refused as refused:
            results = [refused] * len(commands)
        return [self._refused(number, result) if isinstance(result, Refused) else
                self._accepted(number, result.receipt) for number, result in zip(numbers, results, strict=True)]

    def _note(self, life, method, request, names):
        body = json.loads(json.dumps(request))
        request_id = body["context"].pop("request_id")
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
        return self.history.call(life=life, method=method, request_id=request_id, body=digest, names=names)

    def _accepted(self, number, receipt):
        self.last_seq = max(self.last_seq, receipt.last_seq)
        answer = {"first_seq": receipt.first_seq, "last_seq": receipt.last_seq, "duplicate": receipt.duplicate,
                  "unchanged": receipt.unchanged}
        self.history.answer(number, ok=answer)
        return {"ok": answer}

    def ask_outcome(self, client, life, request_id, settle):
        number = self.history.call(life=life, method="ledger.GetOutcome", request_id=request_id)
        try:
            response = client.call("ledger.GetOutcome", {"ledger": LEDGER, "request_id": request_id, "settle": settle},
                                   timeout=DEADLINE_S)
        except Refused as refused:
            return self._refused(number, refused)
        said = response.Outcome.Name(response.outcome).removeprefix("OUTCOME_")
        self.history.answer(number, outcome=said, first_seq=response.receipt.first_seq,
                            last_seq=response.receipt.last_seq)
        return {"outcome": said}

    def _refused(self, number, refused):
        lost = refused.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "INTERNAL")
        effect = refused.metadata.get("outcome", "unknown") if lost else "none"
        entry = {"error": refused.code, "reason": refused.reason, "effect": effect}
        self.history.answer(number, **entry)
        return entry


class Caller(threading.Thread):
    """Sends commands, one or a few at a time, until told to stop or until its server is gone. They go over the bulk
    stream of the profile `bulk`, or each by itself when it is None."""

    def __init__(self, book, address, life, seed, stop, bulk):
        super().__init__(daemon=True)
        self.book = book
        self.address = address
        self.life = life
        self.random = random.Random(seed)
        self.stop = stop
        self.bulk = bulk
        self.in_flight = False
        self.answered = 0
        self.failure = None

    def run(self):
        client = Client(self.address)
        stream = client.bulk(self.bulk) if self.bulk else None
        try:
            while not self.stop.is_set():
                self.in_flight = True
                answers = self._next(client, stream)
                self.in_flight = False
                self.answered += 1
                if any(answer.get("error") in ("UNAVAILABLE", "CANCELLED") for answer in answers):
                    return
        except Exception as failure:  # noqa: BLE001: told to the test, which fails with it
            self.failure = failure
        finally:
            if stream:
                stream.close()
            client.close()

    def _next(self, client, stream):
        if self.random.random() < 0.05:
            return [self._ask(client)]
        commands = [self._command() for _ in range(self.random.randint(1, MESSAGE_COMMANDS_MAX) if stream else 1)]
        if stream:
            answers = self.book.send_bulk(stream, self.life, commands)
        else:
            (method, request, names), = commands
            answers = [self.book.send(client, self.life, method, request, names=names)]
        for (_, request, _), answer in zip(commands, answers, strict=True):
            if answer.get("effect") == "unknown":
                self.book.unsure.append(request["context"]["request_id"])
        return answers

    def _command(self):
        """The next command: method, request, names."""
        return self.random.choices(
            (self._visit, self._pay, self._arrive, self._register, self._repeat, self._contradict, self._equal,
             self._unknown_household),
            weights=(44, 14, 5, 8, 10, 4, 5, 5))[0]()

    def _fresh(self, method, request, names, effective=None):
        request_id = uid(f"request {self.random.getrandbits(128):x}")
        request = {"context": context(request_id, effective), "ledger": LEDGER, **request}
        self.book.sent.append((method, request, names))
        return method, request, names

    def _id(self):
        return uid(f"thing {self.random.getrandbits(128):x}")

    def _visit_request(self, visit_id, household):
        return {"visit_id": visit_id, "visited": {"kind": "SUBJECT_KIND_HOUSEHOLD", "id": household},
                "visitors": [self.random.choice(self.book.workers)], "date": date(self.random.choice(DAYS)),
                "channel": self.random.choice(CHANNELS), "purpose": "SURVEY",
                "requests": [{"issue_id": self._id(), "kind": "ISSUE_KIND_REQUEST", "category": "OTHER"}]
                if self.random.random() < 0.2 else []}

    def _visit(self):
        visit_id = self._id()
        return self._fresh("assistance.RecordVisit",
                           self._visit_request(visit_id, self.random.choice(self.book.households)), visit_id)

    def _unknown_household(self):
        visit_id = self._id()
        return self._fresh("assistance.RecordVisit", self._visit_request(visit_id, self._id()), visit_id)

    def _pay(self):
        payment_id = self._id()
        return self._fresh("funds.SpendDirectly", {
            "payment_id": payment_id, "fund_line_id": self.book.fund_line, "purpose": "OFFICE",
            "region": self.random.choice(VILLAGES), "payee": {"label": {"text": "shop"}},
            "amount_fen": str(self.random.randint(1, 500)), "paid_date": date(self.random.choice(DAYS)),
            "evidence": [{"document_id": self._id(), "kind": "RECEIPT", "title": "receipt"}],
            "approved_by": self.random.choice(self.book.workers)}, payment_id)

    def _arrive(self):
        arrival_id = self._id()
        return self._fresh("funds.RecordFundsArrival", {
            "fund_line_id": self.book.fund_line, "arrival_id": arrival_id,
            "amount_fen": str(self.random.randint(1, 1000)), "date": date(self.random.choice(DAYS)),
            # Few, so that one comes again also where little is sent.
            "bank_reference": f"bank {self.random.randint(1, 300)}"}, arrival_id)

    def _register(self):
        household_id = self._id()
        return self._fresh("registry.RegisterHousehold", {
            "household_id": household_id, "region": self.random.choice(VILLAGES),
            "members": [{"person_id": self._id(), "relation": "0", "is_head": True,
                         "identity": {"name": "test", "birth_date": date(19700101)}, "sex": "1", "ethnic": "01",
                         "education": "70"}]}, household_id, effective=20170601)

    def _earlier(self):
        return self.random.choice(self.book.sent[-2000:]) if self.book.sent else None

    # The same again, also what is in flight elsewhere or was in flight when a server died.
    def _repeat(self):
        earlier = self._earlier()
        if not earlier:
            return self._visit()
        return earlier

    # Another body under a request id that may be taken.
    def _contradict(self):
        earlier = self._earlier()
        if not earlier:
            return self._visit()
        visit_id = self._id()
        request = {"context": context(earlier[1]["context"]["request_id"]), "ledger": LEDGER,
                   **self._visit_request(visit_id, self.random.choice(self.book.households))}
        return "assistance.RecordVisit", request, visit_id

    # The same thing under another request id: unchanged where it is there, else it is made now.
    def _equal(self):
        earlier = self._earlier()
        if not earlier:
            return self._visit()
        method, request, names = earlier
        return method, {**request, "context": {**request["context"], "request_id": self._id()}}, names

    def _ask(self, client):
        if self.book.unsure and self.random.random() < 0.7:
            request_id = self.random.choice(self.book.unsure)
        else:
            earlier = self._earlier()
            request_id = earlier[1]["context"]["request_id"] if earlier else self._id()
        return self.book.ask_outcome(client, self.life, request_id, settle=self.random.random() < 0.5)


def start_callers(book, address, life, seed, count=64):
    """Callers that are all under way: each has had an answer. Every other one uses the bulk stream; two
    profiles, because one may not have so many."""
    stop = threading.Event()
    callers = [Caller(book, address, life, seed * 1000 + i, stop, bulk=(None, "maker", None, "maker2")[i % 4])
               for i in range(count)]
    for caller in callers:
        caller.start()
    end = time.monotonic() + PATIENCE_S
    while any(c.answered == 0 and c.is_alive() for c in callers) and time.monotonic() < end:
        time.sleep(0.005)
    return callers, stop


def join(callers):
    for caller in callers:
        caller.join(PATIENCE_S)
        assert not caller.is_alive(), "a caller still waits for an answer"
        if caller.failure:
            raise caller.failure
