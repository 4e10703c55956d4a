"""A client made from the protos alone, and a taizhangd of its own for tests.

What a stranger would write: protoc output of proto/, grpcio, a token. Nothing of our C++ is read.
"""

import hashlib
import json
import os
import pathlib
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

    def __init__(self, error):
        from google.rpc import error_details_pb2, status_pb2

        self.code = error.code().name
        self.message = error.details()
        self.reason = self.zh = ""
        self.metadata = {}
        self.violations = []
        self.retry_after_s = None
        for key, value in error.trailing_metadata() or ():
            if key != "grpc-status-details-bin":
                continue
            for detail in status_pb2.Status.FromString(value).details:
                for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest,
                             error_details_pb2.LocalizedMessage, error_details_pb2.RetryInfo):
                    if not detail.Is(kind.DESCRIPTOR):
                        continue
                    message = kind()
                    detail.Unpack(message)
                    if kind is error_details_pb2.ErrorInfo:
                        self.reason, self.metadata = message.reason, dict(message.metadata)
                    elif kind is error_details_pb2.BadRequest:
                        self.violations = [(v.field, v.description) for v in message.field_violations]
                    elif kind is error_details_pb2.LocalizedMessage:
                        self.zh = message.message
                    else:
                        self.retry_after_s = message.retry_delay.seconds + message.retry_delay.nanos / 1e9
        super().__init__(f"{self.code} {self.reason}: {self.message} {self.metadata}")


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

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)

    def close(self):
        self.channel.close()

    @staticmethod
    def method(name):
        """"funds.SpendDirectly" -> its descriptor; services of a package are looked through in file order."""
        pool = symbol_database.Default().pool
        package, short = name.rsplit(".", 1)
        stem = package if package.startswith("taizhang.") else f"taizhang.{package}.v1"
        for path in (stem.replace(".", "/") + "/service.proto", stem.replace(".", "/") + "/ledger.proto"):
            try:
                file = pool.FindFileByName(path)
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

    def call(self, name, request, as_="maker", timeout=20, token=None):
        from google.protobuf import message_factory

        method = self.method(name)
        if isinstance(request, dict):
            request = self.message(method.input_type, request)
        response = message_factory.GetMessageClass(method.output_type)
        stub = self.channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda m: m.SerializeToString(), response_deserializer=response.FromString)
        metadata = [("authorization", f"Bearer {token or token_of(as_)}")] if as_ or token else []
        try:
            return stub(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise Refused(error) from None

    def stream(self, name, request, as_="reader", timeout=60):
        from google.protobuf import message_factory

        method = self.method(name)
        response = message_factory.GetMessageClass(method.output_type)
        stub = self.channel.unary_stream(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda m: m.SerializeToString(), response_deserializer=response.FromString)
        return stub(self.message(method.input_type, request), timeout=timeout,
                    metadata=[("authorization", f"Bearer {token_of(as_)}")])


class Server:
    """A taizhangd on a folder of its own; ended by its process id."""

    def __init__(self, folder, profiles=None, settings="", environment=None):
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
            'data_dir: "data"\nlisten: "127.0.0.1:0"\nmetrics_port: 0\nlog_level: LOG_LEVEL_WARNING\n' + settings)
        self.data = self.folder / "data"

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

    def start(self, wait_s=30, arguments=()):
        address = self.data / "address"
        if address.exists():
            address.unlink()
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
                return Client(self.address)
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"taizhangd did not start in {wait_s} s:\n{self.log_text()}")

    def log_text(self):
        return (self.folder / "taizhangd.log").read_text()[-4000:]

    def stop(self, wait_s=30):
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
