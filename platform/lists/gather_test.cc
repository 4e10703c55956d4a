// Gathering: the rows of every ledger that may be asked, in either order, and who failed.
#include "google/rpc/status.pb.h"
#include "platform/lists/gather_stream.h"
#include "platform/lists/lists_fixture.h"

namespace taizhang::lists {
namespace {

using ledger::v1::ReadEventsRequest;
using v1::GatherRequest;
using v1::GatherResponse;

constexpr const char* kSecond = "610328";
constexpr const char* kThird = "610329";

class Gather : public testing::ListsTest {
 protected:
  Gather() {
    journal_.open(kSecond);
    journal_.open(kThird);
  }

  static GatherRequest of(const ReadEventsRequest& query, int32_t rows_per_message = 0) {
    GatherRequest request;
    request.mutable_query()->PackFrom(query);
    request.set_rows_per_message(rows_per_message);
    return request;
  }
  void fill() {
    add("b", 1);
    add("d", 2);
    add("a", 3, "", kSecond);
    add("c", 4, "", kSecond);
    add("e", 7, "", kSecond);  // not on the list
    add("b", 5, "", kThird);
    start();
  }
};

TEST_F(Gather, RowsComeLedgerByLedger) {
  fill();
  const auto messages = all<GatherResponse>(of({}));
  EXPECT_EQ(messages.front().header().method(), "taizhang.ledger.v1.LedgerService.ReadEvents");
  EXPECT_EQ(messages.front().header().row_type(), "taizhang.ledger.v1.EventEnvelope");
  ASSERT_EQ(messages.front().header().ledgers_size(), 3);
  EXPECT_EQ(rows_of(messages), "28:a=3 28:c=4 29:b=5 01:b=1 01:d=2 ");
  const auto& trailer = messages.back().trailer();
  EXPECT_EQ(trailer.rows(), 5);
  EXPECT_EQ(trailer.failed_ledgers(), 0);
  ASSERT_EQ(trailer.ledgers_size(), 3);
  EXPECT_EQ(trailer.ledgers(0).ledger(), kSecond);
  EXPECT_EQ(trailer.ledgers(0).rows(), 2);
  EXPECT_EQ(trailer.ledgers(0).freshness().seq(), 3);
  EXPECT_EQ(trailer.ledgers(1).freshness().seq(), 1);
}

TEST_F(Gather, RowsAreMergedInTheOrderOfTheList) {
  fill();
  for (const int32_t rows_per_message : {0, 1, 2}) {
    auto request = of({}, rows_per_message);
    request.set_order(v1::GATHER_ORDER_BY_ROW);
    const auto messages = all<GatherResponse>(request);
    EXPECT_EQ(rows_of(messages), "28:a=3 29:b=5 01:b=1 28:c=4 01:d=2 ");
    for (const auto& message : messages) {
      EXPECT_LE(message.rows().rows_size(), rows_per_message == 0 ? 5 : rows_per_message);
    }
  }
}

TEST_F(Gather, ManyPagesOfManyLedgersAreWholeInEitherOrder) {
  std::string by_ledger;
  for (const char* ledger : {kSecond, kThird, kLedger}) {
    for (int i = 0; i < 100; ++i) {
      const std::string key = "k" + std::to_string(100 + i);
      add(key, 1, "", ledger);
      by_ledger += std::string(ledger).substr(4) + ":" + key + "=1 ";
    }
  }
  start();
  EXPECT_EQ(rows_of(all<GatherResponse>(of({}, 7))), by_ledger);
  auto request = of({}, 7);
  request.set_order(v1::GATHER_ORDER_BY_ROW);
  std::string by_row;
  for (int i = 0; i < 100; ++i) {
    for (const char* ledger : {"28", "29", "01"})
      by_row += ledger + std::string(":k") + std::to_string(100 + i) + "=1 ";
  }
  EXPECT_EQ(rows_of(all<GatherResponse>(request)), by_row);
}

TEST_F(Gather, LedgersAreChosenByCodeAndByPrefix) {
  fill();
  auto request = of({});
  request.set_ledger_prefix("61");
  EXPECT_EQ(rows_of(all<GatherResponse>(request)), "28:a=3 28:c=4 29:b=5 ");
  request.add_ledgers(kThird);
  request.add_ledgers(kLedger);
  EXPECT_EQ(rows_of(all<GatherResponse>(request)), "29:b=5 ");
  request.add_ledgers(kThird);
  EXPECT_EQ(error_of(request).violations.at(0).field, "ledgers");
}

TEST_F(Gather, AFailingLedgerIsNamedAndTheOthersAnswer) {
  fill();
  auto request = of({});
  for (const char* ledger : {kThird, "110000", kLedger}) request.add_ledgers(ledger);
  caller_.regions = {"11", "99"};
  const auto messages = all<GatherResponse>(request);
  EXPECT_EQ(rows_of(messages), "01:b=1 01:d=2 ");
  const auto& trailer = messages.back().trailer();
  EXPECT_EQ(trailer.failed_ledgers(), 2);
  EXPECT_EQ(trailer.ledgers(0).failure().code(), kNotFound);
  EXPECT_EQ(trailer.ledgers(1).failure().code(), kPermissionDenied);
  EXPECT_FALSE(trailer.ledgers(1).has_freshness());
  EXPECT_FALSE(trailer.ledgers(2).has_failure());
}

TEST_F(Gather, OfAllLedgersOnlyThoseThatTheCallerMayEnter) {
  fill();
  caller_.regions = {"610329"};
  const auto messages = all<GatherResponse>(of({}));
  ASSERT_EQ(messages.front().header().ledgers_size(), 1);
  EXPECT_EQ(rows_of(messages), "29:b=5 ");
}

TEST_F(Gather, WhatIsOfOneLedgerIsRefused) {
  fill();
  auto query = question();
  EXPECT_EQ(error_of(of(query)).violations.at(0).field, "query.ledger");
  query.clear_ledger();
  query.mutable_read()->set_seq(1);
  EXPECT_EQ(error_of(of(query)).violations.at(0).field, "query.read");
  query.mutable_read()->clear_as_of();
  query.mutable_read()->set_at_least_seq(1);
  EXPECT_EQ(error_of(of(query)).violations.at(0).field, "query.read");
}

TEST_F(Gather, RowsWithoutAPlaceAreNotMerged) {
  fill();
  ReadEventsRequest query;
  query.set_to_seq(1);
  auto request = of(query);
  request.set_order(v1::GATHER_ORDER_BY_ROW);
  const auto trailer = all<GatherResponse>(request).back().trailer();
  EXPECT_EQ(trailer.failed_ledgers(), 3);
  EXPECT_EQ(trailer.ledgers(0).failure().code(), kInvalidArgument);
}

}  // namespace
}  // namespace taizhang::lists
