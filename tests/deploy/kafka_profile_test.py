"""The files of deploy/kafka as they are, on loopback: controllers and brokers start, and the permissions hold."""

import os
import pathlib
import subprocess
import sys
import time
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions,  # noqa: E402
                                   NewTopic, ResourceType)

import kafka_jars  # noqa: E402
import kafka_tls  # noqa: E402
from kafka_cluster import START_S_MAX, free_port, java  # noqa: E402
from taizhang_client import BUILD  # noqa: E402

PROFILE = ROOT / "deploy/kafka"
WAIT_S = 120
PEOPLE = ("kafka-node", "kafka-admin", "taizhang-writer", "taizhang-reader", "stranger")


class Profile:
    """One controller and one broker with the files of deploy/kafka; what differs from node to node by environment."""

    def __init__(self, folder):
        self.folder = folder
        self.jars = kafka_jars.jars()
        authority = kafka_tls.Authority(folder / "tls")
        self.certificates = {name: authority.issue(name, name) for name in PEOPLE}
        (folder / "tls/node.pem").write_text(self.certificates["kafka-node"].read_text())
        self.controller_port, self.clients_port, self.inner_port = free_port(), free_port(), free_port()
        self.processes = []
        cluster = "T" + uuid.uuid4().hex[:21]
        self._start("controller", 101, cluster, "--standalone")
        self._start("broker", 1, cluster, "--no-initial-controllers")

    def _start(self, role, node, cluster, how):
        home = self.folder / role
        home.mkdir()
        environment = os.environ | {
            "KAFKA_NODE_ID": str(node), "KAFKA_HOST": "localhost", "KAFKA_BIND": "127.0.0.1",
            "KAFKA_CLIENTS_PORT": str(self.clients_port), "KAFKA_INNER_PORT": str(self.inner_port),
            "KAFKA_CONTROLLER_PORT": str(self.controller_port),
            "KAFKA_CONTROLLERS": f"localhost:{self.controller_port}", "KAFKA_RACK": "power-a",
            "KAFKA_DATA": str(home / "data"), "KAFKA_TLS": str(self.folder / "tls")}
        properties = PROFILE / f"{role}.properties"
        subprocess.run(java(self.jars, home, 128, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties, how),
                       env=environment, check=True, timeout=START_S_MAX, stdout=subprocess.DEVNULL)
        with open(home / "log", "ab") as log:
            self.processes.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *java(self.jars, home, 384, "kafka.Kafka", properties)],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def settings(self, name):
        """librdkafka settings of the client that has the certificate `name`; None: of one without any."""
        settings = {"bootstrap.servers": f"localhost:{self.clients_port}", "security.protocol": "SSL",
                    "ssl.ca.location": str(self.folder / "tls/ca.pem"), "broker.address.family": "v4",
                    "log_level": 0}
        if name:
            settings |= {"ssl.certificate.location": str(self.certificates[name]),
                         "ssl.key.location": str(self.certificates[name])}
        return settings

    def admin(self, name):
        return AdminClient(self.settings(name))

    def wait_ready(self):
        end = time.monotonic() + START_S_MAX
        while True:
            assert all(process.poll() is None for process in self.processes), self.logs()
            try:
                if self.admin("kafka-node").list_topics(timeout=2).brokers:
                    return
            except KafkaException:
                assert time.monotonic() < end, self.logs()

    def tool(self, main, *words):
        """Runs a command line of Kafka as the nodes' own user."""
        client = self.folder / "client.properties"
        client.write_text("security.protocol=SSL\nssl.keystore.type=PEM\nssl.truststore.type=PEM\n"
                          f"ssl.keystore.location={self.certificates['kafka-node']}\n"
                          f"ssl.truststore.location={self.folder / 'tls/ca.pem'}\n")
        return subprocess.run(java(self.jars, self.folder, 128, main, "--bootstrap-server",
                                   f"localhost:{self.clients_port}", "--command-config", client, *words),
                              capture_output=True, text=True, timeout=WAIT_S, check=True).stdout

    def acls(self, *words):
        """Runs deploy/kafka/acls.sh, with kafka-acls.sh as a Kafka installation has it."""
        bin_folder = self.folder / "bin"
        bin_folder.mkdir(exist_ok=True)
        shim = bin_folder / "kafka-acls.sh"
        command = " ".join(f"'{word}'" for word in java(self.jars, self.folder, 128, "org.apache.kafka.tools.AclCommand"))
        shim.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        shim.chmod(0o755)
        self.tool("org.apache.kafka.tools.FeatureCommand", "describe")  # writes client.properties
        return subprocess.run(
            [PROFILE / "acls.sh", "--bootstrap", f"localhost:{self.clients_port}", "--command-config",
             self.folder / "client.properties", *words],
            env=os.environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}"}, capture_output=True, text=True,
            timeout=2 * WAIT_S)

    def taizhang(self, name, *words):
        """Runs `taizhang journal …` with the certificate `name`; one replica, for there is one broker."""
        properties = {key: value for key, value in self.settings(name).items()
                      if key.startswith(("security.", "ssl.", "broker."))}
        settings = self.folder / f"{name}.textproto"
        settings.write_text(f"""data_dir: "data"
journal {{ kafka {{
  bootstrap_servers: "localhost:{self.clients_port}" topic: "journal" partitions: 1
  replication_factor: 1 min_insync_replicas: 1
  {" ".join(f'properties {{ name: "{key}" value: "{value}" }}' for key, value in properties.items())}
}} }}
""")
        return subprocess.run([BUILD / "apps/taizhang/taizhang", "journal", *words, "--config", settings],
                              capture_output=True, text=True, timeout=WAIT_S)

    def logs(self):
        return "\n".join((self.folder / role / "log").read_text()[-2000:] for role in ("controller", "broker"))

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    profile = Profile(tmp_path_factory.mktemp("profile"))
    try:
        profile.wait_ready()
        yield profile
    finally:
        profile.end()


