"""What an auditor does: exports the book, checks the file, folds views again, compares, and asks why a figure stands."""

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import time

import pytest

from book import COUNTY, ROOT, Book

sys.path.insert(0, str(ROOT / "tests/cli"))
sys.path.insert(0, str(ROOT / "deploy"))

from command_file import fixed_id  # noqa: E402
from command_line import DAMAGED, FAILED, NOT_FOUND, OK, REFUSED, USAGE, Cli  # noqa: E402
from taizhang_client import BUILD  # noqa: E402

READER = ROOT / "docs/auditors/python/read_export.py"
VIEWS = ("ledger", "household_file", "duties", "fund_execution", "asset_register", "history")
LINE_J = "6a13651f-9ec1-5b30-9c59-d34ab44645bd"
DIAOQU = "990101100202"
FRAME = 48


@pytest.fixture(scope="module")
def book(client):
    book = Book(client).open().load("reference").load("sample")
    book.wait_for_views()
    return book


@pytest.fixture(scope="module")
def cli(server, book):
    return Cli(server)


@pytest.fixture(scope="module")
def file(cli, book, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "book.events"
    cli.ok("events", "export", "--to", book.last_seq, "--out", path)
    return path


def frames_of(data):
    """(begin, end, kind) of each frame."""
    at = 8
    while at < len(data):
        length, kind = struct.unpack("<IB", data[at:at + 5])
        yield at, at + FRAME + length, kind
        at += FRAME + length


def chained(frames):
    """A file of these (kind, body) with a chain that is right: what a forger would write."""
    out = b"TZEXPRT1"
    digest = hashlib.sha256(out).digest()
    for n, (kind, body) in enumerate(frames):
        head = struct.pack("<IB3xQ", len(body), kind, n)
        digest = hashlib.sha256(digest + head + body).digest()
        out += head + digest + body
    return out


def varint(number):
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def python_reads(path):
    return subprocess.run([sys.executable, READER, path], capture_output=True, text=True, timeout=120)


def test_an_export_is_checked_by_us_and_read_by_fifty_lines_of_python(cli, book, file):
    checked = cli.json("events", "check", file)
    assert int(checked["events"]) == int(checked["last_seq"]) == book.last_seq
    assert checked["withheld_events"] == "0"
    read = python_reads(file)
    assert read.returncode == 0, read.stderr
    assert read.stderr == f"head {checked['head']}\n"
    events = [json.loads(line) for line in read.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, book.last_seq + 1))
    told = [json.loads(line) for line in cli.ok("events", "read", "--limit", 0, "--json").splitlines()]
    assert [(f"taizhang.{e['type']}", e.get("request_id", ""), e["data"]) for e in events] == [
        (e["type"], e.get("request_id", ""), e["data"]) for e in told]
    assert len(READER.read_text().splitlines()) <= 70


def test_an_export_may_end_at_a_seq_or_a_time(cli, book, tmp_path):
    some = book.ask("ledger.ReadEvents", from_seq=100, to_seq=100).events[0]
    by_seq = cli.json("events", "export", "--to", 100, "--out", tmp_path / "seq")
    assert int(by_seq["last_seq"]) == some.commit_last_seq
    by_time = cli.json("events", "export", "--to", some.time.ToJsonString(), "--out", tmp_path / "time")
    assert by_time["last_seq"] == by_seq["last_seq"]
    assert cli.run("events", "export", "--to", 10 ** 9, "--out", tmp_path / "far").returncode == REFUSED
    early = cli.run("events", "export", "--to", "1999-01-01T00:00:00Z", "--out", tmp_path / "early")
    assert early.returncode == NOT_FOUND
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seq", "time"]
    again = cli.run("events", "export", "--out", tmp_path / "seq")
    assert again.returncode == USAGE and "there is already a file" in again.stderr


