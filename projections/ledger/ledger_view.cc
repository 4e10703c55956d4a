// Fold of the ledger view, and ReadEvents.
#include "projections/ledger/ledger_view.h"

#include <algorithm>

#include "platform/projection/subjects.h"
#include "platform/state/key.h"
#include "projections/ledger/commit_stream.h"
#include "projections/ledger/event_walker.h"
#include "projections/ledger/live_tail.h"
#include "projections/ledger/subscription.h"
#include "taizhang/ledger/state/v1/view.pb.h"
#include "taizhang/ledger/v1/commits.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::ledger_view {
namespace {

using ledger::state::v1::EventBySubject;
using ledger::state::v1::EventByType;
using ledger::state::v1::StoredCommit;

// A page ends before it gets larger than a caller's default message bound allows.
constexpr size_t kPageBytesMax = 2'000'000;

void fold(Ledger& rows, const EventMeta& meta) {
  rows.edit<EventByType>(meta.type, meta.seq);
  for (const auto& subject : subjects_of(*meta.event))
    rows.edit<EventBySubject>(subject.kind, subject.id, meta.seq);
}

void fold_commit(Ledger& rows, const CommitMeta& commit) {
  rows.replace<StoredCommit>(commit.last_seq).set_body(commit.bytes.data(), commit.bytes.size());
}

Result<ledger::v1::ReadEventsResponse> read_events(const Snapshot& snapshot,
                                                   const ledger::v1::ReadEventsRequest& request) {
  const int64_t newest = snapshot.seq();
  Way way;
  way.backward = request.backward();
  const int64_t low = way.backward ? request.to_seq() : request.from_seq();
  const int64_t high = way.backward ? request.from_seq() : request.to_seq();
  way.low = std::max<int64_t>(low, 1);
  way.high = high == 0 ? newest : std::min(high, newest);
  if (!snapshot.page().after().empty()) {
    std::string_view key = snapshot.page().after();
    int64_t after = 0;
    take_key_number(key, after);
    (way.backward ? way.high : way.low) = way.backward ? after - 1 : after + 1;
  }

  ledger::v1::ReadEventsResponse response;
  const Filter filter = Filter::of(request.filter());
  EventWalker walker(snapshot.rows(), filter);
  size_t bytes = 0;
  std::string envelope;
  const auto put = [&](CommitEnvelopes& commit, int64_t seq) {
    if (response.events_size() == snapshot.page().size() || bytes > kPageBytesMax) return false;
    envelope.clear();
    commit.append(seq, snapshot.may_see_personal(), envelope);
    bytes += envelope.size();
    return response.add_events()->ParseFromString(envelope);
  };
  const int64_t seen = walker.walk(way, Snapshot::kPageRowsReadMax, put);
  const bool more = way.backward ? seen > way.low : seen < way.high;
  if (way.low <= way.high && more) snapshot.page().next_after(make_key(seen));
  return response;
}

bool find_event(SnapshotRows& rows, int64_t seq,
                const std::function<void(const EventMeta&)>& visit) {
  const Filter all;
  return EventWalker(rows, all).at(seq, visit);
}

}  // namespace

View ledger_view(const SubscribeLimits& limits) {
  View view("ledger", 1);
  view.on_any(fold).on_commit(fold_commit).query(read_events).events(find_event);
  const auto tails = std::make_shared<LiveTails>(limits.tail_events_max, limits.tail_bytes_max);
  view.stream<ledger::v1::SubscribeRequest>(
      [limits, tails](std::shared_ptr<LiveView> live, const Call& call,
                      std::shared_ptr<const google::protobuf::Message> request) {
        return open_subscription(limits, *tails, std::move(live), call, std::move(request));
      });
  view.stream<ledger::v1::ReadCommitsRequest>(open_commits);
  return view;
}

}  // namespace taizhang::ledger_view
