"""The command line against a taizhangd of its own: the sample book, every verb, refusals, exit codes."""

import contextlib
import json
import re
import socket
import subprocess

import pytest
from command_line import DAMAGED, FAILED, NOT_FOUND, REFUSED, UNAVAILABLE, USAGE, Cli
from taizhang_client import ROOT, Server

COMMITTEE = "6e9cbb94-5d91-51c2-b356-daf718c338b2"
LINE_J = "6a13651f-9ec1-5b30-9c59-d34ab44645bd"


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("cli"),
                    profiles={"checker": {"roles": ["ROLE_CHECKER"], "org_id": COMMITTEE}})
    server.start().close()
    cli = Cli(server)
    assert cli.ok("ledger", "open", "990101", "--name", "示例县", "--on", "2012-01-01") == "ledger 990101: opened\n"
    for name, lines in (("reference", 58), ("sample", 257)):
        said = cli.ok("apply", ROOT / f"deploy/{name}.jsonl")
        assert f"{lines} of {lines} commands sent: {lines} accepted, 0 duplicate, 0 unchanged, 0 refused" in said
    cli.last = int(re.search(r"last seq (\d+)", said).group(1))
    with contextlib.closing(server.connect()) as client:
        client.wait_for_views()
    yield cli
    server.stop()


def households(cli, *more):
    return cli.json("household", "list", "--on", "2017-12-31", "--at-least-seq", cli.last, *more)["rows"]


def test_a_file_applied_again_changes_nothing(cli):
    again = cli.json("apply", ROOT / "deploy/sample.jsonl")
    assert again == {"lines": 257, "accepted": 0, "duplicate": 257, "unchanged": 0, "refused": 0,
                     "last_seq": str(cli.last)}
    assert cli.ok("ledger", "open", "990101", "--name", "示例县", "--on", "2012-01-01") == "ledger 990101: was open already\n"
    assert cli.run("ledger", "open", "990101", "--name", "另一县", "--on", "2012-01-01").returncode == REFUSED


def test_household_list_and_page(cli):
    rows = households(cli)
    assert len(rows) == 38
    assert sum(row["members"] for row in rows) == 95
    page = cli.ok("household", "show", rows[0]["household"]["household_id"], "--on", "2017-12-31")
    assert "吊渠村" in page and "LIFTED" in page and "CADRE_HOUSEHOLD" in page and "HOME" in page
    assert "registered in 990101100202" in cli.ok("household", "show", rows[0]["household"]["household_id"], "--timeline")
    history = cli.ok("household", "history", rows[0]["household"]["household_id"])
    assert "registry.v1.HouseholdRegistered" in history and "maker" in history


def test_lists_are_cut_at_the_limit(cli):
    assert len(households(cli, "--limit", 5)) == 5
    said = cli.ok("household", "list", "--limit", 5)
    assert "there is more" in said
    assert cli.ok("household", "list", "--limit", 0, "--on", "2017-12-31").count("990101100202") == 38


def test_personal_data_is_for_makers(cli):
    one = households(cli, "--limit", 1)[0]["household"]["household_id"]
    assert "(not shown)" in cli.ok("household", "show", one, "--as", "reader")
    assert "(not shown)" not in cli.ok("household", "show", one, "--as", "maker")


def test_fund_line_and_moments(cli):
    def shown(*more):
        return cli.ok("fund", "show", LINE_J, "--at-least-seq", cli.last, *more)

    today = shown("--on", "2017-08-15")
    assert "168,900.00" in today and "84.45 %" in today and "31,100.00" in today and "NO_THRESHOLD" in today
    early = shown("--on", "2017-04-30")
    assert "18,900.00" in early and "9.45 %" in early
    history = cli.json("fund", "history", LINE_J)["versions"]
    first_payment = min(int(v["version"]) for v in history if int(v["figures"].get("paid_fen", 0)) == 15000000)
    assert "75.00 %" in shown("--on", "2017-08-15", "--as-of-seq", first_payment)
    assert "0.00 %" in shown("--on", "2017-04-30", "--as-of-seq", first_payment)


def test_money_is_yuan_on_a_terminal_and_fen_in_json(cli):
    listed = cli.ok("fund", "list", "--source", "SELF_RAISED", "--on", "2017-12-31")
    assert "225,500.00" in listed
    rows = cli.json("fund", "list", "--source", "SELF_RAISED", "--on", "2017-12-31")
    assert rows["total"]["figures"]["paid_fen"] == "22550000"
    assert "56,600.00" in cli.ok("fund", "list", "--by-village", "--on", "2017-12-31")


