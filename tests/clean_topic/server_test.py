"""The clean topic of a running taizhangd: killed, started again, a reader process beside it; what a consumer of the rule
ends with is what ReadEvents answers, field by field."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest
from confluent_kafka import Consumer, TopicPartition

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
sys.path.insert(0, str(ROOT / "tests/acceptance"))

import taizhang_client  # noqa: E402
from kafka_fixture import broker  # noqa: E402,F401



@pytest.fixture(scope="module")
def book_module(tmp_path_factory):
    """tests/acceptance/book.py, which needs the generated modules."""
    taizhang_client.generate(tmp_path_factory.mktemp("generated"))
    import book

    return book


def clean_topic_of(server):
    text = server.config.read_text()
    return text.split('topic: "')[1].split('"')[0] + ".events"


def accepted(bootstrap, topic):
    """Per partition what the rule accepts: [(headers, key, value)]; and how many records stand there."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "auto.offset.reset": "error",
                         "enable.auto.commit": False})
    taken, count = [], 0
    for partition in range(taizhang_client.PARTITIONS):
        end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1]
        consumer.assign([TopicPartition(topic, partition, 0)])
        position = last = 0
        while position < end:
            message = consumer.poll(30)
            assert message is not None and message.error() is None, message and message.error()
            position, count = message.offset() + 1, count + 1
            headers = {name: value.decode() for name, value in message.headers()}
            if int(headers["ce_k"]) == last + 1:
                last += 1
                taken.append((headers, message.key(), message.value()))
    consumer.close()
    return taken, count


def read_all(client, ledger, at_least_seq):
    token, events = "", []
    while True:
        answer = client.call("ledger.ReadEvents", {"ledger": ledger, "page": {"page_size": 1000, "page_token": token},
                                                   "read": {"at_least_seq": at_least_seq}}, as_="maker")
        events += answer.events
        token = answer.next_page_token
        if not token:
            return events


def headers_of(envelope):
    """What docs/formats.md says of an event's headers, but for k."""
    when = envelope.time.ToDatetime()
    day = envelope.effective_date
    headers = {
        "content-type": "application/protobuf", "ce_specversion": "1.0", "ce_id": envelope.id,
        "ce_source": envelope.source, "ce_type": envelope.type, "ce_subject": envelope.subject,
        "ce_time": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "ce_dataschema": "proto:" + envelope.dataschema,
        "ce_ledger": envelope.ledger, "ce_seq": str(envelope.seq),
        "ce_commitfirstseq": str(envelope.commit_first_seq), "ce_commitlastseq": str(envelope.commit_last_seq),
        "ce_effectivedate": f"{day.year:04}-{day.month:02}-{day.day:02}" if envelope.HasField("effective_date") else "",
        "ce_requestid": envelope.request_id, "ce_correlation": envelope.correlation_id,
        "ce_causation": envelope.causation, "ce_command": envelope.command, "taizhangmapping": "1",
    }
    return {name: value for name, value in headers.items() if value}


def reader_beside(server):
    """A second process of the same journal that only reads, with a data folder of its own."""
    config = server.folder / "reader.textproto"
    config.write_text(server.config.read_text().replace('data_dir: "data"', 'data_dir: "reader"\nkeys_dir: "data"'))
    log = open(server.folder / "reader.log", "ab")
    return subprocess.Popen(
        [taizhang_client.BUILD / "apps/taizhangd/taizhangd", "--config", config, "--role=reader"], stdout=log, stderr=log)


def test_a_consumer_ends_with_what_read_events_answers(broker, tmp_path, book_module, monkeypatch):  # noqa: F811
    monkeypatch.setitem(os.environ, "TAIZHANG_KAFKA", broker)
    county = book_module.COUNTY
    server = taizhang_client.Server(tmp_path / "server", profiles=book_module.SERVER_PROFILES, journal="kafka",
                                    settings="clean_topic { checkpoint_interval_ms: 100 }\n")
    reader = None
    try:
        book_module.Book(server.start()).open().load("reference")
        server.kill()
        book = book_module.Book(server.start())
        reader = reader_beside(server)
        book.load("sample")
        server.kill()
        shutil.rmtree(server.data / "republish")
        client = server.start()

        events = read_all(client, county, book.last_seq)
        topic = clean_topic_of(server)
        end = time.monotonic() + taizhang_client.PATIENCE_S
        while True:
            taken, count = accepted(broker, topic)
            mirrored = [record for record in taken if record[0]["ce_ledger"] == county]
            if len(mirrored) >= len(events):
                break
            assert time.monotonic() < end, f"{len(mirrored)} of {len(events)} events in {taizhang_client.PATIENCE_S} s"
            time.sleep(0.2)
        reader.terminate()
        assert reader.wait(30) == 0, (server.folder / "reader.log").read_text()
        assert server.stop() == 0
    finally:
        server.kill()
        if reader:
            reader.kill()
            reader.wait(30)

    assert len(events) > 500
    assert count > len(taken), "two republishers, and no copy"
    for envelope, (headers, key, value) in zip(events, mirrored, strict=True):
        assert {name: text for name, text in headers.items() if name != "ce_k"} == headers_of(envelope)
        assert key.decode() == county
        assert value == envelope.payload and not envelope.payload_withheld
    ledgers = {headers["ce_ledger"] for headers, _, _ in taken}
    assert county in ledgers and "000000" in ledgers
    for ledger in ledgers:
        seqs = [int(headers["ce_seq"]) for headers, _, _ in taken if headers["ce_ledger"] == ledger]
        assert seqs == list(range(1, len(seqs) + 1))
