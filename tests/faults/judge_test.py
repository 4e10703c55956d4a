"""The judge finds each kind of lie: a good history passes, and every spoilt one is caught by its own word."""

import base64
import copy
import subprocess
import sys
import pathlib
import json

import pytest

import judge


def event(seq, request, names, first=None, last=None, time_us=None):
    return {"seq": seq, "first_seq": first or seq, "last_seq": last or seq, "request_id": request,
            "time_us": time_us or seq * 10, "payload": base64.b64encode(f"..{names}..".encode()).decode()}


def call(number, request, names, t, method="assistance.RecordVisit"):
    return {"t": t, "call": number, "life": 1, "method": method, "request_id": request, "body": f"body of {names}",
            "names": names}


def ok(number, t, first, last=None, duplicate=False, unchanged=False):
    return {"t": t, "answer": number,
            "ok": {"first_seq": first, "last_seq": last or first, "duplicate": duplicate, "unchanged": unchanged}}


def error(number, t, reason, effect="none"):
    return {"t": t, "answer": number, "error": "FAILED_PRECONDITION", "reason": reason, "effect": effect}


def outcome(number, t, said, first=0, last=0):
    return {"t": t, "answer": number, "outcome": said, "first_seq": first, "last_seq": last}


GOOD = [
    call(1, "r1", "n1", 1), ok(1, 2, 1),
    call(2, "r2", "n2", 3), ok(2, 5, 2, 3),
    call(3, "r2", "n2", 4), ok(3, 6, 2, 3, duplicate=True),
    call(4, "r3", "n3", 7), error(4, 8, "VISIT_REPEATED"),
    call(5, "r4", "n4", 9),                                   # in flight when the server died; it happened
    call(6, "r5", "n5", 9),                                   # the same; it did not
    {"t": 10, "dead": 1},
    call(7, "r6", "n1", 10), ok(7, 11, 1, unchanged=True),
    call(8, "r1", "n8", 10), error(8, 11, "REQUEST_ID_REUSED"),
    call(9, "r5", "", 12, "ledger.GetOutcome"), outcome(9, 13, "CANCELLED"),
    call(10, "r4", "", 12, "ledger.GetOutcome"), outcome(10, 13, "COMMITTED", 4, 4),
    call(11, "r5", "n5", 14), error(11, 15, "REQUEST_CANCELLED"),
    call(12, "r7", "", 16, "ledger.GetOutcome"), outcome(12, 17, "ABSENT"),
]
EVENTS = [event(1, "r1", "n1"), event(2, "r2", "n2", 2, 3, 20), event(3, "r2", "n2", 2, 3, 20), event(4, "r4", "n4")]


def test_a_good_history_passes():
    assert judge.judge(GOOD, EVENTS) == []


def without(entries, number):
    return [e for e in entries if e.get("call") != number and e.get("answer") != number]


SPOILT = {
    "lost": (GOOD, EVENTS[1:] and [event(1, "r4", "n4")]),
    "gap": (GOOD, EVENTS[:1] + EVENTS[3:]),
    "torn": (GOOD, [event(1, "r1", "n1"), event(2, "r2", "n2", 2, 3, 20), event(3, "r4", "n4")]),
    "time": (GOOD, EVENTS[:3] + [event(4, "r4", "n4", time_us=20)]),
    "twice": (GOOD, EVENTS + [event(5, "r1", "n1")]),
    "unasked": (GOOD, EVENTS + [event(5, "r99", "n99")]),
    "refused": (GOOD, EVENTS + [event(5, "r3", "n3")]),
    "moved": (without(GOOD, 1) + [call(1, "r1", "n1", 1), ok(1, 2, 4)], EVENTS),
    "told twice": (GOOD + [call(20, "r1", "n1", 30), ok(20, 31, 1)], EVENTS),
    "reused": (GOOD + [call(20, "r1", "n20", 30), ok(20, 31, 1, duplicate=True)], EVENTS),
    "nowhere": (GOOD + [call(20, "r20", "n2", 30), ok(20, 31, 3, unchanged=True)], EVENTS),
    "not reused": (GOOD + [call(20, "r20", "n20", 30), error(20, 31, "REQUEST_ID_REUSED")], EVENTS),
    "not cancelled": (GOOD, EVENTS + [event(5, "r5", "n5")]),
    "not committed": (GOOD + [call(20, "r5", "", 30, "ledger.GetOutcome"), outcome(20, 31, "COMMITTED", 9, 9)], EVENTS),
    "not absent": (GOOD + [call(20, "r4", "", 30, "ledger.GetOutcome"), outcome(20, 31, "ABSENT")], EVENTS),
    "other body": (GOOD, EVENTS[:3] + [event(4, "r4", "n5")]),
    "made twice": (GOOD + [call(20, "r20", "n1", 30)], EVENTS + [event(5, "r20", "n1")]),
    "order": (without(GOOD, 1) + [call(1, "r1", "n1", 30), ok(1, 31, 1)], EVENTS),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_one_is_caught(kind):
    entries, events = copy.deepcopy(SPOILT[kind])
    assert any(line.startswith(kind + ":") for line in judge.judge(entries, events)), judge.judge(entries, events)


def test_it_is_a_program(tmp_path):
    for name, lines in (("history", GOOD), ("good", EVENTS), ("bad", EVENTS[:1])):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    program = [sys.executable, str(pathlib.Path(judge.__file__)), str(tmp_path / "history")]
    assert subprocess.run([*program, str(tmp_path / "good")], capture_output=True).returncode == 0
    bad = subprocess.run([*program, str(tmp_path / "bad")], capture_output=True, text=True)
    assert bad.returncode == 1 and "lost: call 2" in bad.stdout
