"""`taizhang apply` over the bulk stream: order, answers by line, stops, a server that dies on the way."""

import json
import re
import subprocess
import time

import pytest
from command_line import NOT_FOUND, OK, REFUSED, UNAVAILABLE, Cli
from taizhang_client import BUILD, PATIENCE_S, ROOT, Refused, Server, context, date, uid

VILLAGE = "990101100201"
# What the server may be given behind a refused line before its answer is there.
UNDER_WAY_MAX = 400


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("apply"))
    server.start().close()
    cli = Cli(server)
    cli.ok("ledger", "open", "990101", "--name", "示例县", "--on", "2012-01-01")
    cli.ok("apply", ROOT / "deploy/reference.jsonl")
    cli.ok("apply", ROOT / "deploy/sample.jsonl")
    yield cli
    server.kill()


def household(name, region=VILLAGE, profile="maker"):
    return json.dumps({"as": profile, "method": "registry.RegisterHousehold", "request": {
        "context": context(uid(f"request {name}"), 20170601), "ledger": "${LEDGER}", "household_id": uid(name),
        "region": region,
        "members": [{"person_id": uid(f"person {name}"), "relation": "0", "is_head": True,
                     "identity": {"name": "test", "birth_date": date(19700101)}, "sex": "1", "ethnic": "01",
                     "education": "70"}]}})


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines))
    return path


def counts(text):
    """sent, lines, accepted, duplicate, unchanged, refused of the last line."""
    return tuple(map(int, re.search(
        r"(\d+) of (\d+) commands sent: (\d+) accepted, (\d+) duplicate, (\d+) unchanged, (\d+) refused", text).groups()))


def test_refusals_are_told_by_line_and_in_order(cli, tmp_path):
    lines = [household(f"told {i}", region="990101999999" if i in (7, 8, 230) else VILLAGE) for i in range(300)]
    file = write(tmp_path / "told.jsonl", ["", *lines])
    done = cli.run("apply", file, "--keep-going")
    assert done.returncode == NOT_FOUND
    assert counts(done.stdout) == (300, 300, 297, 0, 0, 3)
    # One for the empty line, one because lines count from 1.
    assert [int(n) for n in re.findall(r"^line (\d+), registry.RegisterHousehold", done.stderr, re.M)] == [9, 10, 232]
    said = [json.loads(text) for text in cli.run("apply", file, "--keep-going", "--json").stdout.splitlines()]
    assert [entry["line"] for entry in said[:3]] == [9, 10, 232] and said[0]["error"]["code"] == "NOT_FOUND"
    assert (said[3]["duplicate"], said[3]["refused"]) == (297, 3)


def test_nothing_is_sent_behind_a_refused_line_but_what_was_under_way(cli, tmp_path):
    lines = [household(f"stops {i}", region="990101999999" if i == 3 else VILLAGE) for i in range(1000)]
    file = write(tmp_path / "stops.jsonl", lines)
    stopped = cli.run("apply", file)
    assert stopped.returncode == NOT_FOUND and "line 4, registry.RegisterHousehold" in stopped.stderr
    sent, total, accepted, _, _, refused = counts(stopped.stdout)
    assert total == 1000 and refused == 1 and accepted == sent - 1 and 4 <= sent <= UNDER_WAY_MAX
    # Line by line there is nothing behind it.
    again = cli.run("apply", file, "--unary")
    assert counts(again.stdout) == (4, 1000, 0, 3, 0, 1)


def test_a_line_sees_what_another_profile_did_before_it(cli, tmp_path):
    def visit(name):
        return json.dumps({"as": "maker2", "method": "registry.LoadHouseholdStatus", "request": {
            "context": context(uid(f"status of {name}"), 20170601), "ledger": "${LEDGER}", "household_id": uid(name),
            "periods": [{"status": "LIFTED", "from_date": {"year": 2016, "month": 1, "day": 1}}],
            "document": {"document_id": uid("list"), "kind": "LIST", "title": "t"}}})

    lines = []
    for run in range(3):
        names = [f"seen {run} {i}" for i in range(120)]
        lines += [household(name) for name in names] + [visit(name) for name in names]
    said = cli.ok("apply", write(tmp_path / "seen.jsonl", lines))
    assert counts(said) == (720, 720, 720, 0, 0, 0)


