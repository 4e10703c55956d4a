"""kill -9 and SIGSTOP of writer and broker in the middle of 64 callers: what was acknowledged is there once, what was
refused never, and every view is what a process that begins from nothing reads."""

import random
import time

import history
import pytest
from confluent_kafka.admin import AdminClient
from kafka_broker import Kafka
from kafka_province import PATIENCE_S, ROUNDS, Province, end, eventually, goes_on, in_flight, start_patient, status
from kill_test import kill_amid

# Long, so that a restart which waited for its own silence would show.
DETECTION_S = 100
SLOW_TO_SUSPECT = f"heartbeat_ms: 1000 silent_heartbeats: {DETECTION_S}"
STALL_MS = 1500


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture
def province(kafka, tmp_path, request):
    with Province(kafka.bootstrap, tmp_path, *getattr(request, "param", ())) as province:
        yield province


@pytest.mark.parametrize("province", [(f"{SLOW_TO_SUSPECT} state_mark_commits: 500",)], indirect=True)
def test_a_writer_killed_again_and_again(province, seed=1):
    server, client, book = province.opened()
    known = []
    for life in range(1, ROUNDS + 1):
        assert kill_amid(book, server, client, life, seed * 100 + life) > 0, "nothing was in flight at the kill"
        lost = [call for call in history.unsure(history.read(book.history.path)) if call["life"] == life]
        assert lost, "no call was left without an answer"
        begun = time.monotonic()
        client = server.start(wait_s=PATIENCE_S)
        assert time.monotonic() - begun < DETECTION_S, "it waited for its own silence"
        # What was read in an earlier life never changes.
        found = province.judged(client, book)
        assert found[:len(known)] == known
        known = found
    province.compare_with_replay(client, book)
    assert server.stop() == 0


def test_a_broker_killed_again_and_again(kafka, province, seed=2):
    rng = random.Random(seed)
    server, client, book = province.opened()
    running, stop = start_patient(book, [(1, server.address)], seed)
    for _ in range(ROUNDS):
        time.sleep(rng.uniform(0.0, 0.8))
        caught = in_flight(running)
        kafka.kill()
        assert caught > 0, "nothing was in flight at the kill"
        kafka.restart()
        goes_on(book, running)
    end(running, stop)
    province.compare_with_replay(client, book)
    assert server.stop() == 0


@pytest.mark.parametrize("province", [(f"stall_ms: {STALL_MS}",)], indirect=True)
def test_a_broker_that_stands_still_longer_than_an_append_may(kafka, province, seed=3):
    server, client, book = province.opened()
    running, stop = start_patient(book, [(1, server.address)], seed)
    for _ in range(ROUNDS):
        epochs = status(client).writer.epochs
        caught = in_flight(running)
        kafka.pause()
        try:
            assert caught > 0, "nothing was in flight"
            eventually(lambda: not status(client).writer.serving, "the epoch has ended")
            # Its next claim is on the way, or waits.
            time.sleep(STALL_MS / 1000)
        finally:
            kafka.resume()
        goes_on(book, running)
        assert status(client).writer.epochs > epochs
    end(running, stop)
    province.compare_with_replay(client, book)
    assert server.stop() == 0


@pytest.mark.skipif(ROUNDS < 5, reason="a minute and a half: a hunt (TAIZHANG_FAULT_ROUNDS)")
def test_the_leader_of_three_brokers_killed(tmp_path, seed=4):
    with Kafka(tmp_path / "kafka", nodes=3) as kafka, \
            Province(kafka.bootstrap, tmp_path / "processes", replicas=3) as province:
        server, client, book = province.opened()
        running, stop = start_patient(book, [(1, server.address)], seed)
        admin = AdminClient(kafka.client_settings())
        for _ in range(ROUNDS):
            place = next(p.partition for p in status(client).journal.partitions if p.leading and p.partition)
            leader = admin.list_topics(province.topic, timeout=PATIENCE_S).topics[province.topic].partitions[place].leader
            caught = in_flight(running)
            kafka.kill(leader)
            assert caught > 0, "nothing was in flight at the kill"
            goes_on(book, running)
            kafka.restart(leader)
        end(running, stop)
        province.compare_with_replay(client, book)
        assert server.stop() == 0
