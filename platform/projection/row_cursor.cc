// Rows in key order over versioned keys.
#include "platform/projection/row_cursor.h"

#include <utility>

#include "platform/projection/row_reader.h"
#include "platform/projection/store.h"

namespace taizhang::projection {
namespace {

// Above every version of a row, below the next row.
constexpr std::string_view kBehindVersions = "\xff\xff\xff\xff\xff\xff\xff\xff\xff";
// Rows taken one after the other before a cursor reads on as for a long run: a caller who wants few
// does not pay for what lies behind them.
constexpr int kRunRows = 64;

}  // namespace

class RowReader::Cursor : public RowCursor {
 public:
  Cursor(RowReader& reader, const RowType& type)
      : reader_(reader),
        cursor_(reader.store_->cursor(CursorKind::kOrder)),
        table_(store_key::row(reader.ledger_, type.prefix, {})) {}

  void seek(std::string_view key) override {
    rows_in_order_ = 0;
    if (std::exchange(runs_, false)) cursor_ = reader_.store_->cursor(CursorKind::kOrder);
    target_ = table_;
    target_ += key;
    cursor_->seek(target_);
    settle();
  }

  void seek_before(std::string_view key) override {
    target_ = table_;
    target_ += key;
    // Versions of a row lie behind its key alone, so that whole keys are never met here.
    for (;;) {
      cursor_->seek_for_prev(target_);
      valid_ = in_table();
      if (!valid_) return;
      row_key_ = store_key::without_version(cursor_->key());
      if (stand_on_version()) return;
      if (!reader_.status_.ok()) {
        valid_ = false;
        return;
      }
      target_ = row_key_;
    }
  }

  void next() override {
    if (++rows_in_order_ == kRunRows) run_on();
    if (cursor_->valid()) cursor_->next();
    if (in_table() && store_key::without_version(cursor_->key()) == row_key_) {
      row_key_ += kBehindVersions;
      cursor_->seek(row_key_);
    }
    settle();
  }

  bool valid() const override { return valid_; }
  std::string_view key() const override { return std::string_view(row_key_).substr(table_.size()); }
  std::string_view row() const override { return cursor_->value().substr(1); }

 private:
  bool in_table() { return reader_.at_row(*cursor_) && cursor_->key().starts_with(table_); }

  // What is written meanwhile changes nothing: rows are never taken away, and newer versions are
  // not seen.
  void run_on() {
    target_ = cursor_->key();
    cursor_ = reader_.store_->cursor(CursorKind::kRun);
    cursor_->seek(target_);
    runs_ = true;
  }

  // From a version of row_key_ to the one of the moment. False: the row was not there.
  bool stand_on_version() {
    if (store_key::version_of(cursor_->key()) != reader_.seq_) {
      target_ = row_key_;
      store_key::append_version(target_, reader_.seq_);
      cursor_->seek(target_);
      if (!in_table() || store_key::without_version(cursor_->key()) != row_key_) return false;
    }
    return !is_erased(cursor_->value());
  }

  // From where the cursor stands to the next row that was there at the moment.
  void settle() {
    for (;;) {
      valid_ = in_table();
      if (!valid_) return;
      row_key_ = store_key::without_version(cursor_->key());
      if (store_key::version_of(cursor_->key()) > reader_.seq_) {
        target_ = row_key_;
        store_key::append_version(target_, reader_.seq_);
        cursor_->seek(target_);
        continue;  // to that version, or to the next row
      }
      if (!is_erased(cursor_->value())) return;
      target_ = row_key_;
      target_ += kBehindVersions;
      cursor_->seek(target_);
    }
  }

  RowReader& reader_;
  std::unique_ptr<StoreCursor> cursor_;
  const std::string table_;
  std::string row_key_;
  std::string target_;
  bool valid_ = false;
  int rows_in_order_ = 0;  // since the last seek
  bool runs_ = false;      // cursor_ reads on as for a long run
};

std::unique_ptr<RowCursor> RowReader::cursor(const RowType& type) {
  return std::make_unique<Cursor>(*this, type);
}

}  // namespace taizhang::projection
