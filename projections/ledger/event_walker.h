// Goes through the stored events of a ledger, forward or backward, by the indexes that serve the
// filter.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/projection/commit_envelopes.h"
#include "platform/projection/event_meta.h"
#include "platform/projection/snapshot.h"
#include "projections/ledger/filter.h"
#include "projections/ledger/indexed_seqs.h"

namespace taizhang::projection {
struct Batch;
}

namespace taizhang::ledger_view {

class EventWalker {
 public:
  // `rows` of the ledger view; must outlive it, as must `filter`.
  EventWalker(SnapshotRows& rows, const Filter& filter) : rows_(rows), filter_(filter) {}

  // Takes an event of a commit; false ends the walk, and that event counts as not seen.
  using Visit = std::function<bool(CommitEnvelopes& commit, int64_t seq)>;
  // Visits each event that the filter lets pass, in order, until `visit` answers false or
  // `looks_max` places of the indexes, or events where no index is needed, were looked at. Returns
  // the seq up to (backward: down to) which, inclusive, everything was seen.
  int64_t walk(const Way& way, int64_t looks_max, const Visit& visit);

  // The event of that seq, whatever the filter, parsed. False: not stored.
  bool at(int64_t seq, const std::function<void(const EventMeta&)>& visit);
  // All events of a range in order, parsed, whatever the filter. False: one is not stored.
  bool each(int64_t low, int64_t high,
            const std::function<void(CommitEnvelopes& commit, const EventMeta&)>& visit);

 private:
  int64_t walk_all(const Way& way, int64_t looks_max, const Visit& visit);
  int64_t walk_indexes(const Way& way, int64_t looks_max, const Visit& visit);
  // Keys of the index of types that the filter lets pass; of contexts, the types that the ledger
  // has.
  std::vector<std::string> type_keys();
  // Puts `commit_` on the commit that holds `seq`; false: not stored.
  bool open_commit(int64_t seq);
  bool parse_commit(int64_t seq);

  SnapshotRows& rows_;
  const Filter& filter_;
  std::unique_ptr<RowCursor> commits_;
  CommitEnvelopes commit_;  // views into the row that commits_ stands on
  std::shared_ptr<projection::Batch> parsed_;
};

}  // namespace taizhang::ledger_view
