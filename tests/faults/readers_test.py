"""Readers as processes of their own beside a writer, on Kafka: what they answer, that they hold the same, and that a
killed one goes on."""

import random
import re
import time

import answers
import callers
import history
import pytest
from slowed import slowed
from taizhang_client import PATIENCE_S, Refused, Server

KILLS = 20
CALLERS = 64
EVENTS_MIN = 5_000  # more than a batch of what views read
READERS_MAX = 10
# Views that readers keep; `ledger` is always among them.
FEW = ("duties", "ledger")


def reader_of(writer, folder, settings=""):
    """A process that reads the writer's journal, with stores of its own and the writer's keys."""
    journal = re.search(r"^journal \{ kafka \{.*?^\} \}\n", writer.config.read_text(), re.M | re.S).group()
    return Server(folder, journal="segments",
                  settings=f'role: PROCESS_ROLE_READER\nkeys_dir: "{writer.data}"\n{settings}{journal}')


@pytest.fixture
def writer(tmp_path):
    server = Server(tmp_path / "writer", journal="kafka", settings="role: PROCESS_ROLE_WRITER\n")
    yield server
    server.kill()


@pytest.fixture
def book(tmp_path, writer):
    """A book that the writer holds, with the client of the writer."""
    made = callers.Book(history.History(tmp_path / "history"))
    made.writer = writer.start()
    made.open(made.writer)
    return made


@pytest.fixture
def readers(tmp_path, writer):
    """Makes readers, and ends them."""
    made = []

    def make(settings=""):
        made.append(reader_of(writer, tmp_path / f"reader {len(made)}", settings))
        return made[-1]

    yield make
    for server in made:
        server.kill()


def is_serving(client, service=""):
    """What the health service says; of the process when no service is named."""
    request = b"\n" + bytes([len(service)]) + service.encode() if service else b""
    check = client.channel.unary_unary("/grpc.health.v1.Health/Check")
    return {b"\x08\x01": True, b"\x08\x02": False}[check(request, timeout=60)]


def watch_build(client):
    """What a reader that begins from nothing said until its health said that it serves: (place, end, rate, left)."""
    said = []
    give_up = time.monotonic() + PATIENCE_S
    while not is_serving(client):
        status = client.call("admin.GetStatus", {}, as_="operator")
        said += [(view.position, view.journal_end, view.events_per_second, view.build_seconds_left)
                 for view in status.views if view.building and view.HasField("build_seconds_left")]
        assert time.monotonic() < give_up, status
        time.sleep(0.02)
    status = client.call("admin.GetStatus", {}, as_="operator")
    assert not any(view.building for view in status.views)
    assert is_serving(client, "taizhang.duties.v1.DutiesService")
    return said


def digests(client):
    """{(view, ledger): (seq, digest)}"""
    client.wait_for_views()
    return {(view, ledger.ledger): (ledger.seq, ledger.digest) for view in answers.VIEWS
            for ledger in client.call("admin.GetViewDigest", {"view": view}, as_="operator").ledgers}


