"""A Kafka cluster of one or three nodes on loopback, with its life, death and data in a test's hands.

Plain Python and a Java runtime; no client library.
"""

import base64
import json
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time

import kafka_jars
import kafka_tls
import kafka_wire

START_S_MAX = 180  # three JVMs at once on two idle cores take 13 s
STOP_S_MAX = 30
# Below the range from which the kernel gives out ports to outgoing connections, so that nothing takes the port of a
# broker that is down for a moment.
PORTS = range(20_000, 32_000)
# `clients` is what the world uses; `inner` stays plain, for the brokers among themselves and for asking if they are up.
LISTENERS = ("inner", "controller", "clients")

LOGGING = """rootLogger.level=WARN
rootLogger.appenderRef.o.ref=o
appender.o.type=Console
appender.o.name=o
appender.o.layout.type=PatternLayout
appender.o.layout.pattern=%d %p %c{1}: %m%n
"""


def free_port():
    while True:
        port = random.choice(PORTS)
        if _is_free(port):
            return port


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def java(jars, folder, heap_mb, *words):
    """The words of a command that runs a class of `jars`; settings of its log go into `folder`."""
    logging = folder / "log.properties"
    logging.write_text(LOGGING)
    return ["java", "-XX:+UseSerialGC", f"-Xmx{heap_mb}m", "-Xshare:auto", f"-Dlog4j2.configurationFile={logging}",
            "-cp", f"{jars}/*", *map(str, words)]


