"""One query over the ledgers of several installations, each with a journal of its own: what is told when one of them is
killed in the middle, cannot be reached, or hangs. The others answer, and every ledger is named."""

import json
import os
import signal
import sys
import threading
import time

import grpc
import pytest
from taizhang_client import PATIENCE_S, ROOT, Refused, Server

sys.path.insert(0, str(ROOT / "tests/cli"))

from command_line import OK, UNAVAILABLE, Cli  # noqa: E402

# Of readers that answer; and of one that hangs.
ANSWER_MS, HANGS_MS = 60_000, 5_000
COUNTS = {"@type": "type.googleapis.com/taizhang.household_file.v1.CountHouseholdsRequest"}
EVENTS = {"@type": "type.googleapis.com/taizhang.ledger.v1.ReadEventsRequest"}
NOWHERE = "127.0.0.1:1"  # a port on which nobody listens


def installation(folder, ledgers, settings=""):
    server = Server(folder, settings=settings)
    server.start().close()
    cli = Cli(server)
    for ledger in ledgers:
        cli.ok("ledger", "open", ledger, "--name", "示例县", "--on", "2012-01-01")
        cli.ok("apply", ROOT / "deploy/reference.jsonl", "--ledger", ledger)
    client = server.connect()
    client.wait_for_views()
    client.close()
    return server


def readers(answer_ms=ANSWER_MS, **addresses):
    return "readers {\n" + "".join(
        f'  reader {{ name: "{name}" address: "{address}" answer_ms: {answer_ms} }}\n'
        for name, address in addresses.items()) + "}\n"


@pytest.fixture
def servers(tmp_path, request):
    """(province, north, south): the province holds 990101 and asks the others; the parameter: for how long, ms."""
    made = []
    answer_ms = getattr(request, "param", ANSWER_MS)
    try:
        made.append(installation(tmp_path / "north", ["610328", "610330"]))
        made.append(installation(tmp_path / "south", ["610329"]))
        made.insert(0, installation(tmp_path / "province", ["990101"],
                                    readers(answer_ms, north=made[0].address, south=made[1].address)))
        yield made
    finally:
        for server in made:
            if server.process:
                server.process.send_signal(signal.SIGCONT)
            server.kill()


def gather(server, query, **request):
    """([ledger of each row], trailer)"""
    client = server.connect()
    told, trailer = [], None
    for message in client.stream("lists.Gather", {"query": query, **request}, as_="reader"):
        told += [row.ledger for row in message.rows.rows]
        if message.HasField("trailer"):
            trailer = message.trailer
    client.close()
    return told, trailer


def answers(trailer):
    """{ledger: (reader, rows, reason)}"""
    return {answer.ledger: (answer.reader, answer.rows, reason(answer.failure)) for answer in trailer.ledgers}


def reason(failure):
    from google.rpc import error_details_pb2

    info = error_details_pb2.ErrorInfo()
    return next((info.reason for detail in failure.details if detail.Unpack(info)), "")


HERE = {"990101": ("", 1, "")}
NORTH = {"610328": ("north", 1, ""), "610330": ("north", 1, "")}
SOUTH = {"610329": ("south", 1, "")}


def test_ledgers_of_all_installations_in_order(servers):
    province, north, south = servers
    told, trailer = gather(province, COUNTS)
    assert told == ["610328", "610329", "610330", "990101"]
    assert answers(trailer) == HERE | NORTH | SOUTH and not trailer.failed_readers
    for answer in trailer.ledgers:
        assert answer.freshness.ledger == answer.ledger and answer.freshness.seq > 0
    # Every event, page by page, as each holder tells them itself.
    told, trailer = gather(province, EVENTS, rows_per_message=7)
    there = sum((gather(server, EVENTS)[0] for server in servers[1:]), gather(province, EVENTS, ledgers=["990101"])[0])
    assert sorted(told) == sorted(there) and told == sorted(told)
    # Asked once, not asked on: the north alone knows nothing of the others.
    assert set(answers(gather(north, COUNTS)[1])) == {"610328", "610330"}


