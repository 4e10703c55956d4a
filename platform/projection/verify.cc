// The live view against a fold from nothing.
#include "platform/projection/verify.h"

#include "platform/base/sha256.h"
#include "platform/projection/folder.h"
#include "platform/projection/read_ahead.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

// "ledger 990101, table visit, key …, seq 17": where a row version stands.
std::string place_of(std::string_view key) {
  std::string_view rest = key.substr(1);
  std::string ledger;
  std::string table;
  if (key.size() < 9 || !take_key_text(rest, ledger) || !take_key_text(rest, table) ||
      rest.size() < 8) {
    return "an unreadable key " + hex(key);
  }
  return "ledger " + ledger + ", table " + table + ", key " + hex(rest.substr(0, rest.size() - 8)) +
         ", seq " + std::to_string(store_key::version_of(key));
}

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

// Walks both in key order; digests are of what the live files hold.
std::string first_difference(StoreCursor& live, StoreCursor& again, VerifyReport& report,
                             std::map<std::string, AdditiveDigest>& digests) {
  const std::string area(1, store_key::kRow);
  live.seek(area);
  again.seek(area);
  const auto in_rows = [&](const StoreCursor& cursor) {
    return cursor.valid() && cursor.key()[0] == store_key::kRow;
  };
  while (in_rows(live) || in_rows(again)) {
    if (!in_rows(again) || (in_rows(live) && live.key() < again.key())) {
      return "only in the view: " + place_of(live.key());
    }
    if (!in_rows(live) || again.key() < live.key()) {
      if (!live.status().ok()) return std::string(live.status().message());
      return "missing in the view: " + place_of(again.key());
    }
    if (live.value() != again.value()) return "different in the view: " + place_of(live.key());
    digests[ledger_of(live.key())].add(live.key(), live.value());
    ++report.versions;
    live.next();
    again.next();
  }
  for (const auto* cursor : {&live, &again}) {
    if (!cursor->status().ok()) return std::string(cursor->status().message());
  }
  return {};
}

}  // namespace

absl::StatusOr<VerifyReport> verify_view(const View& view, std::shared_ptr<const Store> live,
                                         const std::string& scratch_directory,
                                         const std::vector<journal::Log*>& logs,
                                         std::shared_ptr<StoreResources> resources,
                                         BatchLimits limits, int64_t cache_bytes) {
  VerifyReport report;
  if (const auto files = live->verify_files(); !files.ok()) {
    report.difference = std::string(files.message());
    return report;
  }
  const auto moment = live->moment();
  if (auto removed = Store::destroy(scratch_directory); !removed.ok()) return removed;
  {
    auto scratch = Store::open(scratch_directory, std::move(resources));
    if (!scratch.ok()) return scratch.status();
    Folder folder(view, *scratch, static_cast<int>(logs.size()), cache_bytes);
    for (size_t partition = 0; partition < logs.size(); ++partition) {
      const auto row = live->get(
          store_key::of_partition(store_key::kPartition, static_cast<int>(partition)), *moment);
      if (!row.ok()) return row.status();
      if (!*row) continue;
      const auto stands = journal::Fold::restore(**row, {});
      if (!stands.ok()) return stands.status();
      if (!stands->has_genesis()) continue;
      journal::Fold fold(stands->partition(),
                         journal::GenesisExpectation{stands->uuid(), stands->partition_count()});
      BatchReader reader(
          *logs[partition], std::move(fold), limits,
          [&](const google::protobuf::Descriptor* type) { return view.wants(type); });
      if (auto folded = fold_again(folder, reader, static_cast<int>(partition), stands->offset());
          !folded.ok())
        return folded;
    }
    report.events = folder.events_folded();
    report.ledgers = static_cast<int64_t>(folder.ledgers().size());

    const auto live_rows = live->cursor(CursorKind::kOrder, moment.get());
    const auto rows_again = (*scratch)->cursor(CursorKind::kOrder);
    std::map<std::string, AdditiveDigest> digests;
    report.difference = first_difference(*live_rows, *rows_again, report, digests);
    AdditiveDigest all;
    for (const auto& [code, progress] : folder.ledgers()) {
      all.add(code, progress.digest.bytes());
      if (!report.difference.empty()) continue;
      const auto stored = live->get(store_key::of_ledger(store_key::kLedger, code), *moment);
      if (!stored.ok()) return stored.status();
      const auto held = *stored ? LedgerProgress::parse(**stored) : std::nullopt;
      if (!held || held->digest != progress.digest || digests[code] != progress.digest ||
          held->seq != progress.seq || held->stopped_seq != progress.stopped_seq) {
        report.difference =
            "ledger " + code + ": progress or digest differ at seq " + std::to_string(progress.seq);
      }
    }
    report.digest = all.hex();
  }
  report.equal = report.difference.empty();
  if (auto removed = Store::destroy(scratch_directory); !removed.ok()) return removed;
  return report;
}

}  // namespace taizhang::projection
