"""The pytest fixture `broker`: one plain Kafka broker for every test of a run; a conftest.py imports it.

Tests take topics of their own names and leave the broker alone. Who kills, stops or restores brokers makes a
kafka_broker.Kafka of its own.
"""

import os

import pytest

import kafka_broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """host:port of the broker around this run (TAIZHANG_KAFKA), or of one started for this session."""
    shared = os.environ.get("TAIZHANG_KAFKA")
    if shared:
        yield shared
        return
    with kafka_broker.Kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka.bootstrap