def test_fund_history_says_who_when_why(cli):
    history = cli.ok("fund", "history", LINE_J)
    assert "funds.v1.FundsDisbursed" in history and "maker" in history and "A4-06" in history
    paid = cli.ok("fund", "history", LINE_J, "--figure", "paid")
    assert paid.count("  maker  ") == 2 and "150,000.00  168,900.00" in paid
    assert cli.run("fund", "history", LINE_J, "--figure", "spent").returncode == USAGE
    assert "document 6dfa2fb2-e28a-5817-9938-63d74acf1be4" in history


def test_assets(cli):
    register = cli.ok("asset", "list", "--on", "2017-12-31", "--at-least-seq", cli.last)
    assert "3 assets, value 40,000.00" in register and register.count("HANDED_OVER") == 3
    one = cli.json("asset", "list", "--limit", 1)["rows"][0]["asset_id"]
    card = cli.ok("asset", "show", one)
    assert "HANDED_OVER" in card and "answered: ACCEPT" in card and "VILLAGE 990101100202" in card
    assert "assets.v1.AssetHandedOver" in cli.ok("asset", "history", one)
    assert "(none)" in cli.ok("asset", "list", "--late-title", "--on", "2018-04-01")
    assert cli.ok("asset", "list", "--without-manager", "--on", "2017-06-20").count("990101100202") == 3


def test_visits(cli):
    rows = cli.json("visit", "list", "--limit", "0")["rows"]
    assert len(rows) == 78
    one = next(row for row in rows if row["visited"]["kind"] == "SUBJECT_KIND_HOUSEHOLD")
    assert one["visited"]["id"] in cli.ok("visit", "show", one["visit_id"])
    assert "assistance.v1.VisitRecorded" in cli.ok("visit", "history", one["visit_id"])
    assert cli.ok("visit", "list", "--due", "--on", "2017-07-01").count("OWED") == 38
    assert cli.ok("visit", "list", "--overdue", "--on", "2017-10-01").count("OWED") == 2


def test_events(cli):
    said = cli.ok("events", "read", "--backward", "--limit", 3)
    assert f"{cli.last}  " in said
    lines = cli.ok("events", "read", "--from", 1, "--to", 1, "--json").splitlines()
    assert json.loads(lines[0])["data"]["name"] == "示例县"
    only = cli.ok("events", "read", "--subject", f"FUND_LINE/{LINE_J}", "--type", "funds.v1.FundsDisbursed", "--json")
    assert len(only.splitlines()) == 2
    followed = cli.ok("events", "follow", "--after", cli.last - 4, "--count", 4, "--json").splitlines()
    assert [int(json.loads(line)["seq"]) for line in followed] == list(range(cli.last - 3, cli.last + 1))


def test_a_refusal_in_words_and_in_json(cli):
    request = json.dumps({
        "context": {"source": {"kind": "KIND_FORM"}}, "payment_id": "00000000-0000-4000-8000-000000000001",
        "fund_line_id": LINE_J, "purpose": "TERRACE", "region": "990101100201", "amount_fen": "100000",
        "payee": {"label": {"text": "××合作社", "masked": True}}, "paid_date": {"year": 2017, "month": 9, "day": 1},
        "evidence": [{"document_id": "00000000-0000-4000-8000-000000000002", "kind": "RECEIPT", "title": "收据"}],
        "approved_by": "0e0f4259-d071-5c3e-95b9-40a8943ce833"})
    refused = cli.run("call", "funds.SpendDirectly", request)
    assert refused.returncode == REFUSED
    assert "LINE_NOT_FUNDED (FAILED_PRECONDITION)" in refused.stderr
    assert re.search(r"[\u4e00-\u9fff]", refused.stderr)
    as_json = json.loads(cli.run("call", "funds.SpendDirectly", "-", "--json", stdin=request).stderr)
    assert as_json["reason"] == "LINE_NOT_FUNDED" and as_json["zh"]
    malformed = cli.run("call", "funds.SpendDirectly", "{}")
    assert malformed.returncode == REFUSED and "fund_line_id" in malformed.stderr and "amount_fen" in malformed.stderr


def test_bad_json_is_not_sent(cli):
    for text, place in ((' {"ledgr": "1"}', "line 1, column 3"), ('{"amount_fen": 1.5}', "line 1, column 16"),
                        ('{"purpose": "A",\n "purpose": "B"}', "line 2, column 2"), ("{", "line 1")):
        wrong = cli.run("call", "funds.SpendDirectly", text)
        assert wrong.returncode == USAGE and place in wrong.stderr and "nothing was sent" in wrong.stderr


