"""`taizhang subscription …`: what an operator and a consumer in a shell do with a named subscription."""

import json
import re

import pytest
from command_line import NOT_FOUND, REFUSED, USAGE, Cli
from taizhang_client import ROOT, Server


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("cli"))
    server.start().close()
    cli = Cli(server)
    cli.ok("ledger", "open", "990101", "--name", "示例县", "--on", "2012-01-01")
    cli.ok("apply", ROOT / "deploy/reference.jsonl")
    yield cli
    server.stop()


def event_of(said):
    """Id of the event that a command said it recorded."""
    return said.split("(")[1].rstrip(")\n")


def received(cli, *more):
    said = cli.ok("subscription", "receive", "parameters", "--until-caught-up", "--json", *more)
    return [json.loads(line) for line in said.splitlines()]


def test_from_creating_to_deleting(cli):
    create = ("subscription", "create", "parameters", "--type", "rules.v1.ParameterDefined", "--attempts", 3)
    made = cli.ok(*create)
    assert made.startswith("subscription parameters: created (0000")
    event = event_of(made)
    assert cli.ok(*create) == f"subscription parameters: nothing changed ({event})\n"
    assert cli.run("subscription", "create", "parameters").returncode == REFUSED
    shown = cli.ok("subscription", "show", "parameters", "--at-least-event", event)
    assert "rules.v1.ParameterDefined" in shown and "3 attempts, 30000 ms to acknowledge, 256 outstanding" in shown
    listed = cli.ok("subscription", "list")
    assert "parameters" in listed and "rules.v1.ParameterDefined" in listed
    state = cli.json("subscription", "show", "parameters")["subscription"]
    assert 0 < int(state["lag_ms"]) <= int(re.search(r"^lag ms +(\d+)$", cli.ok("subscription", "show", "parameters"), re.M)[1])
    assert re.search(rf"^parameters +0 +{state['backlog']} +[1-9]\d* +0 +0 ", cli.ok("subscription", "list"), re.M)
    # Without an acknowledgement they come again, in a shell as anywhere.
    events = received(cli)
    assert events and all(event["type"] == "taizhang.rules.v1.ParameterDefined" for event in events)
    assert "attempt 2" in cli.ok("subscription", "receive", "parameters", "--count", 1)
    seqs = [event["seq"] for event in events]
    acknowledged = cli.ok("subscription", "ack", "parameters", ",".join(seqs[:2]))
    assert acknowledged.startswith("subscription parameters: position ")
    bad = events[2]
    parked = cli.ok("subscription", "park", "parameters", bad["subject"], bad["seq"], "--reason", "无法识别")
    assert "is parked" in parked
    shown = cli.ok("subscription", "show", "parameters", "--at-least-event", event_of(parked))
    assert bad["subject"] in shown and "无法识别" in shown
    assert cli.run("subscription", "skip", "parameters", bad["seq"]).returncode == REFUSED  # no reason
    assert "skipped" in cli.ok("subscription", "skip", "parameters", bad["seq"], "--reason", "已告知")
    assert "is replayed" in cli.ok("subscription", "replay", "parameters", bad["subject"])
    rest = received(cli, "--ack")
    assert [event["seq"] for event in rest] == seqs[3:]
    assert "0 will be delivered again" in cli.ok("subscription", "retry", "parameters", seqs[0])
    for wrong in (("ack", "parameters", f"{seqs[0]},"), ("ack", "parameters", "0"), ("park", "parameters", "x", "1,"),
                  ("retry", "parameters", seqs[0], "--delay", 2 ** 32), ("create", "more", "--attempts", 2 ** 32)):
        assert cli.run("subscription", *wrong).returncode == USAGE, wrong
    cli.ok("subscription", "ack", "parameters", "--up-to", seqs[-1])
    assert json.loads(cli.ok("subscription", "show", "parameters", "--json"))["subscription"]["name"] == "parameters"
    deleted = cli.ok("subscription", "delete", "parameters")
    assert deleted.startswith("subscription parameters: deleted (0000")
    assert cli.run("subscription", "show", "parameters", "--at-least-event", event_of(deleted)).returncode == NOT_FOUND
    assert cli.ok("subscription", "list") == "(none)\n"


def test_what_is_typed_wrong(cli):
    for words in (["create"], ["ack", "x"], ["ack", "x", "1;2"], ["skip", "x", "first", "--reason", "r"],
                  ["retry", "x"], ["create", "x", "--after", "1", "--from-now"],
                  ["create", "x", "--subject", "household"]):
        assert cli.run("subscription", *words).returncode == USAGE, words
    assert cli.run("subscription", "receive", "nothing", "--timeout", "60").returncode == NOT_FOUND
