"""Two writers with the same settings on one journal: one decides, the other stands by and follows; who takes over when,
and what a woken one may still say."""

import collections
import random
import signal
import time

import callers
import history
import pytest
from kafka_fixture import broker  # noqa: F401
from kafka_province import (PATIENCE_S, ROUNDS, Province, advertised, end, eventually, goes_on, health, in_flight,
                            start_patient, status)
from taizhang_client import Refused, uid

HEARTBEAT_MS = 250
# So many that a live writer which gets no processor for a while is not taken for dead.
SILENT_HEARTBEATS = 16
DETECTION_S = HEARTBEAT_MS * SILENT_HEARTBEATS / 1000
# Beyond the detection: less than one more of it.
TAKEOVER_S = 0.8 * DETECTION_S


@pytest.fixture
def province(broker, tmp_path):  # noqa: F811
    with Province(broker, tmp_path, f"heartbeat_ms: {HEARTBEAT_MS} silent_heartbeats: {SILENT_HEARTBEATS}") as province:
        yield province


def standing_by(province, name, arguments=()):
    """A second process: (server, its client). It answers, and says that another decides."""
    server = province.process(name)
    client = server.start(wait_s=PATIENCE_S, serving=False, arguments=arguments)
    return server, client


def ask(client):
    return client.call("ledger.GetOutcome", {"ledger": callers.LEDGER, "request_id": uid("nobody's")})


def refusal_of(client):
    with pytest.raises(Refused) as refused:
        ask(client)
    return refused.value


def serves(client):
    said = status(client).writer
    return said.serving and not said.standing_by


def follows(client):
    """It knows who decides."""
    said = status(client)
    return said.writer.standing_by and all(p.epoch and p.owner_address for p in said.journal.partitions)


def test_a_second_writer_stands_by(province):
    first, one, book = province.opened()
    second, two = standing_by(province, "two")
    eventually(lambda: follows(two), "the second knows the first")
    running, stop = start_patient(book, [(1, first.address)], seed=5)
    # As long as the first lives, whatever it is doing: several times the detection.
    until = time.monotonic() + 3 * DETECTION_S
    while time.monotonic() < until:
        assert serves(one) and health(one) == "SERVING"
        assert not status(two).writer.serving and health(two) == "NOT_SERVING"
        refused = refusal_of(two)
        assert (refused.code, refused.metadata["outcome"]) == ("UNAVAILABLE", "none")
        assert refused.metadata["owner"] == advertised("one")
    end(running, stop)
    assert all(p.epoch == 1 for p in status(two).journal.partitions)
    # The second ends: nobody minds. The first ends well: it gives its claims up, and nobody waits for its silence.
    assert second.stop() == 0
    two = second.start(wait_s=PATIENCE_S, serving=False)
    eventually(lambda: follows(two), "the second knows the first")
    assert first.stop() == 0
    begun = time.monotonic()
    eventually(lambda: serves(two), "the second serves")
    print(f"after a release: {time.monotonic() - begun:.2f} s")
    eventually(lambda: health(two) == "SERVING", "the second says so")
    province.compare_with_replay(two, book)


def test_a_killed_writer_is_followed_by_the_other_one(province, seed=6):
    rng = random.Random(seed)
    live, client, book = province.opened("life 1")
    took = []
    for life in range(1, ROUNDS + 1):
        heir, heir_client = standing_by(province, f"life {life + 1}")
        eventually(lambda: follows(heir_client), "the heir knows the writer")
        running, stop = start_patient(book, [(life, live.address), (life + 1, heir.address)], seed + life)
        time.sleep(rng.uniform(0.0, 0.8))
        caught = in_flight(running)
        client.close()
        live.kill()
        died = time.monotonic()
        assert caught > 0, "nothing was in flight at the kill"
        book.history.dead(life)
        eventually(lambda: serves(heir_client), "the heir serves")
        took.append(time.monotonic() - died)
        goes_on(book, running)
        end(running, stop)
        province.judged(heir_client, book)
        live, client = heir, heir_client
    print("from the kill to serving, s:", ", ".join(f"{seconds:.2f}" for seconds in took))
    assert max(took) < DETECTION_S + TAKEOVER_S
    province.compare_with_replay(client, book)


def firsts(book, since_ns):
    """{life: first seqs of the commits it acknowledged since then, but for repeats}"""
    entries = history.read(book.history.path)
    lives = {entry["call"]: entry["life"] for entry in entries if "call" in entry}
    told = collections.defaultdict(list)
    for entry in entries:
        if entry["t"] >= since_ns and "ok" in entry and not entry["ok"]["duplicate"] and not entry["ok"]["unchanged"]:
            told[lives[entry["answer"]]].append(entry["ok"]["first_seq"])
    return told


def test_a_woken_writer_acknowledges_nothing(province, seed=7):
    live, client, book = province.opened("life 1")
    other, other_client = standing_by(province, "life 2")
    processes = {1: (live, client), 2: (other, other_client)}
    writer, heir = 1, 2
    for turn in range(ROUNDS):
        (asleep, asleep_client), (awake, awake_client) = processes[writer], processes[heir]
        eventually(lambda: follows(awake_client), "the heir knows the writer")
        running, stop = start_patient(book, [(life, server.address) for life, (server, _) in processes.items()],
                                      seed + turn)
        eventually(lambda: in_flight(running), "something is in flight")
        asleep.process.send_signal(signal.SIGSTOP)
        try:
            eventually(lambda: serves(awake_client), "the heir serves")
            taken_over_ns = time.monotonic_ns()
            with_heir, stop_heir = start_patient(book, [(heir, awake.address)], seed + turn + 100, count=8)
            goes_on(book, with_heir)
            end(with_heir, stop_heir)
        finally:
            asleep.process.send_signal(signal.SIGCONT)
        # Whoever waited for the sleeper is told, and goes to the heir.
        goes_on(book, running)
        eventually(lambda: follows(asleep_client), "the woken one stands by")
        eventually(lambda: health(asleep_client) == "NOT_SERVING", "the woken one says so")
        refused = refusal_of(asleep_client)
        assert (refused.code, refused.metadata["outcome"]) == ("UNAVAILABLE", "none")
        end(running, stop)
        told = firsts(book, taken_over_ns)
        assert told[heir] and max(told[writer], default=0) < min(told[heir])
        writer, heir = heir, writer
    client = processes[writer][1]
    province.compare_with_replay(client, book)


def test_an_operator_takes_over_from_one_that_lives(province):
    first, one, book = province.opened()
    running, stop = start_patient(book, [(1, first.address)], seed=8)
    second, two = standing_by(province, "two", arguments=("--takeover",))
    eventually(lambda: serves(two), "the second serves")
    eventually(lambda: status(one).writer.standing_by, "the first stands by")
    end(running, stop)
    # One claim of each partition: nobody took it back.
    time.sleep(2 * DETECTION_S)
    assert serves(two) and status(one).writer.standing_by
    assert all(p.epoch == 2 and p.leading for p in status(two).journal.partitions)
    province.compare_with_replay(two, book)
