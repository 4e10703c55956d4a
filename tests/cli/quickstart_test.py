"""deploy/quickstart.sh with the binaries of this build on either journal: the tour, again, a taken port, --stop, --clean."""

import os
import re
import subprocess

import pytest
from kafka_broker import kept_pids
from kafka_cluster import free_port
from taizhang_client import BUILD, PATIENCE_S, ROOT


class Quickstart:
    def __init__(self, folder, journal="segments"):
        self.folder = folder
        self.journal = journal
        self.port = free_port()

    def run(self, *words, stdin=""):
        return subprocess.run([ROOT / "deploy/quickstart.sh", "--dir", self.folder, *map(str, words)], input=stdin,
                              capture_output=True, text=True, timeout=3 * PATIENCE_S)

    def start(self, port=None):
        return self.run("--build", BUILD, "--port", port or self.port, f"--journal={self.journal}")

    def brokers(self):
        return len(kept_pids(self.folder / "kafka"))


@pytest.fixture(scope="module", params=["segments", "kafka"])
def quickstart(request, tmp_path_factory):
    quickstart = Quickstart(tmp_path_factory.mktemp("quickstart") / "book", request.param)
    yield quickstart
    quickstart.run("--stop")


@pytest.fixture(scope="module")
def tour(quickstart):
    done = quickstart.start()
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_it_shows_the_eight_things(tour, quickstart):
    said = tour.stdout
    for text in ("58 accepted, 0 duplicate", "257 accepted, 0 duplicate",
                 "CADRE_HOUSEHOLD", "84.45 %", "HANDED_OVER", "150,000.00  168,900.00", "document 2b28131c",
                 '"duplicate":true', "75.00 %", f"127.0.0.1:{quickstart.port} taizhang.fund_execution.v1"):
        assert text in said, text
    assert "LINE_NOT_FUNDED" in tour.stderr and re.search(r"[\u4e00-\u9fff]", tour.stderr)
    token = re.search(r"Bearer ([0-9a-f]{64})", said).group(1)
    settings = (quickstart.folder / "client.textproto").read_text()
    assert token in settings and token not in (quickstart.folder / "tokens.textproto").read_text()


def test_nothing_is_open_to_others(tour, quickstart):
    for name in (".", "data", "client.textproto", "tokens.textproto", "taizhangd.textproto", "taizhangd.log"):
        assert (quickstart.folder / name).stat().st_mode & 0o077 == 0, name


def test_run_again_it_changes_nothing(tour, quickstart):
    again = quickstart.start()
    assert again.returncode == 0, again.stderr
    assert "already running" in again.stdout and "was open already" in again.stdout
    assert "58 duplicate" in again.stdout and "257 duplicate" in again.stdout and "Nothing was changed" in again.stdout


def test_a_taken_port_is_said(tour, quickstart):
    other = Quickstart(quickstart.folder.parent / "other", quickstart.journal)
    refused = other.start(quickstart.port)
    assert refused.returncode == 1 and f"port {quickstart.port} is taken" in refused.stderr
    assert not other.folder.exists()


def test_a_journal_does_not_move(tour, quickstart):
    other = "kafka" if quickstart.journal == "segments" else "segments"
    refused = quickstart.run("--build", BUILD, f"--journal={other}")
    assert refused.returncode == 1 and f"has its journal in {quickstart.journal}" in refused.stderr


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("x")
    foreign = Quickstart(tmp_path)
    assert "was not made by this script" in foreign.start().stderr
    assert "nothing is deleted" in foreign.run("--clean", "--yes").stderr
    assert os.listdir(tmp_path) == ["mine"]


def test_stop_start_and_clean(tour, quickstart):
    running = 1 if quickstart.journal == "kafka" else 0
    assert quickstart.brokers() == running
    assert "stopped (process" in quickstart.run("--stop").stdout
    assert "no server of" in quickstart.run("--stop").stdout and quickstart.brokers() == 0
    # The folder knows which journal it has.
    again = quickstart.run("--build", BUILD, "--port", quickstart.port)
    assert "Nothing was changed" in again.stdout and quickstart.brokers() == running
    kept = quickstart.run("--clean", stdin="no\n")
    assert kept.returncode == 1 and "This deletes" in kept.stdout and quickstart.folder.exists()
    gone = quickstart.run("--clean", "--yes")
    assert gone.returncode == 0 and "stopped" in gone.stdout and not quickstart.folder.exists()
    assert quickstart.brokers() == 0
    assert "nothing to delete" in quickstart.run("--clean").stdout
