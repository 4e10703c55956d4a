"""A client made from the protos alone, and a taizhangd of its own for tests.

What a stranger would write: protoc output of proto/, grpcio, a token. Nothing of our C++ is read.
"""

import hashlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import time
import uuid

import grpc
from google.protobuf import json_format, symbol_database

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TAIZHANG_BUILD", ROOT / "build/dev"))


def generate(out):
    """Generates Python modules from proto/ into `out` and makes them importable."""
    from grpc_tools import protoc
    import grpc_tools

    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto")
                   if "health" not in path.parts)
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    status = protoc.main(["protoc", f"-I{ROOT / 'proto'}", f"-I{well_known}", f"--python_out={out}", *files])
    assert status == 0, "protoc failed"
    sys.path.insert(0, str(out))
    for name in files:
        __import__(name[: -len(".proto")].replace("/", ".") + "_pb2")


class Refused(Exception):
    """A call that did not end well: code, reason, zh text, metadata, violations."""

    def __init__(self, code, message, details=()):
        """`details`: those of a google.rpc.Status."""
        from google.rpc import error_details_pb2

        self.code = code
        self.message = message
        self.reason = self.zh = ""
        self.metadata = {}
        self.violations = []
        self.retry_after_s = None
        for detail in details:
            for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest,
                         error_details_pb2.LocalizedMessage, error_details_pb2.RetryInfo):
                if not detail.Is(kind.DESCRIPTOR):
                    continue
                said = kind()
                detail.Unpack(said)
                if kind is error_details_pb2.ErrorInfo:
                    self.reason, self.metadata = said.reason, dict(said.metadata)
                elif kind is error_details_pb2.BadRequest:
                    self.violations = [(v.field, v.description) for v in said.field_violations]
                elif kind is error_details_pb2.LocalizedMessage:
                    self.zh = said.message
                else:
                    self.retry_after_s = said.retry_delay.seconds + said.retry_delay.nanos / 1e9
        super().__init__(f"{self.code} {self.reason}: {self.message} {self.metadata}")

    @classmethod
    def of_call(cls, error):
        """Of a grpc.RpcError."""
        from google.rpc import status_pb2

        details = [value for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin"]
        return cls(error.code().name, error.details(), status_pb2.Status.FromString(details[0]).details if details else ())

    @classmethod
    def of_command(cls, status):
        """Of the google.rpc.Status of one command of the bulk stream."""
        code, = (code.name for code in grpc.StatusCode if code.value[0] == status.code)
        return cls(code, status.message, status.details)


# How long anything may take that will come: a bound for what hangs, on a machine that does much else at the same time.
PATIENCE_S = 120

# Of a Kafka journal: more than one, so that ledgers do not all lie in the directory's.
PARTITIONS = 2

PROFILES = {
    "operator": {"roles": ["ROLE_OPERATOR"]},
    "maker": {"roles": ["ROLE_MAKER"]},
    "maker2": {"roles": ["ROLE_MAKER"]},
    "checker": {"roles": ["ROLE_CHECKER"]},
    "reader": {"roles": ["ROLE_READER"]},
}


def token_of(profile):
    return f"test-token-of-{profile}-0123456789"


class Client:
    """Calls any method by name: call("funds.SpendDirectly", {...}, as_="maker")."""

    def __init__(self, address, admin_address=None):
        """`admin_address`: where package taizhang.admin is served; None: this client asks nothing of it."""
        self.address = address
        self.channel = grpc.insecure_channel(address)
        self.admin_channel = grpc.insecure_channel(admin_address) if admin_address else self.channel

    def close(self):
        self.channel.close()
        self.admin_channel.close()

    def healthy(self):
        """Whether the server as a whole says SERVING."""
        check = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        return check(b"", timeout=60) == b"\x08\x01"  # HealthCheckResponse { status: SERVING }

    def channel_of(self, method):
        return self.admin_channel if method.containing_service.full_name.startswith("taizhang.admin.") else self.channel

    @staticmethod
    def method(name):
        """"funds.SpendDirectly" -> its descriptor; services of a package are looked through in file order."""
        pool = symbol_database.Default().pool
        package, short = name.rsplit(".", 1)
        stem = package if package.startswith("taizhang.") else f"taizhang.{package}.v1"
        for name in ("service", "ledger", "bulk"):
            try:
                file = pool.FindFileByName(f"{stem.replace('.', '/')}/{name}.proto")
            except KeyError:
                continue
            for service in file.services_by_name.values():
                if short in service.methods_by_name:
                    return service.methods_by_name[short]
        raise KeyError(name)

    def message(self, descriptor, fields):
        from google.protobuf import message_factory

        message = message_factory.GetMessageClass(descriptor)()
        json_format.ParseDict(fields, message)
        return message

    def call(self, name, request, as_="maker", timeout=60, token=None):
        from google.protobuf import message_factory

        method = self.method(name)
        if isinstance(request, dict):
            request = self.message(method.input_type, request)
        response = message_factory.GetMessageClass(method.output_type)
        stub = self.channel_of(method).unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda m: m.SerializeToString(), response_deserializer=response.FromString)
        metadata = [("authorization", f"Bearer {token or token_of(as_)}")] if as_ or token else []
        try:
            return stub(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise Refused.of_call(error) from None

    def is_built(self):
        """Whether no view is being built: meanwhile its queries answer UNAVAILABLE."""
        return not any(view.building for view in self.call("admin.GetStatus", {}, as_="operator").views)

    def wait_for_views(self, wait_s=PATIENCE_S):
        """Until every view is built and holds what the journal held at some moment of the call; that status."""
        end = time.monotonic() + wait_s
        while True:
            status = self.call("admin.GetStatus", {}, as_="operator")
            if all(not view.building and view.position == view.journal_end for view in status.views):
                return status
            assert time.monotonic() < end, status
            time.sleep(0.02)

    def bulk(self, as_="maker", timeout=300):
        return BulkStream(self, as_, timeout)

    def stream(self, name, request, as_="reader", timeout=PATIENCE_S):
        from google.protobuf import message_factory

        method = self.method(name)
        response = message_factory.GetMessageClass(method.output_type)
        stub = self.channel_of(method).unary_stream(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda m: m.SerializeToString(), response_deserializer=response.FromString)
        return stub(self.message(method.input_type, request), timeout=timeout,
                    metadata=[("authorization", f"Bearer {token_of(as_)}")])


class BulkStream:
    """CommandService.Execute, used by one thread: a message of commands, then its answers."""

    def __init__(self, client, as_, timeout):
        from google.protobuf import message_factory

        method = client.method("ledger.Execute")
        self.client = client
        self.request = message_factory.GetMessageClass(method.input_type)
        response = message_factory.GetMessageClass(method.output_type)
        self.messages = queue.SimpleQueue()
        self.answers = client.channel.stream_stream(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda m: m.SerializeToString(), response_deserializer=response.FromString)(
                iter(self.messages.get, None), timeout=timeout,
                metadata=[("authorization", f"Bearer {token_of(as_)}")])

    def execute(self, commands):
        """[(method, request)] -> what became of each: a CommandResult or a Refused. Raises Refused when the stream
        ends before the answers are there."""
        message = self.request()
        for method, request in commands:
            self._row(message.commands.add(), self.client.method(method).input_type).CopyFrom(
                self.client.message(self.client.method(method).input_type, request))
        self.messages.put(message)
        try:
            answer = next(self.answers)
        except grpc.RpcError as error:
            raise Refused.of_call(error) from None
        return [result if result.HasField("receipt") else Refused.of_command(result.refusal)
                for result in answer.results]

    @staticmethod
    def _row(command, request):
        """Where a request of that type stands in the two-level oneof."""
        for context in command.DESCRIPTOR.fields:
            for field in context.message_type.fields:
                if field.message_type is request:
                    return getattr(getattr(command, context.name), field.name)
        raise KeyError(request.full_name)

    def close(self):
        self.messages.put(None)
        self.answers.cancel()


class Server:
    """A taizhangd on a folder of its own; ended by its process id."""

    def __init__(self, folder, profiles=None, settings="", environment=None, journal=None):
        """`journal`: segments or kafka, the latter on the broker of TAIZHANG_KAFKA; None: what TAIZHANG_JOURNAL says,
        segments where it says nothing."""
        journal = journal or os.environ.get("TAIZHANG_JOURNAL", "segments")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.environment = environment or {}
        self.profiles = dict(PROFILES) | (profiles or {})
        tokens = self.folder / "tokens.textproto"
        tokens.write_text("".join(self._profile_text(name, p) for name, p in self.profiles.items()))
        tokens.chmod(0o600)
        self.config = self.folder / "taizhangd.textproto"
        self.config.write_text(
            'data_dir: "data"\nlisten: "127.0.0.1:0"\nadmin_listen: "127.0.0.1:0"\nmetrics_port: 0\n'
            f"log_level: LOG_LEVEL_WARNING\n{settings}{self._journal(journal)}")
        self.data = self.folder / "data"

    def _journal(self, kind):
        """The settings of a journal of its own: files in the data folder, or topics that `start` makes."""
        if kind not in ("segments", "kafka"):
            raise ValueError(f"journal: expected segments or kafka, got {kind}")
        self.kafka = self.topics_wanted = kind == "kafka"
        if not self.kafka:
            return ""
        return f"""journal {{ kafka {{
  bootstrap_servers: "{os.environ["TAIZHANG_KAFKA"]}" topic: "book-{uuid.uuid4().hex}" partitions: {PARTITIONS}
  replication_factor: 1 min_insync_replicas: 1
}} }}
"""

    def make_topics(self):
        """`taizhang journal create`, once."""
        if not self.topics_wanted:
            return
        made = subprocess.run([BUILD / "apps/taizhang/taizhang", "journal", "create", "--config", self.config],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        if made.returncode:
            raise RuntimeError(f"taizhang journal create ended with {made.returncode}:\n{made.stdout}{made.stderr}")
        self.topics_wanted = False

    @staticmethod
    def _profile_text(name, profile):
        lines = [f'name: "{name}"', f'subject: "{profile.get("subject", name)}"']
        lines += [f'{key}: "{profile[key]}"' for key in ("worker_id", "org_id") if key in profile]
        lines += [f"roles: {role}" for role in profile["roles"]]
        lines += [f'rights: "{right}"' for right in profile.get("rights", [])]
        regions = profile.get("regions")
        lines += [f'regions: "{region}"' for region in regions] if regions else ["everywhere: true"]
        lines.append(f'token_sha256: "{hashlib.sha256(token_of(name).encode()).hexdigest()}"')
        return "profiles {\n  " + "\n  ".join(lines) + "\n}\n"

    def start(self, wait_s=PATIENCE_S, arguments=(), serving=True, built=True):
        """A client of the server, which answers. `serving`: and decides commands; a writer that stands by and a reader do
        not. On files that is the same moment. Health is asked, not the writer: it follows the writer a moment later.
        `built`: and none of its views is being built, so that queries are answered; after a kill -9 a view may begin from
        nothing."""
        address = self.data / "address"
        admin_address = self.data / "admin_address"
        for stale in (address, admin_address):
            stale.unlink(missing_ok=True)
        self.make_topics()
        self.log = open(self.folder / "taizhangd.log", "ab")
        self.process = subprocess.Popen(
            [BUILD / "apps/taizhangd/taizhangd", "--config", self.config, *arguments],
            stdout=self.log, stderr=self.log, env=os.environ | self.environment)
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"taizhangd ended with {self.process.returncode}:\n{self.log_text()}")
            if address.exists() and address.read_text().strip():
                self.address = address.read_text().strip()
                self.admin_address = admin_address.read_text().strip()
                client = self.connect()
                try:
                    if (not (self.kafka and serving) or client.healthy()) and (not built or client.is_built()):
                        return client
                except (Refused, grpc.RpcError):
                    if self.process.poll() is None:
                        raise
                client.close()
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"taizhangd did not start in {wait_s} s:\n{self.log_text()}")

    def connect(self):
        """Another client of this server, which runs."""
        return Client(self.address, self.admin_address)

    def log_text(self):
        """The end of what it logged, for people."""
        return (self.folder / "taizhangd.log").read_text()[-4000:]

    def has_logged(self, what):
        return what in (self.folder / "taizhangd.log").read_text()

    def stop(self, wait_s=PATIENCE_S):
        """Graceful; returns the exit code."""
        if not self.process:
            return None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(wait_s)
        self.process = None
        return code

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def peak_memory_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.split("\n") if line.startswith("VmHWM")))


_names = uuid.UUID("6f1b1c1e-0000-4000-8000-000000000000")


def uid(name):
    """The UUID that stands for a word."""
    return str(uuid.uuid5(_names, name))


def date(day):
    """20170731 -> a Date."""
    return {"year": day // 10000, "month": day // 100 % 100, "day": day % 100}


def context(request=None, effective=None, **more):
    fields = {"request_id": request or str(uuid.uuid4()), "source": {"kind": "KIND_FORM", "note": "synthetic"}, **more}
    if effective:
        fields["effective_date"] = date(effective)
    return fields


def command_file(path, ledger):
    """Lines of a command file as (profile, method, request)."""
    for line in pathlib.Path(path).read_text().splitlines():
        if line.strip():
            entry = json.loads(line.replace("${LEDGER}", ledger))
            yield entry["as"], entry["method"], entry["request"]
