"""What the tests of wrong input share: a book with one of everything, one good request of every kind, and raw calls."""

import grpc
import pytest
from google.protobuf import symbol_database
from google.protobuf.descriptor import FieldDescriptor

from book import Book, Refused, Request, citizen_number, credit_code, date, fresh_request_id
from taizhang_client import token_of

# Whatever a caller sends, the answer is one of these, never a fault of ours.
CLEAN = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "FAILED_PRECONDITION", "ABORTED"}
SECRET = "机密姓名"  # stands in personal fields; no error may repeat it


def prepared_book(client):
    """A book with one of everything."""
    book = Book(client).prepared()
    book.given(book.register_household("h"), book.load_status("h"), book.start_pairing("p", "h"),
               book.record_visit("v", "h", issues=[("i", "REQUEST", "OTHER")]), book.open_line("J"),
               book.record_arrival("a", "J", 30_000_000), book.form_asset("asset"))
    return book


def newest(book, ledger=None):
    fields = {"ledger": ledger} if ledger else {}
    return book.ask("ledger.ReadEvents", backward=True, page={"page_size": 1}, **fields).events[0].seq


def raw_call(book, method_name, as_="maker", timeout=60, metadata=None):
    """A call that takes bytes and gives bytes."""
    method = book.client.method(method_name)
    stub = book.client.channel_of(method).unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda raw: raw, response_deserializer=lambda raw: raw)
    if metadata is None:
        metadata = [("authorization", "Bearer " + token_of(as_))]
    return lambda raw: stub(raw, timeout=timeout, metadata=metadata), method


def refused_by(call):
    with pytest.raises((Refused, grpc.RpcError)) as caught:
        call()
    return caught.value if isinstance(caught.value, Refused) else Refused.of_call(caught.value)


def encoded(book, request):
    return book.client.message(book.client.method(request.method).input_type, request.fields).SerializeToString()


def commands(book):
    """One acceptable request of every command, unless state says no to its repetition."""
    j = book.fresh
    return [
        book.create_region(book.town + "203"), book.publish_list(j("list").replace(" ", "_"), ["A", ("B", "C")]),
        book.define_parameter(j("key").replace(" ", "_"), "DAYS", ["kind"], bounds={"min": 0, "max": 9}),
        book.set_parameter("visit.frequency", {"count_per_period": {"count": 2, "period": "CALENDAR_PERIOD_MONTH"}},
                           {"rank": "STAFF"}, 20300101),
        book.register_organisation(j("org"), credit_code=credit_code(7)), secret(book.register_worker(j("worker"))),
        secret(book.register_household(j("household"), 3)), book.load_status("h", "POOR", 20150101, 20160101),
        book.start_pairing(j("pairing"), "h", ("WORKER", "helper 2")), book.end_pairing("p", 20171231),
        secret(book.record_visit(j("visit"), "h", issues=[(j("issue"), "REQUEST", "LOAN_DELAY")],
                                 text={"text": SECRET})),
        book.assign_issue("i"), book.resolve_issue("i"), book.reopen_issue("i"),
        book.void("assistance", "VISIT", "v", 20170611),
        book.open_line(j("line")), book.record_budget(j("budget"), "J", 1_000),
        book.record_arrival(j("arrival"), "J", 5),
        book.spend(j("payment"), "J", 50_000, price=("TERRACE", 50_000, 1, "MU")),
        book.form_asset(j("asset")), book.check_asset(j("check"), "asset"), book.confirm_title("asset"),
        book.offer_asset(j("offer"), ["asset"]), book.answer_offer(j("offer")),
        book.void("assets", "CHECK", "c", 20170616), book.opening.again(),
    ]


def secret(request):
    for holder in [request.fields] + request.fields.get("members", []):
        if "identity" in holder:
            holder["identity"]["name"] = SECRET
    return request


def queries(book):
    pool = symbol_database.Default().pool
    found = []
    for view in ("household_file", "duties", "fund_execution", "asset_register", "history"):
        service, = pool.FindFileByName(f"taizhang/{view}/v1/service.proto").services_by_name.values()
        for method in service.methods:
            fields = {"ledger": book.ledger, "read": {"seq": 100, "effective_date": date(20170801)}}
            for field in method.input_type.fields:
                if field.name.endswith("_id") and field.type == FieldDescriptor.TYPE_STRING:
                    fields[field.name] = book.id("h")
            if method.name == "VisitsByPeriod":
                fields["period"] = "CALENDAR_PERIOD_MONTH"
            if method.name == "LateEntries":
                fields["days_min"] = 5
            if method.name == "FindByCitizenNumber":
                fields["citizen_number"] = citizen_number(1)
            if method.name == "SubjectHistory":
                fields["subject"] = {"kind": "SUBJECT_KIND_HOUSEHOLD", "id": book.id("h")}
            found.append(Request(f"{view}.{method.name}", fields, "reader"))
    page = {"page_size": 10}
    found.append(Request("ledger.ReadEvents", {"ledger": book.ledger, "from_seq": 5, "page": page}, "reader"))
    found.append(Request("ledger.GetOutcome", {"ledger": book.ledger, "request_id": fresh_request_id()}, "reader"))
    return found
