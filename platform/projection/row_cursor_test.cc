// A cursor goes through rows in order as of its moment, also when it reads on as for a long run.
#include "platform/projection/row_cursor.h"

#include <gtest/gtest.h>

#include <string>

#include "platform/base/test_folder.h"
#include "platform/projection/row_reader.h"
#include "platform/projection/test_view.h"

namespace taizhang::projection {
namespace {

constexpr int kRows = 1'000;

class RowCursors : public ::testing::Test {
 protected:
  RowCursors() {
    store_ = *Store::open(folder_.path(), make_store_resources(1 << 20, 1 << 20));
    // Each row at 1; every third again at 5, every fifth taken away at 7.
    for (int i = 0; i < kRows; ++i) write(i, 1, "first");
    for (int i = 0; i < kRows; i += 3) write(i, 5, "second");
    for (int i = 0; i < kRows; i += 5) write(i, 7, "");
    EXPECT_TRUE(store_->flush().ok());
  }

  static std::string key_of(int i) {
    const std::string digits = std::to_string(i);
    return std::string(6 - digits.size(), '0') + digits;
  }

  void write(int i, int64_t seq, const std::string& name) {
    testing::SumRow row;
    row.set_ledger(key_of(i));
    row.set_name(name);
    std::string value(erased_value());
    if (!name.empty()) {
      value.clear();
      append_row_value(type_, row, value);
    }
    std::string key = store_key::row("990101", type_.prefix, make_key(key_of(i)));
    store_key::append_version(key, seq);
    Puts puts;
    puts.add(key, value);
    EXPECT_TRUE(store_->write(puts).ok());
  }

  static std::string expected(int i, int64_t seq) {
    if (seq >= 7 && i % 5 == 0) return "";
    return seq >= 5 && i % 3 == 0 ? "second" : "first";
  }

  // From where the cursor stands; returns the row behind the last one.
  int expect_rows(RowCursor& cursor, int from, int count, int64_t seq) {
    int i = from;
    while (count > 0 && i < kRows) {
      if (expected(i, seq).empty()) {
        ++i;
        continue;
      }
      testing::SumRow row;
      EXPECT_TRUE(cursor.valid()) << i;
      if (!cursor.valid()) return i;
      EXPECT_EQ(cursor.key(), make_key(key_of(i)));
      EXPECT_TRUE(row.ParseFromString(std::string(cursor.row())));
      EXPECT_EQ(row.name(), expected(i, seq)) << i;
      cursor.next();
      ++i;
      --count;
    }
    return i;
  }

  const RowType& type_ = row_type<testing::SumRow>();
  const testing::TestFolder folder_;
  std::shared_ptr<Store> store_;
};

TEST_F(RowCursors, SeeEveryRowOfTheirMoment) {
  for (const int64_t seq : {1, 5, 6, 7, 9}) {
    RowReader reader(store_, "990101", seq);
    const auto cursor = reader.cursor(type_);
    cursor->seek("");
    EXPECT_EQ(expect_rows(*cursor, 0, kRows, seq), kRows);
    EXPECT_FALSE(cursor->valid());
    EXPECT_TRUE(reader.status().ok());
  }
}

TEST_F(RowCursors, LeapFromARunToWhereTheyAreSent) {
  RowReader reader(store_, "990101", 9);
  const auto cursor = reader.cursor(type_);
  for (const int from : {0, 500, 3, 701, 700, 999}) {
    cursor->seek(make_key(key_of(from)));
    expect_rows(*cursor, from, 150, 9);
    cursor->seek_before(make_key(key_of(from + 1)));
    const int before = from % 5 == 0 ? from - 1 : from;
    ASSERT_EQ(cursor->valid(), before >= 0);
    if (before >= 0) {
      EXPECT_EQ(cursor->key(), make_key(key_of(before)));
    }
  }
}

TEST_F(RowCursors, SeeNothingOfWhatIsWrittenBehindTheirMomentMeanwhile) {
  RowReader reader(store_, "990101", 5);
  const auto cursor = reader.cursor(type_);
  cursor->seek("");
  int at = expect_rows(*cursor, 0, 50, 5);
  for (int i = 0; i < kRows; ++i) write(i, 8, "later");
  at = expect_rows(*cursor, at, 50, 5);
  for (int i = 0; i < kRows; ++i) write(i, 9, "");
  EXPECT_EQ(expect_rows(*cursor, at, kRows, 5), kRows);
}

}  // namespace
}  // namespace taizhang::projection
