// Folds of the household file: total, and the same every time.
#include <gtest/gtest.h>

#include "platform/projection/view_fixture.h"
#include "projections/common/test_events.h"
#include "projections/household_file/household_file.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests

TEST(HouseholdFile, IsTheSameInEveryFold) {
  const auto fold = [] {
    ViewFixture book(household_file_view());
    book.commit(20120101, region_created(kVillage, "贾驿村"));
    book.commit(20170501, household_registered(1), person_registered(10, "甲", "index"),
                member_added(1, 10, "0", true));
    book.commit(20170502, status_loaded(1, {{"POOR", 20140101, 20161230}, {"LIFTED", 20161231}}));
    book.commit(20170601, pairing_started(1, 20170601, worker(1), household(1)));
    book.commit(20170610, visit_recorded(1, 20170610, household(1)), issue_raised(1, household(1)));
    book.commit(20170611, visit_voided(1, 2));
    book.commit(20170612, issue_resolved(1));
    return book.dump();
  };
  EXPECT_EQ(fold(), fold());
}

TEST(HouseholdFile, TakesEventsOfRowsItDoesNotHave) {
  ViewFixture book(household_file_view());
  book.commit(20170601, visit_voided(7));
  book.commit(20170601, issue_assigned(7, 20170701, worker(1)), issue_resolved(7));
  book.commit(20170601, pairing_ended(7, 20170601, assistance::v1::PAIRING_END_CAUSE_TERM_ENDED));
  EXPECT_EQ(book.last_seq(), 4);
}

}  // namespace
}  // namespace taizhang::household_file
