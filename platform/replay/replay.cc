// Commits into a view's files by the engine's own folder, and questions to them.
#include "platform/replay/replay.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cstring>

#include "platform/base/clock.h"
#include "platform/base/days.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/folder.h"
#include "platform/projection/query_plan.h"
#include "platform/projection/row_reader.h"
#include "platform/projection/view_digest.h"
#include "platform/projection/view_service.h"
#include "taizhang/ledger/v1/commits.pb.h"

namespace taizhang::replay {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;

constexpr int64_t kBlockCacheBytes = int64_t{64} << 20;
constexpr int64_t kWriteBufferBytes = int64_t{64} << 20;
constexpr int64_t kRowCacheBytes = int64_t{32} << 20;
constexpr int64_t kBatchEvents = 4'096;
constexpr int64_t kBatchBytes = int64_t{4} << 20;

}  // namespace

struct Replay::Folding {
  Folding(const View& view, const std::shared_ptr<projection::Store>& store)
      : folder(view, store, 1, projection::FoldSettings{kRowCacheBytes, 1, 0}) {}

  projection::Folder folder;
  std::shared_ptr<projection::Batch> batch = std::make_shared<projection::Batch>();
  int64_t offset = 0;
};

Replay::Replay(View view, std::string ledger, std::string directory, Withheld withheld)
    : view_(projection::with_common_queries(std::move(view))),
      ledger_(std::move(ledger)),
      directory_(std::move(directory)),
      withheld_(withheld) {}

Replay::~Replay() {
  folding_.reset();
  const bool made = store_ != nullptr;
  store_.reset();
  // Whoever asked has his answer; a folder that stays is in nobody's way.
  if (made) projection::Store::destroy(directory_).IgnoreError();
}

absl::StatusOr<std::unique_ptr<Replay>> Replay::begin(View view, std::string ledger,
                                                      std::string directory, Withheld withheld) {
  std::unique_ptr<Replay> made(
      new Replay(std::move(view), std::move(ledger), std::move(directory), withheld));
  auto store = projection::Store::open(
      made->directory_, projection::make_store_resources(kBlockCacheBytes, kWriteBufferBytes));
  if (!store.ok()) return store.status();
  made->store_ = std::move(*store);
  made->folding_ = std::make_unique<Folding>(made->view_, made->store_);
  return made;
}

void Replay::skip(const ledger::v1::SkippedEvent& skipped) {
  if (skipped.view() != view_.name() || skipped.view_version() != view_.version()) return;
  const projection::Skip skip{skipped.decided_by(), skipped.reason()};
  skips_.emplace(skipped.seq(), skip);
  folding_->folder.assume({{ledger_, {{skipped.seq(), skip}}}});
}

std::vector<std::pair<int64_t, projection::Skip>> Replay::skipped(int64_t seq) const {
  return {skips_.begin(), skips_.upper_bound(std::min(seq, seq_))};
}

absl::Status Replay::add(const ledger::v1::ExportedCommit& commit) {
  auto& batch = *folding_->batch;
  char* body = google::protobuf::Arena::CreateArray<char>(&batch.arena, commit.commit().size());
  std::memcpy(body, commit.commit().data(), commit.commit().size());
  const projection::FindType find_type = [this](std::string_view stored_type) {
    const auto* type = projection::find_event_type(stored_type);
    const auto* prototype =
        type && view_.wants(type)
            ? google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)
            : nullptr;
    return std::pair<const Descriptor*, const Message*>(type, prototype);
  };
  if (!projection::decode_commit({body, commit.commit().size()}, find_type, batch))
    return absl::DataLossError("the commit behind seq " + std::to_string(seq_) + " is none");
  const auto& decoded = batch.commits.back();
  if (decoded.meta.ledger != ledger_ || decoded.meta.first_seq != seq_ + 1) {
    return absl::DataLossError("the commit behind seq " + std::to_string(seq_) + " of ledger " +
                               ledger_ + " begins with seq " +
                               std::to_string(decoded.meta.first_seq) + " of ledger " +
                               std::string(decoded.meta.ledger));
  }
  seq_ = decoded.meta.last_seq;
  recorded_time_us_ = decoded.meta.recorded_time_us;
  events_ += static_cast<int64_t>(decoded.events.size());
  batch.bytes += static_cast<int64_t>(commit.commit().size());
  for (const int64_t seq : commit.withheld_seqs()) {
    if (seq < decoded.meta.first_seq || seq > decoded.meta.last_seq) continue;
    const auto& event = decoded.events[static_cast<size_t>(seq - decoded.meta.first_seq)];
    // What is not known may matter.
    if (event.descriptor && !view_.wants(event.descriptor)) continue;
    if (skips_.contains(seq)) continue;
    ++unseen_;
    if (first_unseen_.size() < kUnseenToldMax) first_unseen_.push_back(seq);
  }
  return batch.events < kBatchEvents && batch.bytes < kBatchBytes ? absl::OkStatus() : fold();
}

