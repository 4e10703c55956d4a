"""Judges a history of calls and answers against the events of the ledger: python judge.py HISTORY EVENTS

EVENTS is JSON lines, {"seq", "first_seq", "last_seq", "request_id", "time_us", "payload": base64}, as ReadEvents gave
them. Prints what is wrong, one line each; exit code 1 if anything is. It knows nothing of the server but its promises:

  every acknowledged command is there exactly once, where its receipt says; a refused one never;
  positions have no gap, recorded times rise; nothing is there that nobody asked for;
  what was answered before another call began stands before it; a cancelled request never took effect.
"""

import base64
import collections
import json
import sys

import history


class Call:
    def __init__(self, entry):
        self.number = entry["call"]
        self.begun = entry["t"]
        self.life = entry["life"]
        self.method = entry["method"]
        self.request_id = entry["request_id"]
        self.body = entry.get("body", "")
        self.names = entry.get("names", "")
        self.ended = None
        self.answer = None

    @property
    def acknowledged(self):
        return bool(self.answer and "ok" in self.answer and not self.answer["ok"]["unchanged"])

    @property
    def unchanged(self):
        return bool(self.answer and "ok" in self.answer and self.answer["ok"]["unchanged"])

    @property
    def may_have_happened(self):
        return not self.answer or self.acknowledged or self.answer.get("effect") == "unknown"

    @property
    def asks(self):
        return self.method == "ledger.GetOutcome"

    def __str__(self):
        return f"call {self.number} ({self.method}, request {self.request_id})"


def calls_of(entries):
    calls = {}
    for entry in entries:
        if "call" in entry:
            calls[entry["call"]] = Call(entry)
        elif "dead" in entry:
            for call in calls.values():
                if call.life == entry["dead"] and call.ended is None:
                    call.ended = entry["t"]
        else:
            call = calls[entry["answer"]]
            call.ended, call.answer = entry["t"], entry
    return list(calls.values())


class Commit:
    def __init__(self, events):
        self.first_seq = events[0]["first_seq"]
        self.last_seq = events[0]["last_seq"]
        self.request_id = events[0]["request_id"]
        self.time_us = events[0]["time_us"]
        self.payload = b"".join(base64.b64decode(event["payload"]) for event in events)

    @property
    def place(self):
        return self.first_seq, self.last_seq


def commits_of(events, wrong):
    """Commits in order; what is wrong with the order itself goes into `wrong`."""
    for place, event in enumerate(events, start=1):
        if event["seq"] != place:
            wrong.append(f"gap: event {place} of the ledger has seq {event['seq']}")
            return []
    commits = []
    at = 0
    while at < len(events):
        first = events[at]
        group = events[at:at + first["last_seq"] - first["first_seq"] + 1]
        at += len(group)
        same = {(e["first_seq"], e["last_seq"], e["request_id"], e["time_us"]) for e in group}
        if len(same) != 1 or first["seq"] != first["first_seq"] or group[-1]["seq"] != first["last_seq"]:
            wrong.append(f"torn: the commit at seq {first['seq']} is not whole")
            continue
        commits.append(Commit(group))
    for before, after in zip(commits, commits[1:]):
        if after.time_us <= before.time_us:
            wrong.append(f"time: recorded time does not rise at seq {after.first_seq}")
    return commits


def judge(entries, events):
    """What is wrong, in words; empty: nothing."""
    wrong = []
    commits = commits_of(events, wrong)
    calls = calls_of(entries)
    by_request = collections.defaultdict(list)
    for commit in commits:
        by_request[commit.request_id].append(commit)
    asked = collections.defaultdict(list)
    for call in calls:
        asked[call.request_id].append(call)

    for request_id, found in by_request.items():
        _judge_commit(request_id, found, [c for c in asked[request_id] if not c.asks], wrong)
    places = {commit.place for commit in commits}
    for call in calls:
        _judge_answer(call, by_request[call.request_id], asked[call.request_id], places, wrong)
    _judge_names(commits, asked, wrong)
    _judge_order(calls, wrong)
    return wrong


