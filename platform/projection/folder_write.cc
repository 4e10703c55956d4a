// What was folded, on its way into the files.
#include "platform/projection/folder.h"

#include <algorithm>
#include <utility>

#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

// Finding the commit of a seq or a time decodes one stretch: short ones keep a read of the past
// cheap.
constexpr size_t kStretchCommitsMax = 64;

}  // namespace

void Folder::put_stretches() {
  for (const auto& code : moved_) {
    LedgerFold& fold = fold_of(code);
    const auto& commits = fold.stretch.commits;
    for (size_t first = 0; first < commits.size(); first += kStretchCommitsMax) {
      CommitStretch stretch;
      stretch.commits.assign(
          commits.begin() + static_cast<ptrdiff_t>(first),
          commits.begin() +
              static_cast<ptrdiff_t>(std::min(first + kStretchCommitsMax, commits.size())));
      const std::string bytes = stretch.bytes();
      own_.add(store_key::of_ledger(store_key::kBySeq, code, stretch.commits.back().last_seq),
               bytes);
      own_.add(
          store_key::of_ledger(store_key::kByTime, code, stretch.commits.front().recorded_time_us),
          bytes);
    }
    fold.stretch.commits.clear();
  }
}

void Folder::put_progress() {
  for (LedgerFold* fold : unwritten_) {
    LedgerProgress stored = *fold->progress;
    const auto resumed = resuming_.find(fold->code);
    if (resumed != resuming_.end() && stored.stopped_seq == 0) {
      // Until the whole of it is caught up, a crash must find it stopped and resume it again.
      stored.stopped_seq = resumed->second.stopped_seq;
      stored.stopped_why = resumed->second.stopped_why;
    }
    own_.add(store_key::of_ledger(store_key::kLedger, fold->code), stored.bytes());
    fold->unwritten = false;
  }
  unwritten_.clear();
}

void Folder::put_places() {
  for (size_t number = 0; number < places_.size(); ++number) {
    Place& place = places_[number];
    if (!place.unwritten) continue;
    const int partition = static_cast<int>(number);
    own_.add(store_key::of_partition(store_key::kPartition, partition), place.row);
    for (const auto& code : place.unwritten_ledgers) {
      own_.add(store_key::of_partition(store_key::kFold, partition, code),
               place.ledger_rows.find(code)->second);
    }
    place.unwritten_ledgers.clear();
    place.unwritten = false;
  }
}

int64_t Folder::unwritten_bytes() const {
  int64_t bytes = own_.bytes();
  for (const auto& lane : lanes_) bytes += lane->rows.filling().bytes();
  return bytes;
}

// Claims and barriers alone move a position, which needs no write of its own: it is found again by
// folding them.
bool Folder::has_rows_to_write() const {
  const auto opened = [](const Place& place) { return !place.unwritten_ledgers.empty(); };
  return !unwritten_.empty() || !own_.empty() ||
         std::any_of(places_.begin(), places_.end(), opened);
}

absl::Status Folder::write() {
  if (bulk_) {
    if (!leaving_.empty() && bulk_->idle()) {
      if (const auto through = bulk_->wait(); !through.ok()) return through;
      written();
    }
    // What is filled, what is leaving, and the room that sorting takes.
    constexpr int64_t kParts = 3;
    if (unwritten_bytes() < memory_->share() / kParts) {
      trim();
      return absl::OkStatus();
    }
    return hand_over();
  }
  if (leaving_.empty()) {
    if (!has_rows_to_write()) return absl::OkStatus();
    gather();
  }
  if (const auto stored = store_->write(sorted(leaving_puts())); !stored.ok()) return stored;
  written();
  trim();
  return absl::OkStatus();
}

void Folder::gather() {
  put_places();
  put_progress();
  std::swap(own_, own_leaving_);
  own_.clear();
  for (const auto& lane : lanes_) leaving_.push_back(lane->rows.hand_over());
}

std::vector<const Puts*> Folder::leaving_puts() const {
  std::vector<const Puts*> puts{&own_leaving_};
  for (const auto& run : leaving_) puts.push_back(&run->puts);
  return puts;
}

// There are never more than two: the one that leaves and the one that is filled.
absl::Status Folder::hand_over() {
  if (const auto through = bulk_->wait(); !through.ok()) return through;
  if (!leaving_.empty()) written();
  if (has_rows_to_write()) {
    gather();
    bulk_->start(leaving_puts());
  }
  trim();
  return absl::OkStatus();
}

void Folder::written() {
  leaving_.clear();
  own_leaving_.clear();
  for (const auto& lane : lanes_) lane->rows.written();
}

// Each lane keeps as much of the whole as it has of what is kept.
void Folder::trim() {
  int64_t bytes = 0;
  for (const auto& lane : lanes_) bytes += lane->rows.bytes();
  if (bytes <= settings_.cache_bytes_max) return;
  const double kept = static_cast<double>(settings_.cache_bytes_max) / static_cast<double>(bytes);
  for (const auto& lane : lanes_)
    lane->rows.trim(static_cast<int64_t>(kept * static_cast<double>(lane->rows.bytes())));
}

absl::Status Folder::begin_build(BuildMemory& memory) {
  // What says of which format the files are must not come after them.
  if (auto flushed = store_->flush(); !flushed.ok()) return flushed;
  if (auto set = store_->set_building(true); !set.ok()) return set;
  const auto untouched = [](const Place& place) { return place.position == 0; };
  if (std::all_of(places_.begin(), places_.end(), untouched)) {
    const auto lanes = static_cast<int64_t>(lanes_.size());
    for (const auto& lane : lanes_)
      lane->rows.begin_from_nothing(settings_.build_filter_bytes_max / lanes);
  }
  bulk_ = std::make_unique<BulkWriter>(store_);
  memory_ = &memory;
  memory_->enter();
  return absl::OkStatus();
}

absl::Status Folder::end_build() {
  // Twice: what leaves, and what was filled meanwhile.
  for (int i = 0; i < 2; ++i) {
    if (auto handed = hand_over(); !handed.ok()) return handed;
  }
  bulk_.reset();
  std::exchange(memory_, nullptr)->leave();
  for (const auto& lane : lanes_) lane->rows.end_from_nothing();
  return store_->set_building(false);
}

absl::Status Folder::write_positions() {
  if (bulk_) return end_build();
  if (leaving_.empty()) gather();
  return write();
}

}  // namespace taizhang::projection