absl::Status Replay::fold() {
  auto batch = std::exchange(folding_->batch, std::make_shared<projection::Batch>());
  if (batch->commits.empty() || (unseen_ > 0 && withheld_ == Withheld::kStop))
    return absl::OkStatus();
  batch->start = folding_->offset;
  batch->end = ++folding_->offset;
  batch->closed_time_us = recorded_time_us_;
  auto& folder = folding_->folder;
  if (auto folded = folder.fold(*batch); !folded.ok()) return folded;
  const auto& progress = folder.ledgers().find(ledger_)->second;
  if (progress.stopped_seq != 0) {
    return absl::UnimplementedError("event " + event_id(ledger_, progress.stopped_seq) + ": " +
                                    progress.stopped_why);
  }
  return folder.write();
}

absl::Status Replay::finish() { return fold(); }

absl::StatusOr<LedgerDigest> Replay::digest(int64_t seq) const {
  return projection::digest_at(*store_, ledger_, seq);
}

int64_t Replay::seq_at(int64_t recorded_time_us) const {
  return projection::RowReader(store_, ledger_, seq_).seq_at(recorded_time_us);
}

absl::Status Replay::rows(const RowType& table, std::string_view prefix, int64_t seq,
                          const SnapshotRows::VisitRow& visit) const {
  projection::RowReader reader(store_, ledger_, seq);
  reader.scan(table, prefix, {}, visit);
  return reader.status();
}

Answer Replay::ask(const Message& request, const Caller& caller, const EventSource* events) const {
  const std::function<std::string(std::string_view)> no_index = [](std::string_view) {
    return std::string();
  };
  for (const auto& method : view_.methods()) {
    if (!method.query || method.descriptor->input_type() != request.GetDescriptor()) continue;
    const projection::QueryPlan plan(view_, method);
    // One process, one answer: nobody else ever sees a token sealed with this.
    constexpr std::string_view kTokenKey = "a replay";
    auto wish =
        plan.wish(request, store_->build_id(), kTokenKey, shanghai_day(system_clock().wall_us()));
    if (auto* error = std::get_if<Error>(&wish)) return std::move(*error);
    if (std::get<0>(wish).at_least_seq > seq_) {
      return failure(kOutOfRange, "SEQ_NOT_REACHED", "the replay does not hold that seq",
                     {{"seq", std::to_string(seq_)}});
    }
    const projection::Known known{seq_, recorded_time_us_, seq_, 0, recorded_time_us_};
    return plan.answer(request, std::get<0>(wish), known, store_, caller, events, &no_index,
                       kTokenKey);
  }
  return failure(kUnimplemented, "METHOD_NOT_SERVED",
                 "view " + view_.name() + " has no query for " + request.GetTypeName());
}

bool Replay::event(std::string_view ledger, int64_t seq,
                   const std::function<void(const EventMeta&)>& visit) const {
  if (ledger != ledger_ || !view_.event_lookup()) return false;
  projection::RowReader reader(store_, ledger_, seq_);
  return view_.event_lookup()(reader, seq, visit);
}

}  // namespace taizhang::replay
