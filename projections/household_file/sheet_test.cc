// The one-page sheet of a household on a day.
#include <gtest/gtest.h>

#include "domain/citizen_number.h"
#include "platform/projection/view_fixture.h"
#include "projections/common/test_events.h"
#include "projections/household_file/household_file.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using v1::CountHouseholdsRequest;
using v1::CountHouseholdsResponse;
using v1::FindByCitizenNumberRequest;
using v1::FindByCitizenNumberResponse;
using v1::HouseholdsRequest;
using v1::HouseholdsResponse;
using v1::SheetRequest;
using v1::SheetResponse;

std::string citizen_number() {
  const std::string digits = "99010119800101001";
  return digits + citizen_check_character(digits);
}

class Sheet : public testing::Test {
 protected:
  Sheet() : book(household_file_view()) {
    book.commit(20120101, region_created(kVillage, "贾驿村"),
                region_created(kOtherVillage, "吊渠村"));
    registered_seq = book.last_seq() + 1;
    book.commit(20170501, household_registered(1), person_registered(11, "乙"),
                person_registered(10, "甲", "index-of-" + citizen_number()),
                member_added(1, 11, "1"), member_added(1, 10, "0", true));
    book.commit(20170501, household_registered(2, kOtherVillage), person_registered(20, "丙"),
                member_added(2, 20, "0", true));
    book.commit(20170502, status_loaded(1, {{"LIFTED", 20161231}}));
  }

  SheetResponse ask(int32_t day, int number = 1) {
    auto request = on<SheetRequest>(day);
    request.set_household_id(household_id(number));
    return book.ask<SheetResponse>(request);
  }
  Error ask_error(int32_t day, int number) {
    auto request = on<SheetRequest>(day);
    request.set_household_id(household_id(number));
    return book.ask_error(request);
  }

  ViewFixture book;
  int64_t registered_seq = 0;
};

TEST_F(Sheet, ShowsTheHouseholdAndItsMembersHeadFirst) {
  const auto sheet = ask(20170601);
  EXPECT_EQ(sheet.household().region(), kVillage);
  EXPECT_EQ(sheet.household().region_name(), "贾驿村");
  EXPECT_EQ(sheet.household().group_no(), 3);
  EXPECT_EQ(sheet.household().contact().phone(), "13900000000");
  EXPECT_FALSE(sheet.household().withheld());
  ASSERT_EQ(sheet.members_size(), 2);
  EXPECT_EQ(sheet.members(0).person().identity().name(), "甲");
  EXPECT_TRUE(sheet.members(0).is_head());
  EXPECT_EQ(sheet.members(1).person().identity().name(), "乙");
  EXPECT_EQ(sheet.members(1).relation(), "1");
}

TEST_F(Sheet, NamesVersionsAndEvents) {
  const auto sheet = ask(20170601);
  EXPECT_EQ(sheet.household().version(), book.last_seq());  // the loaded status
  ASSERT_EQ(sheet.household().event_ids_size(), 1);
  EXPECT_EQ(sheet.household().event_ids(0), "990101/" + std::to_string(registered_seq));
  EXPECT_EQ(sheet.members(0).event_ids(0), "990101/" + std::to_string(registered_seq + 4));
  EXPECT_EQ(sheet.members(0).version(), registered_seq + 4);
  EXPECT_EQ(sheet.freshness().seq(), book.last_seq());
}

TEST_F(Sheet, WithholdsPersonalContentFromReaders) {
  book.asked_by({common::v1::ROLE_READER});
  const auto sheet = ask(20170601);
  EXPECT_TRUE(sheet.household().withheld());
  EXPECT_FALSE(sheet.household().has_contact());
  EXPECT_TRUE(sheet.members(0).person().withheld());
  EXPECT_FALSE(sheet.members(0).person().has_identity());
  EXPECT_EQ(sheet.members(0).person().sex(), "1");
}

TEST_F(Sheet, ShowsStatusesWithTheLoadedMarkByDate) {
  book.commit(20170503, status_loaded(1, {{"POOR", 20140101, 20161230}}));
  const auto sheet = ask(20170601);
  ASSERT_EQ(sheet.statuses_size(), 2);
  EXPECT_EQ(sheet.statuses(0).status(), "POOR");
  EXPECT_EQ(day_of(sheet.statuses(0).to_date()), 20161230);
  EXPECT_TRUE(sheet.statuses(0).loaded());
  EXPECT_EQ(sheet.statuses(1).status(), "LIFTED");
  EXPECT_FALSE(sheet.statuses(1).has_to_date());
  EXPECT_EQ(sheet.statuses(1).version(), book.last_seq() - 1);
  EXPECT_EQ(sheet.status(), "LIFTED");
}

