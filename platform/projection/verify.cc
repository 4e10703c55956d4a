// The live view against a fold from nothing.
#include "platform/projection/verify.h"

#include <limits>
#include <map>
#include <optional>

#include "platform/projection/difference_text.h"
#include "platform/projection/folder.h"
#include "platform/projection/read_ahead.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

constexpr int64_t kNewest = std::numeric_limits<int64_t>::max();

std::string ledger_of(std::string_view key) {
  key.remove_prefix(1);
  std::string ledger;
  return take_key_text(key, ledger) ? ledger : std::string();
}

absl::Status fold_again(Folder& folder, BatchReader& reader, int partition, int64_t end_offset) {
  ReadAhead ahead(reader, end_offset);
  for (;;) {
    const auto batch = ahead.next();
    if (!batch.ok()) return batch.status();
    if (!*batch) break;
    if (auto folded = folder.fold(**batch); !folded.ok()) return folded;
    if (auto written = folder.write(); !written.ok()) return written;
  }
  if (folder.position(partition) < end_offset)
    return absl::UnavailableError("the journal cannot be read to the end");
  return absl::OkStatus();
}

// Walks the row versions of both in key order and keeps the first difference: of those with the
// lowest seq the one with the lowest key, because what was wrong first made the rest wrong.
class Walk {
 public:
  // Row keys that begin with `area`, versions up to `seq`.
  Walk(const View& view, std::string area, int64_t seq)
      : view_(view), area_(std::move(area)), seq_(seq) {}

  absl::Status run(StoreCursor& live, StoreCursor& again) {
    live.seek(area_);
    again.seek(area_);
    for (;;) {
      const bool here = at_row(live);
      const bool there = at_row(again);
      if (!here && !there) break;
      const int order = !here ? 1 : !there ? -1 : live.key().compare(again.key());
      if (order < 0) {
        differs(live.key(), [] { return std::string("only in the view"); });
      } else if (order > 0) {
        differs(again.key(), [] { return std::string("missing in the view"); });
      } else if (live.value() != again.value()) {
        differs(live.key(), [&] {
          return "different in the view (" +
                 differing_fields(view_.name(), store_key::without_version(live.key()),
                                  live.value(), again.value()) +
                 ")";
        });
      }
      if (order <= 0) {
        held_[ledger_of(live.key())].add(live.key(), live.value());
        ++versions_;
        live.next();
      }
      if (order >= 0) {
        if (seq_ != kNewest) folded_.add(again.key(), again.value());
        again.next();
      }
    }
    for (const auto* cursor : {&live, &again}) {
      if (!cursor->status().ok()) return cursor->status();
    }
    return absl::OkStatus();
  }

  // By ledger, of what the live files hold.
  const std::map<std::string, AdditiveDigest>& held() const { return held_; }
  // Of what was folded again, where versions are left out; else the folder has it.
  const AdditiveDigest& folded() const { return folded_; }

  void tell(VerifyReport& report) const {
    report.versions = versions_;
    report.differing_versions = differing_;
    if (differing_ == 0) return;
    report.difference_ledger = ledger_of(first_key_);
    report.difference_seq = store_key::version_of(first_key_);
    report.difference = first_how_ + ": " + difference_place(view_.name(), first_key_);
  }

 private:
  // Passes over versions that are not compared.
  bool at_row(StoreCursor& cursor) const {
    while (cursor.valid() && cursor.key().starts_with(area_)) {
      if (store_key::version_of(cursor.key()) <= seq_) return true;
      cursor.next();
    }
    return false;
  }

  template <class How>
  void differs(std::string_view key, const How& how) {
    ++differing_;
    if (differing_ > 1 && store_key::version_of(key) >= store_key::version_of(first_key_)) return;
    first_key_ = key;
    first_how_ = how();
  }