def test_one_that_is_killed_in_the_middle(servers):
    province, north, south = servers
    client = province.connect()
    stream = client.stream("lists.Gather", {"query": EVENTS, "rows_per_message": 2}, as_="reader")
    told = {}
    trailer = None
    for message in stream:
        for row in message.rows.rows:
            told[row.ledger] = told.get(row.ledger, 0) + 1
        if north.process and told:
            north.kill()
        if message.HasField("trailer"):
            trailer = message.trailer
    client.close()
    said = answers(trailer)
    assert said["610328"][2] == said["610330"][2] == "READER_UNREACHABLE"
    assert {ledger: answer[1] for ledger, answer in said.items() if answer[1]} == told
    assert said["610329"][2] == said["990101"][2] == "" and told["610329"] > 10 and told["990101"] > 10
    # From then on what it held is named.
    told, trailer = gather(province, COUNTS)
    assert told == ["610329", "990101"] and trailer.failed_ledgers == 2
    assert {ledger: answer[2] for ledger, answer in answers(trailer).items() if answer[2]} == dict.fromkeys(
        ("610328", "610330"), "READER_UNREACHABLE")
    cli = Cli(province)
    done = cli.run("gather", "household_file.CountHouseholds", "--as", "reader")
    assert done.returncode == UNAVAILABLE and "2 ledgers did not answer; 1 readers did not say" in done.stderr
    assert [json.loads(line)["ledger"] for line in done.stdout.splitlines()] == told
    assert "READER_UNREACHABLE 无法连接该台账所在的服务器" in done.stderr and "north" in done.stderr
    done = cli.run("gather", "household_file.CountHouseholds", "--ledgers", "610329,990101", "--as", "reader")
    assert done.returncode == OK and "south" in done.stderr


@pytest.mark.parametrize("servers", [HANGS_MS], indirect=True)
def test_one_that_hangs(servers):
    province, north, south = servers
    gather(province, COUNTS)
    os.kill(south.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    told, trailer = gather(province, COUNTS)
    took_s = time.monotonic() - began
    assert HANGS_MS / 1_000 <= took_s < PATIENCE_S / 2, took_s
    assert told == ["610328", "610330", "990101"]
    assert answers(trailer) == HERE | NORTH | {"610329": ("south", 0, "READER_SLOW")}
    os.kill(south.process.pid, signal.SIGCONT)
    assert answers(gather(province, COUNTS)[1]) == HERE | NORTH | SOUTH


def test_a_stop_does_not_wait_for_one_that_hangs(servers, tmp_path):
    """SIGTERM while somebody waits for the ledgers of two readers that hang: cancelled, and the process ends well."""
    _, north, south = servers
    asker = installation(tmp_path / "asker", ["990102"],
                         readers(answer_ms=2 * PATIENCE_S * 1_000, north=north.address, south=south.address)
                         + "limits { stop_grace_ms: 300 }\n")
    told = []

    def ask():
        try:
            told.append(gather(asker, COUNTS))
        except grpc.RpcError as error:
            told.append(Refused.of_call(error).code)

    try:
        gather(asker, COUNTS)
        for reader in (north, south):
            os.kill(reader.process.pid, signal.SIGSTOP)
        caller = threading.Thread(target=ask, daemon=True)
        caller.start()
        time.sleep(0.5)
        assert not told
        # Sooner than the readers may take.
        assert asker.stop(PATIENCE_S) == 0, asker.log_text()
        caller.join(PATIENCE_S)
        assert len(told) == 1 and isinstance(told[0], str), told
    finally:
        asker.kill()


def test_one_that_was_never_reached_and_one_in_its_place(servers, tmp_path):
    """Nobody listens at the first; two hold the same ledger, and the second tells it when the first is gone."""
    _, north, south = servers
    other = installation(tmp_path / "other", ["990102"], readers(
        nowhere=NOWHERE, north=north.address, again=north.address, south=south.address))
    try:
        told, trailer = gather(other, COUNTS)
        assert answers(trailer) == {"990102": ("", 1, "")} | NORTH | SOUTH
        assert [(failed.reader, reason(failed.failure)) for failed in trailer.failed_readers] == [
            ("nowhere", "READER_UNREACHABLE")]
        named = gather(other, COUNTS, ledgers=["110000", "610329"])[1]
        assert answers(named) == SOUTH | {"110000": ("nowhere", 0, "READER_UNREACHABLE")} and not named.failed_readers
    finally:
        other.kill()


def test_the_callers_rights_are_those_of_the_one_who_holds_the_ledger(servers, tmp_path):
    """A caller whom the other installation does not know gets nothing from it, and is told so."""
    _, north, _ = servers
    stranger = {"stranger": {"roles": ["ROLE_READER"]}}
    own = Server(tmp_path / "own", profiles=stranger, settings=readers(north=north.address))
    own.start().close()
    try:
        client = own.connect()
        for profile, expected in (("stranger", "TOKEN_UNKNOWN"), ("reader", "")):
            *_, last = client.stream("lists.Gather", {"query": COUNTS}, as_=profile)
            assert [reason(failed.failure) for failed in last.trailer.failed_readers] == [expected] * bool(expected)
            assert len(last.trailer.ledgers) == (0 if expected else 2)
        client.close()
    finally:
        own.kill()
