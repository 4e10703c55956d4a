"""Exports: every list as a stream and as a file; whole, of one moment, gone on with after any break."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest

from book import ROOT, Book, Refused
from lists import all_lists, digest_of, export, export_stream, packed, pages, requests, unpack

from taizhang_client import PATIENCE_S

sys.path.insert(0, str(ROOT / "tests/cli"))

from command_line import OK, REFUSED, USAGE, Cli  # noqa: E402

END = {"effective_date": {"year": 2017, "month": 12, "day": 31}}
# Lists that have no row in the sample book on that day: nothing is late, everything has its manager.
EMPTY = {"asset_register.LateTitle", "asset_register.WithoutManager"}
# Households beside those of the sample book; a million makes the long run: TAIZHANG_EXPORT_ROWS=1000000.
ROWS = int(os.environ.get("TAIZHANG_EXPORT_ROWS", "4000"))
ROW_BYTES = 300
GROWTH_KB_MAX = 32 * 1024


@pytest.fixture(scope="module")
def book(client):
    book = Book(client).open().load("reference").load("sample")
    book.wait_for_views()
    return book


@pytest.fixture(scope="module")
def lists(book):
    return requests(book)


@pytest.fixture(scope="module")
def many(book, lists):
    """The book with many households, made after the lists were looked at."""
    for first in range(0, ROWS, 4000):
        results = book.execute([book.register_household(book.fresh("many")) for _ in range(min(4000, ROWS - first))])
        refused = [result.refusal for result in results if not result.HasField("receipt")]
        assert not refused, refused[0]
    book.ask("household_file.CountHouseholds", day=20171231)  # the view is that far
    return book


@pytest.fixture(scope="module")
def cli(server, book):
    return Cli(server)


def ended(stream):
    with pytest.raises(grpc.RpcError) as error:
        list(stream)
    return Refused.of_call(error.value)


# --- the stream ------------------------------------------------------------------------------------------------------

def test_no_list_is_forgotten(lists):
    assert sorted(all_lists()) == sorted(lists)


@pytest.mark.parametrize("as_", ["reader", "maker"])
def test_an_export_has_the_rows_of_the_pages(book, lists, as_):
    """Personal content is withheld from the reader in both alike."""
    read = END | {"seq": book.last_seq}
    for method, fields in lists.items():
        header, rows, trailer, _ = export(book, method, as_=as_, rows_per_message=7, read=read, **fields)
        wanted = pages(book, method, as_=as_, size=5, read=read, **fields)
        assert [unpack(book, row) for row in rows] == wanted, method
        assert wanted or method in EMPTY, method
        row_type = book.client.method(method).output_type.fields_by_number[1].message_type
        assert header.method.endswith("." + method.split(".")[1])
        assert header.row_type == row_type.full_name
        assert header.freshness.seq == trailer.seq == book.last_seq
        assert (trailer.rows, trailer.digest) == (len(wanted), digest_of(rows)), method


def test_personal_content_stays_withheld(book, lists):
    seen = {}
    for as_ in ("maker", "reader"):
        rows = [unpack(book, row) for row in export(book, "ledger.ReadEvents", as_=as_)[1]]
        seen[as_] = sum(row.payload_withheld for row in rows)
    assert seen["maker"] == 0 and seen["reader"] > 0


def test_an_export_goes_on_behind_every_message(book, lists):
    for method, fields in lists.items():
        _, whole, trailer, tokens = export(book, method, rows_per_message=9, read=END, **fields)
        for token, before in tokens[:: max(1, len(tokens) // 6)] + tokens[-1:]:
            header, rest, again, _ = export(book, method, resume_token=token, read=END, **fields)
            assert header.rows_before == before
            assert [row.value for row in whole[:before]] + [row.value for row in rest] == [row.value for row in whole]
            assert again == trailer, method


def test_an_export_is_of_one_moment_while_writing_goes_on(many):
    stop = threading.Event()

    def write():
        while not stop.is_set():
            many.given(many.register_household(many.fresh("meanwhile")))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        time.sleep(0.05)
        header, rows, trailer, _ = export(many, "household_file.Households", rows_per_message=50)
    finally:
        stop.set()
        thread.join()
    assert many.last_seq > header.freshness.seq
    wanted = pages(many, "household_file.Households", read={"seq": header.freshness.seq})
    assert [unpack(many, row) for row in rows] == wanted and trailer.rows == len(wanted)


# Fewer rows could all be held within the bound; with 200,000 in one process the C++ test of ListService looks at the same.
if ROWS * ROW_BYTES > 4 * GROWTH_KB_MAX * 1024:
    def test_a_long_export_does_not_grow_the_server(many, server):
        export(many, "household_file.Households")
        before = server.peak_memory_kb()
        for _ in range(5):
            assert export(many, "household_file.Households")[2].rows >= ROWS
        assert server.peak_memory_kb() - before < GROWTH_KB_MAX


def test_who_may_not_ask_may_not_export(book):
    assert ended(export_stream(book, "household_file.Households", as_="elsewhere")).code == "PERMISSION_DENIED"
    assert ended(export_stream(book, "household_file.Households", as_="unknown")).code == "UNAUTHENTICATED"


def test_a_malformed_export_says_what_is_wrong(book):
    def refused(**request):
        return ended(book.client.stream("lists.Export", request))

    assert refused().violations[0][0] == "query"
    households = packed(book, "household_file.Households")
    assert refused(query=households, rows_per_message=1001).violations[0][0] == "rows_per_message"
    assert refused(query=households | {"page": {"page_size": 3}}).violations[0][0] == "query.page"
    assert refused(query=households | {"region": "1x"}).violations[0][0] == "region"
    assert refused(query=households | {"ledger": "110101"}).code == "NOT_FOUND"
    assert refused(query=packed(book, "household_file.CountHouseholds")).violations[0][0] == "query"
    assert refused(query=packed(book, "funds.OpenFundLine")).violations[0][0] == "query"
    token = export(book, "household_file.Households", rows_per_message=5)[3][0][0]
    for wrong in (token[:-4] + "AAAA", "x", token + token):
        no = refused(query=households, resume_token=wrong)
        assert (no.code, no.reason) == ("INVALID_ARGUMENT", "RESUME_TOKEN_INVALID")
    no = refused(query=households | {"region": book.village}, resume_token=token)
    assert no.reason == "RESUME_TOKEN_INVALID"


# --- the file --------------------------------------------------------------------------------------------------------

def test_a_csv_file(book, cli, tmp_path):
    out = tmp_path / "lines.csv"
    owner = pages(book, "fund_execution.BySource")[0].owner_org_id
    book.given(book.open_line("formula", owner_org_id=owner).having(
        name={"text": '=HYPERLINK("http://x","y"), 项目'}))
    book.ask("fund_execution.BySource")  # the view is that far
    done = cli.run("export", "fund_execution.BySource", "--on", "2017-12-31", "--out", out, "--bom")
    assert done.returncode == OK, done.stderr
    content = out.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") and content.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    wanted = pages(book, "fund_execution.BySource", read=END)
    assert len(rows) == len(wanted) == 5
    for row, line in zip(rows, wanted):
        assert row["fund_line_id"] == line.fund_line_id and int(row["version"]) == line.version
        assert row["figures.paid_fen"] == str(line.figures.paid_fen)
        assert row["opened_date"] == "%04d-%02d-%02d" % (line.opened_date.year, line.opened_date.month,
                                                         line.opened_date.day)
        assert json.loads(row["purposes"] or "[]") == list(line.purposes)
        assert row["name.text"] == ("'" if line.name.text.startswith("=") else "") + line.name.text
    assert sum(row["name.text"].startswith("'=") for row in rows) == 1
    meta = json.loads((tmp_path / "lines.csv.meta.json").read_text())
    assert (meta["rows"], meta["seq"], meta["format"]) == (5, book.last_seq, "csv bom")
    assert meta["digest"] == export(book, "fund_execution.BySource", read=END)[2].digest
    assert sorted(os.listdir(tmp_path)) == ["lines.csv", "lines.csv.meta.json"]
    raw = cli.ok("export", "fund_execution.BySource", "--on", "2017-12-31", "--raw")
    assert '"=HYPERLINK(""http://x""' in raw and "'=" not in raw


def test_json_lines(book, cli):
    text = cli.ok("export", "fund_execution.ByVillage", "--on", "2017-12-31", "--format", "jsonl")
    rows = [json.loads(line) for line in text.splitlines()]
    wanted = pages(book, "fund_execution.ByVillage", read=END)
    assert [(row["fund_line_id"], row.get("paid_fen", "0")) for row in rows] == [
        (row.fund_line_id, str(row.paid_fen)) for row in wanted]


def test_every_list_makes_a_file(lists, cli):
    for method, fields in lists.items():
        table = list(csv.reader(io.StringIO(cli.ok("export", method, json.dumps(fields), "--on", "2017-12-31"),
                                            newline="")))
        assert (len(table) > 1 or method in EMPTY) and len({len(row) for row in table}) == 1, method


def test_an_export_that_was_killed_goes_on_to_the_same_bytes(many, cli, tmp_path):
    words = [str(taizhang_binary(cli)), "export", "household_file.Households", "--as-of-seq", str(many.last_seq),
             "--on", "2017-12-31", "--rows-per-message", "1"]
    environment = os.environ | {"TAIZHANG_CONFIG": str(cli.config)}
    whole = tmp_path / "whole.csv"
    subprocess.run([*words, "--out", whole], env=environment, check=True, capture_output=True, timeout=PATIENCE_S)
    out, part = tmp_path / "broken.csv", tmp_path / "broken.csv.part"
    kills, goes_on = 0, []
    while True:
        process = subprocess.Popen([*words, "--out", out, *goes_on], env=environment, stderr=subprocess.DEVNULL)
        before = part.stat().st_size if part.exists() else 0
        while process.poll() is None and kills < 3:
            if (tmp_path / "broken.csv.part.state").exists() and part.stat().st_size > before + 20_000:
                process.kill()
                break
            time.sleep(0.002)
        ended_with = process.wait(PATIENCE_S)
        if ended_with == OK and kills:
            break
        if ended_with == OK:  # it was through before it was killed: once more
            out.unlink()
            (tmp_path / "broken.csv.meta.json").unlink()
            continue
        assert ended_with == -signal.SIGKILL and not out.exists()
        kills += 1
        goes_on = ["--resume"]
    assert out.read_bytes() == whole.read_bytes()
    assert json.loads((tmp_path / "broken.csv.meta.json").read_text()) == \
        json.loads((tmp_path / "whole.csv.meta.json").read_text())
    assert sorted(os.listdir(tmp_path)) == [f"{name}.csv{end}" for name in ("broken", "whole")
                                            for end in ("", ".meta.json")]


def test_a_view_that_is_built_anew_ends_an_export_which_says_so(many, cli, tmp_path):
    words = ["export", "household_file.Households", "--as-of-seq", str(many.last_seq), "--on", "2017-12-31"]
    whole, out, part = tmp_path / "whole.csv", tmp_path / "broken.csv", tmp_path / "broken.csv.part"
    cli.ok(*words, "--out", whole)
    while True:
        process = subprocess.Popen([taizhang_binary(cli), *words, "--rows-per-message", "1", "--out", out], text=True,
                                   env=os.environ | {"TAIZHANG_CONFIG": str(cli.config)}, stderr=subprocess.PIPE)
        while process.poll() is None and not (part.exists() and part.stat().st_size > 10_000):
            time.sleep(0.002)
        many.client.call("admin.RebuildView", {"view": "household_file"}, as_="operator")
        _, said = process.communicate(timeout=PATIENCE_S)
        if process.returncode != OK:
            break
        out.unlink()  # it was through before the view was built anew: once more
        (tmp_path / "broken.csv.meta.json").unlink()
        many.wait_for_views()
    assert not out.exists()
    # The rebuild was over, went on, or began while a page was asked for.
    assert any(reason in said for reason in ("VIEW_REBUILT", "VIEW_BUILDING", "STOPPING")), said
    many.wait_for_views()
    resumed = cli.run(*words, "--out", out, "--resume")
    assert resumed.returncode == REFUSED and not out.exists()
    assert "RESUME_TOKEN_INVALID" in resumed.stderr and "export again without --resume" in resumed.stderr
    cli.ok(*words, "--out", out)
    assert out.read_bytes() == whole.read_bytes()


def taizhang_binary(cli):
    from taizhang_client import BUILD

    return BUILD / "apps/taizhang/taizhang"


def test_a_part_of_another_export_is_not_gone_on_with(book, cli, tmp_path):
    out = tmp_path / "x.csv"
    (tmp_path / "x.csv.part").write_text("something")
    (tmp_path / "x.csv.part.state").write_text(json.dumps({"export": "csv duties.Visits {}", "bytes": 9, "rows": 1,
                                                           "digest": "00" * 32, "resume_token": "t"}))
    done = cli.run("export", "household_file.Households", "--out", out, "--resume")
    assert done.returncode == USAGE and "another export" in done.stderr and not out.exists()
    (tmp_path / "x.csv.part.state").write_text("{")
    assert cli.run("export", "household_file.Households", "--out", out, "--resume").returncode == USAGE
    cli.ok("export", "household_file.Households", "--out", out)
    assert sorted(os.listdir(tmp_path)) == ["x.csv", "x.csv.meta.json"]


def test_wrong_arguments_are_refused_before_anything_is_asked(cli):
    for words in (["no.Such"], ["funds.OpenFundLine"], ["ledger.Subscribe"], ["household_file.Households", "{"],
                  ["household_file.Households", "--format", "xls"], ["household_file.Households", "--resume"],
                  ["household_file.Households", "--format", "jsonl", "--bom"],
                  ["household_file.Households", '{"read": {"seq": "3"}}', "--as-of-seq", "3"]):
        assert cli.run("export", *words).returncode == USAGE, words
    assert cli.run("export", "household_file.CountHouseholds").returncode == REFUSED