TEST_F(Sheet, IsNotFoundForAnUnknownHouseholdAndBeforeItsRegistration) {
  EXPECT_EQ(ask_error(20170601, 99).reason, "HOUSEHOLD_NOT_FOUND");
  EXPECT_EQ(ask_error(20170430, 1).reason, "HOUSEHOLD_NOT_FOUND");
  EXPECT_EQ(ask_error(20170430, 1).code, kNotFound);
}

TEST_F(Sheet, ShowsPairingsOpenOnTheDay) {
  book.commit(20170601, pairing_started(1, 20170601, worker(1), household(1)));
  book.commit(20170601, pairing_started(2, 20170601, worker(2), household(2)));
  book.commit(20170930, pairing_ended(1, 20170930, assistance::v1::PAIRING_END_CAUSE_LIFTED));
  EXPECT_EQ(ask(20170531).pairings_size(), 0);
  ASSERT_EQ(ask(20170930).pairings_size(), 1);
  EXPECT_EQ(ask(20170930).pairings(0).helper().id(), worker_id(1));
  EXPECT_EQ(ask(20170930).pairings(0).event_ids_size(), 2);
  EXPECT_EQ(ask(20171001).pairings_size(), 0);
}

TEST_F(Sheet, CountsVisitsOfTheYearByChannel) {
  book.commit(20161231, visit_recorded(1, 20161231, household(1)));
  book.commit(20170101, visit_recorded(2, 20170101, household(1)));
  book.commit(20170601, visit_recorded(3, 20170601, household(1), 2));
  book.commit(20170601,
              visit_recorded(4, 20170601, household(1), 1, assistance::v1::VISIT_CHANNEL_PHONE));
  book.commit(20170601, visit_recorded(5, 20170601, household(2)));
  const auto sheet = ask(20170601);
  ASSERT_EQ(sheet.visits_this_year_size(), 2);
  EXPECT_EQ(sheet.visits_this_year(0).channel(), assistance::v1::VISIT_CHANNEL_HOME);
  EXPECT_EQ(sheet.visits_this_year(0).visits(), 2);
  EXPECT_EQ(sheet.visits_this_year(0).event_ids_size(), 2);
  EXPECT_EQ(sheet.visits_this_year(1).visits(), 1);
  EXPECT_EQ(ask(20170531).visits_this_year(0).visits(), 1);
}

TEST_F(Sheet, ForgetsAVoidedVisitOnceTheVoidIsInsideAsOf) {
  book.commit(20170601, visit_recorded(1, 20170601, household(1)));
  const int64_t before = book.last_seq();
  book.commit(20170702, visit_voided(1));
  EXPECT_EQ(ask(20170601).visits_this_year_size(), 0);
  auto request = on<SheetRequest>(20170601);
  request.set_household_id(household_id(1));
  request.mutable_read()->set_seq(before);
  const auto then = book.ask<SheetResponse>(request);
  ASSERT_EQ(then.visits_this_year_size(), 1);
  EXPECT_EQ(then.freshness().seq(), before);
  EXPECT_TRUE(then.freshness().final());
}

TEST_F(Sheet, ShowsAnIssueThatWasTakenUpAgain) {
  book.commit(20170601, issue_raised(1, household(1)));
  book.commit(20170610, issue_assigned(1, 20170715, worker(3)));
  book.commit(20170620, issue_resolved(1));
  book.commit(20170630, issue_reopened(1));
  EXPECT_EQ(ask(20170620).open_issues_size(), 0);
  ASSERT_EQ(ask(20170630).open_issues_size(), 1);
  const auto again = ask(20170630).open_issues(0);
  EXPECT_EQ(again.state(), v1::ISSUE_STATE_ASSIGNED);
  EXPECT_EQ(again.owner().id(), worker_id(3));
  EXPECT_FALSE(again.has_resolved_date());
}

TEST_F(Sheet, ShowsIssuesThatAreOpenOnTheDay) {
  auto raised = issue_raised(1, household(1));
  *raised.mutable_text() = sealed_text("房屋漏雨");
  *raised.mutable_due_date() = date_of(20170801);
  book.commit(20170601, raised);
  book.commit(20170610, issue_assigned(1, 20170715, worker(3)));
  book.commit(20170620, issue_resolved(1));
  EXPECT_EQ(ask(20170531).open_issues_size(), 0);
  const auto new_one = ask(20170601).open_issues(0);
  EXPECT_EQ(new_one.state(), v1::ISSUE_STATE_RAISED);
  EXPECT_EQ(new_one.text().text(), "房屋漏雨");
  EXPECT_EQ(day_of(new_one.due_date()), 20170801);
  EXPECT_FALSE(new_one.has_owner());
  const auto assigned = ask(20170610).open_issues(0);
  EXPECT_EQ(assigned.state(), v1::ISSUE_STATE_ASSIGNED);
  EXPECT_EQ(assigned.owner().id(), worker_id(3));
  EXPECT_EQ(day_of(assigned.due_date()), 20170715);
  EXPECT_EQ(assigned.event_ids_size(), 2);
  EXPECT_EQ(ask(20170620).open_issues_size(), 0);
}

