"""kill -9 under the consumers of a named subscription: every event is handled at least once and each subject's in order,
what was acknowledged does not come again, parked subjects stay parked, and a process that takes over goes on."""

import pathlib
import random
import sys
import threading
import time

import grpc
import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "acceptance"))

from book import SERVER_PROFILES, Book  # noqa: E402
from consumers import TYPES, Consumer, Handled, Stream, Subscription  # noqa: E402
from kafka_fixture import broker  # noqa: E402, F401
from kafka_province import PATIENCE_S, ROUNDS, Province, advertised, eventually, status  # noqa: E402
from taizhang_client import Refused, Server  # noqa: E402

MEMBERS = 3
HOUSEHOLDS_MIN = 20
CONSUMERS = 4
KILLS = 4


class Writer(threading.Thread):
    """Registers households until it is stopped, over servers that come and go."""

    def __init__(self, book):
        super().__init__(daemon=True)
        self.book, self.done, self.failure, self.registered = book, threading.Event(), None, 0
        self.start()

    def run(self):
        try:
            while not self.done.is_set():
                request = self.book.register_household(self.book.fresh("followed"), members=MEMBERS)
                while True:
                    try:
                        self.book.send(request)
                        self.registered += 1
                        break
                    except Refused as refused:
                        if refused.code not in ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"):
                            raise
                        time.sleep(0.02)
        except BaseException as error:  # told to whoever joins
            self.failure = error

    def finish(self):
        """Behind enough of them, however slow it was."""
        eventually(lambda: self.registered >= HOUSEHOLDS_MIN or not self.is_alive(), "households are registered")
        self.done.set()
        self.join(PATIENCE_S)
        assert not self.is_alive()
        if self.failure:
            raise self.failure


class Acknowledging(Subscription):
    """Notes what the server said it has written down, and that it does not come again."""

    def __init__(self, *place):
        super().__init__(*place)
        self.lock, self.written = threading.Lock(), set()

    def acknowledge(self, *seqs, **fields):
        answer = super().acknowledge(*seqs, **fields)
        with self.lock:
            self.written.update(seqs)
        return answer

    def check(self, delivery):
        with self.lock:
            assert delivery.event.seq not in self.written, f"{delivery.event.seq} was acknowledged"
        return True


def moved(book, subscription, client):
    book.client = subscription.client = client


def selected(book, after):
    found, token = [], ""
    while True:
        page = book.ask("ledger.ReadEvents", from_seq=after + 1, filter={"types": TYPES},
                        page={"page_size": 1000, "page_token": token})
        found += page.events
        token = page.next_page_token
        if not token:
            return found


def refused_by(call):
    """Code, reason and owner of a refusal, of a call or of a stream."""
    try:
        call()
    except Refused as refused:
        return refused.code, refused.reason, refused.metadata.get("owner")
    except grpc.RpcError as error:
        refused = Refused.of_call(error)
        return refused.code, refused.reason, refused.metadata.get("owner")
    raise AssertionError("it was not refused")


def begin(book):
    """A subscription with one subject parked, and its consumers."""
    subscription = Acknowledging(book.client, book.ledger, "killed")
    start = subscription.create(from_now=True, rules={"ack_deadline_ms": 2_000, "attempts_max": 100}).after_seq
    book.given(book.register_household(book.fresh("parked"), members=MEMBERS))
    first = subscription.take(1)[0].event
    # Seen as parked, it is not given to those who come now.
    subscription.command("ParkSubject", subject=first.subject, seq=first.seq)
    assert subscription.show().parked
    handled = Handled()
    consumers = [Consumer(subscription, handled, subscription.check) for _ in range(CONSUMERS)]
    return subscription, start, first, handled, consumers


def finish(book, subscription, start, parked, handled, consumers):
    events = selected(book, start)
    last = events[-1].seq
    eventually(lambda: subscription.show().subscription.position >= last, "everything is handled")
    assert parked.subject not in handled.by_subject
    subscription.command("ReplayParked", subject=parked.subject)
    subscription.wait_position(last)
    for consumer in consumers:
        consumer.finish()
    assert len(events) >= HOUSEHOLDS_MIN * (1 + MEMBERS)
    handled.check(events)


