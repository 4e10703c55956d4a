"""Named subscriptions as a consumer and an operator see them: positions, order, attempts, parking, replay, skips."""

import random
import time
import urllib.request

import grpc
import pytest

from book import SERVER_PROFILES, Book, Refused
from consumers import TYPES, Consumer, Handled, Stream, Subscription
from kafka_cluster import free_port
from taizhang_client import PATIENCE_S, Server

MEMBERS = 3
EVENTS = 1 + MEMBERS  # of one household, each about it


@pytest.fixture(scope="module")
def book(client):
    return Book(client).prepared()


@pytest.fixture
def subscription(book, request):
    """One of a name of its own, which begins with what comes next."""
    return Subscription(book.client, book.ledger, request.node.name.removeprefix("test_"))


def households(book, count):
    """Events of new households, MEMBERS + 1 of each, in order."""
    first = book.last_seq
    for _ in range(count):
        book.given(book.register_household(book.fresh("of consumers"), members=MEMBERS))
    events = book.ask("ledger.ReadEvents", from_seq=first + 1, filter={"types": TYPES}, page={"page_size": 1000}).events
    assert len(events) == count * EVENTS
    return events


def metrics(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as page:
        lines = page.read().decode().splitlines()
    told = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in told}


def metrics_of(port, subscription):
    """What is told of it, by the name behind taizhang_subscription_; empty: nothing."""
    label = f'{{subscription="{subscription.ledger}/{subscription.name}"}}'
    return {name.removesuffix(label).removeprefix("taizhang_subscription_"): value
            for name, value in metrics(port).items() if label in name}