def _judge_commit(request_id, found, calls, wrong):
    if len(found) > 1:
        wrong.append(f"twice: request {request_id} at seq {', '.join(str(c.first_seq) for c in found)}")
    if not calls:
        wrong.append(f"unasked: nobody sent request {request_id} at seq {found[0].first_seq}")
    elif not any(call.may_have_happened for call in calls):
        wrong.append(f"refused: request {request_id} at seq {found[0].first_seq} was only ever refused")


def _judge_answer(call, found, same_request, places, wrong):
    answer = call.answer
    if not answer:
        return
    if call.acknowledged:
        if not found:
            wrong.append(f"lost: {call} was acknowledged and is not there")
        elif (answer["ok"]["first_seq"], answer["ok"]["last_seq"]) != found[0].place:
            wrong.append(f"moved: {call} was acknowledged at seq {answer['ok']['first_seq']}"
                         f" and stands at {found[0].first_seq}")
        others = [c for c in same_request if c.acknowledged and not c.answer["ok"]["duplicate"]]
        if not answer["ok"]["duplicate"] and len(others) > 1:
            wrong.append(f"told twice: {call} is not the only one answered as the first")
        if call.body and any(c.acknowledged and c.body and c.body != call.body for c in same_request):
            wrong.append(f"reused: {call} was acknowledged for two bodies")
    elif call.unchanged:
        if (answer["ok"]["first_seq"], answer["ok"]["last_seq"]) not in places:
            wrong.append(f"nowhere: {call} was answered unchanged and names no commit")
    elif answer.get("reason") == "REQUEST_ID_REUSED" and not found:
        wrong.append(f"not reused: {call} was refused as reused and nothing bears its id")
    elif answer.get("reason") == "REQUEST_CANCELLED" and found:
        wrong.append(f"not cancelled: {call} was refused as cancelled and is there")
    elif answer.get("outcome") == "CANCELLED" and found:
        wrong.append(f"not cancelled: {call} was told cancelled and it is at seq {found[0].first_seq}")
    elif answer.get("outcome") == "COMMITTED":
        if not found or (answer["first_seq"], answer["last_seq"]) != found[0].place:
            wrong.append(f"not committed: {call} was told committed at seq {answer['first_seq']}")
    elif answer.get("outcome") == "ABSENT" and found:
        later = [c for c in same_request if not c.asks and (c.ended is None or c.ended > call.begun)]
        if not later:
            wrong.append(f"not absent: {call} was told absent and it is at seq {found[0].first_seq}")


def _judge_names(commits, asked, wrong):
    """Each commit holds what its own request named, and no two make the same thing."""
    made = {}
    for commit in commits:
        could = [c for c in asked[commit.request_id] if c.may_have_happened and not c.asks]
        if could and not any(c.names.encode() in commit.payload for c in could):
            wrong.append(f"other body: the commit at seq {commit.first_seq} is not what its request said")
        for names in {c.names for c in could if c.names and c.names.encode() in commit.payload}:
            if made.setdefault(names, commit.first_seq) != commit.first_seq:
                wrong.append(f"made twice: {names} at seq {made[names]} and {commit.first_seq}")


def _judge_order(calls, wrong):
    first = [c for c in calls if c.acknowledged and not c.answer["ok"]["duplicate"]]
    begun = sorted(first, key=lambda c: c.begun)
    highest = 0
    ended = sorted(first, key=lambda c: c.ended)
    done = 0
    for call in begun:
        while ended[done].ended < call.begun:
            highest = max(highest, ended[done].answer["ok"]["last_seq"])
            done += 1
        if call.answer["ok"]["first_seq"] <= highest:
            wrong.append(f"order: {call} stands before one that was answered before it began")


def main(history_path, events_path):
    with open(events_path, "rb") as file:
        events = [json.loads(line) for line in file]
    wrong = judge(history.read(history_path), events)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