def test_apply_stops_or_goes_on(cli, tmp_path):
    def line(household, /, **more):
        return json.dumps({"as": "maker", "method": "registry.LoadHouseholdStatus", "request": {
            "context": {"request_id": household, "source": {"kind": "KIND_FORM"},
                        "effective_date": {"year": 2017, "month": 6, "day": 1}},
            "ledger": "${LEDGER}", "household_id": household,
            "periods": [{"status": "LIFTED", "from_date": {"year": 2016, "month": 1, "day": 1}}],
            "document": {"document_id": household, "kind": "LIST", "title": "t"}} | more})

    ids = [f"00000000-0000-4000-8000-00000000010{i}" for i in range(3)]
    file = tmp_path / "commands.jsonl"
    file.write_text("\n".join(line(i) for i in ids) + "\n")
    stopped = cli.run("apply", file)
    assert stopped.returncode == NOT_FOUND and "line 1, registry.LoadHouseholdStatus" in stopped.stderr
    assert "1 of 3 commands sent: 0 accepted, 0 duplicate, 0 unchanged, 1 refused" in stopped.stdout
    went_on = cli.run("apply", file, "--keep-going", "--json")
    said = [json.loads(text) for text in went_on.stdout.splitlines()]
    assert [entry["line"] for entry in said[:3]] == [1, 2, 3] and said[0]["error"]["reason"] == "HOUSEHOLD_NOT_FOUND"
    assert said[3]["refused"] == 3
    file.write_text(line(ids[0]) + "\n" + line(ids[1], household="x") + "\n")
    wrong = cli.run("apply", file)
    assert wrong.returncode == USAGE and "line 2, column" in wrong.stderr and "nothing was sent" in wrong.stderr
    file.write_text('{"as": "clerk", "method": "funds.SpendDirectly", "request": {}}\n')
    assert "no profile \"clerk\"" in cli.run("apply", file).stderr


def test_operators_verbs(cli):
    status = cli.ok("ledger", "status")
    assert "示例县" in status and "deciding" in status
    views = cli.ok("view", "status")
    for name in ("asset_register", "duties", "fund_execution", "history", "household_file", "ledger"):
        assert re.search(rf"^{name} .* serving$", views, re.M), views
    digests = cli.json("view", "digest", "fund_execution")["ledgers"]
    mine = next(entry for entry in digests if entry["ledger"] == "990101")
    assert len(mine["digest"]) == 64 and cli.json("view", "digest", "fund_execution", "--ledger", "990101")["ledgers"] == [mine]
    # From the rows, not from what is kept beside them.
    past = cli.json("view", "digest", "fund_execution", "--ledger", "990101", "--seq", mine["seq"])["ledgers"][0]
    assert past == mine
    before = cli.json("view", "verify", "fund_execution")
    assert before["equal"] and len(before["digest"]) == 64
    assert "rebuilt" in cli.ok("view", "rebuild", "fund_execution")
    assert cli.json("view", "verify", "fund_execution")["digest"] == before["digest"]
    assert cli.json("view", "digest", "fund_execution")["ledgers"] == digests
    assert mine["digest"] in cli.ok("view", "digest", "fund_execution", "--ledger", "990101")
    assert cli.run("view", "status", "--as", "reader").returncode == REFUSED
    assert cli.run("view", "rebuild", "nothing").returncode == NOT_FOUND
    assert cli.run("view", "verify", "nothing").returncode == NOT_FOUND
    assert cli.run("view", "digest", "nothing").returncode == NOT_FOUND
    assert "no ledger is named" in cli.run("view", "digest", "duties", "--seq", "1").stderr
    ahead = cli.run("view", "digest", "duties", "--ledger", "990101", "--seq", "1000000000")
    assert ahead.returncode == REFUSED and "SEQ_NOT_REACHED" in ahead.stderr