def test_a_stopped_export_goes_on_and_another_part_is_begun_anew(cli, book, file, tmp_path):
    whole = file.read_bytes()
    places = list(frames_of(whole))
    out = tmp_path / "book.events"
    part = tmp_path / "book.events.part"
    part.write_bytes(whole[:places[50][0] + 100])
    said = cli.run("events", "export", "--to", book.last_seq, "--out", out)
    assert said.returncode == OK, said.stderr
    assert re.search(r"going on behind seq \d+ of", said.stderr)
    assert out.read_bytes() == whole and not part.exists()
    # A part of the same name whose last commit this ledger never had.
    frames = [(kind, whole[begin + FRAME:end]) for begin, end, kind in places[:40]]
    frames[-1] = (3, frames[-1][1].replace(b"maker", b"baker"))
    out.unlink()
    part.write_bytes(chained(frames))
    cli.ok("events", "export", "--to", book.last_seq, "--out", out)
    assert events_of(out) == events_of(file)


def test_whatever_moment_an_export_is_killed_at_the_file_is_whole_or_not_there(cli, book, file, tmp_path):
    out = tmp_path / "book.events"
    words = [BUILD / "apps/taizhang/taizhang", "events", "export", "--to", str(book.last_seq), "--out", out]
    for delay_ms in range(5, 125, 10):
        export = subprocess.Popen(words, env=os.environ | {"TAIZHANG_CONFIG": str(cli.config)}, stdout=subprocess.DEVNULL)
        time.sleep(delay_ms / 1000)
        export.kill()
        export.wait(30)
        if out.exists():
            assert cli.run("events", "check", out).returncode == OK
            out.unlink()
    cli.ok(*words[1:])
    assert events_of(out) == events_of(file)


def events_of(path):
    read = python_reads(path)
    assert read.returncode == 0, read.stderr
    return read.stdout


def test_what_was_changed_moved_or_cut_is_found_and_named(cli, file, tmp_path):
    whole = file.read_bytes()
    places = list(frames_of(whole))
    begin, end, _ = places[20]
    swapped = places[21][1]
    bad = {
        "bytes were changed": whole[:end - 5] + bytes([whole[end - 5] ^ 1]) + whole[end - 4:],
        "its end is cut off": whole[:begin + 60],
        "frames were moved, put in or taken out": whole[:begin] + whole[end:swapped] + whole[begin:end] + whole[swapped:],
    }
    for what, data in bad.items():
        path = tmp_path / "bad.events"
        path.write_bytes(data)
        by_us = cli.run("events", "check", path)
        assert by_us.returncode == DAMAGED, what
        by_python = python_reads(path)
        assert by_python.returncode == 1
        for said in (by_us.stderr, by_python.stderr):
            assert f"frame 20 at byte {begin}: " in said and what in said, (what, said)
        replayed = cli.run("replay", "--view", "fund_execution", "--from", path)
        assert replayed.returncode == DAMAGED and what in replayed.stderr


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_folded_again_is_the_servers(cli, book, file, view):
    for seq in (1, 100, 401, book.last_seq):
        told = cli.json("replay", "--view", view, "--from", file, "--to", seq)
        assert (told["result"], told["difference"]) == ("equal", "")
        server = cli.json("view", "digest", view, "--ledger", COUNTY, "--seq", seq)["ledgers"][0]
        assert (told["digest"], told["versions"]) == (server["digest"], server.get("versions", "0"))
    live = cli.json("replay", "--view", view, "--to", 401)
    assert live["result"] == "equal"
    assert live["digest"] == cli.json("replay", "--view", view, "--from", file, "--to", 401, "--offline")["digest"]


def test_a_replay_is_of_a_time(cli, book, file):
    event = book.ask("ledger.ReadEvents", from_seq=300, to_seq=300).events[0]
    told = cli.json("replay", "--view", "fund_execution", "--from", file, "--to", event.time.ToJsonString())
    assert (int(told["seq"]), told["result"]) == (event.commit_last_seq, "equal")
    assert cli.run("replay", "--view", "fund_execution", "--from", file, "--to", 10 ** 6).returncode == USAGE
    assert cli.run("replay", "--view", "nothing", "--from", file).returncode == USAGE


