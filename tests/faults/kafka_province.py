"""One journal in Kafka and the processes on it, each with a folder of its own and the keys of all."""

import os
import subprocess
import threading
import time
import uuid

import answers
import callers
import history
import judge
from taizhang_client import BUILD, PARTITIONS, PATIENCE_S, Client, Server, context

# How often each fault is done: few in every run, 20 in a hunt (README.md).
ROUNDS = int(os.environ.get("TAIZHANG_FAULT_ROUNDS", "2"))
CALLERS = 64
# Between a refusal and the next try of a caller who does not give up.
RETRY_S = 0.05


def eventually(found, what, within_s=PATIENCE_S):
    """What `found` gives once it gives something."""
    give_up = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < give_up, f"after {within_s} s still not: {what}"
        time.sleep(0.02)
    return value


class Province:
    """A topic on a broker, and processes on it.

    writer       settings of message Writer
    properties   lines of journal.kafka, for how the broker is reached
    """

    def __init__(self, bootstrap, folder, writer="", replicas=1, properties="", check_interval_s=3600):
        self.folder = folder
        self.topic = f"book-{uuid.uuid4().hex}"
        self.writer = writer
        self.settings = f"""keys_dir: "../keys"
journal {{ kafka {{
  bootstrap_servers: "{bootstrap}" topic: "{self.topic}" partitions: {PARTITIONS}
  replication_factor: {replicas} min_insync_replicas: {min(replicas, 2)} check_interval_s: {check_interval_s}
  {properties}
}} }}
"""
        self.made = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.made:
            server.kill()

    def process(self, name, role="ALL"):
        """A process that is not started yet."""
        server = Server(self.folder / name, journal="segments", settings=f"""role: PROCESS_ROLE_{role}
writer {{ advertise: "{advertised(name)}" {self.writer} }}
{self.settings}""")
        # For start(): it is serving when it decides, which is later than that it answers.
        server.kafka = role != "READER"
        self.made.append(server)
        return server

    def journal(self, action, server):
        """`taizhang journal ACTION`: its exit code and everything it said."""
        done = subprocess.run([BUILD / "apps/taizhang/taizhang", "journal", action, "--config", server.config],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        return done.returncode, done.stdout + done.stderr

    def make_topics(self, server):
        code, said = self.journal("create", server)
        assert code == 0, said

    def opened(self, name="one"):
        """The first process, which serves, and the book it holds: (server, its client, book)."""
        server = self.process(name)
        self.make_topics(server)
        client = server.start(wait_s=PATIENCE_S)
        # A ledger goes where the fewest are, so this one leaves the directory's partition to the other.
        client.call("admin.OpenLedger", {"ledger": "990102", "kind": "LEDGER_KIND_COUNTY", "name": "other",
                                         "context": context(effective=20120101)}, as_="operator")
        book = callers.Book(history.History(self.folder / "history"))
        book.open(client)
        return server, client, book

    def opened_with_a_reader(self):
        """A writer with a book and a reader that holds it: (writer, its client, reader, its client, book)."""
        writer, one, book = self.opened()
        reader = self.process("reader", "READER")
        two = reader.start(wait_s=PATIENCE_S)
        read(two, book)
        return writer, one, reader, two, book

    def judged(self, client, book):
        """The history agrees with the events that this process reads from the journal."""
        found = answers.events(client, at_least_seq=book.last_seq)
        assert judge.judge(history.read(book.history.path), found) == []
        return found

    def compare_with_replay(self, client, book):
        """A process that begins from nothing reads the same events and keeps the same views."""
        found = self.judged(client, book)
        live = answers.views(client, book, book.last_seq)
        fresh = self.process(f"replay {len(self.made)}", "READER")
        again = fresh.start(wait_s=PATIENCE_S)
        assert answers.events(again, at_least_seq=book.last_seq) == found
        said = answers.views(again, book, book.last_seq)
        assert [name for name in live if live[name] != said[name]] == []
        assert all(live.values())
        fresh.kill()


def advertised(name):
    """The address in the claims of a process of that name. Nobody connects to it."""
    return f"{name}.test:7001"


def read(client, book):
    """Waits until the process holds what was acknowledged."""
    answers.ask(client, "ledger.ReadEvents", {"ledger": callers.LEDGER, "page": {"page_size": 1},
                                              "read": {"at_least_seq": book.last_seq}})


def restart(server, client):
    """kill -9 and a new start; the new client. It need not decide."""
    client.close()
    server.kill()
    return server.start(wait_s=PATIENCE_S, serving=False)


def status(client):
    return client.call("admin.GetStatus", {}, as_="operator")


def health(client, service=""):
    """The health service's answer: SERVING or NOT_SERVING."""
    check = client.channel.unary_unary("/grpc.health.v1.Health/Check")
    name = service.encode()
    return {b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}[
        check(b"\x0a" + bytes([len(name)]) + name if name else b"", timeout=PATIENCE_S)]


class PatientCaller(callers.Caller):
    """Goes on when its process cannot answer, with the next of `places` [(life, address)]."""

    GONE = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")

    def __init__(self, book, places, seed, stop, bulk):
        super().__init__(book, None, None, seed, stop, bulk)
        self.places = places

    def run(self):
        turn = 0
        try:
            while not self.stop.is_set():
                self.life, self.address = self.places[turn % len(self.places)]
                self._stay()
                turn += 1
                self.stop.wait(RETRY_S)
        except Exception as failure:  # noqa: BLE001: told to the test, which fails with it
            self.failure = failure

    def _stay(self):
        client = Client(self.address)
        stream = client.bulk(self.bulk) if self.bulk else None
        try:
            while not self.stop.is_set():
                self.in_flight = True
                said = self._next(client, stream)
                self.in_flight = False
                if any(answer.get("error") in self.GONE for answer in said):
                    return
                self.answered += 1
        finally:
            self.in_flight = False
            if stream:
                stream.close()
            client.close()


def start_patient(book, places, seed, count=CALLERS):
    """Callers that are all under way, and the event that ends them."""
    stop = threading.Event()
    running = [PatientCaller(book, places, seed * 1000 + i, stop, bulk=(None, "maker", None, "maker2")[i % 4])
               for i in range(count)]
    for caller in running:
        caller.start()
    eventually(lambda: all(caller.answered for caller in running), "every caller has had an answer")
    return running, stop


def in_flight(running):
    return sum(caller.in_flight for caller in running)


def goes_on(book, running):
    """Every caller is answered again, and something new is acknowledged."""
    before, seq = [caller.answered for caller in running], book.last_seq
    eventually(lambda: book.last_seq > seq and all(c.answered > b for c, b in zip(running, before)),
               "the callers are answered again")


def end(running, stop):
    stop.set()
    callers.join(running)
