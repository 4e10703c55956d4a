// Rows as a fold sees them: the newest of each, decoded, in front of the view's files.
//
// Changes are taken into a run of row versions, one version per event; rows that were not used for
// long leave between two batches. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "platform/projection/digest.h"
#include "platform/projection/row_cache.h"
#include "platform/projection/row_filter.h"
#include "platform/projection/row_run.h"
#include "platform/projection/store.h"
#include "platform/state/ledger.h"

namespace taizhang::projection {

class FoldRows : public Rows {
 public:
  explicit FoldRows(std::shared_ptr<const Store> store);

  // The ledger whose rows are read and edited from now on.
  void enter(std::string_view ledger);

  const google::protobuf::Message* find(const RowType& type, std::string_view key) const override;
  google::protobuf::Message& edit(const RowType& type, std::string_view key) override;
  google::protobuf::Message& replace(const RowType& type, std::string_view key) override;
  void erase(const RowType& type, std::string_view key) override;
  void scan(const RowType& type, std::string_view prefix,
            const std::function<bool(const google::protobuf::Message&)>& visit) const override;

  // Adds a version at `seq` of every row changed since the last take to the run that is being
  // filled; returns how many, and adds them to the digest.
  int64_t take(int64_t seq, AdditiveDigest& digest);

  const RowRun& filling() const { return *filling_; }
  // The run is on its way into the store, and the next one begins. One at a time.
  std::shared_ptr<const RowRun> hand_over();
  // It stands in the store now.
  void written();
  // Forgets decoded rows until about `bytes_max` of them are kept. Between two batches.
  void trim(int64_t bytes_max);
  int64_t bytes() const { return cache_.bytes(); }

  // The store is empty, and whatever comes into it comes from here: a row that was never written is
  // not looked for until end_from_nothing().
  void begin_from_nothing(int64_t filter_bytes_max) { filter_.emplace(filter_bytes_max); }
  void end_from_nothing() { filter_.reset(); }

  // Not OK: the files are damaged, and what was folded since must not be written.
  const absl::Status& status() const { return status_; }

 private:
  // What is known of a table here.
  struct Table {
    bool is_known = false;
    bool is_only_key = false;
    bool is_looked_at = false;  // the fold reads it
    bool is_scanned = false;
    std::unique_ptr<google::protobuf::Message> mark;  // what edit() answers of a mark
  };
  // A change of a row that is nothing but its key, in a table that the fold only writes: neither
  // loaded nor kept.
  struct Mark {
    std::string key;
    const RowType* type = nullptr;
    bool erased = false;
  };

  Table& table(const RowType& type) const;
  std::string_view row_key(const RowType& type, std::string_view key) const;
  CachedRow& entry(const RowType& type, std::string_view key) const;
  CachedRow& entry(const RowType& type, std::string_view key, std::string_view row_key) const;
  CachedRow& load(const RowType& type, std::string_view key, const RowKey& row_key) const;
  CachedRow& take_over(CachedRow& row, std::string_view key, std::string_view value) const;
  bool unwritten(const CachedRow& row) const { return row.run > written_; }
  RowRun* run_of(uint64_t number) const;
  // Whether a decoded row may be forgotten; where its newest version stands is known then.
  bool may_leave(const CachedRow& row) const;
  // A row version of a run that is not in the store.
  struct Unwritten {
    std::string_view whole;  // as in the store, without version
    std::string_view key;    // in its table
    const Puts::Put* put = nullptr;
  };
  using VisitUnwritten = std::function<void(RowRun&, const Unwritten&)>;
  // Of all ledgers, oldest version first.
  void each_unwritten(const RowType& type, const VisitUnwritten& visit) const;
  void change(CachedRow& row) const;
  google::protobuf::Message& mark(const RowType& type, std::string_view key, bool erased);
  // From now on the fold reads this table too: its marks that are not in the store become rows.
  void look_at(const RowType& type) const;

  std::shared_ptr<const Store> store_;
  std::string head_;  // area and ledger of every key
  mutable std::string key_;
  mutable std::string sought_;
  mutable RowCache cache_;
  mutable std::unique_ptr<StoreCursor> versions_;  // made after the last write
  mutable std::vector<CachedRow*> changed_;
  // The first `marked_` are of the present event, the others keep their memory.
  mutable std::vector<Mark> marks_;
  mutable size_t marked_ = 0;
  mutable std::vector<Table> tables_;  // by RowType
  // Rows of tables that were scanned that are not in the store yet, in key order.
  mutable std::map<std::string_view, CachedRow*> pending_;
  mutable bool scanned_ = false;  // any
  std::shared_ptr<RowRun> filling_;
  std::shared_ptr<RowRun> leaving_;  // null: none
  std::shared_ptr<RowRun> spare_;    // empty; null: none
  uint64_t written_ = 0;             // number of the last run in the store
  std::optional<RowFilter> filter_;
  std::string value_;
  mutable absl::Status status_;
};

}  // namespace taizhang::projection
