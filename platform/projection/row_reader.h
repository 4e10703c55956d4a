// Reads the versioned rows of one ledger in one view's files, as of a seq.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/projection/snapshot.h"
#include "platform/projection/store.h"

namespace taizhang::projection {

// A row's stored value: one byte (0: erased, 1: row), then the row's bytes; of a row that is
// nothing but its key, only the byte.
std::string_view erased_value();
std::string_view present_value();  // of a row that is nothing but its key
bool is_only_key(const RowType& type);
void append_row_value(const RowType& type, const google::protobuf::Message& row, std::string& out);
// Into `row`, which is empty. False: damaged.
bool parse_row_value(const RowType& type, std::string_view key, std::string_view value,
                     google::protobuf::Message& row);
inline bool is_erased(std::string_view value) { return value.size() == 1 && value[0] == '\0'; }

// Not thread-safe. Sees what was written to the store when it is made; versions above `seq` are not
// seen. After damage everything reads as absent and status() says so: whoever makes an answer of it
// must look.
class RowReader : public SnapshotRows {
 public:
  RowReader(std::shared_ptr<const Store> store, std::string ledger, int64_t seq);

  bool read(const RowType& type, std::string_view key, google::protobuf::Message& row) override;
  void scan(const RowType& type, std::string_view prefix, std::string_view after,
            const VisitRow& visit) override;
  void scan_back(const RowType& type, std::string_view prefix, std::string_view before,
                 const VisitRow& visit) override;
  void history(const RowType& type, std::string_view key, int64_t from_seq,
               const VisitVersion& visit) override;
  void number_history(const RowType& type, std::string_view key, int number,
                      const VisitNumber& visit) override;
  void versions(const RowType& type, std::string_view prefix,
                const VisitRowVersion& visit) override;
  std::unique_ptr<RowCursor> cursor(const RowType& type) override;
  int64_t seq_at(int64_t recorded_time_us) override;
  // Recorded time of the commit that holds `seq`; 0: not held.
  int64_t time_of(int64_t seq);

  const absl::Status& status() const { return status_; }

 private:
  class Cursor;  // row_cursor.cc

  // Puts versions_ on the newest version not above seq_ of a row (key without version). False:
  // there is none.
  bool stand_on(std::string_view row_key);
  bool on_version_of(const StoreCursor& cursor, std::string_view row_key);
  // Value of that version; null: absent or erased. Valid until the next call.
  std::optional<std::string_view> value_of(std::string_view row_key);
  bool parse(const RowType& type, std::string_view key, std::string_view value,
             google::protobuf::Message& row);
  // The version a cursor stands on; false: damaged.
  bool parse_version(const RowType& type, std::string_view key, const StoreCursor& cursor,
                     RowVersion& version, google::protobuf::Message& row);
  // The ledger's stretch that the cursor stands on; null: it stands on none, or on a damaged one.
  std::shared_ptr<const LedgerStretch> stretch(const StoreCursor& cursor, char area);
  void damaged_row(const RowType& type);
  // valid() of a cursor, keeping the reason when it is not for the end.
  bool at_row(const StoreCursor& cursor);

  std::shared_ptr<const Store> store_;
  std::string ledger_;
  int64_t seq_;
  std::unique_ptr<StoreCursor> versions_;
  std::string sought_;  // where versions_ stands since; empty: it has moved on
  absl::Status status_;
};

}  // namespace taizhang::projection
