// Rows as a fold sees them: the newest of each, decoded, in front of the view's files.
//
// Changes stay here until they are taken into a write batch, one version per event; rows that were
// not used for long leave between two batches. Not thread-safe: one thread folds a view.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "platform/projection/digest.h"
#include "platform/projection/store.h"
#include "platform/state/ledger.h"

namespace taizhang::projection {

class FoldRows : public Rows {
 public:
  FoldRows(std::shared_ptr<const Store> store, int64_t cache_bytes_max);

  // The ledger whose rows are read and edited from now on.
  void enter(std::string_view ledger);

  const google::protobuf::Message* find(const RowType& type, std::string_view key) const override;
  google::protobuf::Message& edit(const RowType& type, std::string_view key) override;
  void erase(const RowType& type, std::string_view key) override;
  void scan(const RowType& type, std::string_view prefix,
            const std::function<bool(const google::protobuf::Message&)>& visit) const override;

  // Adds a version at `seq` of every row changed since the last take; returns how many, and adds
  // them to the digest.
  int64_t take(int64_t seq, Puts& puts, AdditiveDigest& digest);
  // What was taken stands in the store now: forgets rows above the bound that were not used since
  // they were last considered.
  void written();

  // Not OK: the files are damaged, and what was folded since must not be written.
  const absl::Status& status() const { return status_; }

 private:
  struct Entry {
    std::string key;  // as in the store, without version
    const RowType* type = nullptr;
    std::unique_ptr<google::protobuf::Message> row;  // null: absent
    int64_t bytes = 0;
    bool used = true;
    bool changed = false;    // since the last take
    bool unwritten = false;  // taken, but not in the store yet
  };
  // A change of a row that is nothing but its key, in a table that the fold only writes: neither
  // loaded nor kept.
  struct Mark {
    std::string key;
    const RowType* type = nullptr;
    bool erased = false;
  };

  std::string_view row_key(const RowType& type, std::string_view key) const;
  Entry& entry(const RowType& type, std::string_view key) const;
  Entry& keep(std::unique_ptr<Entry> entry) const;
  std::unique_ptr<google::protobuf::Message> load(const RowType& type, std::string_view key,
                                                  std::string_view row_key) const;
  void change(Entry& entry) const;
  bool only_marked(const RowType& type) const;
  google::protobuf::Message& mark(const RowType& type, std::string_view key, bool erased);
  // From now on the fold reads this table too: its marks of the present batch become rows.
  void look_at(const RowType& type) const;

  std::shared_ptr<const Store> store_;
  const int64_t cache_bytes_max_;
  std::string head_;  // area and ledger of every key
  mutable std::string key_;
  mutable std::string sought_;
  mutable absl::flat_hash_map<std::string_view, std::unique_ptr<Entry>> entries_;
  mutable std::vector<Entry*> ring_;  // all entries, for the hand that looks for unused ones
  size_t hand_ = 0;
  mutable int64_t bytes_ = 0;
  mutable std::unique_ptr<StoreCursor> versions_;  // made after the last write
  mutable std::vector<Entry*> changed_;
  mutable std::vector<Entry*> unwritten_;
  mutable std::vector<Mark> marks_;        // of the present event
  mutable std::vector<Mark> taken_marks_;  // of the present batch
  mutable std::unordered_set<const RowType*> looked_at_;
  absl::flat_hash_map<const RowType*, std::unique_ptr<google::protobuf::Message>> mark_rows_;
  // Tables that were scanned: their rows that are not in the store yet, in key order.
  mutable std::unordered_set<const RowType*> scanned_;
  mutable std::map<std::string_view, Entry*> pending_;
  std::string value_;
  mutable absl::Status status_;
};

}  // namespace taizhang::projection
