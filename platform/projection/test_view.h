// For tests of the read side: a small view over events and rows that exist anyway. LedgerPlaced
// adds its `generation` to the row of its `ledger`, LedgerFounded erases that row; ReadEvents lists
// the rows, or with from_seq != 0 the versions of the row "a", as envelopes: id = key, seq =
// version, commit_first_seq = sum, commit_last_seq = snapshot's seq, subject = name.
#pragma once

#include <string>

#include "platform/projection/view.h"
#include "taizhang/ledger/state/v1/state.pb.h"
#include "taizhang/ledger/v1/events.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::testing {

using SumRow = ledger::state::v1::PlacedLedger;

inline ledger::v1::LedgerPlaced placed(const std::string& key, uint64_t add,
                                       const std::string& name = "") {
  ledger::v1::LedgerPlaced event;
  event.set_ledger(key);
  event.set_generation(add);
  event.set_name(name);
  return event;
}

inline ledger::v1::LedgerFounded erased(const std::string& key) {
  ledger::v1::LedgerFounded event;
  event.set_ledger(key);
  return event;
}

inline void fold_placed(Ledger& rows, const EventMeta& meta,
                        const ledger::v1::LedgerPlaced& event) {
  auto& row = rows.edit<SumRow>(event.ledger());
  row.set_generation(row.generation() + event.generation());
  row.set_name(event.name().empty() ? std::to_string(meta.effective_day) : event.name());
}

inline void fold_erased(Ledger& rows, const EventMeta&, const ledger::v1::LedgerFounded& event) {
  rows.erase<SumRow>(event.ledger());
}

inline void put_row(const Snapshot& snapshot, const SumRow& row,
                    ledger::v1::ReadEventsResponse& response) {
  auto& envelope = *response.add_events();
  envelope.set_id(row.ledger());
  envelope.set_seq(row.version());
  envelope.set_commit_first_seq(static_cast<int64_t>(row.generation()));
  envelope.set_commit_last_seq(snapshot.seq());
  envelope.set_subject(row.name());
  envelope.mutable_effective_date()->set_year(snapshot.effective_day() / 10'000);
}

inline Result<ledger::v1::ReadEventsResponse> list_rows(
    const Snapshot& snapshot, const ledger::v1::ReadEventsRequest& request) {
  ledger::v1::ReadEventsResponse response;
  if (request.from_seq() != 0) {
    snapshot.page_history<SumRow>(
        [&](const RowVersion& version, const SumRow& row) {
          put_row(snapshot, row, response);
          auto& envelope = *response.mutable_events(response.events_size() - 1);
          envelope.set_seq(version.seq);
          envelope.set_reason(version.erased ? "erased" : "");
          snapshot.event(version.seq, [&](const EventMeta& meta) {
            envelope.set_command(std::string(meta.command));
          });
        },
        std::string("a"));
    return response;
  }
  const auto each = [&](const SumRow& row) {
    if (row.generation() % 7 == 0) return false;  // a filter
    put_row(snapshot, row, response);
    return true;
  };
  if (request.backward()) {
    snapshot.page_scan_back<SumRow>(each);
  } else {
    snapshot.page_scan<SumRow>(each);
  }
  return response;
}

inline View sum_view(int32_t version = 1) {
  View view("sums", version);
  view.on<ledger::v1::LedgerPlaced>(fold_placed)
      .on<ledger::v1::LedgerFounded>(fold_erased)
      .query(list_rows);
  return view;
}

}  // namespace taizhang::testing
