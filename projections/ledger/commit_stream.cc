// ReadCommits: the range is settled when the call begins; what stands in it never changes.
#include "projections/ledger/commit_stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "platform/projection/batch_reader.h"
#include "platform/projection/subjects.h"
#include "platform/state/key.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/state/v1/view.pb.h"
#include "taizhang/ledger/v1/commits.pb.h"

namespace taizhang::ledger_view {
namespace {

using google::protobuf::Message;
using ledger::state::v1::StoredCommit;
using ledger::v1::ExportedCommit;
using ledger::v1::ReadCommitsRequest;
using ledger::v1::ReadCommitsResponse;

// Of one message; a commit is at most a journal record, so a message stays below 2 MB.
constexpr size_t kMessageBytes = 1'000'000;

// Calls visit with the body of each commit whose last seq is above `after_seq`, until it answers
// false.
void each_commit(SnapshotRows& rows, int64_t after_seq,
                 const std::function<bool(const StoredCommit&)>& visit) {
  rows.scan(row_type<StoredCommit>(), {}, make_key(after_seq),
            [&](std::string_view, const Message& row) {
              return visit(static_cast<const StoredCommit&>(row));
            });
}

bool is_personal(const journal::v1::Event& event) {
  const auto* type = projection::find_event_type(event.type());
  const auto* prototype =
      type ? google::protobuf::MessageFactory::generated_factory()->GetPrototype(type) : nullptr;
  if (!prototype) return true;
  const std::unique_ptr<Message> message(prototype->New());
  return !message->ParseFromString(event.payload()) || holds_personal_data(*message);
}

// False: the stored bytes are no commit.
bool withhold_personal(const std::string& stored, ExportedCommit& out) {
  journal::v1::Commit commit;
  if (!commit.ParseFromString(stored)) return false;
  for (int i = 0; i < commit.events_size(); ++i) {
    auto& event = *commit.mutable_events(i);
    if (!is_personal(event)) continue;
    event.clear_payload();
    out.add_withheld_seqs(commit.first_seq() + i);
  }
  if (out.withheld_seqs().empty()) {
    out.set_commit(stored);
  } else {
    commit.SerializeToString(out.mutable_commit());
  }
  return true;
}

class CommitStream final : public ServerStream {
 public:
  CommitStream(std::shared_ptr<LiveView> view, std::string ledger, ReadCommitsResponse::Range range)
      : view_(std::move(view)),
        ledger_(std::move(ledger)),
        range_(std::move(range)),
        position_(range_.first_seq() - 1) {}

  void next(Done ready) override {
    auto response = std::make_unique<ReadCommitsResponse>();
    if (!begun_) {
      begun_ = true;
      *response->mutable_range() = range_;
      return ready(std::move(response));
    }
    if (position_ >= range_.last_seq()) return ready(std::unique_ptr<Message>());
    bool good = true;
    const auto error = view_->read(ledger_, range_.last_seq(), [&](SnapshotRows& rows) {
      size_t bytes = 0;
      each_commit(rows, position_, [&](const StoredCommit& stored) {
        auto& out = *response->add_commits();
        if (range_.personal_withheld()) {
          good = withhold_personal(stored.body(), out);
        } else {
          out.set_commit(stored.body());
        }
        bytes += out.commit().size();
        position_ = stored.last_seq();
        return good && bytes < kMessageBytes && position_ < range_.last_seq();
      });
    });
    if (error) return ready(*error);
    if (!good || response->commits().empty()) {
      return ready(failure(kDataLoss, "VIEW_DAMAGED", "the stored commits cannot be read",
                           {{"view", "ledger"}, {"ledger", ledger_}}));
    }
    ready(std::move(response));
  }
  // Nothing is ever pending.
  void cancel() override {}

 private:
  const std::shared_ptr<LiveView> view_;
  const std::string ledger_;
  const ReadCommitsResponse::Range range_;
  int64_t position_;  // told up to here
  bool begun_ = false;
};

std::optional<Error> settle(const LiveView& view, const ReadCommitsRequest& request,
                            int64_t held_seq, ReadCommitsResponse::Range& range) {
  if (request.to_seq() > held_seq) {
    return failure(kFailedPrecondition, "SEQ_NOT_REACHED", "the ledger is not at that seq yet",
                   {{"ledger", request.ledger()}, {"seq", std::to_string(held_seq)}});
  }
  range.set_to_seq(request.to_seq() == 0 ? held_seq : request.to_seq());
  return view.read(request.ledger(), held_seq, [&](SnapshotRows& rows) {
    if (request.has_to_time()) {
      const auto& time = request.to_time();
      range.set_to_seq(rows.seq_at(time.seconds() * 1'000'000 + time.nanos() / 1'000));
    }
    range.set_first_seq(1);
    if (request.from_seq() > 1) {
      range.set_first_seq(request.from_seq());
      each_commit(rows, request.from_seq() - 1, [&](const StoredCommit& stored) {
        journal::v1::Commit commit;
        if (commit.ParseFromString(stored.body())) range.set_first_seq(commit.first_seq());
        return false;
      });
    }
    if (range.to_seq() > 0) {
      each_commit(rows, range.to_seq() - 1, [&](const StoredCommit& stored) {
        range.set_last_seq(stored.last_seq());
        return false;
      });
    }
  });
}

}  // namespace

std::variant<std::unique_ptr<ServerStream>, Error> open_commits(
    std::shared_ptr<LiveView> view, const Call& call, std::shared_ptr<const Message> request) {
  const auto& asked = static_cast<const ReadCommitsRequest&>(*request);
  const auto progress = view->progress(asked.ledger());
  if (const auto* error = std::get_if<Error>(&progress)) return *error;
  ReadCommitsResponse::Range range;
  if (auto error = settle(*view, asked, std::get<0>(progress).seq, range)) return std::move(*error);
  range.set_personal_withheld(!call.caller->has_role(common::v1::ROLE_MAKER) &&
                              !call.caller->has_role(common::v1::ROLE_CHECKER));
  return std::make_unique<CommitStream>(std::move(view), asked.ledger(), std::move(range));
}

}  // namespace taizhang::ledger_view
