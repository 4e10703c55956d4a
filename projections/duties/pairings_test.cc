// Pairings that are open on a day, and their histories.
#include <gtest/gtest.h>

#include "projections/duties/duties_book.h"

namespace taizhang::duties {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using v1::PairingHistoryRequest;
using v1::PairingHistoryResponse;
using v1::PairingsRequest;
using v1::PairingsResponse;

class Pairings : public testing::Test, protected DutiesBook {
 protected:
  Pairings() {
    const auto branch = subject(common::v1::SUBJECT_KIND_ORGANISATION, org_id(1));
    book.commit(20170401, pairing_started(50, 20170401, branch,
                                          subject(common::v1::SUBJECT_KIND_VILLAGE, kOtherVillage),
                                          assistance::v1::PAIRING_KIND_BRANCH_VILLAGE));
    book.commit(20170401, pairing_started(51, 20170401, worker(2),
                                          subject(common::v1::SUBJECT_KIND_REGION,
                                                  std::string(kVillage) + "001"),
                                          assistance::v1::PAIRING_KIND_CADRE_GROUP));
  }
  int count(PairingsRequest request, int32_t day = 20170501) {
    return book.ask<PairingsResponse>(on(day, std::move(request))).rows_size();
  }
};

TEST_F(Pairings, AreThoseOpenOnTheDay) {
  EXPECT_EQ(count({}, 20170314), 0);
  EXPECT_EQ(count({}, 20170331), 1);
  EXPECT_EQ(count({}), 3);
  book.commit(20170601, pairing_ended(50, 20170531, assistance::v1::PAIRING_END_CAUSE_TERM_ENDED));
  EXPECT_EQ(count({}, 20170531), 3);
  EXPECT_EQ(count({}, 20170601), 2);
  PairingsRequest all;
  all.set_include_closed(true);
  EXPECT_EQ(count(all, 20170601), 3);
}

TEST_F(Pairings, FilterByRegionHelperAndKind) {
  PairingsRequest request;
  request.set_region(kVillage);
  EXPECT_EQ(count(request), 2);
  request.set_region(std::string(kVillage) + "001");
  EXPECT_EQ(count(request), 1);
  request.set_region("990101100");
  EXPECT_EQ(count(request), 3);
  *request.mutable_helper() = worker(2);
  EXPECT_EQ(count(request), 1);
  request.clear_region();
  EXPECT_EQ(count(request), 1);
  request.set_kind(assistance::v1::PAIRING_KIND_CADRE_HOUSEHOLD);
  EXPECT_EQ(count(request), 0);
}

TEST_F(Pairings, HistoryNamesWhoEndedItAndWhy) {
  book.as("maker-2").because("到期").commit(
      20170601, pairing_ended(1, 20170601, assistance::v1::PAIRING_END_CAUSE_LIFTED));
  PairingHistoryRequest request;
  request.set_pairing_id(pairing_id(1));
  const auto answer = book.ask<PairingHistoryResponse>(request);
  ASSERT_EQ(answer.rows_size(), 2);
  EXPECT_EQ(answer.rows(0).change().actor().subject(), "maker-2");
  EXPECT_EQ(answer.rows(0).change().reason(), "到期");
  EXPECT_EQ(day_of(answer.rows(0).pairing().to_date()), 20170601);
  EXPECT_EQ(answer.rows(0).pairing().event_ids_size(), 2);
  EXPECT_FALSE(answer.rows(1).pairing().has_to_date());
  request.set_pairing_id(pairing_id(99));
  EXPECT_EQ(book.ask_error(request).reason, "PAIRING_NOT_FOUND");
}

TEST_F(Pairings, FoldIsTotalAndTheSameEveryTime) {
  const auto fold = [] {
    DutiesBook made;
    made.quarterly_home_visits();
    made.visit(1, 20170420);
    made.book.commit(20170421, visit_voided(1), visit_voided(77));
    made.book.commit(20170421,
                     pairing_ended(77, 20170421, assistance::v1::PAIRING_END_CAUSE_TERM_ENDED));
    return made.book.dump();
  };
  EXPECT_EQ(fold(), fold());
}

}  // namespace
}  // namespace taizhang::duties
