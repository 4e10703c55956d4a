"""A client of Taizhang from its protos alone: records one thing exactly once, and follows a ledger's events exactly once.

    python3 -m grpc_tools.protoc -I proto --python_out=GENERATED --grpc_python_out=GENERATED $(find proto -name '*.proto')
    TAIZHANG_TOKEN=… python3 client.py GENERATED ADDRESS LEDGER register ORG_ID NAME REGION
    TAIZHANG_TOKEN=… python3 client.py GENERATED ADDRESS LEDGER follow RESULTS.sqlite
"""

import os
import sqlite3
import sys
import time
import uuid

import grpc

sys.path.insert(0, sys.argv[1])
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from taizhang.common.v1 import values_pb2  # noqa: E402
from taizhang.ledger.v1 import ledger_pb2, ledger_pb2_grpc  # noqa: E402
from taizhang.registry.v1 import commands_pb2, service_pb2_grpc, values_pb2 as registry_pb2  # noqa: E402

address, ledger, verb, *arguments = sys.argv[2:]
channel = grpc.insecure_channel(address)
caller = [("authorization", f"Bearer {os.environ['TAIZHANG_TOKEN']}")]
# What says nothing about the request itself. What became of it is found out by sending it again: same id, same answer.
PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED,
           grpc.StatusCode.CANCELLED}
PAUSE_S = 1


def details(error):
    """The google.rpc messages of an error, by type."""
    raw = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    found = {}
    for packed in status_pb2.Status.FromString(raw).details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.LocalizedMessage, error_details_pb2.RetryInfo):
            if packed.Is(kind.DESCRIPTOR):
                packed.Unpack(found.setdefault(kind, kind()))
    return found


def register(org_id, name, region):
    request = commands_pb2.RegisterOrganisationRequest(
        ledger=ledger, org_id=org_id, name={"text": name}, kind=registry_pb2.ORGANISATION_KIND_GOVERNMENT, region=region)
    # The id comes from the thing itself, so that it is the same after a crash of this program as well.
    request.context.request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{ledger}/organisation/{org_id}"))
    request.context.effective_date.year, request.context.effective_date.month, request.context.effective_date.day = 2020, 1, 1
    request.context.source.kind = values_pb2.Source.KIND_FORM
    service = service_pb2_grpc.RegistryServiceStub(channel)
    while True:
        try:
            receipt = service.RegisterOrganisation(request, timeout=10, metadata=caller).receipt
            return print(f"seq {receipt.first_seq}" + (" (recorded before)" if receipt.duplicate else ""))
        except grpc.RpcError as error:
            told = details(error)
            if error.code() not in PASSING:
                reason = told.get(error_details_pb2.ErrorInfo, error_details_pb2.ErrorInfo()).reason
                clerk = told.get(error_details_pb2.LocalizedMessage, error_details_pb2.LocalizedMessage()).message
                sys.exit(f"refused: {error.code().name} {reason} {clerk}")
            retry = told.get(error_details_pb2.RetryInfo)
            time.sleep(retry.retry_delay.ToTimedelta().total_seconds() if retry else PAUSE_S)


def follow(results):
    db = sqlite3.connect(results)
    db.execute("CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, type, subject, time, payload)")
    db.execute("CREATE TABLE IF NOT EXISTS place (ledger PRIMARY KEY, seq INTEGER)")
    db.execute("INSERT OR IGNORE INTO place VALUES (?, 0)", (ledger,))
    service = ledger_pb2_grpc.LedgerServiceStub(channel)
    while True:
        (seq,) = db.execute("SELECT seq FROM place WHERE ledger = ?", (ledger,)).fetchone()
        try:
            for message in service.Subscribe(ledger_pb2.SubscribeRequest(ledger=ledger, after_seq=seq), timeout=3600,
                                             metadata=caller):
                events = message.batch.events
                seq = events[-1].seq if events else max(seq, message.checkpoint.seq)
                with db:  # the results and the place change together: no event is lost or met twice
                    db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?)", [
                        (e.seq, e.type, e.subject, e.time.ToJsonString(), e.payload) for e in events])
                    db.execute("UPDATE place SET seq = ? WHERE ledger = ?", (seq, ledger))
        except grpc.RpcError as error:
            if error.code() not in PASSING:
                sys.exit(f"{error.code().name}: {error.details()}")
            time.sleep(PAUSE_S)


{"register": register, "follow": follow}[verb](*arguments)