@pytest.fixture(scope="module")
def journal(profile):
    """A journal's topics, made by the administrator, with the permissions of acls.sh."""
    permitted = profile.acls("--topic", "journal", "--clean", "clean")
    assert permitted.returncode == 0, permitted.stdout + permitted.stderr
    made = profile.taizhang("kafka-admin", "create")
    assert made.returncode == 0, made.stdout + made.stderr
    admin = profile.admin("kafka-admin")
    admin.create_topics([NewTopic("clean", 1, 1, config={"min.insync.replicas": "1"})])["clean"].result(WAIT_S)
    return "journal"


def produce(profile, name, topic, value):
    """The error of one record's delivery, or None."""
    errors = []
    producer = Producer(profile.settings(name) | {"acks": "all", "message.timeout.ms": 30_000})
    producer.produce(topic, value, partition=0, on_delivery=lambda error, _: errors.append(error))
    producer.flush(WAIT_S)
    return errors[0] and errors[0].code()


def read(profile, name, topic):
    """The first record of a topic, or None, without a group's offsets."""
    consumer = Consumer(profile.settings(name) | {"group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(WAIT_S)
    consumer.close()
    return message and message.value()


def test_eligible_leader_replicas_are_on(profile):
    features = profile.tool("org.apache.kafka.tools.FeatureCommand", "describe")
    line = next(line for line in features.splitlines() if "eligible.leader.replicas.version" in line)
    assert "FinalizedVersionLevel: 1" in line


def test_the_broker_runs_with_the_settings_of_the_file(profile):
    resource = ConfigResource(ResourceType.BROKER, "1")
    admin = profile.admin("kafka-node")
    settings = admin.describe_configs([resource])[resource].result(WAIT_S)
    for line in (PROFILE / "broker.properties").read_text().splitlines():
        key, _, value = line.partition("=")
        if line.startswith("#") or not line or "${env:" in value or key.startswith("config.providers"):
            continue
        # The broker does not tell what it does not know the type of; the permissions tested below do.
        assert settings[key].value == value or settings[key].is_sensitive, key


def test_writer_and_reader_do_their_work_and_no_more(profile, journal):
    idempotent = Producer(profile.settings("taizhang-writer") | {"enable.idempotence": True})
    idempotent.produce(journal, "record", partition=0)
    assert idempotent.flush(WAIT_S) == 0
    assert produce(profile, "taizhang-writer", "journal.heartbeat", "alive") is None
    assert produce(profile, "taizhang-reader", "clean", "event") is None
    for who in ("taizhang-writer", "taizhang-reader"):
        assert read(profile, who, journal) == b"record"
    assert read(profile, "stranger", "clean") == b"event"
    refused = KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert produce(profile, "taizhang-reader", journal, "forged") == refused
    assert produce(profile, "stranger", "clean", "forged") == refused
    seen = profile.admin("stranger").list_topics(journal, timeout=WAIT_S).topics[journal]
    assert seen.error.code() == refused


@pytest.mark.parametrize("who", ["taizhang-writer", "taizhang-reader"])
def test_writer_and_reader_may_check_their_topics(profile, journal, who):
    checked = profile.taizhang(who, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("who", ["kafka-admin", "taizhang-writer", "taizhang-reader"])
def test_nobody_takes_anything_from_the_journal(profile, journal, who):
    admin = profile.admin(who)
    topic = ConfigResource(ResourceType.TOPIC, journal)
    topic.add_incremental_config(
        ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET))
    attempts = {
        "delete the topic": admin.delete_topics([journal]),
        "delete records": admin.delete_records([TopicPartition(journal, 0, 1)]),
        "give it retention": admin.incremental_alter_configs([topic]),
        "add partitions": admin.create_partitions([NewPartitions(journal, 2)]),
    }
    for what, futures in attempts.items():
        for future in futures.values():
            with pytest.raises(KafkaException) as refused:
                future.result(WAIT_S)
            assert refused.value.args[0].code() in (KafkaError.TOPIC_AUTHORIZATION_FAILED,
                                                    KafkaError.TOPIC_DELETION_DISABLED), what


def test_a_topic_is_not_deleted_by_a_super_user_either(profile, journal):
    admin = profile.admin("kafka-node")
    with pytest.raises(KafkaException) as refused:
        admin.delete_topics(["clean"])["clean"].result(WAIT_S)
    assert refused.value.args[0].code() == KafkaError.TOPIC_DELETION_DISABLED


def test_no_certificate_no_connection(profile):
    with pytest.raises(KafkaException):
        profile.admin(None).list_topics(timeout=3)


def test_permissions_want_a_topic(profile):
    assert "--topic is missing" in profile.acls().stderr