def test_readers_answer_what_the_writer_acknowledged(writer, book, readers):
    first, second = readers(), readers()
    one = first.start()
    receipt_seq = book.last_seq
    said = answers.views(one, book, receipt_seq)
    assert all(said.values())
    # Another one that begins from nothing later, over other batches.
    two = second.start()
    assert answers.views(two, book, receipt_seq) == said
    assert answers.events(two, at_least_seq=receipt_seq) == answers.events(one, at_least_seq=receipt_seq)
    held = digests(one)
    assert {ledger for _, ledger in held} == {"000000", callers.LEDGER}
    assert digests(two) == held
    # Rebuilt by the operator while it runs, and from an empty disk.
    two.call("admin.RebuildView", {"view": "fund_execution"}, as_="operator")
    assert digests(two) == held
    three = readers().start()
    assert digests(three) == held
    # An earlier moment is the same everywhere, too.
    past = {"view": "duties", "ledger": callers.LEDGER, "seq": receipt_seq // 2}
    at = [client.call("admin.GetViewDigest", past, as_="operator").ledgers[0].digest for client in (one, two, three)]
    assert len(set(at)) == 1 and at[0] != held["duties", callers.LEDGER][1]
    with pytest.raises(Refused) as refused:
        one.call("admin.GetViewDigest", past | {"seq": receipt_seq + 1_000_000}, as_="operator")
    assert refused.value.reason == "SEQ_NOT_REACHED"


def test_a_reader_says_where_it_is_in_each_partition(book, readers):
    status = readers().start().wait_for_views()
    assert not status.HasField("writer")
    partitions = status.journal.partitions
    assert len(partitions) == 2
    assert all(p.position == p.records > 0 and p.epoch == 1 and p.foreign_records == 0 for p in partitions)
    assert {view.name for view in status.views} == set(answers.VIEWS)
    for view in status.views:
        assert [(p.position, p.journal_end) for p in view.partitions] == [(p.records, p.records) for p in partitions]
        assert view.events_per_second > 0 and not view.HasField("build_seconds_left")


def test_a_reader_keeps_the_views_it_is_told(book, readers):
    client = readers('views { serve: "duties" }\n').start()
    assert {view.name for view in client.wait_for_views().views} == set(FEW)
    said = answers.ask(client, "duties.Due", {"ledger": callers.LEDGER, "include_met": True,
                                              "read": {"at_least_seq": book.last_seq}})
    assert said.freshness.seq >= book.last_seq
    with pytest.raises(Refused) as refused:
        client.call("fund_execution.BySource", {"ledger": callers.LEDGER})
    assert refused.value.reason == "METHOD_NOT_SERVED"
    with pytest.raises(Refused) as refused:
        client.call("admin.GetViewDigest", {"view": "fund_execution"}, as_="operator")
    assert refused.value.code == "NOT_FOUND"


@pytest.mark.parametrize("seed", [1])
def test_a_reader_killed_again_and_again_misses_nothing(writer, book, readers, seed):
    rng = random.Random(seed)
    killed, steady = readers(), readers()
    calm = steady.start()
    client = killed.start()
    running, stop = callers.start_callers(book, writer.address, 1, seed, CALLERS)
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.0, 0.7))
        client.close()
        killed.kill()
        client = killed.start(built=False)
        # What is there answers, and what was acknowledged is waited for.
        seq = book.last_seq
        said = answers.ask(client, "ledger.ReadEvents", {"ledger": callers.LEDGER, "backward": True,
                                                         "page": {"page_size": 1}, "read": {"at_least_seq": seq}})
        assert said.freshness.seq >= seq
    # So many that the reader that begins from nothing below reads them in several steps, however slow the callers were.
    give_up = time.monotonic() + PATIENCE_S
    while book.last_seq < EVENTS_MIN:
        assert time.monotonic() < give_up, book.last_seq
        time.sleep(0.05)
    stop.set()
    callers.join(running)
    answers.ask(client, "ledger.ReadEvents", {"ledger": callers.LEDGER, "page": {"page_size": 1},
                                              "read": {"at_least_seq": book.last_seq}})
    held = digests(calm)
    assert digests(client) == held
    # From an empty disk it has much to fold now: until it has, it says how far it is and takes no callers.
    # Who was through before he was asked shows nothing: then another one begins.
    seen = []
    for _ in range(READERS_MAX):
        last = readers()
        with slowed(last):
            fresh = last.start(built=False)
            said = watch_build(fresh)
        assert digests(fresh) == held
        assert all(position <= end for position, end, _, _ in said), said
        seen += [one for one in said if all(value > 0 for value in one) and one[0] < one[1]]
        if seen:
            break
        last.kill()
    assert seen
    for view in answers.VIEWS:
        report = next(iter(client.stream("admin.VerifyView", {"view": view}, as_="operator")))
        assert report.equal, f"{view}: {report.difference}"
