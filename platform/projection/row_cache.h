// Decoded rows that a fold works on.
//
// Most rows are met by one event and then for long by none: they wait for a second one in a short
// queue, and leave it with their memory still near, to be filled anew. Those that another event met
// stay until room is needed. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "platform/projection/puts.h"
#include "platform/projection/row_run.h"
#include "platform/state/row_type.h"

namespace taizhang::projection {

struct CachedRow {
  std::string key;  // as in the store, without version
  uint64_t hash = 0;
  const RowType* type = nullptr;
  std::unique_ptr<google::protobuf::Message> row;  // null: absent
  int64_t bytes = 0;
  uint64_t event = 0;    // that met it last
  bool used = false;     // by another event than the one that brought it, since last considered
  bool changed = false;  // by the present event
  uint64_t run = 0;      // that holds its newest version; 0: none
  Puts::Put put;         // there
};

class RowCache {
 public:
  // Null: not here.
  CachedRow* find(const RowKey& key);
  // A row that is not here, absent so far. `is_old`: earlier events met it.
  CachedRow& add(const RowKey& key, const RowType& type, bool is_old);
  // An empty row for one of the cached.
  std::unique_ptr<google::protobuf::Message> make(const RowType& type);
  // Its stored value has that many bytes now.
  void weigh(CachedRow& row, int64_t value_bytes);

  // The next event begins. may_leave(CachedRow&) is asked of each that would; false: it stays.
  template <class MayLeave>
  void end_event(const MayLeave& may_leave) {
    ++event_;
    while (young_.size() > kYoungMax) end_youth(may_leave);
  }
  // Rows leave until about `bytes_max` are kept, those that were not used since they were last
  // considered first. Between two events.
  template <class MayLeave>
  void trim(int64_t bytes_max, const MayLeave& may_leave) {
    // Those that may not leave come by again, so that one round may not be enough: two are looked
    // at.
    for (size_t looked = 0, limit = 2 * old_.size();
         bytes_ > bytes_max && looked < limit && !old_.empty(); ++looked) {
      if (hand_ >= old_.size()) hand_ = 0;
      CachedRow& row = *old_[hand_];
      if (row.used || !may_leave(row)) {
        row.used = false;
        ++hand_;
        continue;
      }
      std::swap(old_[hand_], old_.back());
      forget(std::move(old_.back()));
      old_.pop_back();
    }
    while (bytes_ > bytes_max && !young_.empty()) end_youth(may_leave);
  }
  int64_t bytes() const { return bytes_; }

  template <class Visit>
  void each(const Visit& visit) {
    for (const auto& row : young_) visit(*row);
    for (const auto& row : old_) visit(*row);
  }

 private:
  // So few that they stay in the processor's cache.
  static constexpr size_t kYoungMax = 512;

  struct Slot {
    uint64_t hash;
    CachedRow* row;
  };
  struct SlotHash {
    using is_transparent = void;
    size_t operator()(const Slot& slot) const { return slot.hash; }
    size_t operator()(const RowKey& key) const { return key.hash; }
  };
  struct SlotEqual {
    using is_transparent = void;
    bool operator()(const Slot& a, const Slot& b) const { return a.row == b.row; }
    bool operator()(const Slot& a, const RowKey& b) const {
      return a.hash == b.hash && a.row->key == b.text;
    }
  };

  template <class MayLeave>
  void end_youth(const MayLeave& may_leave) {
    std::unique_ptr<CachedRow> row = std::move(young_.front());
    young_.pop_front();
    if (row->used || !may_leave(*row)) {
      row->used = false;
      old_.push_back(std::move(row));
    } else {
      forget(std::move(row));
    }
  }
  void forget(std::unique_ptr<CachedRow> row);

  absl::flat_hash_set<Slot, SlotHash, SlotEqual> slots_;
  std::deque<std::unique_ptr<CachedRow>> young_;  // oldest first
  std::vector<std::unique_ptr<CachedRow>> old_;   // for the hand that looks for unused ones
  size_t hand_ = 0;
  uint64_t event_ = 1;
  int64_t bytes_ = 0;
  std::vector<std::unique_ptr<CachedRow>> spare_;
  std::vector<std::vector<std::unique_ptr<google::protobuf::Message>>> spare_rows_;  // by RowType
};

}  // namespace taizhang::projection