class Kafka:
    """Nodes 1 … `nodes`, each broker and controller. Every call returns when the named thing has happened, or raises.

    folder     holds everything; given again, the cluster of that folder with its data is used.
    settings   lines of server.properties in addition to, or instead of, those written here.
    tls        clients come by SASL_SSL (PLAIN, user and password drawn here) with the CA in `ca_file`.
    keep       the nodes outlive this process; otherwise the kernel ends them with it.
    """

    def __init__(self, folder, nodes=1, version=kafka_jars.DEFAULT_VERSION, tls=False, settings=None, keep=False,
                 heap_mb=384):
        if nodes not in (1, 3):
            raise ValueError(f"nodes: expected 1 or 3, got {nodes}")
        self.folder = pathlib.Path(folder).absolute()
        self.jars = kafka_jars.jars(version)
        self.settings, self.keep, self.heap_mb = dict(settings or {}), keep, heap_mb
        self.processes = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = self.folder / "cluster.json"
        if self._file.exists():
            self.cluster = json.loads(self._file.read_text())
        else:
            self.cluster = {"id": "T" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[:21],
                            "nodes": nodes, "tls": tls, "password": secrets.token_hex(16),
                            "ports": self._draw_ports(nodes)}
            self._write_cluster()
            if tls:
                kafka_tls.Authority(self.folder / "tls").issue("broker", "localhost")
        self.nodes, self.tls = self.cluster["nodes"], self.cluster["tls"]
        self.user, self.password, self.ca_file = "taizhang", self.cluster["password"], self.folder / "tls/ca.pem"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    # Addresses

    @property
    def bootstrap(self):
        """host:port,… for clients."""
        host = "localhost" if self.tls else "127.0.0.1"  # a certificate is checked by name
        return ",".join(f"{host}:{self._port(node, 'clients')}" for node in self._all())

    def client_settings(self):
        """What a librdkafka client needs to come in."""
        settings = {"bootstrap.servers": self.bootstrap}
        if self.tls:
            settings |= {"security.protocol": "SASL_SSL", "ssl.ca.location": str(self.ca_file),
                         "sasl.mechanism": "PLAIN", "sasl.username": self.user, "sasl.password": self.password,
                         "broker.address.family": "v4"}
        return settings

    # Life and death

    def start(self):
        """Starts every node that does not run, and waits until each knows all the others."""
        down = [node for node in self._all() if not self.runs(node)]
        if len(down) == self.nodes and not all(_is_free(port) for p in self.cluster["ports"] for port in p.values()):
            self.cluster["ports"] = self._draw_ports(self.nodes)
            self._write_cluster()
        self._format([node for node in down if not (self.data(node) / "meta.properties").exists()])
        for node in down:
            self._launch(node)
        for node in down:
            self.wait_ready(node)

    def wait_ready(self, node, brokers=None, wait_s=START_S_MAX):
        """Until `node` answers, sees `brokers` alive (default: all nodes) and takes idempotent producers."""
        address = f"127.0.0.1:{self._port(node, 'inner')}"
        expected = set(brokers or self._all())
        end = time.monotonic() + wait_s
        seen = "no answer"
        while time.monotonic() < end:
            if not self.runs(node):
                raise RuntimeError(f"Kafka node {node} ended while starting:\n{self.log_text(node)}")
            try:
                seen = kafka_wire.broker_ids(address)
                if seen == expected and kafka_wire.producers_welcome(address):
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"Kafka node {node} was not ready in {wait_s} s (brokers seen: {seen}, expected: {expected}):\n"
                           f"{self.log_text(node)}")

    def kill(self, node=1):
        """kill -9."""
        self.processes[node].kill()
        self.processes.pop(node).wait()

    def stop(self, node=None):
        """SIGTERM to one node or to all; kill -9 for what does not end in 30 s (the last nodes have no quorum to ask)."""
        ending = [n for n in ([node] if node else self._all()) if self.runs(n)]
        for n in ending:
            self.processes[n].send_signal(signal.SIGCONT)
            self.processes[n].terminate()
        for n in ending:
            try:
                self.processes[n].wait(STOP_S_MAX)
                del self.processes[n]
            except subprocess.TimeoutExpired:
                self.kill(n)

    def end(self):
        """kill -9 of everything: the end of a test, when nobody needs the data."""
        for node in list(self.processes):
            self.kill(node)

    def pause(self, node=1):
        """SIGSTOP: the node keeps its connections and answers nothing."""
        self.processes[node].send_signal(signal.SIGSTOP)

    def resume(self, node=1):
        self.processes[node].send_signal(signal.SIGCONT)

    def restart(self, node=1):
        """Starts a node on its data again, after kill -9 if it runs; waits until it sees the nodes that run."""
        if self.runs(node):
            self.kill(node)
        self._launch(node)
        self.wait_ready(node, [n for n in self._all() if self.runs(n)])

    def runs(self, node=1):
        return node in self.processes and self.processes[node].poll() is None

    # Data of a stopped node

    def snapshot(self, node, to):
        """Copies the data of a node that does not run to the folder `to`, which must not exist."""
        self._want_down(node)
        shutil.copytree(self.data(node), to)

    def restore(self, node, source):
        """Puts a snapshot in the place of the data of a node that does not run."""
        self._want_down(node)
        shutil.rmtree(self.data(node))
        shutil.copytree(source, self.data(node))

    def data(self, node=1):
        return self.folder / f"node{node}/data"

    def log_text(self, node=1):
        return (self.folder / f"node{node}/kafka.log").read_text(errors="replace")[-4000:]

    def pid_file(self, node=1):
        return self.folder / f"node{node}/pid"

    # Inside

    def _all(self):
        return range(1, self.cluster["nodes"] + 1)

    def _port(self, node, listener):
        return self.cluster["ports"][node - 1][listener]

    @staticmethod
    def _draw_ports(nodes):
        return [{listener: free_port() for listener in LISTENERS} for _ in range(nodes)]

    def _write_cluster(self):
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(self.cluster, indent=1))

    def _want_down(self, node):
        if self.runs(node):
            raise RuntimeError(f"node {node} runs; its data is copied only when it is stopped")

    def _properties(self, node):
        replicas = min(self.nodes, 3)
        at = {listener: f"127.0.0.1:{self._port(node, listener)}" for listener in LISTENERS}
        host = "localhost" if self.tls else "127.0.0.1"
        lines = {
            "process.roles": "broker,controller",
            "node.id": node,
            "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{self._port(n, 'controller')}" for n in self._all()),
            "listeners": ",".join(f"{listener.upper()}://{at[listener]}" for listener in LISTENERS),
            "advertised.listeners": f"INNER://{at['inner']},CLIENTS://{host}:{self._port(node, 'clients')}",
            "inter.broker.listener.name": "INNER",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map":
                f"INNER:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENTS:{'SASL_SSL' if self.tls else 'PLAINTEXT'}",
            "log.dirs": self.data(node),
            "auto.create.topics.enable": "false",
            # A dead node is noticed in 3 s instead of 9: tests kill brokers.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "default.replication.factor": replicas,
            "min.insync.replicas": min(replicas, 2),
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": min(replicas, 2),
            "transaction.state.log.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
            "num.network.threads": 2,
            "num.io.threads": 2,
            # The default of 128 MB is taken at start, a third of the heap, for compaction, which no topic here uses.
            "log.cleaner.dedupe.buffer.size": 2 * 1024 * 1024,
        }
        if self.tls:
            lines |= {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": self.folder / "tls/broker.pem",
                "listener.name.clients.sasl.enabled.mechanisms": "PLAIN",
                "listener.name.clients.plain.sasl.jaas.config":
                    "org.apache.kafka.common.security.plain.PlainLoginModule required "
                    f'user_{self.user}="{self.password}";',
            }
        return "".join(f"{key}={value}\n" for key, value in (lines | self.settings).items())

    def _java(self, heap_mb, *words):
        return java(self.jars, self.folder, heap_mb, *words)

    def _write_properties(self, node):
        home = self.folder / f"node{node}"
        home.mkdir(exist_ok=True)
        file = home / "server.properties"
        file.touch(mode=0o600)
        file.write_text(self._properties(node))
        return file

    def _format(self, nodes):
        running = {}
        for node in nodes:
            file = self._write_properties(node)
            running[node] = subprocess.Popen(
                self._java(128, "kafka.tools.StorageTool", "format", "-t", self.cluster["id"], "-c", file),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for node, process in running.items():
            said, _ = process.communicate(timeout=START_S_MAX)
            if process.returncode:
                raise RuntimeError(f"the data folder of Kafka node {node} could not be formatted:\n{said[-2000:]}")

    def _launch(self, node):
        file = self._write_properties(node)
        words = self._java(self.heap_mb, "kafka.Kafka", file)
        with open(self.folder / f"node{node}/kafka.log", "ab") as log:
            self.processes[node] = subprocess.Popen(
                words if self.keep else ["setpriv", "--pdeathsig", "KILL", *words], start_new_session=self.keep,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid_file(node).write_text(str(self.processes[node].pid))
