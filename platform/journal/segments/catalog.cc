// What readers may see of a segment journal.
#include "platform/journal/segments/catalog.h"

#include <algorithm>
#include <utility>

namespace taizhang::journal::segments {

Catalog::Catalog(FileSystem& files, std::string directory, std::vector<FoundSegment> segments,
                 SyncedEnd end)
    : files_(files), directory_(std::move(directory)), segments_(std::move(segments)), end_(end) {}

void Catalog::seal_last(const Footer& footer, FoundSegment next) {
  const std::lock_guard lock(mutex_);
  segments_.back().footer = footer;
  segments_.push_back(std::move(next));
  end_.segment = segments_.size() - 1;
  end_.at = kFramesAt;
}

void Catalog::move_end(int64_t n, int64_t at, const std::vector<IndexEntry>& index) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    end_.n = n;
    end_.at = at;
    auto& known = segments_.back().index;
    for (const IndexEntry& entry : index) {
      if (known.empty() || entry.at - known.back().at >= kIndexStepBytes) known.push_back(entry);
    }
    wake = waiters_ > 0;
  }
  if (wake) grown_.notify_all();
}

SyncedEnd Catalog::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

int64_t Catalog::wait_beyond(int64_t n, absl::Duration timeout) const {
  std::unique_lock lock(mutex_);
  ++waiters_;
  grown_.wait_for(lock, absl::ToChronoMicroseconds(timeout), [&] { return end_.n > n || closed_; });
  --waiters_;
  return end_.n;
}

void Catalog::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  grown_.notify_all();
}

size_t Catalog::size() const {
  const std::lock_guard lock(mutex_);
  return segments_.size();
}

Catalog::Place Catalog::locate(int64_t n) const {
  const std::lock_guard lock(mutex_);
  // The last segment that begins at or before n. Of several that begin at n the earlier ones hold
  // no record.
  const auto after =
      std::upper_bound(segments_.begin(), segments_.end(), n,
                       [](int64_t value, const FoundSegment& s) { return value < s.first_n; });
  const auto segment = static_cast<size_t>(after - segments_.begin()) - 1;
  const auto& index = segments_[segment].index;
  const auto entry =
      std::upper_bound(index.begin(), index.end(), n,
                       [](int64_t value, const IndexEntry& e) { return value < e.n; });
  if (entry == index.begin()) return {segment, {segments_[segment].first_n, kFramesAt}};
  return {segment, *(entry - 1)};
}

void Catalog::add_index(size_t segment, IndexEntry entry) {
  const std::lock_guard lock(mutex_);
  auto& index = segments_[segment].index;
  if (index.empty() || entry.at - index.back().at >= kIndexStepBytes) index.push_back(entry);
}

SegmentHeader Catalog::header(size_t segment) const {
  const std::lock_guard lock(mutex_);
  return segments_[segment].header;
}

int64_t Catalog::readable_end(size_t segment) const {
  const std::lock_guard lock(mutex_);
  return segment == end_.segment ? end_.at : segments_[segment].footer->frames_end;
}

}  // namespace taizhang::journal::segments
