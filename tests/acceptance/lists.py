"""The lists of the product with a request for each, and their exports and differences as a stranger would take them."""

import hashlib

from google.protobuf import symbol_database

from book import date, subject

# Packages of views: every query with a page in them is a list.
VIEWS = ("household_file", "duties", "fund_execution", "asset_register", "history", "ledger")


def requests(book):
    """{method: fields of a request that has rows in the sample book}"""
    def first(method, **fields):
        return getattr(book.ask(method, day=20171231, page={"page_size": 1}, **fields), "rows")[0]

    household = first("household_file.Households").household.household_id
    visit = first("duties.Visits", visited=subject("HOUSEHOLD", household)).visit_id
    issue = first("household_file.Issues", include_resolved=True).issue_id
    line = first("fund_execution.BySource", source_kind="SOURCE_KIND_SELF_RAISED").fund_line_id
    asset = first("asset_register.Register").asset_id
    history = book.ask("fund_execution.LineHistory", fund_line_id=line).versions[0]
    document = next(v for v in book.ask("fund_execution.LineHistory", fund_line_id=line).versions
                    if v.document_ids).document_ids[0]
    return {
        "household_file.Households": {},
        "household_file.Timeline": {"household_id": household},
        "household_file.Issues": {"include_resolved": True},
        "household_file.HouseholdHistory": {"household_id": household},
        "household_file.VisitHistory": {"visit_id": visit},
        "household_file.IssueHistory": {"issue_id": issue},
        "duties.Due": {"include_met": True},
        "duties.Overdue": {"since": date(20170101)},
        "duties.Visits": {},
        "duties.Pairings": {"include_closed": True},
        "duties.PairingHistory": {"pairing_id": first("duties.Pairings").pairing_id},
        "fund_execution.BySource": {},
        "fund_execution.ByVillage": {},
        "fund_execution.Progress": {},
        "fund_execution.LineHistory": {"fund_line_id": line},
        "asset_register.Register": {},
        "asset_register.LateTitle": {},
        "asset_register.WithoutManager": {},
        "asset_register.AssetHistory": {"asset_id": asset},
        "history.SubjectHistory": {"subject": subject("FUND_LINE", line)},
        "history.LateEntries": {"days_min": 1},
        "history.ByRequest": {"request_id": history.change.request_id},
        "history.ByDocument": {"document_id": document},
        "ledger.ReadEvents": {},
    }


def all_lists():
    """Every list of the views, from the descriptors."""
    pool = symbol_database.Default().pool
    found = []
    for view in VIEWS:
        for file in ("service", "ledger"):
            try:
                services = pool.FindFileByName(f"taizhang/{view}/v1/{file}.proto").services_by_name.values()
            except KeyError:
                continue
            found += [f"{view}.{method.name}" for service in services for method in service.methods
                      if "page" in method.input_type.fields_by_name and not method.server_streaming]
    return found


def pages(book, method, as_="reader", size=1000, **fields):
    """All rows of a list, page by page, of a view that holds everything the book was told. `read`: the read options."""
    fields["read"] = {"at_least_seq": book.last_seq} | fields.get("read", {})
    rows, token = [], ""
    while True:
        answer = book.client.call(method, {"ledger": book.ledger, **fields,
                                           "page": {"page_size": size, "page_token": token}}, as_=as_)
        rows += getattr(answer, answer.DESCRIPTOR.fields_by_number[1].name)
        token = answer.next_page_token
        if not token:
            return rows


def packed(book, method, **fields):
    """A query as google.protobuf.Any, in JSON."""
    query = book.client.method(method).input_type
    return {"@type": f"type.googleapis.com/{query.full_name}", "ledger": book.ledger, **fields}


def unpack(book, any_):
    """The message inside."""
    from google.protobuf import message_factory

    name = any_.type_url.rsplit("/", 1)[1]
    kind = symbol_database.Default().pool.FindMessageTypeByName(name)
    return message_factory.GetMessageClass(kind).FromString(any_.value)


def export_stream(book, method, as_="reader", rows_per_message=0, resume_token="", **fields):
    return book.client.stream("lists.Export", {"query": packed(book, method, **fields),
                                               "rows_per_message": rows_per_message, "resume_token": resume_token},
                              as_=as_)


def export(book, method, **more):
    """(header, rows, trailer, [(resume token, rows in front of it)]) of an export that ends well."""
    header, rows, trailer, tokens = None, [], None, []
    for message in export_stream(book, method, **more):
        kind = message.WhichOneof("message")
        if kind == "header":
            assert header is None
            header = message.header
        elif kind == "rows":
            rows += message.rows.rows
            tokens.append((message.rows.resume_token, len(rows)))
        else:
            trailer = message.trailer
    return header, rows, trailer, tokens


def digest_of(rows):
    """Of rows as Any: what lists.v1.ExportTrailer says of it."""
    digest = bytes(32)
    for row in rows:
        digest = hashlib.sha256(digest + len(row.value).to_bytes(8, "little") + row.value).digest()
    return digest.hex()


def diff(book, method, from_, to=None, as_="reader", day=None, **fields):
    """(header, differences, trailer); moments are seqs, the later one by default all that this book was told."""
    book.wait_for_events()
    at = {"effective_date": date(day)} if day else {}
    later = {"at_least_seq": book.last_seq} if to is None else {"seq": to}
    request = {"query": packed(book, method, **fields), "from": {"seq": from_} | at, "to": later | at}
    header, found, trailer = None, [], None
    for message in book.client.stream("lists.Diff", request, as_=as_):
        kind = message.WhichOneof("message")
        if kind == "header":
            header = message.header
        elif kind == "rows":
            found += message.rows.differences
        else:
            trailer = message.trailer
    return header, found, trailer
