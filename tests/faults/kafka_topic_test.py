"""A topic that others touch: settings that would lose data, records of strangers. It is said at once and everywhere, and
service goes on."""

import urllib.request

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from kafka_cluster import free_port
from kafka_fixture import broker  # noqa: F401
from kafka_province import PATIENCE_S, Province, end, eventually, goes_on, health, restart, start_patient, status
from taizhang_client import PARTITIONS, context


@pytest.fixture
def province(broker, tmp_path):  # noqa: F811
    with Province(broker, tmp_path, check_interval_s=1) as province:
        yield province


def alter(admin, topic, name, value):
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(PATIENCE_S)


def metrics(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as page:
        return dict(line.rsplit(" ", 1) for line in page.read().decode().splitlines() if not line.startswith("#"))


@pytest.mark.parametrize("name, unsafe, safe", [("retention.ms", "604800000", "-1"),
                                                ("cleanup.policy", "compact", "delete")])
def test_settings_that_lose_data(broker, province, name, unsafe, safe):  # noqa: F811
    admin = AdminClient({"bootstrap.servers": broker})
    port = free_port()
    writer = province.process("one")
    writer.config.write_text(writer.config.read_text().replace("metrics_port: 0", f"metrics_port: {port}"))
    province.make_topics(writer)
    client = writer.start(wait_s=PATIENCE_S)
    assert metrics(port)["taizhang_journal_unsafe"] == "0"
    finding = f"{name} is {unsafe}, must be {safe}"
    alter(admin, province.topic, name, unsafe)
    why = eventually(lambda: status(client).journal.unsafe_why, "the alarm")
    assert province.topic in why and finding in why
    eventually(lambda: metrics(port)["taizhang_journal_unsafe"] == "1", "the alarm in the metrics")
    eventually(lambda: writer.has_logged("journal_topic_unsafe"), "it is logged")
    # Nothing is lost yet: it goes on, so that the operator can set it right.
    assert status(client).writer.serving
    code, said = province.journal("check", writer)
    assert code == 1 and any(all(word in line for word in ("BAD", name, unsafe, safe)) for line in said.splitlines()), said
    with pytest.raises(RuntimeError, match=f"ended with 1(.|\n)*{province.topic}.*{finding}"):
        province.process("two").start(wait_s=PATIENCE_S)
    alter(admin, province.topic, name, safe)
    eventually(lambda: not status(client).journal.unsafe_why, "the alarm ends")
    eventually(lambda: metrics(port)["taizhang_journal_unsafe"] == "0", "the alarm in the metrics ends")
    assert province.journal("check", writer)[0] == 0
    assert status(client).writer.serving


def produce_as_a_stranger(broker, topic):  # noqa: F811
    """A record into each partition, twice: plain, and in a transaction, which leaves a marker behind that no reader is
    given."""
    plain = Producer({"bootstrap.servers": broker})
    transactional = Producer({"bootstrap.servers": broker} | {"transactional.id": topic})
    transactional.init_transactions(PATIENCE_S)
    transactional.begin_transaction()
    for producer in (plain, transactional):
        for partition in range(PARTITIONS):
            producer.produce(topic, b"from somebody else", partition=partition)
        assert producer.flush(PATIENCE_S) == 0
    transactional.abort_transaction(PATIENCE_S)


def foreign_records(client):
    """By partition, as the views' reader counts them."""
    return [partition.foreign_records for partition in status(client).journal.partitions]


def test_records_of_a_stranger(broker, province):  # noqa: F811
    writer, one, reader, two, book = province.opened_with_a_reader()
    running, stop = start_patient(book, [(1, writer.address)], seed=9)
    produce_as_a_stranger(broker, province.topic)
    goes_on(book, running)
    end(running, stop)
    # Something new in the directory's partition, too.
    one.call("admin.OpenLedger", {"ledger": "990103", "kind": "LEDGER_KIND_COUNTY", "name": "third",
                                  "context": context(effective=20120101)}, as_="operator")
    eventually(lambda: status(one).writer.foreign_records == 2 * PARTITIONS, "the writer counts them")
    for client in (one, two):
        eventually(lambda: foreign_records(client) == [2] * PARTITIONS, "the views' reader counts them")
    eventually(lambda: writer.has_logged("journal_foreign_record") and reader.has_logged("foreign_records"),
               "they are logged")
    # Nothing of it costs the claims.
    assert status(one).writer.epochs == PARTITIONS
    province.compare_with_replay(one, book)


def test_a_record_of_a_stranger_at_the_end(broker, province):  # noqa: F811
    writer, one, book = province.opened()
    produce_as_a_stranger(broker, province.topic)
    eventually(lambda: foreign_records(one) == [2] * PARTITIONS, "the views' reader counts them")
    client = restart(writer, one)
    eventually(lambda: status(client).writer.serving, "it serves again")
    # While nothing more is written: who begins from nothing has read everything all the same.
    assert writer.stop() == 0
    produce_as_a_stranger(broker, province.topic)
    fresh = province.process("fresh", "READER").start(wait_s=PATIENCE_S)
    eventually(lambda: health(fresh) == "SERVING", "its views are built")
    eventually(lambda: foreign_records(fresh) == [4] * PARTITIONS, "its views' reader counts them")
    province.judged(fresh, book)
