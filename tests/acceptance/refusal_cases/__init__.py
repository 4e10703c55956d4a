"""What each command refuses, in the order of design §4 and of its row in slice-1 §2: the data of refusals_test.py.

A Row holds a base request, which is acceptable, and the Breaks of it in their order. A Break changes the request, or
what stands in the book, so that exactly its reason holds. Two breaks go together unless they set the same field, or the
later one needs something (`needs`) that the earlier one takes away (`takes`). A module for each context; what they are
made of stands in breaks.py.
"""

from . import assets, assistance, funds, registry, rules

ROWS = [*rules.ROWS, *registry.ROWS, *assistance.ROWS, *funds.ROWS, *assets.ROWS]


def give_what_rows_need(book):
    """Things that begin in 2018, and rules of the rows above."""
    book.given(book.register_organisation("late org", day=20180101),
               book.register_worker("late worker", day=20180101),
               book.register_organisation("firm 2", "ENTERPRISE"), book.register_organisation("firm 3", "ENTERPRISE"))
    kind = {"kind": "ENTERPRISE_HOUSEHOLD"}
    members = "pairing.end_requires"
    # The reference data has {LIFTED, SUCCESSOR} for it, from 2012 on.
    book.given(book.set_parameter(members, {"enum_set": {"members": ["SUCCESSOR"]}}, kind, 20130101, 20170831, 2))
    book.given(book.set_parameter(members, {"enum_set": {"members": ["LIFTED"]}}, kind, 20170901, 20171231))
    book.given(book.set_parameter("funds.purposes_allowed", {"codes": {"list": "fund_purpose", "codes": ["TERRACE"]}},
                                  {"source_kind": "DONATION"}))
    book.given(book.open_line("known line"), book.record_arrival("known receipt", "known line", 1))