def test_a_forged_file_is_told_with_the_first_row_that_differs(cli, file, tmp_path):
    whole = file.read_bytes()
    frames = [(kind, whole[begin + FRAME:end]) for begin, end, kind in frames_of(whole)]
    # 150,000.00 yuan of the first payment of line J become 140,000.00, in every copy of the number.
    paid, less = varint(15_000_000), varint(14_000_000)
    forged = next(n for n, (kind, body) in enumerate(frames) if kind == 3 and b"FundsDisbursed" in body and paid in body)
    frames[forged] = (3, frames[forged][1].replace(paid, less))
    path = tmp_path / "forged.events"
    path.write_bytes(chained(frames))
    assert cli.run("events", "check", path).returncode == OK
    said = cli.run("replay", "--view", "fund_execution", "--from", path)
    assert said.returncode == DAMAGED
    assert re.search(r"server +DIFFERENT\n", said.stdout)
    row = re.search(r"first difference +not the same: (\w+)/([0-9a-f-]+)\S*, seq (\d+)\n", said.stdout)
    assert row, said.stdout
    assert (row[1], row[2]) == ("line_days", LINE_J)
    # Before that event nothing differs.
    assert cli.json("replay", "--view", "fund_execution", "--from", path, "--to", int(row[3]) - 3)["result"] == "equal"


def test_the_rows_of_a_moment_can_be_looked_at(cli, file):
    shown = cli.ok("replay", "--view", "fund_execution", "--from", file, "--to", 401, "--offline", "--show", f"line_months/{LINE_J}")
    row = json.loads(shown)
    assert sum(int(month["sums"].get("paid_fen", 0)) for month in row["months"]) == 15_000_000
    lines = cli.ok("replay", "--view", "fund_execution", "--from", file, "--offline", "--show", "line").splitlines()
    assert len(lines) == 4 and all(json.loads(line)["fund_line_id"] for line in lines)
    assert cli.run("replay", "--view", "duties", "--from", file, "--offline", "--show", "nothing").returncode == USAGE


def test_whoever_may_not_see_personal_data_is_told_what_is_missing(cli, book, tmp_path):
    path = tmp_path / "reader.events"
    told = cli.json("events", "export", "--to", book.last_seq, "--out", path, "--as", "reader")
    assert int(told["withheld_events"]) > 0
    read = python_reads(path)
    events = [json.loads(line) for line in read.stdout.splitlines()]
    withheld = [event for event in events if event.get("withheld")]
    assert len(withheld) == int(told["withheld_events"])
    assert {event["type"] for event in withheld} >= {"registry.v1.PersonRegistered", "registry.v1.WorkerRegistered"}
    persons = [event["seq"] for event in withheld if event["type"] == "registry.v1.PersonRegistered"]
    # Money has no person in it: that view is whole, and its reader may compare it.
    for source in (("--from", path), ()):
        told = cli.json("replay", "--view", "fund_execution", *source, "--as", "reader")
        assert told["result"] == "equal"
        said = cli.run("replay", "--view", "household_file", *source, "--as", "reader")
        assert said.returncode == FAILED
        assert re.search(rf"\d+ events that view household_file .* \(seq {persons[0]}, {persons[1]}, ", said.stderr), said.stderr
    # Row digests of personal data would let a reader try out numbers.
    refused = cli.run("call", "views.RowDigests", json.dumps({"view": "household_file", "seq": "10"}), "--as", "reader")
    assert refused.returncode == REFUSED and "NOT_AUTHORISED" in refused.stderr


def explained(cli, *words):
    answer = cli.json("explain", *words)
    contributions = answer.get("contributions", [])
    assert int(answer.get("opening", 0)) + sum(int(one["amount"]) for one in contributions) == int(answer.get("total", 0))
    return int(answer.get("total", 0)), contributions


def test_the_addends_of_a_fund_lines_balance_add_up_to_the_known_figure(cli, book, file):
    row = f"line_months/{LINE_J}"
    total, contributions = explained(cli, "fund_execution", row, "balance_fen")
    assert total == 0
    assert [int(one["amount"]) for one in contributions] == [15_000_000, 1_890_000, -15_000_000, -1_890_000]
    assert [one["change"]["event_type"] for one in contributions] == [
        "funds.v1.FundsArrived", "funds.v1.FundsArrived", "funds.v1.FundsDisbursed", "funds.v1.FundsDisbursed"]
    assert all(one["change"]["actor"]["subject"] == "maker" and one["change"]["source"]["kind"] for one in contributions)
    assert all(one["document_ids"] for one in contributions[2:])
    assert explained(cli, "fund_execution", row, "paid_fen", "--as-of-seq", 401)[0] == 15_000_000
    figures = cli.json("call", "fund_execution.BySource", json.dumps({"fund_line_id": LINE_J}))["rows"][0]["figures"]
    for name in ("arrived_fen", "paid_fen", "committed_fen", "planned_fen"):
        assert explained(cli, "fund_execution", row, name)[0] == int(figures[name])
    # The same from the file, without a server.
    words = ("fund_execution", row, "balance_fen")
    assert explained(cli, *words, "--from", file, "--as-of-seq", 401) == explained(cli, *words, "--as-of-seq", 401)
    text = cli.ok("explain", *words)
    assert re.search(r"1890000 +18,900\.00 +168,900\.00", text)
    assert "total 0 fen = 0.00 元: 4 contributions add up" in text