def eventually(ask, good, wait_s=PATIENCE_S):
    end = time.monotonic() + wait_s
    while not good(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def seqs(deliveries):
    return [delivery.event.seq for delivery in deliveries]


def next_seqs(stream, count):
    """Of the next `count` deliveries."""
    found = []
    while len(found) < count:
        found += seqs(next(stream).batch.deliveries)
    return found


def test_is_made_once_under_a_name(book, subscription):
    made = subscription.create(from_now=True)
    system = made.receipt.ledger
    assert system.startswith("00") and made.receipt.event_ids == [f"{system}/{made.receipt.first_seq}"]
    assert made.after_seq == book.last_seq
    again = subscription.create(from_now=True)
    assert again.receipt.unchanged and again.receipt.event_ids == made.receipt.event_ids
    with pytest.raises(Refused) as refused:
        subscription.create(rules={"attempts_max": 7}, from_now=True)
    assert (refused.value.code, refused.value.reason) == ("ALREADY_EXISTS", "SUBSCRIPTION_EXISTS")
    shown = subscription.show().subscription
    assert (shown.name, shown.position, shown.created_by.subject) == (subscription.name, book.last_seq, "operator")
    assert (shown.rules.attempts_max, shown.rules.ack_deadline_ms, shown.rules.outstanding_max) == (5, 30_000, 256)
    listed = book.client.call("subscriptions.ListSubscriptions", {
        "ledger": book.ledger, "at_least_event": made.receipt.event_ids[0]}, as_="reader").subscriptions
    assert subscription.name in [one.name for one in listed]


def test_events_of_the_past_then_those_to_come(book, subscription):
    subscription.create()
    past = book.ask("ledger.ReadEvents", filter={"types": TYPES}, page={"page_size": 1000}).events
    found = []
    with Stream(subscription.receive()) as stream:
        for message in stream:
            kind = message.WhichOneof("message")
            if kind == "batch":
                for delivery in message.batch.deliveries:
                    assert (delivery.attempt, delivery.replayed) == (1, False)
                subscription.acknowledge(*seqs(message.batch.deliveries))
                found += seqs(message.batch.deliveries)
            if kind == "caught_up" and len(found) == len(past):
                break
        assert sorted(found) == [event.seq for event in past]
        live = households(book, 1)
        for message in stream:
            for delivery in message.batch.deliveries:
                subscription.acknowledge(delivery.event.seq)
                found.append(delivery.event.seq)
            if len(found) == len(past) + len(live):
                break
    assert sorted(found) == [event.seq for event in [*past, *live]]
    envelope = book.ask("ledger.ReadEvents", from_seq=live[0].seq, page={"page_size": 1}).events[0]
    assert envelope == live[0]
    subscription.wait_position(live[-1].seq)


def test_the_position_moves_when_nothing_is_selected(book, subscription):
    subscription.create(selection={"types": ["taizhang.registry.v1.NoSuchEvent"]})
    last = households(book, 1)[-1].seq
    kinds = set()
    with Stream(subscription.receive()) as stream:
        for message in stream:
            kinds.add(message.WhichOneof("message"))
            if message.checkpoint.position >= last and kinds >= {"caught_up", "heartbeat"}:
                break
            if message.HasField("heartbeat") and message.heartbeat.position >= last and "caught_up" in kinds:
                break
    assert "batch" not in kinds
    assert subscription.wait_position(last).subscription.backlog == 0


def test_how_far_it_is_behind_is_told_while_nobody_receives(book, subscription):
    subscription.create(from_now=True)
    first = households(book, 1)[0]
    households(book, 1)
    shown = subscription.show().subscription
    assert shown.backlog == book.last_seq - shown.position >= 2 * EVENTS and not shown.delivery.consumers
    before = shown.lag_ms
    time.sleep(0.3)
    assert before + 250 <= subscription.show().subscription.lag_ms <= 1_000 * (time.time() - first.time.ToSeconds())
    # Somebody was there, and is gone.
    delivered = subscription.take(2)
    subscription.acknowledge(*seqs(delivered))
    time.sleep(0.3)
    assert subscription.show().subscription.lag_ms >= 300
    handled = Handled()
    consumer = Consumer(subscription, handled)
    shown = subscription.wait_position(book.last_seq).subscription
    consumer.finish()
    assert (shown.lag_ms, shown.backlog) == (0, 0)


def test_what_is_not_selected_is_no_lag(book, subscription):
    subscription.create(selection={"types": ["taizhang.registry.v1.NoSuchEvent"]}, from_now=True)
    households(book, 1)
    time.sleep(0.05)
    shown = subscription.show().subscription
    assert shown.backlog >= EVENTS and shown.HasField("lag_ms") and shown.lag_ms == 0


def test_operators_see_each_in_the_metrics(tmp_path):
    port = free_port()
    server = Server(tmp_path, profiles=SERVER_PROFILES)
    server.config.write_text(server.config.read_text().replace("metrics_port: 0", f"metrics_port: {port}"))
    try:
        book = Book(server.start()).prepared()
        subscription = Subscription(book.client, book.ledger, "watched")
        subscription.create(from_now=True, rules={"ack_deadline_ms": 200, "attempts_max": 100})
        parked = households(book, 1)[0]
        subscription.command("ParkSubject", subject=parked.subject, seq=parked.seq)
        event = households(book, 1)[0]
        wanted = {"position": event.seq - 1, "parked_subjects": 1, "consumers": 1, "in_flight": 1}
        with Stream(subscription.receive()) as stream:
            next(message for message in stream if any(one.attempt == 2 for one in message.batch.deliveries))
            # Told as they were some moment ago.
            found = eventually(lambda: metrics_of(port, subscription), lambda told: wanted.items() <= told.items() and
                               told["redeliveries_total"] >= 1)
        assert found["lag_events"] == book.last_seq - found["position"]
        assert 0 < found["lag_seconds"] <= time.time() - event.time.ToMicroseconds() / 1e6
        subscription.command("DeleteSubscription")
        eventually(lambda: metrics_of(port, subscription), lambda told: not told)
    finally:
        server.kill()


def test_many_subscriptions_share_little_room(tmp_path):
    """Together they hold no more than they may; each is delivered everything, and what nobody receives holds nothing."""
    room, port = 8_000, free_port()
    server = Server(tmp_path, profiles=SERVER_PROFILES, settings=f"views {{ delivery_held_bytes_max: {room} }}")
    server.config.write_text(server.config.read_text().replace("metrics_port: 0", f"metrics_port: {port}"))
    try:
        book = Book(server.start()).prepared()
        subscriptions = [Subscription(book.client, book.ledger, f"sharing{number}") for number in range(5)]
        for subscription in subscriptions:
            subscription.create(from_now=True)
        events = households(book, 20)
        held = lambda: metrics(port)["taizhang_delivery_held_bytes"]  # noqa: E731
        # One whose consumer does nothing: what waits behind its first events takes the room, and nobody waits for it.
        with Stream(subscriptions[0].receive()) as stream:
            next_seqs(stream, 20)
            assert 0 < held() <= room
            handled = [Handled() for _ in subscriptions[1:]]
            consumers = [Consumer(*pair) for pair in zip(subscriptions[1:], handled)]
            for subscription in subscriptions[1:]:
                subscription.wait_position(events[-1].seq)
            assert 0 < held() <= room
        for consumer, seen in zip(consumers, handled):
            consumer.finish()
            seen.check(events)
        assert metrics(port)["taizhang_delivery_not_held_total"] > 0
        eventually(held, lambda bytes: bytes == 0)
        seen = Handled()
        consumer = Consumer(subscriptions[0], seen)
        subscriptions[0].wait_position(events[-1].seq)
        consumer.finish()
        seen.check(events)
        wanted = {event.seq: event for event in events}
        again = Subscription(book.client, book.ledger, "again")
        again.create(after_seq=events[0].seq - 1)
        for delivery in again.take(20):
            assert delivery.event == wanted[delivery.event.seq]
    finally:
        server.kill()


def test_consumers_share_the_work_and_subjects_keep_their_order(book, subscription):
    subscription.create(from_now=True, rules={"ack_deadline_ms": 300, "attempts_max": 100, "outstanding_max": 40})
    events = households(book, 30)
    handled = Handled()
    chance = random.Random(1)

    def handle(delivery):
        time.sleep(chance.random() * 0.004)
        return chance.random() > 0.1

    consumers = [Consumer(subscription, handled, handle, batch_events_max=5) for _ in range(4)]
    for _ in range(6):  # some of them die
        time.sleep(0.05)
        consumers.pop(0).finish()
        consumers.append(Consumer(subscription, handled, handle, batch_events_max=5))
    subscription.wait_position(events[-1].seq)
    for consumer in consumers:
        consumer.finish()
    handled.check(events)


def test_what_is_not_acknowledged_comes_again(book, subscription):
    # However late this consumer is, it is not parked.
    subscription.create(from_now=True, rules={"ack_deadline_ms": 200, "attempts_max": 100})
    event, following = households(book, 1)[:2]
    with Stream(subscription.receive()) as stream:
        attempts = []
        for message in stream:
            attempts += [delivery.attempt for delivery in message.batch.deliveries if delivery.event.seq == event.seq]
            if attempts == [1, 2]:
                break
    # The rest of the household waits behind it.
    assert seqs(subscription.take(1)) == [event.seq]
    subscription.acknowledge(event.seq)
    assert seqs(subscription.take(1)) == [following.seq]


def test_a_retry_waits_for_its_delay(book, subscription):
    subscription.create(from_now=True)
    event = households(book, 1)[0]
    with Stream(subscription.receive()) as stream:
        began = None
        for message in stream:
            for delivery in message.batch.deliveries:
                assert delivery.event.seq == event.seq
                if delivery.attempt == 1:
                    began = time.monotonic()
                    assert subscription.call("Retry", seqs=[event.seq], delay_ms=300).retried == 1
            if message.batch.deliveries and message.batch.deliveries[0].attempt == 2:
                break
        assert time.monotonic() - began >= 0.3
    assert subscription.call("Retry", seqs=[event.seq + 1]).retried == 0


def parked_by_failing(book, subscription, attempts=2):
    """Two households; the first event of the first fails until its subject is parked, all others are acknowledged."""
    subscription.create(from_now=True, rules={"attempts_max": attempts, "ack_deadline_ms": 60_000})
    events = households(book, 2)
    bad, good = events[:EVENTS], events[EVENTS:]
    acknowledged = set()
    with Stream(subscription.receive()) as stream:
        for message in stream:
            for delivery in message.batch.deliveries:
                seq = delivery.event.seq
                if seq == bad[0].seq:
                    assert delivery.attempt <= attempts
                    subscription.call("Retry", seqs=[seq])
                else:
                    assert seq in [event.seq for event in good]
                    subscription.acknowledge(seq)
                    acknowledged.add(seq)
            if len(acknowledged) == EVENTS and subscription.show().parked:
                break
    parked, = subscription.show().parked
    assert (parked.subject, parked.seq, parked.attempts, parked.replaying) == (bad[0].subject, bad[0].seq, attempts, False)
    assert parked.reason == f"not acknowledged after {attempts} deliveries" and parked.parked_by.subject == "taizhang"
    return bad, good


def test_a_subject_that_fails_is_parked_and_replayed_in_order(book, subscription):
    bad, good = parked_by_failing(book, subscription)
    # What comes meanwhile is kept back as well, and the position passes it.
    later = households(book, 1)
    with Stream(subscription.receive()) as stream:
        for message in stream:
            found = seqs(message.batch.deliveries)
            assert not set(found) & {event.seq for event in bad}
            if found:
                subscription.acknowledge(*found)
            if later[-1].seq in found:
                break
    eventually(subscription.show, lambda shown: shown.subscription.position >= later[-1].seq)
    subscription.command("ReplayParked", as_="reader", subject=bad[0].subject)
    replayed = []
    with Stream(subscription.receive()) as stream:
        for message in stream:
            for delivery in message.batch.deliveries:
                assert delivery.replayed
                replayed.append(delivery.event.seq)
                subscription.acknowledge(delivery.event.seq)
            if len(replayed) == EVENTS:
                break
        assert replayed == [event.seq for event in bad]
        shown = subscription.wait_position(later[-1].seq)
    assert shown.subscription.parked_subjects == 0


def test_a_parked_event_is_skipped_with_a_reason(book, subscription):
    bad, _ = parked_by_failing(book, subscription)
    with pytest.raises(Refused) as refused:
        subscription.command("SkipEvent", reason="", seq=bad[0].seq)
    assert refused.value.reason == "REASON_REQUIRED"
    skipped = subscription.command("SkipEvent", reason="已电话告知", seq=bad[0].seq)
    system, seq = skipped.receipt.event_ids[0].split("/")
    recorded, = book.client.call("ledger.ReadEvents", {
        "ledger": system, "from_seq": seq, "to_seq": seq, "read": {"at_least_seq": seq}}, as_="operator").events
    assert (recorded.type, recorded.reason) == ("taizhang.subscriptions.v1.EventSkipped", "已电话告知")
    assert recorded.subject == f"SUBSCRIPTION/{book.ledger}/{subscription.name}"
    subscription.command("ReplayParked", subject=bad[0].subject)
    assert [one.event.seq for one in subscription.take(1)] == [bad[1].seq]


def test_a_consumer_parks_a_subject_by_itself(book, subscription):
    subscription.create(from_now=True)
    first, second, following = households(book, 1)[0], *households(book, 1)[:2]
    assert set(seqs(subscription.take(2))) == {first.seq, second.seq}
    subscription.command("ParkSubject", as_="reader", reason="接收方无法识别", subject=first.subject, seq=first.seq)
    shown, = subscription.show().parked
    assert (shown.subject, shown.reason, shown.parked_by.subject) == (first.subject, "接收方无法识别", "reader")
    subscription.acknowledge(second.seq)
    assert seqs(subscription.take(1)) == [following.seq]
    for rpc, fields, reason in (
            ("ParkSubject", {"subject": first.subject, "seq": first.seq}, "SUBJECT_ALREADY_PARKED"),
            ("ReplayParked", {"subject": second.subject}, "SUBJECT_NOT_PARKED"),
            ("SkipEvent", {"seq": book.last_seq + 1}, "SEQ_NOT_REACHED")):
        with pytest.raises(Refused) as refused:
            subscription.command(rpc, **fields)
        assert refused.value.reason == reason and refused.value.zh


def test_acknowledging_up_to_a_seq(book, subscription):
    subscription.create(from_now=True)
    events = households(book, 3)
    with Stream(subscription.receive()) as stream:
        assert next_seqs(stream, 3) == [event.seq for event in events[::EVENTS]]
        subscription.acknowledge(up_to_seq=events[-1].seq)
        # Only what was delivered: the next events of the households come now.
        assert next_seqs(stream, 3) == [event.seq for event in events[1::EVENTS]]
    # Nobody has them any more, so they come again.
    eventually(subscription.show, lambda shown: not shown.subscription.delivery.outstanding)
    subscription.acknowledge(up_to_seq=events[-1].seq)
    again = subscription.take(3)
    assert seqs(again) == [event.seq for event in events[1::EVENTS]] and {one.attempt for one in again} == {2}
    assert subscription.acknowledge(1, up_to_seq=1).position >= 0


def test_personal_payloads_are_for_makers_and_checkers(book, subscription):
    subscription.create(from_now=True, selection={"types": ["taizhang.registry.v1.PersonRegistered"]})
    households(book, 1)
    for as_, withheld in (("reader", True), ("maker", False)):
        event = subscription.take(1, as_=as_)[0].event
        assert event.payload_withheld == withheld and bool(event.payload) != withheld


def test_a_deleted_subscription_ends_its_streams_and_frees_its_name(book, subscription):
    subscription.create(from_now=True)
    with Stream(subscription.receive()) as stream:
        next(stream)
        subscription.command("DeleteSubscription")
        with pytest.raises(grpc.RpcError) as ended:
            for _ in stream:
                pass
    assert ended.value.code() == grpc.StatusCode.NOT_FOUND
    with pytest.raises(Refused) as refused:
        subscription.acknowledge(1)
    assert refused.value.reason == "SUBSCRIPTION_NOT_FOUND"
    assert not subscription.create(from_now=True, rules={"attempts_max": 3}).receipt.unchanged


def test_who_may_do_what(book, subscription):
    for rpc, fields in (("CreateSubscription", {}), ("DeleteSubscription", {}), ("SkipEvent", {"seq": 1}),
                        ("RecordProgress", {})):
        with pytest.raises(Refused) as refused:
            subscription.command(rpc, as_="reader", **fields)
        assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "NOT_AUTHORISED")
    for rpc in ("Acknowledge", "GetSubscription"):
        with pytest.raises(Refused) as refused:
            subscription.call(rpc, as_="elsewhere")
        assert refused.value.code == "PERMISSION_DENIED"
        with pytest.raises(Refused) as refused:
            subscription.call(rpc)
        assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "SUBSCRIPTION_NOT_FOUND")
    with pytest.raises(grpc.RpcError) as ended:
        for _ in subscription.receive():
            pass
    assert ended.value.code() == grpc.StatusCode.NOT_FOUND


