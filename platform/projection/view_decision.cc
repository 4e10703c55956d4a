// Decisions about views: from events into rows of the view's store, and back.
#include "platform/projection/view_decision.h"

#include <google/protobuf/descriptor.h>

#include "platform/state/key.h"
#include "taizhang/admin/v1/events.pb.h"

namespace taizhang::projection {
namespace {

using admin::v1::ViewEventSkipped;
using admin::v1::ViewSwitched;

// Codes of the ledgers on which the platform decides begin so; no region does.
constexpr std::string_view kSystemLedgers = "00";

std::string skip_key(std::string_view ledger, int64_t seq) {
  return store_key::of_ledger(store_key::kSkip, ledger, seq);
}

std::string bytes_of(const Skip& skip) {
  std::string bytes;
  append_key_text(bytes, skip.decided_by);
  append_key_text(bytes, skip.reason);
  return bytes;
}

std::string bytes_of(const LiveDecision& live) {
  std::string bytes;
  append_key_number(bytes, live.version);
  append_key_number(bytes, live.recorded_time_us);
  return bytes;
}

std::optional<LiveDecision> live_of(std::string_view bytes) {
  int64_t version = 0;
  LiveDecision live;
  if (!take_key_number(bytes, version) || !take_key_number(bytes, live.recorded_time_us) ||
      !bytes.empty()) {
    return std::nullopt;
  }
  live.version = static_cast<int32_t>(version);
  return live;
}

absl::Status unreadable() { return absl::DataLossError("a decision cannot be read"); }

}  // namespace

absl::StatusOr<Skips> ViewDecisions::read_skips(const Store& store, const Store::Moment* moment) {
  Skips skips;
  const auto cursor = store.cursor(CursorKind::kOrder, moment);
  constexpr char kSkip = store_key::kSkip;
  for (cursor->seek({&kSkip, 1}); cursor->valid() && cursor->key()[0] == kSkip; cursor->next()) {
    std::string_view key = cursor->key().substr(1);
    std::string_view value = cursor->value();
    std::string ledger;
    int64_t seq = 0;
    Skip skip;
    if (!take_key_text(key, ledger) || !take_key_number(key, seq) || !key.empty() ||
        !take_key_text(value, skip.decided_by) || !take_key_text(value, skip.reason) ||
        !value.empty()) {
      return unreadable();
    }
    skips[std::move(ledger)][seq] = std::move(skip);
  }
  if (!cursor->status().ok()) return cursor->status();
  return skips;
}

absl::Status ViewDecisions::load(const Store& store) {
  auto skips = read_skips(store, nullptr);
  if (!skips.ok()) return skips.status();
  skips_ = std::move(*skips);
  const auto stored = store.get(store_key::meta(store_key::kLive));
  if (!stored.ok()) return stored.status();
  if (!*stored) return absl::OkStatus();
  live_ = live_of(**stored);
  return live_ ? absl::OkStatus() : unreadable();
}

void ViewDecisions::assume(const Skips& skips, Puts& puts) {
  for (const auto& [ledger, events] : skips) {
    for (const auto& [seq, skip] : events) {
      if (skips_[ledger].emplace(seq, skip).second) puts.add(skip_key(ledger, seq), bytes_of(skip));
    }
  }
}

Skips ViewDecisions::take(const Batch& batch, Puts& puts) {
  Skips fresh;
  for (const auto& commit : batch.commits) {
    if (!commit.meta.ledger.starts_with(kSystemLedgers)) continue;
    for (const auto& event : commit.events) {
      if (event.descriptor == ViewEventSkipped::descriptor()) {
        ViewEventSkipped skipped;
        if (!skipped.ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size())) ||
            skipped.view() != view_ ||
            (skipped.view_version() != 0 && skipped.view_version() != version_)) {
          continue;
        }
        const Skip skip{event.id(), std::string(event.reason)};
        met_[skipped.ledger()].emplace(skipped.seq(), skip);
        if (!skips_[skipped.ledger()].emplace(skipped.seq(), skip).second) continue;
        puts.add(skip_key(skipped.ledger(), skipped.seq()), bytes_of(skip));
        ++changes_;
        fresh[skipped.ledger()].emplace(skipped.seq(), skip);
      } else if (event.descriptor == ViewSwitched::descriptor() && batch.partition == 0) {
        ViewSwitched switched;
        if (!switched.ParseFromArray(event.payload.data(),
                                     static_cast<int>(event.payload.size())) ||
            switched.view() != view_ ||
            (live_ && live_->recorded_time_us >= event.recorded_time_us)) {
          continue;
        }
        live_ = LiveDecision{switched.view_version(), event.recorded_time_us};
        puts.add(store_key::meta(store_key::kLive), bytes_of(*live_));
        ++changes_;
      }
    }
  }
  return fresh;
}

const std::map<int64_t, Skip>* ViewDecisions::skips_of(std::string_view ledger) const {
  const auto found = skips_.find(ledger);
  return found == skips_.end() ? nullptr : &found->second;
}

}  // namespace taizhang::projection
