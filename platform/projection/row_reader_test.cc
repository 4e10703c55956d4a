// The numbers of a row's versions, read without parsing the rows.
#include "platform/projection/row_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "platform/base/test_folder.h"
#include "platform/projection/test_view.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

using testing::SumRow;
using Numbers = std::vector<std::pair<int64_t, int64_t>>;  // seq, value

constexpr const char* kLedger = "990101";

class RowReaders : public ::testing::Test {
 protected:
  void put(const std::string& row, int64_t seq, const std::string& value) {
    std::string key = store_key::row(kLedger, type_.prefix, make_key(row));
    store_key::append_version(key, seq);
    Puts puts;
    puts.add(key, value);
    ASSERT_TRUE(store_->write(puts).ok());
  }
  void write(const std::string& key, int64_t seq, uint64_t sum) {
    SumRow row;
    row.set_ledger(key);
    row.set_name("of seq " + std::to_string(seq));
    row.set_generation(sum);
    std::string value;
    append_row_value(type_, row, value);
    put(key, seq, value);
  }

  Numbers sums(RowReader& reader, const std::string& key, size_t max = 100) {
    Numbers numbers;
    reader.number_history(type_, make_key(key), SumRow::kGenerationFieldNumber,
                          [&](int64_t seq, int64_t value) {
                            numbers.emplace_back(seq, value);
                            return numbers.size() < max;
                          });
    return numbers;
  }
  // What the parsed versions say.
  Numbers parsed_sums(RowReader& reader, const std::string& key) {
    Numbers numbers;
    reader.history(type_, make_key(key), INT64_MAX,
                   [&](const RowVersion& version, const google::protobuf::Message& row) {
                     const auto sum = static_cast<const SumRow&>(row).generation();
                     numbers.emplace_back(version.seq, static_cast<int64_t>(sum));
                     return true;
                   });
    return numbers;
  }
  uint64_t sum_now(RowReader& reader, const std::string& key) {
    SumRow row;
    return reader.read(type_, make_key(key), row) ? row.generation() : 0;
  }

  const RowType& type_ = row_type<SumRow>();
  const testing::TestFolder folder_;
  const std::shared_ptr<Store> store_ =
      *Store::open(folder_.path(), make_store_resources(1 << 20, 1 << 20));
};

TEST_F(RowReaders, TellTheNumberOfEveryVersionUpToTheirMomentAsTheParsedRowsDo) {
  write("a", 1, 11);
  write("b", 2, 300);
  write("b", 4, 0);  // not stored: the default
  put("b", 5, std::string(erased_value()));
  write("b", 7, uint64_t{1} << 40);
  write("c", 8, 33);
  for (const int64_t seq : {1, 2, 3, 4, 5, 6, 7, 9}) {
    RowReader reader(store_, kLedger, seq);
    for (const char* key : {"a", "b", "c", "d"})
      EXPECT_EQ(sums(reader, key), parsed_sums(reader, key)) << key << " at " << seq;
    EXPECT_TRUE(reader.status().ok());
  }
  RowReader reader(store_, kLedger, 7);
  EXPECT_EQ(sums(reader, "b"), (Numbers{{7, int64_t{1} << 40}, {5, 0}, {4, 0}, {2, 300}}));
  EXPECT_EQ(sums(reader, "b", 2), (Numbers{{7, int64_t{1} << 40}, {5, 0}}));
}

TEST_F(RowReaders, FindARowAgainAfterItsVersionsWereReadAndBeforeIt) {
  for (int64_t seq = 1; seq <= 9; ++seq) write("a", seq, static_cast<uint64_t>(seq));
  write("b", 5, 55);
  RowReader reader(store_, kLedger, 6);
  const Numbers all{{6, 6}, {5, 5}, {4, 4}, {3, 3}, {2, 2}, {1, 1}};
  EXPECT_EQ(sum_now(reader, "a"), 6U);
  EXPECT_EQ(sums(reader, "a"), all);
  EXPECT_EQ(sum_now(reader, "a"), 6U);
  EXPECT_EQ(sums(reader, "a", 3), (Numbers{{6, 6}, {5, 5}, {4, 4}}));
  EXPECT_EQ(sums(reader, "a"), all);
  EXPECT_EQ(sum_now(reader, "b"), 55U);
  EXPECT_EQ(sums(reader, "a"), all);
  EXPECT_EQ(sum_now(reader, "b"), 55U);
}

TEST_F(RowReaders, TellTheTimeOfASeqWhicheverStretchOfWhicheverLedgerWasFoundBefore) {
  // A commit of two events for each second; three commits a stretch.
  for (const auto& [ledger, first_us] : {std::pair("990101", 1'000'000), {"990102", 501'000'000}}) {
    for (int64_t commit = 1; commit <= 9; commit += 3) {
      CommitStretch stretch;
      for (int64_t i = commit; i < commit + 3; ++i)
        stretch.commits.push_back({2 * i, first_us * i});
      Puts puts;
      puts.add(store_key::of_ledger(store_key::kBySeq, ledger, stretch.commits.back().last_seq),
               stretch.bytes());
      puts.add(
          store_key::of_ledger(store_key::kByTime, ledger, stretch.commits[0].recorded_time_us),
          stretch.bytes());
      ASSERT_TRUE(store_->write(puts).ok());
    }
  }
  RowReader one(store_, "990101", 18);
  RowReader other(store_, "990102", 18);
  for (const int64_t seq : {1, 2, 3, 6, 7, 8, 18, 13, 12, 1, 17, 5}) {
    const int64_t commit = (seq + 1) / 2;
    EXPECT_EQ(one.time_of(seq), 1'000'000 * commit) << seq;
    EXPECT_EQ(one.seq_at(1'000'000 * commit), 2 * commit);
    EXPECT_EQ(one.time_of(2 * commit), 1'000'000 * commit) << seq;
    EXPECT_EQ(other.time_of(seq), 501'000'000 * commit) << seq;
  }
  EXPECT_EQ(one.time_of(19), 0);
  EXPECT_EQ(RowReader(store_, "990103", 18).time_of(3), 0);
  EXPECT_TRUE(one.status().ok());
  EXPECT_TRUE(other.status().ok());
}

TEST_F(RowReaders, TakeAVersionThatIsNoRowForDamage) {
  write("a", 1, 11);
  // A kind that is no row; one cut off within a field.
  for (const std::string& value : {std::string("\x07"), std::string("\x01\x0a\x05x", 4)}) {
    put("a", 2, value);
    RowReader reader(store_, kLedger, 2);
    EXPECT_EQ(sums(reader, "a"), Numbers{});
    EXPECT_EQ(reader.status().code(), absl::StatusCode::kDataLoss);
    RowReader before(store_, kLedger, 1);
    EXPECT_EQ(sums(before, "a"), (Numbers{{1, 11}}));
    EXPECT_TRUE(before.status().ok());
  }
}

}  // namespace
}  // namespace taizhang::projection