@pytest.mark.parametrize("day", ["2017-01-09", "2017-01-10", "2017-03-20", "2017-07-30", "2017-07-31"])
def test_a_figure_of_an_effective_date_is_explained(cli, file, day):
    """By the days of its facts, as the view itself answers for that day; also from the file."""
    words = ("fund_execution", f"line_days/{LINE_J}", "days.sums.arrived_fen - days.sums.paid_fen", "--on", day)
    total, contributions = explained(cli, *words)
    row = cli.json("call", "fund_execution.Progress", json.dumps({
        "fund_line_ids": [LINE_J], "read": {"effective_date": dict(zip(("year", "month", "day"), map(int, day.split("-"))))}}))
    assert total == int(row["rows"][0].get("balance_fen", 0))
    assert explained(cli, *words, "--from", file) == (total, contributions)
    # By months the same: the events say which part of a month is until the day.
    by_month = ("fund_execution", f"line_months/{LINE_J}", "balance_fen", "--on", day)
    total_by_month, addends = explained(cli, *by_month)
    assert total_by_month == total
    assert [one["change"]["seq"] for one in addends] == [one["change"]["seq"] for one in contributions]
    assert explained(cli, *by_month, "--from", file) == (total_by_month, addends)
    undated = cli.run("explain", "fund_execution", f"line/{LINE_J}", "year", "--on", day)
    assert undated.returncode == REFUSED and "table line, year: " in undated.stderr


def test_a_count_per_village_is_explained(cli, book, file):
    tables = {table["name"]: table for table in cli.json("explain", "household_file")["tables"]}
    assert tables["by_place"]["key_fields"] == ["township", "village", "household_id"]
    first = next(row["parts"] for row in tables["by_place"]["first_rows"])
    township = first[0]
    total, contributions = explained(cli, "household_file", f"by_place/{township}/{DIAOQU}", "count")
    assert total == len(contributions) == 38
    assert {one["change"]["event_type"] for one in contributions} == {"registry.v1.HouseholdRegistered"}
    assert explained(cli, "household_file", f"by_place/{township}/{DIAOQU}", "count", "--from", file)[0] == 38
    half = int(contributions[18]["change"]["seq"])
    assert explained(cli, "household_file", f"by_place/{township}/{DIAOQU}", "count", "--as-of-seq", half)[0] == 19


def test_explain_lists_what_can_be_asked_and_says_what_is_wrong(cli, file):
    text = cli.ok("explain", "fund_execution")
    assert "table line_months, ROW line_months/fund_line_id" in text
    assert re.search(r"balance_fen +number +months\.sums\.arrived_fen - months\.sums\.paid_fen", text)
    assert f"for example line_months/" in cli.ok("explain", "fund_execution", "line_months", "--from", file)
    for words, code in ((("fund_execution", "line_months/x", "colour"), REFUSED), (("none", "a/b", "c"), NOT_FOUND),
                        (("fund_execution", "nothing/x", "count"), REFUSED)):
        assert cli.run("explain", *words).returncode == code, words


def test_personal_data_stands_in_no_explanation_for_a_reader(cli):
    words = ("explain", "household_file", "person/" + first_person(cli), "identity.bytes")
    answer = cli.json(*words, "--as", "reader")
    assert answer["withheld"] and "text" not in answer
    assert answer["contributions"] and all(one["withheld"] and "after" not in one for one in answer["contributions"])
    assert cli.json(*words)["text"]


def first_person(cli):
    tables = {table["name"]: table for table in cli.json("explain", "household_file")["tables"]}
    return tables["person"]["first_rows"][0]["parts"][0]
