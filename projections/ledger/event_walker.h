// Goes through the stored events of a ledger, forward or backward, by the index that serves the
// filter.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/projection/event_meta.h"
#include "platform/projection/snapshot.h"
#include "platform/projection/subjects.h"

namespace taizhang {
namespace ledger::v1 {
class EventFilter;
}
namespace projection {
struct Batch;
}
}  // namespace taizhang

namespace taizhang::ledger_view {

// What an event must be. Each empty list lets everything pass; an event needs one of every list
// that is not empty.
struct Filter {
  static Filter of(const ledger::v1::EventFilter& filter);
  bool matches(const EventMeta& event) const;

  std::vector<std::string> types;  // stored names
  std::vector<Subject> subjects;
  std::vector<std::string> contexts;
};

class EventWalker {
 public:
  // `rows` of the ledger view; must outlive it, as must `filter`.
  EventWalker(SnapshotRows& rows, const Filter& filter) : rows_(rows), filter_(filter) {}

  struct Range {
    int64_t low = 1;  // inclusive, both
    int64_t high = 0;
    bool backward = false;
  };
  // Calls visit for each event of the range that the filter lets pass, in order, until it answers
  // false or `look_max` events were looked at. Returns the seq up to (backward: down to) which,
  // inclusive, everything was seen; the event that visit answered false to counts as not seen.
  int64_t walk(const Range& range, int64_t look_max,
               const std::function<bool(const EventMeta&)>& visit);

  // The event of that seq, whatever the filter. False: not stored.
  bool at(int64_t seq, const std::function<void(const EventMeta&)>& visit);

 private:
  int64_t walk_commits(const Range& range, int64_t look_max,
                       const std::function<bool(const EventMeta&)>& visit);
  int64_t walk_index(const Range& range, int64_t look_max,
                     const std::function<bool(const EventMeta&)>& visit);
  // Seqs of the range under one index key, nearest first, at most `count`.
  std::vector<int64_t> indexed(const RowType& type, const std::string& prefix, const Range& range,
                               size_t count);
  // The commit that holds `seq`, decoded; null: not stored. Valid until the next call.
  const std::vector<EventMeta>* commit_of(int64_t seq);
  const std::vector<EventMeta>* decode(const std::string& body);

  SnapshotRows& rows_;
  const Filter& filter_;
  std::string body_;
  std::shared_ptr<projection::Batch> decoded_;
};

}  // namespace taizhang::ledger_view
