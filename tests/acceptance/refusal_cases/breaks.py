"""What a refusal is tried with: a base request, and what breaks it."""

import dataclasses
from typing import Callable

from book import date

UNKNOWN = "11111111-2222-3333-4444-555555555555"
FAR = 21990101
DIRECTORY = "000000"
STALE = 1  # seq 1 founds the ledger: no aggregate has that version


@dataclasses.dataclass
class Break:
    reason: str
    # In the answer's metadata; "": the answer names none.
    field: str
    # change(request, book)
    change: Callable
    needs: frozenset = frozenset()
    takes: frozenset = frozenset()
    # The book it is tried in: "bare" lacks the parameters of BARE.
    world: str = "full"


@dataclasses.dataclass
class Row:
    method: str
    base: Callable  # of a book
    breaks: list
    # (earlier, later) -> change: both hold by one change, where the two own changes would collide.
    together: dict = dataclasses.field(default_factory=dict)


# Parameters that the bare book never heard of.
BARE = ("golive.date", "rate.amount", "budget.per_head", "asset.manager_required", "void.second_person_after_days")


def words(text):
    return frozenset(text.split())


def put(path, value):
    def change(request, book):
        request[path] = value(request, book) if callable(value) else value
    return change


def append(path, value):
    def change(request, book):
        request[path].append(value(request, book) if callable(value) else value)
    return change


def drop(path):
    def change(request, book):
        del request[path]
    return change


def all_of(*changes):
    def change(request, book):
        for one in changes:
            one(request, book)
    return change


def setup(*requests):
    """Sends what is made of (request, book) before the request itself."""
    def change(request, book):
        for make in requests:
            book.given(make(request, book))
    return change


def code(path, field=None):
    return Break("CODE_NOT_IN_LIST", field or path, put(path, "NO_SUCH_CODE"))


def region_unknown(path="region"):
    return Break("REGION_NOT_FOUND", path, put(path, lambda r, b: b.town + "299"))


def id_taken(path, request_of):
    """request_of(book) puts something else under the id that the request names."""
    def change(request, book):
        other = request_of(book)
        book.given(other)
        request[path] = other[path]
    return Break("ID_TAKEN", path, change)


def subject_unknown(path, value=UNKNOWN, field=None, **more):
    return Break("SUBJECT_NOT_FOUND", field or path, put(path, value), **more)


def subject_late(path, name, field=None, **more):
    """`name`: of what the book has from 2018 on only."""
    return Break("SUBJECT_NOT_ACTIVE", field or path, put(path, lambda r, b: b.id(name)), **more)


def stale_version(**more):
    return Break("VERSION_MISMATCH", "context.expected_version", put("context.expected_version", STALE), **more)


def reused(request, book):
    if request["ledger"] == DIRECTORY:
        # The only requests there are those that opened ledgers.
        request["context.request_id"] = book.opening["context.request_id"]
        return
    other = book.publish_list(book.fresh("used").replace(" ", "_"), ["A"])
    other["context.request_id"] = request["context.request_id"]
    book.given(other.having(ledger=request["ledger"]))


def cancelled(request, book):
    book.client.call("ledger.GetOutcome", {"ledger": request["ledger"], "settle": True,
                                           "request_id": request["context.request_id"]}, as_="maker")


def as_profile(profile):
    def change(request, book):
        request.as_ = profile
    return change


def before_state(effective, county_only):
    """Stages (b) to (e) that all commands have; `effective` is the path of the effective date."""
    other_kind = "990000" if county_only else DIRECTORY
    return [
        Break("FIELD_REQUIRED", "context.source", drop("context.source")),
        Break("NOT_AUTHORISED", "", as_profile("nobody"), takes=words("caller")),
        Break("NOT_AUTHORISED", "ledger", as_profile("elsewhere"), takes=words("caller")),
        Break("LEDGER_NOT_FOUND", "ledger", put("ledger", "990198"), takes=words("ledger")),
        Break("LEDGER_KIND_NOT_ALLOWED", "ledger", put("ledger", other_kind)),
        Break("REQUEST_CANCELLED", "context.request_id", cancelled, needs=words("ledger"), takes=words("request")),
        Break("REQUEST_ID_REUSED", "context.request_id", reused, needs=words("ledger request")),
        Break("EFFECTIVE_DATE_IN_FUTURE", effective, put(effective, date(FAR))),
    ]


CONTEXT_DATE = "context.effective_date"