def test_an_operator_moves_the_position_forward(book, subscription):
    subscription.create()
    with pytest.raises(Refused) as refused:
        subscription.command("RecordProgress", generation=7, position=1)
    assert refused.value.reason == "DELIVERY_MOVED"
    generation = subscription.command("RecordProgress").generation
    subscription.command("RecordProgress", generation=generation, position=book.last_seq)
    assert subscription.show().subscription.position == book.last_seq
    event = households(book, 1)[0]
    assert seqs(subscription.take(1)) == [event.seq]


def test_a_restarted_server_goes_on_from_what_is_written_down(server, book, subscription):
    subscription.create(from_now=True, rules={"attempts_max": 3})
    first, second, third = (events for events in (households(book, 1), households(book, 1), households(book, 1)))
    delivered = subscription.take(3)
    assert seqs(delivered) == [first[0].seq, second[0].seq, third[0].seq]
    # Its answer comes when everything is written down, failed deliveries too.
    subscription.acknowledge(second[0].seq)
    subscription.command("ParkSubject", subject=first[0].subject, seq=first[0].seq)
    book.client.close()
    server.stop()
    server.client = book.client = subscription.client = server.start()
    # The third was not acknowledged; the second goes on behind what was; the first is kept back.
    again = {one.event.seq: one for one in subscription.take(2)}
    assert {seq: one.attempt for seq, one in again.items()} == {second[1].seq: 1, third[0].seq: 2}
    subscription.command("ReplayParked", subject=first[0].subject)
    handled = Handled()
    consumer = Consumer(subscription, handled)
    subscription.wait_position(third[-1].seq)
    consumer.finish()
    handled.check([*first, *second[1:], *third])
    assert second[0].seq not in handled.times
