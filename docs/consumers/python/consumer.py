"""Follows a clean topic: every event once. Results, last k and place change in one transaction.

    python3 consumer.py BOOTSTRAP TOPIC RESULTS.sqlite GENERATED     (GENERATED: protoc --python_out of proto/)
"""

import importlib
import pathlib
import sqlite3
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition
from google.protobuf import descriptor_pool, json_format, message_factory

servers, topic, results, generated = sys.argv[1:]
sys.path.insert(0, generated)
for file in pathlib.Path(generated).rglob("events*_pb2.py"):
    importlib.import_module(".".join(file.relative_to(generated).with_suffix("").parts))
db = sqlite3.connect(results)
db.execute("CREATE TABLE IF NOT EXISTS progress (partition INTEGER PRIMARY KEY, k INTEGER, next INTEGER)")
db.execute("CREATE TABLE IF NOT EXISTS event (ledger, seq INTEGER, type, json, PRIMARY KEY (ledger, seq))")
progress = {partition: (k, offset) for partition, k, offset in db.execute("SELECT * FROM progress")}
consumer = Consumer({"bootstrap.servers": servers, "group.id": "none", "enable.auto.commit": False,
                     "auto.offset.reset": "error"})
count = len(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
consumer.assign([TopicPartition(topic, p, progress.setdefault(p, (0, 0))[1]) for p in range(count)])
while True:
    if not (message := consumer.poll(1)):
        continue
    if message.error():
        raise KafkaException(message.error())
    head, partition = {name: value.decode() for name, value in message.headers() or ()}, message.partition()
    k, last = int(head.get("ce_k", 0)), progress[partition][0]
    if k > last + 1:
        print(f"partition {partition}: k {k} after {last}; an alarm if it stays so", file=sys.stderr)
    if k != last + 1:
        continue  # a copy, or nothing of ours
    kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(head["ce_type"]))
    event = json_format.MessageToJson(kind.FromString(message.value()))
    with db:
        db.execute("INSERT INTO event VALUES (?, ?, ?, ?)", (head["ce_ledger"], head["ce_seq"], head["ce_type"], event))
        db.execute("REPLACE INTO progress VALUES (?, ?, ?)", (partition, k, message.offset() + 1))
    progress[partition] = (k, message.offset() + 1)
    print(head["ce_ledger"], head["ce_seq"], head["ce_type"], flush=True)