  const View& view_;
  const std::string area_;
  const int64_t seq_;
  std::map<std::string, AdditiveDigest> held_;
  AdditiveDigest folded_;
  int64_t versions_ = 0;
  int64_t differing_ = 0;
  std::string first_key_;
  std::string first_how_;
};

class Verification {
 public:
  Verification(const View& view, const Store& live, const VerifyScope& scope)
      : view_(view), live_(live), moment_(live.moment()), scope_(scope) {}

  // Looks up where the ledger of the scope stands.
  absl::Status begin() {
    if (scope_.ledger.empty()) return absl::OkStatus();
    const auto held = progress(scope_.ledger);
    if (!held.ok()) return held.status();
    if (!*held) return absl::NotFoundError("the view does not hold ledger " + scope_.ledger);
    until_seq_ = scope_.seq.value_or((*held)->seq);
    partition_ = static_cast<int>((*held)->partition);
    if (until_seq_ > (*held)->seq) {
      return absl::OutOfRangeError("the view holds seq " + std::to_string((*held)->seq) +
                                   " of ledger " + scope_.ledger);
    }
    return absl::OkStatus();
  }

  absl::Status fold(Folder& folder, const std::vector<journal::Log*>& logs, BatchLimits limits) {
    auto skips = ViewDecisions::read_skips(live_, moment_.get());
    if (!skips.ok()) return skips.status();
    skips_ = std::move(*skips);
    folder.assume(skips_);
    if (!scope_.ledger.empty()) folder.only(scope_.ledger, scope_.seq.value_or(kNewest));
    for (int partition = 0; partition < static_cast<int>(logs.size()); ++partition) {
      if (partition_ && *partition_ != partition) continue;
      const auto row =
          live_.get(store_key::of_partition(store_key::kPartition, partition), *moment_);
      if (!row.ok()) return row.status();
      if (!*row) continue;
      const auto stands = journal::Fold::restore(**row, {});
      if (!stands.ok()) return stands.status();
      if (!stands->has_genesis()) continue;
      journal::Fold from_start(stands->partition(), journal::GenesisExpectation{
                                                        stands->uuid(), stands->partition_count()});
      BatchReader reader(
          *logs[static_cast<size_t>(partition)], std::move(from_start), limits,
          [&](const google::protobuf::Descriptor* type) { return view_.wants(type); });
      if (auto folded = fold_again(folder, reader, partition, stands->offset()); !folded.ok())
        return folded;
    }
    return absl::OkStatus();
  }

  absl::Status compare(const Folder& folder, const Store& scratch, VerifyReport& report) {
    report.events = folder.events_folded();
    report.ledgers = static_cast<int64_t>(folder.ledgers().size());
    const std::string area = scope_.ledger.empty()
                                 ? std::string(1, store_key::kRow)
                                 : store_key::of_ledger(store_key::kRow, scope_.ledger);
    Walk walk(view_, area, scope_.seq.value_or(kNewest));
    const auto live_rows = live_.cursor(CursorKind::kOrder, moment_.get());
    const auto rows_again = scratch.cursor(CursorKind::kOrder);
    if (auto walked = walk.run(*live_rows, *rows_again); !walked.ok()) {
      if (!absl::IsDataLoss(walked)) return walked;
      report.files_damaged = true;
      report.difference = std::string(walked.message());
    } else {
      walk.tell(report);
    }
    compare_skips(folder, report);
    AdditiveDigest all;
    for (const auto& [code, again] : folder.ledgers())
      all.add(code, scope_.seq ? walk.folded().bytes() : again.digest.bytes());
    report.digest = all.hex();
    if (!report.difference.empty()) return absl::OkStatus();
    return compare_progress(folder, walk, report);
  }

 private:
  absl::StatusOr<std::optional<LedgerProgress>> progress(std::string_view ledger) const {
    const auto stored = live_.get(store_key::of_ledger(store_key::kLedger, ledger), *moment_);
    if (!stored.ok()) return stored.status();
    if (!*stored) return std::optional<LedgerProgress>();
    auto parsed = LedgerProgress::parse(**stored);
    if (!parsed) return absl::DataLossError("a progress row cannot be read");
    return parsed;
  }