def test_a_profile_the_server_does_not_know_stops_it(cli, tmp_path):
    file = write(tmp_path / "unknown.jsonl", [household(f"unknown {i}", profile="clerk") for i in range(20)])
    text = cli.config.read_text()
    cli.config.write_text(text + 'profiles { name: "clerk" token: "of nobody" }\n')
    refused = cli.run("apply", file, "--keep-going")
    cli.config.write_text(text)
    assert refused.returncode == REFUSED and "TOKEN_UNKNOWN" in refused.stderr
    assert counts(refused.stdout)[:3] == (1, 20, 0)


def test_no_server_is_said_after_the_retries(cli, tmp_path):
    file = write(tmp_path / "nobody.jsonl", [household(f"nobody {i}") for i in range(20)])
    away = cli.run("apply", file, "--address", "127.0.0.1:1", "--retries", "1", "--timeout", "2")
    assert away.returncode == UNAVAILABLE and counts(away.stdout) == (0, 20, 0, 0, 0, 0)


def outcome(client, request_id):
    try:
        said = client.call("ledger.GetOutcome", {"ledger": "990101", "request_id": request_id})
    except Refused:
        return ""
    return said.Outcome.Name(said.outcome)


def registered(client, at_least_seq):
    """Households the ledger holds, by id."""
    found = []
    token = ""
    while True:
        page = client.call("ledger.ReadEvents", {
            "ledger": "990101", "filter": {"types": ["taizhang.registry.v1.HouseholdRegistered"]},
            "read": {"at_least_seq": at_least_seq}, "page": {"page_size": 1000, "page_token": token}})
        found += [event.subject for event in page.events]
        token = page.next_page_token
        if not token:
            return found


def test_a_server_that_dies_on_the_way(cli, tmp_path):
    """The file goes on where it stood: each command is there once, and the same file again changes nothing."""
    server = cli.server
    # The same port again, as after a real crash.
    server.config.write_text(re.sub(r'^listen: "127.0.0.1:0"', f'listen: "{server.address}"',
                                    server.config.read_text(), flags=re.M))
    client = server.connect()
    died_in_time, file_number = False, 0
    while not died_in_time:  # a file that was through before is followed by another
        file_number += 1
        names = [f"dies {file_number} {i}" for i in range(6000)]
        file = write(tmp_path / "dies.jsonl", map(household, names))
        applying = subprocess.Popen([BUILD / "apps/taizhang/taizhang", "apply", file, "--retries", "600"],
                                    env={"TAIZHANG_CONFIG": str(cli.config)}, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        try:
            end = time.monotonic() + PATIENCE_S
            while outcome(client, uid(f"request {names[1000]}")) != "OUTCOME_COMMITTED":
                assert time.monotonic() < end
            server.kill()
            died_in_time = applying.poll() is None
            client.close()
            client = server.start()
            said, complaints = applying.communicate(timeout=2 * PATIENCE_S)
        finally:
            applying.kill()
        assert applying.returncode == OK, complaints
    sent, total, accepted, duplicate, unchanged, refused = counts(said)
    assert (sent, total, accepted + duplicate, unchanged, refused) == (6000, 6000, 6000, 0, 0)
    again = cli.ok("apply", file)
    assert counts(again) == (6000, 6000, 0, 6000, 0, 0)
    last_seq = int(re.search(r"last seq (\d+)", again).group(1))
    there = [subject for subject in registered(client, last_seq)]
    assert len(there) == len(set(there))
    ids = set(map(uid, names))
    assert len([subject for subject in there if subject.rsplit("/", 1)[-1] in ids]) == 6000
    client.close()
