// Events of a range, from commits or through indexes.
#include "projections/ledger/event_walker.h"

#include <google/protobuf/descriptor.h>

#include <optional>
#include <utility>

#include "platform/projection/batch_reader.h"
#include "platform/projection/wire.h"
#include "platform/state/key.h"
#include "taizhang/ledger/state/v1/view.pb.h"

namespace taizhang::ledger_view {
namespace {

using ledger::state::v1::EventBySubject;
using ledger::state::v1::EventByType;
using ledger::state::v1::StoredCommit;

std::string_view body_of(std::string_view stored_commit) {
  std::string_view body;
  projection::walk_fields(
      stored_commit,
      [&](int number, std::string_view view) {
        if (number == StoredCommit::kBodyFieldNumber) body = view;
        return true;
      },
      [](int, uint64_t) {});
  return body;
}

}  // namespace

bool EventWalker::open_commit(int64_t seq) {
  if (commit_.holds(seq)) return true;
  if (!commits_) commits_ = rows_.cursor(row_type<StoredCommit>());
  // A row's key is the last seq of its commit.
  if (commits_->valid() && seq == commit_.last_seq() + 1) {
    commits_->next();
  } else {
    commits_->seek(make_key(seq));
  }
  return commit_.open(commits_->valid() ? body_of(commits_->row()) : std::string_view()) &&
         commit_.holds(seq);
}

bool EventWalker::parse_commit(int64_t seq) {
  if (!open_commit(seq)) return false;
  if (parsed_ && parsed_->commits[0].meta.first_seq == commit_.first_seq()) return true;
  parsed_ = std::make_shared<projection::Batch>();
  const projection::FindType find_type = [](std::string_view type) {
    // The view holds no event of an unknown type: it would have stopped there.
    const auto* descriptor = projection::find_event_type(type);
    return std::pair(
        descriptor,
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor));
  };
  if (projection::decode_commit(body_of(commits_->row()), find_type, *parsed_)) return true;
  parsed_.reset();
  return false;
}

bool EventWalker::at(int64_t seq, const std::function<void(const EventMeta&)>& visit) {
  if (!parse_commit(seq)) return false;
  visit(parsed_->commits[0].events[static_cast<size_t>(seq - commit_.first_seq())]);
  return true;
}

bool EventWalker::each(
    int64_t low, int64_t high,
    const std::function<void(CommitEnvelopes& commit, const EventMeta&)>& visit) {
  for (int64_t seq = low; seq <= high; ++seq) {
    if (!parse_commit(seq)) return false;
    visit(commit_, parsed_->commits[0].events[static_cast<size_t>(seq - commit_.first_seq())]);
  }
  return true;
}

int64_t EventWalker::walk(const Way& way, int64_t looks_max, const Visit& visit) {
  if (way.low > way.high) return way.backward ? way.low : way.high;
  return filter_.lets_all_pass() ? walk_all(way, looks_max, visit)
                                 : walk_indexes(way, looks_max, visit);
}

int64_t EventWalker::walk_all(const Way& way, int64_t looks_max, const Visit& visit) {
  int64_t looks = 0;
  int64_t place = way.first();
  for (; place <= way.last() && looks < looks_max; ++place, ++looks) {
    const int64_t seq = way.seq(place);
    if (!open_commit(seq) || !visit(commit_, seq)) break;
  }
  return way.seq(place - 1);
}

std::vector<std::string> EventWalker::type_keys() {
  std::vector<std::string> keys;
  if (filter_.contexts.empty() || !filter_.types.empty()) {
    for (const auto& type : filter_.types) {
      if (filter_.takes_type(type)) keys.push_back(make_key(type));
    }
    return keys;
  }
  const auto index = rows_.cursor(row_type<EventByType>());
  for (const auto& context : filter_.contexts) {
    // Stored names of a context start alike, and so do their keys.
    const std::string start = context + '.';
    index->seek(start);
    while (index->valid() && index->key().starts_with(start)) {
      std::string_view rest = index->key();
      std::string type;
      if (!take_key_text(rest, type)) break;
      keys.push_back(make_key(type));
      std::string behind = keys.back();
      behind += '\xff';  // above every seq of this type, as far as seqs go
      index->seek(behind);
    }
  }
  return keys;
}

int64_t EventWalker::walk_indexes(const Way& way, int64_t looks_max, const Visit& visit) {
  std::optional<IndexedSeqs> by_type;
  std::optional<IndexedSeqs> by_subject;
  if (!filter_.types.empty() || !filter_.contexts.empty())
    by_type.emplace(rows_, row_type<EventByType>(), type_keys(), way);
  if (!filter_.subjects.empty()) {
    std::vector<std::string> keys;
    for (const auto& subject : filter_.subjects) keys.push_back(make_key(subject.kind, subject.id));
    by_subject.emplace(rows_, row_type<EventBySubject>(), std::move(keys), way);
  }
  // Each index leaps to where the other one stands, until both stand on the same event.
  int64_t looks = 0;
  int64_t place = way.first();
  while (place <= way.last()) {
    if (looks++ == looks_max) return way.seq(place - 1);
    int64_t found = place;
    if (by_subject) found = by_subject->at_or_behind(found);
    if (by_type && found != IndexedSeqs::kNone) found = by_type->at_or_behind(found);
    if (found == IndexedSeqs::kNone) break;
    if (by_subject && by_subject->at_or_behind(found) != found) {
      place = found;
      continue;
    }
    const int64_t seq = way.seq(found);
    if (!open_commit(seq) || !visit(commit_, seq)) return way.seq(found - 1);
    place = found + 1;
  }
  return way.seq(way.last());
}

}  // namespace taizhang::ledger_view
