// A view of one ledger, folded again somewhere else: from its commits, with the fold of the server.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/command/answer.h"
#include "platform/command/caller.h"
#include "platform/projection/snapshot.h"
#include "platform/projection/store.h"
#include "platform/projection/view.h"
#include "platform/projection/view_decision.h"
#include "platform/projection/views.h"

namespace taizhang {
namespace ledger::v1 {
class ExportedCommit;
class SkippedEvent;
}  // namespace ledger::v1

namespace replay {

// What a replay does about an event whose content was withheld and that the view takes.
enum class Withheld {
  kStop,   // nothing is folded from it on: the view cannot be made
  kEmpty,  // takes it without content: good enough to tell who and when, not to compare
};

// Not thread-safe.
class Replay : public EventSource {
 public:
  // The view's files stand in `directory`, which must not exist, and are removed at the end.
  static absl::StatusOr<std::unique_ptr<Replay>> begin(View view, std::string ledger,
                                                       std::string directory,
                                                       Withheld withheld = Withheld::kStop);
  ~Replay() override;

  // Passes the event over when it was decided of this view and version. Before the first add().
  void skip(const ledger::v1::SkippedEvent& skipped);
  // In order, from the first one. DATA_LOSS: not the commit that follows, or not readable.
  // UNIMPLEMENTED: an event that this program does not know; names it.
  absl::Status add(const ledger::v1::ExportedCommit& commit);
  // Writes what was added; before any question below.
  absl::Status finish();

  const View& view() const { return view_; }
  // Last one added; 0: none.
  int64_t seq() const { return seq_; }
  int64_t events() const { return events_; }
  // Events that the view takes and whose content was withheld.
  int64_t unseen() const { return unseen_; }
  // The first of them, at most kUnseenToldMax.
  static constexpr size_t kUnseenToldMax = 20;
  const std::vector<int64_t>& first_unseen() const { return first_unseen_; }
  // Events up to `seq` that were passed over as decided, by seq.
  std::vector<std::pair<int64_t, projection::Skip>> skipped(int64_t seq) const;

  // As `taizhang view digest` says it of a server. OUT_OF_RANGE: not folded so far.
  absl::StatusOr<LedgerDigest> digest(int64_t seq) const;
  // Last seq recorded not after that time; 0: none.
  int64_t seq_at(int64_t recorded_time_us) const;
  const projection::Store& store() const { return *store_; }
  // Rows of a table whose key starts with `prefix`, as of `seq`; visit(key, row) -> go on.
  absl::Status rows(const RowType& table, std::string_view prefix, int64_t seq,
                    const SnapshotRows::VisitRow& visit) const;

  // Any query of the view, answered from these files. `events`: a replay of the view that keeps the
  // events; null: who and why are not told.
  Answer ask(const google::protobuf::Message& request, const Caller& caller,
             const EventSource* events) const;
  // For answers of another replay; of the view that keeps the events only.
  bool event(std::string_view ledger, int64_t seq,
             const std::function<void(const EventMeta&)>& visit) const override;

 private:
  struct Folding;
  Replay(View view, std::string ledger, std::string directory, Withheld withheld);
  absl::Status fold();

  const View view_;
  const std::string ledger_;
  const std::string directory_;
  const Withheld withheld_;
  std::shared_ptr<projection::Store> store_;
  std::unique_ptr<Folding> folding_;
  int64_t seq_ = 0;
  int64_t recorded_time_us_ = 0;
  int64_t events_ = 0;
  int64_t unseen_ = 0;
  std::vector<int64_t> first_unseen_;
  std::map<int64_t, projection::Skip> skips_;
};

}  // namespace replay
}  // namespace taizhang
