"""Two requests of the Kafka protocol, so that starting a broker needs no client library.

Metadata (who is in the cluster) and InitProducerId (is the broker ready for idempotent producers). Both in versions
that every broker since 0.11 speaks.
"""

import socket
import struct

METADATA, INIT_PRODUCER_ID = 3, 22
TIMEOUT_S = 2


def _call(address, api, version, body):
    host, port = address.rsplit(":", 1)
    head = struct.pack(">hhih", api, version, 1, -1)  # correlation id 1, no client id
    with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        size, _ = struct.unpack(">ii", _read(connection, 8))
        return _read(connection, size - 4)


def _read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the broker closed the connection")
        data += more
    return data


def broker_ids(address):
    """Ids of the brokers that the one at `address` knows to be alive. OSError while it does not answer."""
    answer = _call(address, METADATA, 1, struct.pack(">i", 0))
    (count,) = struct.unpack_from(">i", answer)
    at = 4
    ids = set()
    for _ in range(count):
        node, host_size = struct.unpack_from(">ih", answer, at)
        at += 6 + host_size + 4
        (rack_size,) = struct.unpack_from(">h", answer, at)
        at += 2 + max(rack_size, 0)
        ids.add(node)
    return ids


def producers_welcome(address):
    """Whether an idempotent producer gets its id at once; a fresh broker first answers "coordinator load in progress",
    which a librdkafka client retries every 500 ms."""
    answer = _call(address, INIT_PRODUCER_ID, 0, struct.pack(">hi", -1, 60_000))
    _, error = struct.unpack_from(">ih", answer)
    return error == 0
