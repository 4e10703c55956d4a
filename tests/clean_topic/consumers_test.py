"""The consumers of docs/consumers against a real broker: two republishers at once, everything killed and started
again, copies and strangers in the topic; the results hold every event exactly once.
"""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from google.protobuf import json_format

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TAIZHANG_BUILD", ROOT / "build/dev"))
sys.path.insert(0, str(ROOT / "tests/support"))

from kafka_broker import Kafka  # noqa: E402
from kafka_fixture import broker  # noqa: E402,F401
from taizhang_client import generate  # noqa: E402

MIRROR = BUILD / "tests/clean_topic/clean_topic_mirror"
EVENTS = 1_500
PARTITIONS = 2
COMMITS_PER_SECOND = 150
SECONDS_MAX = 90


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    generate(folder)
    return folder


@pytest.fixture(scope="session")
def go_consumer(tmp_path_factory):
    """The Go consumer, built; the modules come through the Go module proxy."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    assert go, "no Go here: install golang-go (deploy/packages_tests.txt)"
    binary = tmp_path_factory.mktemp("go") / "consumer"
    subprocess.run([go, "build", "-buildvcs=false", "-o", binary, "."], cwd=ROOT / "docs/consumers/go", check=True, timeout=240)
    return binary


def make_topic(bootstrap, name):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wanted = NewTopic(name, PARTITIONS, 1, config={"retention.ms": "-1", "cleanup.policy": "delete"})
    admin.create_topics([wanted])[name].result(30)
    # The brokers' metadata follow a moment later.
    wait_for(lambda: all(partition.leader >= 0 for partition in admin.list_topics(timeout=30).topics[name].partitions.values())
             if name in admin.list_topics(timeout=30).topics else False, "the topic")


def drop_topic(bootstrap, name):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.delete_topics([name])[name].result(30)
    wait_for(lambda: name not in admin.list_topics(timeout=30).topics, "the end of the topic")


@pytest.fixture
def topic(broker):  # noqa: F811
    name = f"clean-{uuid.uuid4().hex[:12]}"
    make_topic(broker, name)
    return name


@pytest.fixture
def processes():
    """Starts processes; what still runs at the end is ended by its id."""
    started = []

    def start(*words, out):
        started.append(subprocess.Popen([str(word) for word in words], stdout=open(out, "a"), stderr=subprocess.STDOUT))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(30)


def kill(process):
    assert process.poll() is None, "it ended by itself"
    process.kill()
    process.wait(30)


def wait_for(holds, what):
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come in {SECONDS_MAX} s"
        time.sleep(0.25)


def expected():
    """(partition, k, ledger, seq, type, payload) of every event, as the journal was told them."""
    lines = subprocess.run([MIRROR, "list", str(EVENTS)], check=True, capture_output=True, text=True).stdout.split("\n")
    rows = [line.split(" ") for line in lines if line]
    return [(int(p), int(k), ledger, int(seq), kind, bytes.fromhex(payload)) for p, k, ledger, seq, kind, payload in rows]


def read_all(bootstrap, topic_name):
    """Every physical record: (partition, key, headers, value)."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "auto.offset.reset": "error",
                         "enable.auto.commit": False})
    records = []
    for partition in range(PARTITIONS):
        end = consumer.get_watermark_offsets(TopicPartition(topic_name, partition), timeout=30)[1]
        consumer.assign([TopicPartition(topic_name, partition, 0)])
        position = 0
        while position < end:
            message = consumer.poll(30)
            assert message is not None and message.error() is None, message and message.error()
            position = message.offset() + 1
            records.append((partition, message.key(), tuple(message.headers() or ()), message.value()))
    consumer.close()
    return records


