"""Ten thousand mutated requests: each is answered cleanly, a refusal writes nothing, and the server lives on with flat
memory."""

import collections
import concurrent.futures
import random
import shutil

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from bad_input import CLEAN, commands, newest, prepared_book, queries, raw_call, SECRET
from book import date, fresh_request_id, Refused

SETTINGS = "writer { state_mark_commits: 100 }\n"
MUTATIONS = 10_000
WARM_UP = 2_500
GROWTH_KB_MAX = 32_768


@pytest.fixture(scope="module")
def book(client):
    return prepared_book(client)


class Mutator:
    """Changes messages at random; the same changes for the same seed."""

    STRINGS = ["", " ", "0", "x", "字" * 10, "a" * 600, "\x00", "\n", "../../etc/passwd", "' OR 1=1 --", "%s%n", "null",
               "11111111-2222-3333-4444-555555555555", "990101", "000000", "1e9", "NaN", "\u202e", "😀"]
    NUMBERS = [0, 1, -1, 7, 1000, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 10**15, 10**15 + 1, 2017, 13]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, field):
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            return self.random.choice(self.STRINGS) if field.type == FieldDescriptor.TYPE_STRING else b"\x00\xff"
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self.random.random() < 0.5
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            return self.random.choice([0, 1, 2, 3, 99, -5])
        number = self.random.choice(self.NUMBERS)
        bits = 32 if kind in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32) else 64
        if kind in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64):
            return abs(number) % 2**bits
        return max(-(2 ** (bits - 1)), min(number, 2 ** (bits - 1) - 1))

    def change_field(self, message):
        """One field of the message or of something inside it."""
        field = self.random.choice(message.DESCRIPTOR.fields)
        repeated = field.label == FieldDescriptor.LABEL_REPEATED
        if repeated and field.message_type and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)[self.random.choice(self.STRINGS)] = self.random.choice(self.STRINGS)
        elif field.message_type:
            inner = getattr(message, field.name)
            choice = self.random.random()
            if repeated:
                if len(inner) == 0 or choice < 0.2:
                    self.change_field(inner.add())
                elif choice < 0.4:
                    del inner[self.random.randrange(len(inner))]
                elif choice < 0.6:
                    inner.add().CopyFrom(self.random.choice(inner))
                else:
                    self.change_field(self.random.choice(inner))
            elif choice < 0.2:
                message.ClearField(field.name)
            else:
                self.change_field(inner)
        elif repeated:
            getattr(message, field.name).append(self.value(field))
        elif self.random.random() < 0.2:
            message.ClearField(field.name)
        else:
            setattr(message, field.name, self.value(field))

    def change_bytes(self, raw):
        raw = bytearray(raw)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(len(raw)) if raw else 0
            choice = self.random.random()
            if choice < 0.5 and raw:
                raw[at] ^= 1 << self.random.randrange(8)
            elif choice < 0.7 and raw:
                del raw[at:at + self.random.randint(1, 9)]
            elif choice < 0.9:
                raw[at:at] = self.random.randbytes(self.random.randint(1, 9))
            else:
                del raw[at:]
        return bytes(raw)

    def mutated(self, message):
        for _ in range(self.random.choice((1, 1, 2))):
            self.change_field(message)
        if hasattr(message, "read") and max(message.read.at_least_seq, message.read.seq) > 1_000:
            message.read.Clear()  # it would only wait
        raw = message.SerializeToString()
        return self.change_bytes(raw) if self.random.random() < 0.3 else raw


def asks_for_the_future(message, newest_of):
    """A query that waits, until its deadline, for a seq that nobody has written in the ledger it names."""
    return hasattr(message, "read") and \
        max(message.read.at_least_seq, message.read.seq) > newest_of.get(message.ledger, 0)


