// Events that were recorded late.
#include "projections/history/parts.h"
#include "taizhang/history/state/v1/state.pb.h"

namespace taizhang::history {

Result<v1::LateEntriesResponse> late_entries(const Snapshot& snapshot,
                                             const v1::LateEntriesRequest& request) {
  using state::v1::LateEntry;
  v1::LateEntriesResponse response;
  std::string last;
  // Not page_scan(): the list ends with the first entry that is in time enough.
  snapshot.scan_after<LateEntry>(snapshot.page().after(), [&](const LateEntry& late) {
    if (-late.days_negated() < request.days_min()) return false;
    if (response.entries_size() == snapshot.page().size()) {
      snapshot.page().next_after(last);
      return false;
    }
    last = row_type<LateEntry>().key_of(late);
    fill_entry(snapshot, -late.seq_negated(), *response.add_entries());
    snapshot.page().place(nullptr, last);
    return true;
  });
  return response;
}

}  // namespace taizhang::history