TEST_F(Sheet, CitizenNumberFindsPersonAndHousehold) {
  auto request = on<FindByCitizenNumberRequest>(20170601);
  request.set_citizen_number(citizen_number());
  const auto found = book.ask<FindByCitizenNumberResponse>(request);
  EXPECT_EQ(found.person().person_id(), person_id(10));
  EXPECT_EQ(found.household().household_id(), household_id(1));
  EXPECT_TRUE(found.is_head());
  book.asked_by({common::v1::ROLE_READER});
  EXPECT_TRUE(book.ask<FindByCitizenNumberResponse>(request).person().withheld());
}

TEST_F(Sheet, CitizenNumberIsNotFoundOrMalformed) {
  auto request = on<FindByCitizenNumberRequest>(20170430);
  request.set_citizen_number(citizen_number());
  const auto too_early = book.ask_error(request);
  EXPECT_EQ(too_early.reason, "PERSON_NOT_FOUND");
  EXPECT_EQ(too_early.resource_name, "");
  request = on<FindByCitizenNumberRequest>(20170601);
  request.set_citizen_number("990101198002310010");
  const auto malformed = book.ask_error(request);
  EXPECT_EQ(malformed.code, kInvalidArgument);
  ASSERT_EQ(malformed.violations.size(), 1U);
  EXPECT_EQ(malformed.violations[0].field, "citizen_number");
}

TEST_F(Sheet, HouseholdsAreListedByRegionAndStatus) {
  const auto listed = [&](const std::string& region, const std::string& status = "") {
    auto request = on<HouseholdsRequest>(20170601);
    request.set_region(region);
    request.set_status(status);
    return book.ask<HouseholdsResponse>(request);
  };
  EXPECT_EQ(listed("").rows_size(), 2);
  EXPECT_EQ(listed("990101").rows_size(), 2);
  EXPECT_EQ(listed("990101100").rows_size(), 2);
  ASSERT_EQ(listed(kVillage).rows_size(), 1);
  EXPECT_EQ(listed(kVillage).rows(0).members(), 2);
  EXPECT_EQ(listed(kVillage).rows(0).status(), "LIFTED");
  EXPECT_EQ(listed("990101101").rows_size(), 0);
  EXPECT_EQ(listed("", "LIFTED").rows_size(), 1);
}

TEST_F(Sheet, HouseholdsPageOnOneSnapshot) {
  auto request = on<HouseholdsRequest>(20170601);
  request.mutable_page()->set_page_size(1);
  const auto first = book.ask<HouseholdsResponse>(request);
  ASSERT_EQ(first.rows_size(), 1);
  ASSERT_FALSE(first.next_page_token().empty());
  book.commit(20170501, household_registered(3, kOtherVillage));
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<HouseholdsResponse>(request);
  ASSERT_EQ(second.rows_size(), 1);
  EXPECT_EQ(second.rows(0).household().household_id(), household_id(2));
  EXPECT_TRUE(second.next_page_token().empty());
}

TEST_F(Sheet, HouseholdsAreCountedByVillage) {
  const auto counted = book.ask<CountHouseholdsResponse>(on<CountHouseholdsRequest>(20170601));
  EXPECT_EQ(counted.households(), 2);
  EXPECT_EQ(counted.persons(), 3);
  ASSERT_EQ(counted.villages_size(), 2);
  EXPECT_EQ(counted.villages(0).region_name(), "贾驿村");
  EXPECT_EQ(counted.villages(0).persons(), 2);
  EXPECT_EQ(book.ask<CountHouseholdsResponse>(on<CountHouseholdsRequest>(20170430)).households(),
            0);
}

// Slice 1 §8: household n of 38 has 1 + (n mod 4) members.
TEST(SampleBook, Has38HouseholdsAnd95Persons) {
  ViewFixture book(household_file_view());
  int person = 0;
  for (int n = 1; n <= 38; ++n) {
    book.commit(20170501, household_registered(n, kOtherVillage));
    for (int i = 0; i <= n % 4; ++i) {
      ++person;
      book.commit(20170501, person_registered(person, "某"),
                  member_added(n, person, i == 0 ? "0" : "2", i == 0));
    }
  }
  const auto counted = book.ask<CountHouseholdsResponse>(on<CountHouseholdsRequest>(20171231));
  EXPECT_EQ(counted.households(), 38);
  EXPECT_EQ(counted.persons(), 95);
}

}  // namespace
}  // namespace taizhang::household_file
