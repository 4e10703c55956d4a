// A merge of two views' rows in key order.
#include "platform/projection/view_compare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "platform/projection/difference_text.h"
#include "platform/projection/digest.h"
#include "platform/projection/row_reader.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

struct Counts {
  int64_t rows = 0;
  int64_t versions = 0;
  AdditiveDigest digest;
};

ViewComparison::Figures figures_of(const Counts& counts) {
  return {counts.rows, counts.versions, counts.versions == 0 ? "" : counts.digest.hex()};
}

std::string table_of(std::string_view row_key) {
  std::string ledger;
  std::string table;
  row_key.remove_prefix(1);
  return take_key_text(row_key, ledger) && take_key_text(row_key, table) ? table : std::string();
}

// One version of the view: its rows as of a seq, one after the other, counted on the way.
class Side {
 public:
  explicit Side(const Store& store)
      : store_(store),
        moment_(store.moment()),
        cursor_(store.cursor(CursorKind::kOrder, moment_.get())) {}

  absl::StatusOr<std::map<std::string, int64_t>> seqs() const {
    std::map<std::string, int64_t> seqs;
    const auto cursor = store_.cursor(CursorKind::kOrder, moment_.get());
    constexpr char kLedger = store_key::kLedger;
    for (cursor->seek({&kLedger, 1}); cursor->valid() && cursor->key()[0] == kLedger;
         cursor->next()) {
      std::string_view key = cursor->key().substr(1);
      std::string code;
      const auto progress = LedgerProgress::parse(cursor->value());
      if (!progress || !take_key_text(key, code))
        return absl::DataLossError("a progress row cannot be read");
      seqs[std::move(code)] = progress->seq;
    }
    if (!cursor->status().ok()) return cursor->status();
    return seqs;
  }

  void enter(std::string_view ledger, int64_t seq) {
    area_ = store_key::of_ledger(store_key::kRow, ledger);
    seq_ = seq;
    cursor_->seek(area_);
    next();
  }

  // The next row that was there or erased at the moment; false: none.
  bool next() {
    here_ = false;
    while (cursor_->valid() && cursor_->key().starts_with(area_)) {
      const std::string_view key = store_key::without_version(cursor_->key());
      if (here_ && key != key_) return true;
      if (store_key::version_of(cursor_->key()) <= seq_) {
        if (!here_) {  // the newest of them comes first
          here_ = true;
          key_ = key;
          value_ = cursor_->value();
          Counts& counts = counts_[table_of(key_)];
          if (!is_erased(value_)) ++counts.rows;
          now_ = &counts;
        }
        ++now_->versions;
        now_->digest.add(cursor_->key(), cursor_->value());
      }
      cursor_->next();
    }
    return here_;
  }

  bool here() const { return here_; }
  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }
  // Of the table of a row: nothing when it was never written to so far.
  const std::map<std::string, Counts>& counts() const { return counts_; }
  absl::Status status() const { return cursor_->status(); }

 private:
  const Store& store_;
  const std::shared_ptr<const Store::Moment> moment_;
  const std::unique_ptr<StoreCursor> cursor_;
  std::string area_;
  int64_t seq_ = 0;
  bool here_ = false;
  std::string key_;  // without version
  std::string value_;
  std::map<std::string, Counts> counts_;
  Counts* now_ = nullptr;
};

struct Differences {
  int64_t rows = 0;
  std::string first;
};

class Comparison {
 public:
  Comparison(std::string_view view, const Store& one, const Store& other)
      : view_(view), one_(one), other_(other) {}

  absl::StatusOr<ViewComparison> run(const VerifyScope& scope) {
    const auto seqs = one_.seqs();
    if (!seqs.ok()) return seqs.status();
    const auto other_seqs = other_.seqs();
    if (!other_seqs.ok()) return other_seqs.status();
    ViewComparison found;
    for (const auto& [code, seq] : *seqs) {
      if (!scope.ledger.empty() && code != scope.ledger) continue;
      const auto there = other_seqs->find(code);
      if (there == other_seqs->end()) continue;
      const int64_t both = std::min(seq, there->second);
      if (scope.seq.value_or(both) > both) {
        return absl::OutOfRangeError("both versions hold seq " + std::to_string(both) +
                                     " of ledger " + code);
      }
      ++found.ledgers;
      if (auto walked = walk(code, scope.seq.value_or(both)); !walked.ok()) return walked;
    }
    if (found.ledgers == 0 && !scope.ledger.empty())
      return absl::NotFoundError("not both versions hold ledger " + scope.ledger);
    tell(found);
    return found;
  }

 private:
  absl::Status walk(const std::string& ledger, int64_t seq) {
    one_.enter(ledger, seq);
    other_.enter(ledger, seq);
    while (one_.here() || other_.here()) {
      const int order = !one_.here() ? 1 : !other_.here() ? -1 : one_.key().compare(other_.key());
      if (order < 0) {
        if (!is_erased(one_.value())) differs(one_.key(), "only in the first");
      } else if (order > 0) {
        if (!is_erased(other_.value())) differs(other_.key(), "only in the second");
      } else if (one_.value() != other_.value()) {
        differs(one_.key(), "different (" +
                                differing_fields(view_, one_.key(), one_.value(), other_.value()) +
                                ")");
      }
      if (order <= 0) one_.next();
      if (order >= 0) other_.next();
    }
    if (!one_.status().ok()) return one_.status();
    return other_.status();
  }

  void differs(const std::string& row_key, const std::string& how) {
    Differences& differences = differences_[table_of(row_key)];
    if (++differences.rows > 1) return;
    std::string key = row_key;
    store_key::append_version(key, 0);
    // A row is named, not one of its versions.
    const std::string place = difference_place(view_, key);
    differences.first = how + ": " + place.substr(0, place.rfind(", seq "));
  }

  void tell(ViewComparison& found) const {
    std::map<std::string, ViewComparison::Table> tables;
    for (const auto& [name, counts] : one_.counts()) tables[name].figures = figures_of(counts);
    for (const auto& [name, counts] : other_.counts()) tables[name].other = figures_of(counts);
    for (auto& [name, table] : tables) {
      table.name = name;
      if (const auto at = differences_.find(name); at != differences_.end()) {
        table.differing_rows = at->second.rows;
        table.difference = at->second.first;
      }
      found.tables.push_back(std::move(table));
    }
  }

  const std::string_view view_;
  Side one_;
  Side other_;
  std::map<std::string, Differences> differences_;
};

}  // namespace

absl::StatusOr<ViewComparison> compare_views(std::string_view view,
                                             std::shared_ptr<const Store> one,
                                             std::shared_ptr<const Store> other,
                                             const VerifyScope& scope) {
  return Comparison(view, *one, *other).run(scope);
}

}  // namespace taizhang::projection
