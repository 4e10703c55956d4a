"""The broker of the tests: what was acknowledged is there after kill -9, stalls, restores, with TLS, on three nodes."""

import pathlib
import socket
import subprocess
import sys
import time
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

import kafka_jars  # noqa: E402
from kafka_broker import Kafka, kept_pids  # noqa: E402
from kafka_fixture import broker  # noqa: E402, F401

SCRIPT = pathlib.Path(__file__).resolve().parent / "kafka_broker.py"
WAIT_S = 120


def create_topic(settings, name, replicas=1):
    config = {"retention.ms": "-1", "flush.messages": "1", "min.insync.replicas": str(min(replicas, 2))}
    admin = AdminClient(settings)
    admin.create_topics([NewTopic(name, 1, replicas, config=config)])[name].result(WAIT_S)


def produce(settings, topic, values, timeout_s=WAIT_S):
    """Values of those that the broker acknowledged in time."""
    acknowledged = []
    producer = Producer(settings | {"enable.idempotence": True, "socket.timeout.ms": 3000, "linger.ms": 0,
                                    "message.timeout.ms": timeout_s * 1000})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, m: error or acknowledged.append(m.value().decode()))
    producer.flush(timeout_s + 5)
    return acknowledged


def consume(settings, topic, count):
    consumer = Consumer(settings | {"group.id": uuid.uuid4().hex, "auto.offset.reset": "error"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    end = time.monotonic() + WAIT_S
    while len(values) < count and time.monotonic() < end:
        values += [message.value().decode() for message in consumer.consume(count - len(values), 1)]
    _, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=WAIT_S)
    consumer.close()
    assert high == len(values)
    return values


def numbered(first, last):
    return [str(number) for number in range(first, last)]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("cluster")) as kafka:
        yield kafka
    assert not kafka.runs()


def test_what_was_acknowledged_is_there_after_a_kill(kafka):
    settings = kafka.client_settings()
    create_topic(settings, "killed")
    assert produce(settings, "killed", numbered(0, 100)) == numbered(0, 100)
    kafka.kill()
    kafka.restart()
    assert consume(settings, "killed", 100) == numbered(0, 100)
    assert kafka.client_settings() == settings


def test_a_stopped_broker_answers_nothing_and_then_goes_on(kafka):
    settings = kafka.client_settings()
    create_topic(settings, "paused")
    kafka.pause()
    assert produce(settings, "paused", ["a"], timeout_s=2) == []
    kafka.resume()
    assert produce(settings, "paused", ["b"]) == ["b"]


def test_an_older_copy_of_the_disk_brings_the_older_log_back(kafka, tmp_path):
    settings = kafka.client_settings()
    create_topic(settings, "copied")
    produce(settings, "copied", ["old"])
    with pytest.raises(RuntimeError, match="node 1 runs"):
        kafka.snapshot(1, tmp_path / "copy")
    kafka.stop()
    kafka.snapshot(1, tmp_path / "copy")
    kafka.start()
    produce(settings, "copied", ["new"])
    assert consume(settings, "copied", 2) == ["old", "new"]
    kafka.stop()
    kafka.restore(1, tmp_path / "copy")
    kafka.start()
    assert consume(settings, "copied", 1) == ["old"]


def test_tls_wants_the_ca_and_the_password(tmp_path):
    with Kafka(tmp_path, tls=True) as kafka:
        settings = kafka.client_settings()
        create_topic(settings, "book")
        assert produce(settings, "book", ["sealed"]) == ["sealed"]
        for wrong, code in ((settings | {"sasl.password": "guess"}, KafkaError._AUTHENTICATION),
                            ({k: v for k, v in settings.items() if k != "ssl.ca.location"}, KafkaError._SSL)):
            seen = []
            client = AdminClient(wrong | {"error_cb": lambda error, into=seen: into.append(error.code())})
            with pytest.raises(KafkaException):
                client.list_topics(timeout=10)
            client.poll(0)
            assert code in seen
        assert kafka.password.encode() not in b"".join(
            pathlib.Path(f"/proc/{kafka.processes[1].pid}/{part}").read_bytes() for part in ("cmdline", "environ"))


def test_three_nodes_lose_nothing_with_one_of_them(tmp_path):
    with Kafka(tmp_path, nodes=3) as kafka:
        settings = kafka.client_settings()
        create_topic(settings, "book", replicas=3)
        assert produce(settings, "book", numbered(0, 50)) == numbered(0, 50)
        leader = AdminClient(settings).list_topics("book", timeout=WAIT_S).topics["book"].partitions[0].leader
        kafka.kill(leader)
        assert produce(settings, "book", numbered(50, 60)) == numbered(50, 60)
        kafka.restart(leader)
        assert consume(settings, "book", 60) == numbered(0, 60)


def test_the_canary_version_starts_and_keeps_records(tmp_path):
    with Kafka(tmp_path, version="4.4.0") as kafka:
        create_topic(kafka.client_settings(), "book")
        assert produce(kafka.client_settings(), "book", ["x"]) == ["x"]
        assert consume(kafka.client_settings(), "book", 1) == ["x"]


def test_topics_are_not_made_by_asking(broker):  # noqa: F811
    settings = {"bootstrap.servers": broker}
    assert produce(settings, f"nowhere-{uuid.uuid4()}", ["x"], timeout_s=2) == []


def script(*words, **more):
    return subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, timeout=300, **more)


def test_run_hands_the_address_over_and_the_status_back(tmp_path):
    command = 'echo "$TAIZHANG_KAFKA"; cat "$0"; exit 7'
    # An address that stands already is taken, unless something special is asked for.
    done = script("run", "--", "sh", "-c", command, "/dev/null", env={"PATH": "/usr/bin:/bin", "TAIZHANG_KAFKA": "x:1"})
    assert (done.returncode, done.stdout) == (7, "x:1\n")
    ready = tmp_path / "ready"
    done = script("run", "--folder", tmp_path / "cluster", "--ready-file", ready, "--", "sh", "-c", command, ready)
    first, second = done.stdout.split()
    assert done.returncode == 7 and first == second
    with pytest.raises(OSError):
        socket.create_connection(first.split(":"), 1)


def test_a_kept_broker_stays_until_it_is_stopped(tmp_path):
    started = script("start", "--folder", tmp_path)
    try:
        settings = {"bootstrap.servers": started.stdout.strip()}
        create_topic(settings, "book")
        produce(settings, "book", ["kept"])
        assert script("start", "--folder", tmp_path).stdout == started.stdout and len(kept_pids(tmp_path)) == 1
        assert "ended 1 node" in script("stop", "--folder", tmp_path).stdout and not kept_pids(tmp_path)
        settings = {"bootstrap.servers": script("start", "--folder", tmp_path).stdout.strip()}
        assert consume(settings, "book", 1) == ["kept"]
    finally:
        script("stop", "--folder", tmp_path)


def test_a_damaged_jar_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetched = []

    def fetch(version, folder, pom):
        fetched.append(version)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(pom)
        (folder / "a.jar").write_text("jar")
        (folder / kafka_jars.SUMS).write_text(f"{kafka_jars._sum(folder / 'a.jar')}  a.jar\n")

    monkeypatch.setattr(kafka_jars, "_fetch", fetch)
    folder = kafka_jars.jars()
    assert kafka_jars.jars() == folder and fetched == ["4.1.2"]
    (folder / "a.jar").write_text("damaged")
    kafka_jars.jars()
    (folder / "pom.xml").write_text("another list")
    kafka_jars.jars()
    assert fetched == ["4.1.2"] * 3
    with pytest.raises(ValueError, match="not pinned"):
        kafka_jars.jars("0.1")
