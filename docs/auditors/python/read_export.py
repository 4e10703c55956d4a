"""Prints the events of an export as JSON lines and checks its chain, from the file alone: python3 read_export.py FILE"""

import hashlib
import json
import struct
import sys
import uuid

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

pool = descriptor_pool.DescriptorPool()


def frames(file):
    """(kind, body) of each frame up to the trailer, the chain checked."""
    digest, n, at = hashlib.sha256(magic := file.read(8)).digest(), 0, 8
    kind = None if magic == b"TZEXPRT1" else sys.exit("it does not begin like an export of events")
    while kind != 4:
        head, where = file.read(48), f"frame {n} at byte {at}: "
        length, kind, stands = struct.unpack("<IB3xQ", head[:16].ljust(16, b"\0"))
        body = file.read(length)
        if len(head) < 48 or len(body) < length:
            sys.exit(where + "the file ends before the frame does: its end is cut off")
        digest = hashlib.sha256(digest + head[:16] + body).digest()
        if digest != head[16:]:
            sys.exit(where + ("its digest does not continue the frame before: bytes were changed" if stands == n else
                              f"frame {stands} stands here: frames were moved, put in or taken out"))
        yield kind, body
        n, at = n + 1, at + 48 + length
    if file.read(1):
        sys.exit(f"byte {at}: something stands behind the trailer")
    print("head", digest.hex(), file=sys.stderr)


def parse(name, data):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("taizhang." + name)).FromString(data)


seq = 0
for kind, body in frames(open(sys.argv[1], "rb")):
    if kind == 1:  # schemas, each behind its imports
        for schema in descriptor_pb2.FileDescriptorSet.FromString(body).file:
            pool.Add(schema)
    elif kind == 3:
        exported = parse("ledger.v1.ExportedCommit", body)
        commit = parse("journal.v1.Commit", exported.commit)
        requests = [request for request in commit.requests for _ in range(request.events)]
        for i, event in enumerate(commit.events):
            seq = seq + 1 if commit.first_seq + i == seq + 1 else sys.exit(f"seq {commit.first_seq + i} stands behind seq {seq}")
            line = {"ledger": commit.ledger, "seq": seq, "type": event.type, "effective_date": event.effective_date,
                    "recorded_time_us": commit.recorded_time_us, "cause": event.cause and commit.first_seq + event.cause - 1}
            if i < len(requests):
                line |= {"request_id": str(uuid.UUID(bytes=requests[i].request_id)), "command": requests[i].command,
                         "who": requests[i].actor.subject, "why": requests[i].reason}
            withheld = seq in exported.withheld_seqs
            line |= {"withheld": True} if withheld else {
                "data": json_format.MessageToDict(parse(event.type, event.payload), preserving_proto_field_name=True)}
            print(json.dumps(line, ensure_ascii=False))
    elif kind == 4 and parse("ledger.v1.ExportTrailer", body).last_seq != seq:
        sys.exit("the trailer does not say what stands before it")
