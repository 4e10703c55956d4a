"""SIGTERM under load: every call that was taken is answered before the process ends, and it ends well."""

import random
import threading
import time

import answers
import callers
import grpc
import history
import judge
import pytest
from taizhang_client import PATIENCE_S, Refused, Server

CALLERS = 64
# Who waited for an idle connection or a quiet stream would wait as long.
GRACE_S = 4 * PATIENCE_S
SETTINGS = f"limits {{ stop_grace_ms: {GRACE_S * 1000} }}\n"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sigterm_answers_every_call_it_took(tmp_path, seed):
    server = Server(tmp_path / "server", settings=SETTINGS)
    book = callers.Book(history.History(tmp_path / "history"))
    try:
        client = server.start()
        book.open(client)
        running, _ = callers.start_callers(book, server.address, 1, seed, CALLERS)
        time.sleep(random.Random(seed).uniform(0.1, 0.6))
        in_flight = sum(caller.in_flight for caller in running)
        assert server.stop() == 0, server.log_text()
        callers.join(running)
        book.history.dead(1)
        assert in_flight > 0

        client = server.start()
        found = answers.events(client, at_least_seq=book.last_seq)
        entries = history.read(book.history.path)
        assert judge.judge(entries, found) == []
        # Whoever knocked when the door was shut heard only that it was shut. What was let in was answered: no commit
        # is there whose caller does not know of it.
        there = {event["request_id"] for event in found}
        known = {call.request_id for call in judge.calls_of(entries) if call.acknowledged}
        not_told = [call for call in history.unsure(entries) if call["request_id"] in there - known]
        assert not_told == []
    finally:
        server.kill()


def test_idle_connections_and_quiet_streams_hold_nothing_up(tmp_path):
    server = Server(tmp_path / "server", settings=SETTINGS)
    book = callers.Book(history.History(tmp_path / "history"))
    try:
        client = server.start()
        book.open(client)
        idle = server.connect()
        answers.events(idle, at_least_seq=book.last_seq)
        bulk = server.connect().bulk()
        assert bulk.execute([]) == []
        stream = client.stream("ledger.Subscribe", {"ledger": callers.LEDGER, "after_seq": book.last_seq})
        caught_up = threading.Event()
        ended = []

        def follow():
            try:
                for _ in stream:
                    caught_up.set()
            except grpc.RpcError as error:
                ended.append(Refused.of_call(error))

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        assert caught_up.wait(PATIENCE_S)
        assert server.stop(PATIENCE_S) == 0, server.log_text()
        follower.join(PATIENCE_S)
        assert [(refused.reason, refused.metadata["outcome"]) for refused in ended] == [("SERVER_STOPPING", "none")]
    finally:
        server.kill()
