// What operators decided about a view, as it stands in the journal (proto/taizhang/admin/v1/events.proto):
// which version answers, and which events are passed over. Kept beside the rows it has effect on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "platform/projection/batch.h"
#include "platform/projection/store.h"

namespace taizhang::projection {

// An event that a view does not fold.
struct Skip {
  std::string decided_by;  // "<system ledger>/<seq>"
  std::string reason;
};
// By ledger and seq.
using Skips = std::map<std::string, std::map<int64_t, Skip>, std::less<>>;

struct LiveDecision {
  int32_t version = 0;
  // Of its commit: later ones replace earlier ones. All of them stand in partition 0.
  int64_t recorded_time_us = 0;
};

// Of one version of a view. Not thread-safe: the view's thread.
class ViewDecisions {
 public:
  ViewDecisions(std::string view, int32_t version) : view_(std::move(view)), version_(version) {}

  // Reads back what take() added to earlier writes. DATA_LOSS: damaged.
  absl::Status load(const Store& store);
  static absl::StatusOr<Skips> read_skips(const Store& store, const Store::Moment* moment);
  // Holds these as well, and adds them to the next write: a view that is folded from nothing must
  // know what to pass over before it comes there.
  void assume(const Skips& skips, Puts& puts);
  // Reads the decisions of a batch. What it learns is added to the write. Returns the skips that were
  // not held yet.
  Skips take(const Batch& batch, Puts& puts);

  // Null: every event of the ledger is folded.
  const std::map<int64_t, Skip>* skips_of(std::string_view ledger) const;
  const Skips& skips() const { return skips_; }
  // Nothing: none was made.
  const std::optional<LiveDecision>& live() const { return live_; }
  // Grows with everything learned.
  int changes() const { return changes_; }
  // Skips that take() has met, those it held already among them.
  const Skips& met() const { return met_; }

 private:
  const std::string view_;
  const int32_t version_;
  Skips skips_;
  Skips met_;
  int changes_ = 0;
  std::optional<LiveDecision> live_;
};

}  // namespace taizhang::projection
