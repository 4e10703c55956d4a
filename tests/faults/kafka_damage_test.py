"""A journal that is not what it was: an older copy of the broker's disk, a topic made anew. Who runs notices and serves no
more, who starts is refused; nothing is acknowledged on it, cut or adopted."""

import copy
import shutil
import signal

import callers
import history
import pytest
from confluent_kafka.admin import AdminClient
from kafka_broker import Kafka
from kafka_province import (PATIENCE_S, Province, end, eventually, goes_on, health, read, start_patient, status)
from taizhang_client import Refused, context, uid

# Appends that wait for a broker that is down are soon in doubt; a dead writer is soon followed.
WRITER = "stall_ms: 2000 heartbeat_ms: 250"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture
def province(kafka, tmp_path):
    with Province(kafka.bootstrap, tmp_path, WRITER) as province:
        yield province


def work(book, server, life=1):
    """Some commits more, of a few callers."""
    running, stop = start_patient(book, [(life, server.address)], seed=life, count=8)
    goes_on(book, running)
    end(running, stop)


def copy_disk(kafka, folder):
    kafka.stop()
    kafka.snapshot(1, folder / "copy")
    kafka.start()


def put_copy_back(kafka, folder):
    """The broker is down, and comes with the older disk."""
    kafka.restore(1, folder / "copy")
    kafka.start()


def said_of_damage(client):
    """Why the process will not serve a partition any more, why its views stand still."""
    said = status(client)
    whys = [partition.failure for partition in said.journal.partitions if partition.failure]
    return whys + [view.stopped_why for view in said.views if view.stopped_why]


def assert_noticed(server, client, province):
    """A running process says what is wrong and where, and serves no more."""
    whys = eventually(lambda: said_of_damage(client), "the damage is noticed")
    assert any(f"topic {province.topic}, partition " in why and "rewound, recreated or truncated" in why
               for why in whys), whys
    eventually(lambda: server.has_logged("journal_damaged"), "it is logged")
    eventually(lambda: health(client) == "NOT_SERVING", "its health says so")
    # A view that says so has written how far it had read: by that a reader's start after a kill knows.
    eventually(lambda: all(view.stopped_why for view in status(client).views), "every view stands still")
    with pytest.raises(Refused):
        client.call("ledger.GetOutcome", {"ledger": callers.LEDGER, "request_id": uid("nobody's")})


def assert_refused(server, why=r"partition \d.* up to offset \d+"):
    """A process that does not run and has stores made of the true journal does not start."""
    with pytest.raises(RuntimeError, match=rf"ended with 1:(.|\n)*taizhangd: .*{why}"):
        server.start(wait_s=PATIENCE_S, serving=False)


@pytest.fixture
def pair(kafka, province):
    """A writer and a reader on a journal of which the copy of the disk lacks the last commits; the broker is down.
    [(server, its client)], book"""
    writer, one, reader, two, book = province.opened_with_a_reader()
    copy_disk(kafka, province.folder)
    work(book, writer)
    read(two, book)
    yield [(writer, one), (reader, two)], book
    if not kafka.runs():
        kafka.start()


def test_a_broker_with_an_older_disk(kafka, province, pair):
    processes, _ = pair
    kafka.stop()
    put_copy_back(kafka, province.folder)
    for server, client in processes:
        assert_noticed(server, client, province)
        client.close()
        server.kill()
        assert_refused(server)


def test_a_writer_that_is_killed_at_once_is_refused_by_what_it_decided_itself(kafka, province, pair):
    processes, _ = pair
    writer, client = processes[0]
    client.close()
    writer.kill()
    kafka.stop()
    put_copy_back(kafka, province.folder)
    # Its views had not written how far they had read.
    shutil.rmtree(writer.data / "views")
    assert_refused(writer, r"the writer does not continue partition \d.* up to offset \d+")


def test_an_older_disk_under_stopped_processes(kafka, province, pair):
    processes, _ = pair
    for server, client in processes:
        client.close()
        assert server.stop() == 0
    kafka.stop()
    put_copy_back(kafka, province.folder)
    for server, _ in processes:
        assert_refused(server)


def test_an_older_disk_that_has_grown_again(kafka, province, pair, tmp_path):
    processes, book = pair
    ends = {place.partition: place.records for place in status(processes[0][1]).journal.partitions}
    for server, _ in processes:
        server.process.send_signal(signal.SIGSTOP)
    kafka.stop()
    put_copy_back(kafka, province.folder)
    # One that knows nothing of what was lost carries the older log on, beyond where the true one ended.
    stranger = province.process("stranger")
    client = stranger.start(wait_s=PATIENCE_S)
    other = copy.copy(book)
    other.history = history.History(tmp_path / "history of the stranger")
    work(other, stranger, life=2)
    for number in range(20):
        if all(place.records > ends[place.partition] for place in status(client).journal.partitions):
            break
        # Both partitions grow: the directory's by what it is told of a new ledger.
        client.call("admin.OpenLedger", {"ledger": f"9901{10 + number}", "kind": "LEDGER_KIND_COUNTY", "name": "more",
                                         "context": context(effective=20120101)}, as_="operator")
    assert all(place.records > ends[place.partition] for place in status(client).journal.partitions)
    client.close()
    stranger.kill()
    for server, _ in processes:
        server.process.send_signal(signal.SIGCONT)
    for server, client in processes:
        assert_noticed(server, client, province)
        client.close()
        server.kill()
        assert_refused(server)


def test_a_topic_that_is_made_anew(kafka, province):
    admin = AdminClient(kafka.client_settings())
    writer, one, reader, two, _ = province.opened_with_a_reader()
    admin.delete_topics([province.topic])[province.topic].result(PATIENCE_S)
    eventually(lambda: province.topic not in admin.list_topics(timeout=PATIENCE_S).topics, "the topic is gone")
    province.make_topics(writer)
    for server, client in ((writer, one), (reader, two)):
        assert_noticed(server, client, province)
        client.close()
        server.kill()
        assert_refused(server, "belongs to journal [0-9a-f]{32}, and the journal is empty")
