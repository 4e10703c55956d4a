// Events of a range, from commits or from an index.
#include "projections/ledger/event_walker.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <limits>

#include "platform/command/registry.h"
#include "platform/projection/batch_reader.h"
#include "platform/state/key.h"
#include "taizhang/ledger/state/v1/view.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::ledger_view {
namespace {

using ledger::state::v1::EventBySubject;
using ledger::state::v1::EventByType;
using ledger::state::v1::StoredCommit;

// Seqs taken from an index at a time.
constexpr size_t kIndexChunk = 128;

std::string_view context_of(std::string_view stored_type) {
  return stored_type.substr(0, stored_type.find('.'));
}

}  // namespace

Filter Filter::of(const ledger::v1::EventFilter& filter) {
  Filter made;
  for (const auto& type : filter.types()) made.types.emplace_back(stored_type(type));
  for (const auto& subject : filter.subjects())
    made.subjects.push_back({subject.kind(), subject.id()});
  made.contexts.assign(filter.contexts().begin(), filter.contexts().end());
  return made;
}

bool Filter::matches(const EventMeta& event) const {
  const auto among = [](const std::vector<std::string>& list, std::string_view one) {
    return list.empty() || std::find(list.begin(), list.end(), one) != list.end();
  };
  if (!among(types, event.type) || !among(contexts, context_of(event.type))) return false;
  if (subjects.empty()) return true;
  const auto named = subjects_of(*event.event);
  return std::any_of(named.begin(), named.end(), [&](const Subject& subject) {
    return std::find(subjects.begin(), subjects.end(), subject) != subjects.end();
  });
}

const std::vector<EventMeta>* EventWalker::decode(const std::string& body) {
  body_ = body;
  decoded_ = std::make_shared<projection::Batch>();
  const projection::FindType find_type = [](std::string_view type) {
    // The view holds no event of an unknown type: it would have stopped there.
    const auto* descriptor = projection::find_event_type(type);
    return std::pair(
        descriptor,
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor));
  };
  if (!projection::decode_commit(body_, find_type, *decoded_)) return nullptr;
  return &decoded_->commits[0].events;
}

const std::vector<EventMeta>* EventWalker::commit_of(int64_t seq) {
  if (decoded_ && !decoded_->commits.empty()) {
    const auto& commit = decoded_->commits[0];
    if (commit.meta.first_seq <= seq && seq <= commit.meta.last_seq) return &commit.events;
  }
  const std::vector<EventMeta>* events = nullptr;
  rows_.scan(row_type<StoredCommit>(), {}, make_key(seq - 1),
             [&](std::string_view, const auto& row) {
               events = decode(static_cast<const StoredCommit&>(row).body());
               return false;
             });
  if (!events || events->front().seq > seq) return nullptr;
  return events;
}

bool EventWalker::at(int64_t seq, const std::function<void(const EventMeta&)>& visit) {
  const auto* events = commit_of(seq);
  if (!events) return false;
  visit((*events)[static_cast<size_t>(seq - events->front().seq)]);
  return true;
}

int64_t EventWalker::walk(const Range& range, int64_t look_max,
                          const std::function<bool(const EventMeta&)>& visit) {
  if (range.low > range.high) return range.backward ? range.low : range.high;
  const bool indexed_filter = !filter_.types.empty() || !filter_.subjects.empty();
  return indexed_filter ? walk_index(range, look_max, visit) : walk_commits(range, look_max, visit);
}

int64_t EventWalker::walk_commits(const Range& range, int64_t look_max,
                                  const std::function<bool(const EventMeta&)>& visit) {
  int64_t seen = range.backward ? range.high + 1 : range.low - 1;
  int64_t looked = 0;
  const auto each = [&](const EventMeta& event) {
    if (event.seq < range.low || event.seq > range.high) return true;
    if (looked == look_max || (filter_.matches(event) && !visit(event))) return false;
    ++looked;
    seen = event.seq;
    return true;
  };
  const SnapshotRows::VisitRow commit = [&](std::string_view,
                                            const google::protobuf::Message& row) {
    const auto* events = decode(static_cast<const StoredCommit&>(row).body());
    if (!events) return false;
    if (range.backward) {
      return std::all_of(events->rbegin(), events->rend(), each) && events->front().seq > range.low;
    }
    return std::all_of(events->begin(), events->end(), each) && events->back().seq < range.high;
  };
  if (range.backward) {
    const auto* last = commit_of(range.high);
    if (!last) return seen;
    rows_.scan_back(row_type<StoredCommit>(), {}, make_key(last->back().seq + 1), commit);
  } else {
    rows_.scan(row_type<StoredCommit>(), {}, make_key(range.low - 1), commit);
  }
  return seen;
}

std::vector<int64_t> EventWalker::indexed(const RowType& type, const std::string& prefix,
                                          const Range& range, size_t count) {
  std::vector<int64_t> found;
  const auto* seq_field = type.key_fields.back();
  const SnapshotRows::VisitRow each = [&](std::string_view, const google::protobuf::Message& row) {
    const int64_t seq = row.GetReflection()->GetInt64(row, seq_field);
    if (seq < range.low || seq > range.high || found.size() == count) return false;
    found.push_back(seq);
    return true;
  };
  std::string from = prefix;
  append_key_number(from, range.backward ? range.high + 1 : range.low - 1);
  if (range.backward) {
    rows_.scan_back(type, prefix, from, each);
  } else {
    rows_.scan(type, prefix, from, each);
  }
  return found;
}

int64_t EventWalker::walk_index(const Range& range, int64_t look_max,
                                const std::function<bool(const EventMeta&)>& visit) {
  // A subject is nearly always rarer than a type.
  std::vector<std::string> prefixes;
  const RowType& type =
      filter_.subjects.empty() ? row_type<EventByType>() : row_type<EventBySubject>();
  for (const auto& subject : filter_.subjects)
    prefixes.push_back(make_key(subject.kind, subject.id));
  if (filter_.subjects.empty()) {
    for (const auto& name : filter_.types) prefixes.push_back(make_key(name));
  }
  const auto nearer = [&](int64_t a, int64_t b) { return range.backward ? a > b : a < b; };
  Range left = range;
  int64_t looked = 0;
  for (;;) {
    // The nearest seqs of every key; what lies beyond the end of a full list is not known yet.
    std::vector<int64_t> candidates;
    int64_t known_until = range.backward ? left.low : left.high;
    for (const auto& prefix : prefixes) {
      const auto found = indexed(type, prefix, left, kIndexChunk);
      if (found.size() == kIndexChunk && nearer(found.back(), known_until))
        known_until = found.back();
      candidates.insert(candidates.end(), found.begin(), found.end());
    }
    std::sort(candidates.begin(), candidates.end(), nearer);
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    for (const int64_t seq : candidates) {
      if (nearer(known_until, seq)) break;
      const auto* events = commit_of(seq);
      if (!events) return range.backward ? seq + 1 : seq - 1;
      const auto& event = (*events)[static_cast<size_t>(seq - events->front().seq)];
      if (looked == look_max || (filter_.matches(event) && !visit(event))) {
        return range.backward ? seq + 1 : seq - 1;
      }
      ++looked;
    }
    if (known_until == (range.backward ? range.low : range.high)) return known_until;
    (range.backward ? left.high : left.low) = range.backward ? known_until - 1 : known_until + 1;
  }
}

}  // namespace taizhang::ledger_view