  bool in_scope(const std::string& ledger, int64_t seq) const {
    return scope_.ledger.empty() || (ledger == scope_.ledger && seq <= until_seq_);
  }

  // What is passed over without a decision in the journal is a difference like a row.
  void compare_skips(const Folder& folder, VerifyReport& report) const {
    const auto& met = folder.decisions().met();
    for (const auto& [code, events] : folder.decisions().skips()) {
      for (const auto& [seq, skip] : events) {
        if (!in_scope(code, seq)) continue;
        ++report.skipped_events;
        const bool held = skips_.contains(code) && skips_.at(code).contains(seq);
        const bool decided = met.contains(code) && met.at(code).contains(seq);
        if ((held && decided) || !report.difference.empty()) continue;
        report.difference = std::string(held ? "passed over without a decision in the journal"
                                             : "decided to be passed over, and folded") +
                            ": ledger " + code + ", seq " + std::to_string(seq);
        report.difference_ledger = code;
        report.difference_seq = seq;
      }
    }
  }

  // What is kept beside the rows.
  absl::Status compare_progress(const Folder& folder, const Walk& walk,
                                VerifyReport& report) const {
    for (const auto& [code, again] : folder.ledgers()) {
      const auto held = progress(code);
      if (!held.ok()) return held.status();
      const auto rows = walk.held().find(code);
      const AdditiveDigest in_files = rows == walk.held().end() ? AdditiveDigest() : rows->second;
      const bool whole = !scope_.seq;
      if (*held &&
          (!whole || ((*held)->digest == again.digest && in_files == again.digest &&
                      (*held)->seq == again.seq && (*held)->stopped_seq == again.stopped_seq))) {
        continue;
      }
      report.difference =
          "ledger " + code + ": progress or digest differ at seq " + std::to_string(again.seq);
      report.difference_ledger = code;
      report.difference_seq = again.seq;
      return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  const View& view_;
  const Store& live_;
  const std::shared_ptr<const Store::Moment> moment_;
  const VerifyScope scope_;
  Skips skips_;
  int64_t until_seq_ = 0;
  std::optional<int> partition_;  // nothing: all of them
};

}  // namespace

absl::StatusOr<VerifyReport> verify_view(const View& view, std::shared_ptr<const Store> live,
                                         const VerifyScope& scope,
                                         const std::string& scratch_directory,
                                         const std::vector<journal::Log*>& logs,
                                         std::shared_ptr<StoreResources> resources,
                                         BatchLimits limits, FoldSettings settings,
                                         BuildMemory& memory) {
  VerifyReport report;
  if (const auto files = live->verify_files(); !files.ok()) {
    report.files_damaged = true;
    report.difference = std::string(files.message());
    return report;
  }
  Verification verification(view, *live, scope);
  if (auto begun = verification.begin(); !begun.ok()) return begun;
  if (auto removed = Store::destroy(scratch_directory); !removed.ok()) return removed;
  const auto again = [&] {
    auto scratch = Store::open(scratch_directory, std::move(resources));
    if (!scratch.ok()) return scratch.status();
    Folder folder(view, *scratch, static_cast<int>(logs.size()), settings);
    if (auto begun = folder.begin_build(memory); !begun.ok()) return begun;
    if (auto folded = verification.fold(folder, logs, limits); !folded.ok()) return folded;
    if (auto ended = folder.end_build(); !ended.ok()) return ended;
    return verification.compare(folder, **scratch, report);
  };
  const auto compared = again();
  // Also what was begun and has no room: the view itself needs it.
  const auto removed = Store::destroy(scratch_directory);
  if (!compared.ok()) return compared;
  if (!removed.ok()) return removed;
  report.equal = report.difference.empty();
  return report;
}

}  // namespace taizhang::projection