def test_kill_under_consumers(tmp_path, seed=1):
    rng = random.Random(seed)
    server = Server(tmp_path / "server", profiles=SERVER_PROFILES, journal="segments")
    try:
        book = Book(server.start()).prepared()
        subscription, *begun = begin(book)
        writer = Writer(book)
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.2, 0.8))
            server.kill()
            moved(book, subscription, server.start(built=False))
        eventually(book.client.is_built, "the views are built")
        writer.finish()
        finish(book, subscription, *begun)
        # What the view holds after all that is what the events say.
        report = next(iter(book.client.stream("admin.VerifyView", {"view": "subscriptions"}, as_="operator")))
        assert report.equal and report.events > 0, report
    finally:
        server.kill()


def test_a_kill_forgets_no_failure_that_a_consumer_was_answered(tmp_path):
    """Else an event that nobody can handle would come for ever where the server dies as often."""
    server = Server(tmp_path / "server", profiles=SERVER_PROFILES, journal="segments")
    attempts = 5
    try:
        book = Book(server.start()).prepared()
        subscription = Subscription(book.client, book.ledger, "poisoned")
        subscription.create(from_now=True, rules={"attempts_max": attempts})
        book.given(book.register_household(book.fresh("poison"), members=MEMBERS))
        attempt = 0
        while attempt < attempts:
            with Stream(subscription.receive()) as stream:
                # Two in one life: the first may be written down at once anyway.
                for message in stream:
                    for delivery in message.batch.deliveries:
                        attempt += 1
                        assert delivery.attempt == attempt
                        assert subscription.call("Retry", seqs=[delivery.event.seq]).retried == 1
                    if message.batch.deliveries and attempt in (2, 4, attempts):
                        break
                server.kill()
            moved(book, subscription, server.start())
        with Stream(subscription.receive()):
            eventually(lambda: subscription.show().parked, "it is parked")
        parked, = subscription.show().parked
        assert (parked.seq, parked.attempts) == (delivery.event.seq, attempts)
    finally:
        server.kill()


@pytest.fixture
def province(broker, tmp_path):  # noqa: F811
    # Silent for four seconds: a live one that gets no processor time for a while is not followed.
    with Province(broker, tmp_path, "heartbeat_ms: 250 silent_heartbeats: 16") as province:
        yield province


def test_who_delivers_and_who_only_tells(province):
    """A writer without views and a reader cannot deliver; both say so, and the reader tells where it stands."""
    writer, reader = province.process("writer", "WRITER"), province.process("reader", "READER")
    province.make_topics(writer)
    one = writer.start(wait_s=PATIENCE_S)
    book = Book(one).open()
    subscription = Subscription(one, book.ledger, "told")
    event = subscription.create(from_now=True).receipt.event_ids[0]
    for refusal in (lambda: subscription.acknowledge(1), lambda: subscription.take(1)):
        assert refused_by(refusal) == ("FAILED_PRECONDITION", "NO_VIEWS", None)
    two = reader.start(wait_s=PATIENCE_S)
    elsewhere = Subscription(two, book.ledger, "told")
    assert elsewhere.show(event).subscription.position == book.last_seq
    for refusal in (lambda: elsewhere.acknowledge(1), lambda: elsewhere.take(1)):
        assert refused_by(refusal) == ("UNAVAILABLE", "WRITER_UNAVAILABLE", advertised("writer"))


def test_another_process_takes_the_delivery_over(province, seed=2):
    rng = random.Random(seed)
    live = province.process("life 0")
    province.make_topics(live)
    book = Book(live.start(wait_s=PATIENCE_S)).prepared()
    subscription, *begun = begin(book)
    writer = Writer(book)
    for life in range(1, ROUNDS + 1):
        heir = province.process(f"life {life}")
        client = heir.start(wait_s=PATIENCE_S, serving=False)
        # It names the one that delivers.
        eventually(lambda: status(client).writer.standing_by, "the heir stands by")
        with pytest.raises(Refused) as refused:
            client.call("subscriptions.Acknowledge", {"ledger": book.ledger, "name": "killed", "seqs": [1]})
        assert refused.value.code == "UNAVAILABLE"
        time.sleep(rng.uniform(0.2, 0.8))
        live.kill()
        moved(book, subscription, client)
        eventually(lambda: status(client).writer.serving, "the heir serves")
        live = heir
    writer.finish()
    finish(book, subscription, *begun)