def python_results(path):
    if not path.exists():
        return []
    # The consumer writes at the same time: whoever finds the file locked waits.
    with contextlib.closing(sqlite3.connect(path, timeout=SECONDS_MAX)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'event'").fetchone():
            return []
        return db.execute("SELECT ledger, seq, type, json FROM event").fetchall()


def go_results(path):
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return [line.split(" ") for line in whole.split("\n") if line]


def inject(bootstrap, topic_name):
    """Late copies of what stands there, records of strangers, and a k far beyond the next."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for partition, key, headers, value in read_all(bootstrap, topic_name)[::5]:
        producer.produce(topic_name, value, key, partition, headers=list(headers))
    for partition in range(PARTITIONS):
        producer.produce(topic_name, b"a stranger's", None, partition)
        producer.produce(topic_name, b"", b"510101", partition,
                         headers=[("ce_k", b"1000000000"), ("taizhangmapping", b"1")])
    assert producer.flush(30) == 0


def test_each_event_once_whatever_is_killed(broker, topic, processes, generated, go_consumer, tmp_path):  # noqa: F811
    rows = expected()
    assert len(rows) >= EVENTS
    begun_ms = int(time.time() * 1000)

    def mirror(name):
        return processes(MIRROR, "run", EVENTS, broker, topic, tmp_path / name, COMMITS_PER_SECOND, begun_ms,
                         out=tmp_path / f"{name}.log")

    def python():
        return processes(sys.executable, ROOT / "docs/consumers/python/consumer.py", broker, topic,
                         tmp_path / "results.sqlite", generated, out=tmp_path / "python.log")

    def go():
        return processes(go_consumer, broker, topic, PARTITIONS, tmp_path / "results.txt", out=tmp_path / "go.log")

    mirrors = {name: mirror(name) for name in ("a", "b")}
    consumers = {"python": (python, python()), "go": (go, go())}
    for round_number in range(4):
        reached = EVENTS * (round_number + 1) // 6
        wait_for(lambda: len(python_results(tmp_path / "results.sqlite")) >= reached
                 and len(go_results(tmp_path / "results.txt")) >= reached, f"event {reached}")
        inject(broker, topic)
        name = "ab"[round_number % 2]
        kill(mirrors[name])
        if round_number == 2:  # its disk is empty, too
            shutil.rmtree(tmp_path / name)
        mirrors[name] = mirror(name)
        for which, (start, process) in consumers.items():
            kill(process)
            consumers[which] = (start, start())
    for name in mirrors:
        wait_for(lambda: "mirrored" in (tmp_path / f"{name}.log").read_text(), f"the end of mirror {name}")
    wait_for(lambda: len(python_results(tmp_path / "results.sqlite")) >= len(rows), "the last event (Python)")
    wait_for(lambda: len(go_results(tmp_path / "results.txt")) >= len(rows), "the last event (Go)")

    from taizhang.assistance.v1 import events_pb2
    told = sorted((ledger, seq, kind, json_format.MessageToDict(events_pb2.PairingEnded.FromString(payload)))
                  for _, _, ledger, seq, kind, payload in rows)
    assert sorted((ledger, seq, kind, json.loads(text))
                  for ledger, seq, kind, text in python_results(tmp_path / "results.sqlite")) == told

    kept = collections.defaultdict(list)
    for partition, k, _, ledger, seq, kind, payload in go_results(tmp_path / "results.txt"):
        kept[int(partition)].append((int(partition), int(k), ledger, int(seq), kind, bytes.fromhex(payload)))
    for partition in range(PARTITIONS):
        assert kept[partition] == [row for row in rows if row[0] == partition]

    # All copies of a k are the same bytes, whoever wrote them; and there were copies.
    copies = collections.defaultdict(set)
    records = read_all(broker, topic)
    for partition, key, headers, value in records:
        head = dict(headers)
        if b"1000000000" == head.get("ce_k") or "ce_k" not in head:
            continue
        copies[partition, int(head["ce_k"])].add((key, headers, value))
    assert {place: len(kinds) for place, kinds in copies.items()} == {(row[0], row[1]): 1 for row in rows}
    assert len(records) > 1.5 * len(rows)


def accepted(records):
    """What the rule takes: (partition, k, value)."""
    taken, last = [], collections.Counter()
    for partition, _, headers, value in records:
        if int(dict(headers)["ce_k"]) == last[partition] + 1:
            last[partition] += 1
            taken.append((partition, last[partition], value))
    return sorted(taken)


def test_a_broker_that_dies_and_a_topic_that_is_deleted_cost_no_event(processes, tmp_path):
    told = sorted((row[0], row[1], row[5]) for row in expected())
    begun_ms = int(time.time() * 1000)
    with Kafka(tmp_path / "kafka") as kafka:
        make_topic(kafka.bootstrap, "clean")

        def mirror(log):
            return processes(MIRROR, "run", EVENTS, kafka.bootstrap, "clean", tmp_path / "mirror", COMMITS_PER_SECOND,
                             begun_ms, out=tmp_path / log)

        first = mirror("first.log")
        for _ in range(2):
            time.sleep(1)
            kafka.kill()
            kafka.restart()
        wait_for(lambda: "mirrored" in (tmp_path / "first.log").read_text(), "the end of the mirror")
        assert accepted(read_all(kafka.bootstrap, "clean")) == told

        # Its checkpoint now points into a topic that is gone.
        kill(first)
        drop_topic(kafka.bootstrap, "clean")
        make_topic(kafka.bootstrap, "clean")
        mirror("second.log")
        wait_for(lambda: "mirrored" in (tmp_path / "second.log").read_text(), "the end of the second mirror")
        assert accepted(read_all(kafka.bootstrap, "clean")) == told