def resident_kb(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_ten_thousand_mutations_are_answered_cleanly(server, book):
    mutator = Mutator(20170615)
    valid = commands(book) + queries(book)
    before = {book.ledger: newest(book)}
    outcomes, appended, faults = collections.Counter(), collections.Counter(), []
    memory = None

    def send(request, raw):
        name = request.method
        call, method = raw_call(book, name, request.as_, timeout=60)
        parsed = message_factory.GetMessageClass(method.input_type)()
        try:
            parsed.MergeFromString(raw)
        except DecodeError:
            parsed.Clear()
        if asks_for_the_future(parsed, before):
            call, _ = raw_call(book, name, request.as_, timeout=0.2)
        try:
            answer = call(raw)
        except grpc.RpcError as error:
            refused = Refused.of_call(error)
            if refused.code == "DEADLINE_EXCEEDED" and asks_for_the_future(parsed, before):
                return refused.code, None, 0
            clean = refused.code in CLEAN and refused.reason and refused.zh
            leak = SECRET in str(refused) or SECRET in str(refused.violations) or "/tmp" in str(refused)
            return refused.code, None if clean and not leak else (name, raw.hex(), str(refused)), 0
        message = message_factory.GetMessageClass(method.output_type).FromString(answer)
        receipt = getattr(message, "receipt", None)
        wrote = 0
        if name != "ledger.GetOutcome" and receipt and receipt.ledger == book.ledger and receipt.first_seq and not (
                receipt.duplicate or receipt.unchanged):
            wrote = receipt.last_seq - receipt.first_seq + 1
        return "OK", None, wrote

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = 0
        for count in (WARM_UP, MUTATIONS - WARM_UP):
            work = []
            for _ in range(count):
                request = mutator.random.choice(valid)
                fields = request.again().fields if "context" in request.fields else request.fields
                message = book.client.message(book.client.method(request.method).input_type, fields)
                work.append((request, mutator.mutated(message)))
            for code, fault, wrote in pool.map(lambda one: send(*one), work):
                outcomes[code] += 1
                appended[book.ledger] += wrote
                if fault:
                    faults.append(fault)
            done += count
            if memory is None:
                memory = resident_kb(server)
    assert not faults, f"{len(faults)}: {faults[:5]}"
    assert done == MUTATIONS and sum(outcomes.values()) == MUTATIONS
    assert outcomes["OK"] > 100 and outcomes["INVALID_ARGUMENT"] > 3_000, outcomes
    assert resident_kb(server) - memory < GROWTH_KB_MAX, f"{memory} kB -> {resident_kb(server)} kB"
    # Exactly what was accepted stands in the book: the next one stands behind it.
    following = book.given(book.register_household(book.fresh("household"))).receipt
    assert following.first_seq - 1 - before[book.ledger] == appended[book.ledger]


def test_refusals_write_nothing(server, book):
    """The journal has no commit more, and every view still equals it, after a thousand refusals of all kinds."""
    status = book.client.call("admin.GetStatus", {}, as_="operator")
    seq = newest(book)
    refused = collections.Counter()
    for n in range(40):
        for request in commands(book):
            request["context.request_id"] = fresh_request_id()
            request["context.source"] = {"kind": n} if n % 3 == 0 else {"kind": "KIND_FORM"}
            if n % 3 == 1:
                request["context.effective_date" if "effective_date" in request["context"] else "context.reason"] = \
                    date(21990101) if "effective_date" in request["context"] else "字" * 501
            if n % 3 == 2:
                request = request.by("nobody")
            if n % 3 == 0 and n in (3, 6):
                continue  # kinds 3 and 6 are good
            refused[book.refusal(request).reason] += 1
    assert len(refused) >= 3 and sum(refused.values()) > 800, refused
    after = book.client.call("admin.GetStatus", {}, as_="operator")
    assert after.writer.commits == status.writer.commits and newest(book) == seq
    for view in after.views:
        assert not view.stopped_ledgers and not view.stopped_why
        report, = book.client.stream("admin.VerifyView", {"view": view.name}, as_="operator")
        assert report.equal, report.difference


def test_after_all_that_the_book_starts_again_and_serves(server, book):
    """What was written under fire is folded again from nothing: a state that differs at one of SETTINGS' marks would
    refuse the start."""
    seq = newest(book)
    server.client.close()
    assert server.stop() == 0
    shutil.rmtree(server.data / "state")
    server.client = book.client = server.start()
    assert newest(book) == seq
    book.given(book.register_household(book.fresh("household")))
    assert book.ask("fund_execution.BySource").rows
