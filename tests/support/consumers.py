"""Consumers of a named subscription: threads that receive, handle and acknowledge, and what all of them handled."""

import collections
import datetime
import threading
import time
import uuid

import grpc

from taizhang_client import PATIENCE_S, Refused

TYPES = ["taizhang.registry.v1.HouseholdRegistered", "taizhang.registry.v1.MemberAdded"]


def _today():
    day = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    return {"year": day.year, "month": day.month, "day": day.day}


class Subscription:
    """One subscription of a ledger, in the words of its service."""

    def __init__(self, client, ledger, name):
        self.client, self.ledger, self.name = client, ledger, name
        self.last_event = ""  # of its last command

    def command(self, rpc, as_="operator", reason="because", **fields):
        context = {"request_id": str(uuid.uuid4()), "effective_date": _today(), "source": {"kind": "KIND_SYSTEM"},
                   "reason": reason}
        answer = self.client.call(f"subscriptions.{rpc}", {"context": context, "ledger": self.ledger, "name": self.name,
                                                           **fields}, as_=as_)
        self.last_event = answer.receipt.event_ids[0] if answer.receipt.event_ids else self.last_event
        return answer

    def create(self, **fields):
        return self.command("CreateSubscription", **({"selection": {"types": TYPES}} | fields))

    def call(self, rpc, as_="reader", **fields):
        return self.client.call(f"subscriptions.{rpc}", {"ledger": self.ledger, "name": self.name, **fields}, as_=as_)

    def receive(self, as_="reader", timeout=PATIENCE_S, **fields):
        return self.client.stream("subscriptions.Receive", {"ledger": self.ledger, "name": self.name,
                                                            "heartbeat_ms": 100, **fields}, as_=as_, timeout=timeout)

    def acknowledge(self, *seqs, **fields):
        return self.call("Acknowledge", seqs=list(seqs), **fields)

    def show(self, at_least=None):
        """`at_least`: an event id; its own last command else."""
        event = at_least or self.last_event
        return self.call("GetSubscription", **({"at_least_event": event} if event else {}))

    def wait_position(self, seq, wait_s=PATIENCE_S):
        """Until everything up to seq is handled and written down."""
        end = time.monotonic() + wait_s
        while True:
            shown = self.show()
            if shown.subscription.position >= seq and not shown.parked:
                return shown
            assert time.monotonic() < end, shown
            time.sleep(0.02)

    def take(self, count, **fields):
        """The first `count` deliveries of a stream of its own, where there is no other, which ends then."""
        found = []
        with Stream(self.receive(**fields)) as stream:
            while len(found) < count:
                found += next(stream).batch.deliveries
        # The server hears of it later, and would deliver to it what becomes free meanwhile.
        end = time.monotonic() + PATIENCE_S
        while self.show().subscription.delivery.consumers:
            assert time.monotonic() < end, "the server still has a consumer that is gone"
            time.sleep(0.01)
        return found


class Stream:
    """A stream that is cancelled behind a `with`."""

    def __init__(self, call):
        self.call = call

    def __enter__(self):
        return self.call

    def __exit__(self, *_):
        self.call.cancel()


class Handled:
    """What consumers handled, in the order in which they did."""

    def __init__(self):
        self.lock = threading.Lock()
        self.by_subject = collections.defaultdict(list)
        self.times = collections.Counter()

    def add(self, event):
        with self.lock:
            self.by_subject[event.subject].append(event.seq)
            self.times[event.seq] += 1

    def check(self, events):
        """Every event at least once; of each subject the first times of its events in their order."""
        with self.lock:
            missing = [event.seq for event in events if event.seq not in self.times]
            assert not missing, missing
            for subject, seqs in self.by_subject.items():
                first = list(dict.fromkeys(seqs))
                assert first == sorted(first), (subject, seqs)


class Consumer(threading.Thread):
    """Handles what it receives until it is told to stop, over servers that come and go. `handle(delivery)` answers
    whether it was handled; what was not, is left to its deadline."""

    def __init__(self, subscription, handled, handle=lambda delivery: True, **fields):
        super().__init__(daemon=True)
        self.subscription, self.handled, self.handle, self.fields = subscription, handled, handle, fields
        self.done = threading.Event()
        self.failure = None
        self.start()

    def run(self):
        try:
            while not self.done.is_set():
                try:
                    self._receive()
                except (Refused, grpc.RpcError) as error:
                    code = error.code if isinstance(error, Refused) else error.code().name
                    if code not in ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"):
                        raise
                    time.sleep(0.02)
        except BaseException as error:  # told to whoever joins
            self.failure = error

    def _receive(self):
        with Stream(self.subscription.receive(**self.fields)) as stream:
            for message in stream:
                seqs = []
                for delivery in message.batch.deliveries:
                    if self.handle(delivery):
                        self.handled.add(delivery.event)
                        seqs.append(delivery.event.seq)
                if seqs:
                    self.subscription.acknowledge(*seqs)
                if self.done.is_set():
                    return

    def finish(self):
        self.done.set()
        self.join(PATIENCE_S)
        assert not self.is_alive()
        if self.failure:
            raise self.failure
