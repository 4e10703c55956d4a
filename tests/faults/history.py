"""What the callers of a test did and were told, in a file that is synced before each step: JSON lines.

A call stands there before it is sent, its answer before the caller goes on. Times are nanoseconds of one monotonic
clock. A call without an answer was in flight when its server died and its caller saw no more.

  {"t", "call", "life", "method", "request_id", "body", "names"}
      body: digest of the request without its request id; names: an id that an event of this very request holds,
      empty where nothing is created
  {"t", "answer": call, "ok": {"first_seq", "last_seq", "duplicate", "unchanged"}}
  {"t", "answer": call, "outcome": "COMMITTED" | "ABSENT" | "CANCELLED", "first_seq", "last_seq"}   of GetOutcome
  {"t", "answer": call, "error": code, "reason", "effect": "none" | "unknown"}
  {"t", "dead": life}      the server of that life is gone, and with it every call it had not answered
"""

import json
import os
import threading
import time


class History:
    """Thread-safe; many writers share one sync."""

    def __init__(self, path):
        self.path = path
        self._file = open(path, "ab", buffering=0)
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._pending = []
        self._written = 0
        self._synced = 0
        self._calls = 0

    def call(self, **fields):
        """Notes a call and returns its number."""
        with self._lock:
            self._calls += 1
            number = self._calls
        self._write({"t": time.monotonic_ns(), "call": number, **fields})
        return number

    def answer(self, number, **fields):
        self._write({"t": time.monotonic_ns(), "answer": number, **fields})

    def dead(self, life):
        self._write({"t": time.monotonic_ns(), "dead": life})

    def close(self):
        self._file.close()

    def _write(self, entry):
        line = json.dumps(entry).encode() + b"\n"
        with self._lock:
            self._pending.append(line)
            self._written += 1
            own = self._written
        with self._sync_lock:
            if self._synced >= own:
                return
            with self._lock:
                batch, self._pending = self._pending, []
                upto = self._written
            self._file.write(b"".join(batch))
            os.fdatasync(self._file.fileno())
            self._synced = upto


def read(path):
    """The entries of a history, in the order in which they were written."""
    with open(path, "rb") as file:
        return [json.loads(line) for line in file]


def unsure(entries):
    """Calls of which their callers do not know whether they took effect."""
    calls = {entry["call"]: entry for entry in entries if "call" in entry}
    for entry in entries:
        if "answer" in entry and entry.get("effect") != "unknown":
            calls.pop(entry["answer"])
    return list(calls.values())