def test_versions_of_views(cli):
    assert re.search(r"^duties +1 +yes ", cli.ok("view", "status"), re.M)
    switched = cli.ok("view", "switch", "duties", "--to", "1", "--reason", "it is the only one")
    assert switched == "duties: version 1 answers\n"
    missing = cli.run("view", "switch", "duties", "--to", "2", "--reason", "tried")
    assert missing.returncode == NOT_FOUND and "no version 2 of view duties" in missing.stderr
    assert cli.run("view", "switch", "duties", "--to", "1").returncode == USAGE
    assert cli.run("view", "switch", "duties", "--reason", "tried").returncode == USAGE
    # Only what stands still is given up.
    skip = cli.run("view", "skip", "duties", "--ledger", "990101", "--seq", "5", "--reason", "tried")
    assert skip.returncode == REFUSED and "does not stand still at 990101/5" in skip.stderr
    assert cli.run("view", "skip", "duties", "--ledger", "990101", "--seq", "5").returncode == USAGE
    alone = cli.run("view", "compare", "duties", "--version", "1", "--with", "1")
    assert alone.returncode == REFUSED and "other_version" in alone.stderr
    assert cli.run("view", "compare", "duties", "--version", "1", "--with", "2").returncode == NOT_FOUND
    assert cli.run("view", "compare", "duties", "--version", "1").returncode == USAGE
    answers = cli.run("view", "drop", "duties", "--version", "1")
    assert answers.returncode == REFUSED and "VIEW_ANSWERS" in answers.stderr
    assert cli.run("view", "drop", "duties", "--version", "9").returncode == NOT_FOUND
    past = cli.json("view", "verify", "duties", "--ledger", "990101", "--at", "20")
    assert past["equal"] and past["ledgers"] == "1"
    assert re.search(r"^result +equal$", cli.ok("view", "verify", "duties", "--version", "1"), re.M)


def test_journal_verify(cli, tmp_path):
    assert "intact" in cli.ok("journal", "verify", cli.server.data)
    assert cli.run("journal", "verify", tmp_path / "nowhere").returncode == NOT_FOUND
    copy = tmp_path / "journal"
    copy.mkdir()
    for path in sorted((cli.server.data / "journal").iterdir()):
        damaged = bytearray(path.read_bytes())
        damaged[5000] ^= 1
        (copy / path.name).write_bytes(damaged)
    broken = cli.run("journal", "verify", tmp_path)
    assert broken.returncode == DAMAGED and "segment" in broken.stderr


def test_doctor(cli):
    said = cli.ok("doctor", "--server-config", cli.server.config)
    assert "BAD" not in said and "view duties: lag" in said and "token of maker: known" in said
    away = cli.run("doctor", "--address", "127.0.0.1:1")
    assert away.returncode == FAILED and "nothing listens there" in away.stdout
    nobody = cli.run("doctor", "--admin-address", "127.0.0.1:1")
    assert nobody.returncode == FAILED and "operators' address: no answer at 127.0.0.1:1" in nobody.stdout
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = cli.run("doctor", "--address", f"127.0.0.1:{other.getsockname()[1]}")
        assert taken.returncode == FAILED and "another program has the port" in taken.stdout


def test_exit_codes(cli, tmp_path):
    nobody = "00000000-0000-4000-8000-00000000dead"
    assert cli.run("household", "show", nobody).returncode == NOT_FOUND
    assert cli.run("fund", "show", nobody).returncode == NOT_FOUND
    assert cli.run("household", "show", "x").returncode == REFUSED
    assert cli.run("household", "list", "--address", "127.0.0.1:1", "--timeout", "2").returncode == UNAVAILABLE
    assert cli.run("household", "list", "--at-least-seq", cli.last + 1000, "--timeout", "1").returncode == UNAVAILABLE
    for words in (["household"], ["household", "show"], ["nothing"], ["household", "list", "--on", "2017"],
                  ["household", "list", "--as", "nobody"], ["fund", "list", "--source", "LOTTERY"], [],
                  ["household", "list", "--config", tmp_path / "nowhere"]):
        wrong = cli.run(*words)
        assert wrong.returncode == USAGE and wrong.stderr, words
    cli.config.chmod(0o644)
    assert "expected mode 0600" in cli.run("household", "list").stderr
    cli.config.chmod(0o600)


def test_help_has_examples(cli):
    top = cli.ok("--help")
    for name in re.findall(r"^  ([a-z]+(?: [a-z]+)?) ", top.split("Options of every")[0], re.M):
        said = cli.ok(*name.split(), "--help")
        assert f"taizhang {name}" in said.split("\n", 1)[1], name


def complete(cli, *words):
    script = cli.ok("completion", "bash")
    program = script + '\nCOMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _taizhang; echo "${COMPREPLY[@]}"'
    return subprocess.run(["bash", "-c", program, "bash", "taizhang", *words], capture_output=True, text=True,
                          check=True).stdout.split()


def test_completion(cli):
    assert complete(cli, "hou") == ["household"]
    assert complete(cli, "view", "re") == ["rebuild"]
    assert complete(cli, "call", "funds.Spe") == ["funds.SpendDirectly"]
    assert complete(cli, "fund", "show", "x", "--as-of") == ["--as-of-seq", "--as-of-time"]
    assert complete(cli, "apply", "x", "--keep") == ["--keep-going"]
