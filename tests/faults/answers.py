"""What a server answers about its book: every event, and every view, at one seq and day, for comparing two servers."""

import base64
import json
import time

from callers import LEDGER
from taizhang_client import PATIENCE_S, Refused, date

PAGE = {"page_size": 1000}
VIEWS = ("ledger", "household_file", "duties", "fund_execution", "asset_register", "history", "subscriptions")


def ask(client, method, request, timeout=PATIENCE_S):
    """A query, asked again while its view is still being built."""
    give_up = time.monotonic() + timeout
    while True:
        try:
            return client.call(method, request, timeout=timeout)
        except Refused as refused:
            if refused.reason != "VIEW_BUILDING" or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def events(client, from_seq=1, at_least_seq=0):
    """Events from `from_seq` to the end as the judge wants them."""
    found = []
    token = ""
    while True:
        request = {"ledger": LEDGER, "from_seq": from_seq, "page": {**PAGE, "page_token": token},
                   "read": {"at_least_seq": at_least_seq}}
        page = ask(client, "ledger.ReadEvents", request)
        for event in page.events:
            found.append({
                "seq": event.seq, "first_seq": event.commit_first_seq, "last_seq": event.commit_last_seq,
                "request_id": event.request_id, "time_us": event.time.ToMicroseconds(),
                "payload": base64.b64encode(event.payload).decode()})
        token = page.next_page_token
        if not token:
            return found


def write(path, found):
    path.write_text("".join(json.dumps(event) + "\n" for event in found))


def _queries(book):
    household = book.households[0]
    queries = [
        ("fund_execution.BySource", {}), ("fund_execution.ByVillage", {}), ("fund_execution.Progress", {}),
        ("fund_execution.LineHistory", {"fund_line_id": book.fund_line}),
        ("asset_register.Register", {}), ("asset_register.WithoutManager", {}), ("asset_register.LateTitle", {}),
        ("household_file.Households", {}), ("household_file.CountHouseholds", {}),
        ("household_file.Issues", {"include_resolved": True}),
        ("household_file.Timeline", {"household_id": household}),
        ("duties.Due", {"include_met": True}), ("duties.Overdue", {}), ("duties.Pairings", {"include_closed": True}),
        ("duties.VisitsByPeriod", {"period": "CALENDAR_PERIOD_MONTH", "from_date": date(20170101)}),
        ("duties.Visits", {}),
        ("history.SubjectHistory", {"subject": {"kind": "SUBJECT_KIND_HOUSEHOLD", "id": household}}),
        ("history.LateEntries", {"days_min": 1}),
    ]
    return queries + [("household_file.Sheet", {"household_id": one}) for one in book.households[:10]]


def views(client, book, seq, day=20180131, timeout=PATIENCE_S):
    """{query: its answers' bytes}, as of `seq` and `day`. What is always different (lag) is left out; a query that is
    refused counts with its code."""
    said = {}
    # Rows name the events they came from; the view that keeps those may be behind the others.
    try:
        ask(client, "ledger.ReadEvents",
            {"ledger": LEDGER, "read": {"at_least_seq": seq}, "page": {"page_size": 1}}, timeout)
    except Refused as refused:
        said["ledger.ReadEvents"] = refused.code.encode()
    for number, (method, fields) in enumerate(_queries(book)):
        key = f"{number} {method}"
        said[key] = b""
        token = ""
        paged = "page" in client.method(method).input_type.fields_by_name
        while True:
            request = {"ledger": LEDGER, "read": {"at_least_seq": seq, "seq": seq, "effective_date": date(day)}, **fields}
            if paged:
                request["page"] = {**PAGE, "page_token": token}
            try:
                answer = ask(client, method, request, timeout)
            except Refused as refused:
                said[key] += refused.code.encode()
                break
            token = answer.next_page_token if paged else ""
            answer.freshness.ClearField("journal_seq")
            answer.freshness.ClearField("lag_ms")
            if paged:
                answer.ClearField("next_page_token")
            said[key] += answer.SerializeToString(deterministic=True)
            if not token:
                break
    return said
