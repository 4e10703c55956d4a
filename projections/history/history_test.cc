// The view history: what changed, what is withheld, late entries, requests, documents, moments,
// pages.
#include "projections/history/history.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "domain/dates.h"
#include "platform/projection/view_fixture.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/history/v1/service.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang {
namespace {

using namespace history::v1;

// 00000000-0000-4000-8000-0000000000NN
std::string id(int number) {
  char text[37];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
  return text;
}

SubjectHistoryRequest about(common::v1::SubjectKind kind, const std::string& subject_id) {
  SubjectHistoryRequest request;
  request.mutable_subject()->set_kind(kind);
  request.mutable_subject()->set_id(subject_id);
  return request;
}

// "before -> after" of the field; empty: not changed.
std::string change_of(const SubjectEntry& entry, const std::string& field) {
  for (const auto& change : entry.changes()) {
    if (change.field() == field) return change.before() + " -> " + change.after();
  }
  return {};
}

funds::v1::FundsArrived arrived(int line, int arrival, int64_t fen, int64_t in_all) {
  funds::v1::FundsArrived event;
  event.set_fund_line_id(id(line));
  event.set_arrival_id(id(arrival));
  event.set_amount_fen(fen);
  *event.mutable_date() = date_of(20170110);
  event.set_bank_reference("B-" + std::to_string(arrival));
  event.mutable_balances()->set_arrived_fen(in_all);
  event.mutable_balances()->set_cash_fen(in_all);
  return event;
}

funds::v1::FundLineOpened opened(int line) {
  funds::v1::FundLineOpened event;
  event.set_fund_line_id(id(line));
  event.set_source_kind(funds::v1::SOURCE_KIND_SELF_RAISED);
  event.set_year(2017);
  event.set_region("990101");
  return event;
}

assistance::v1::IssueAssigned assigned(int issue, const std::string& owner, int32_t due) {
  assistance::v1::IssueAssigned event;
  event.set_issue_id(id(issue));
  event.mutable_owner()->set_kind(common::v1::SUBJECT_KIND_ORGANISATION);
  event.mutable_owner()->set_id(owner);
  *event.mutable_due_date() = date_of(due);
  return event;
}

TEST(SubjectHistory, TellsWhoWhenWhyAndWhatChanged) {
  ViewFixture book(history_view());
  book.commit(20170105, opened(1));
  book.as("maker-1").because("first transfer").from_document(id(900));
  book.commit(20170110, arrived(1, 11, 1'000, 1'000));
  book.as("maker-2").because("second transfer").from_document(id(901));
  book.commit(20170112, arrived(1, 12, 500, 1'500));

  const auto response =
      book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_FUND_LINE, id(1)));
  ASSERT_EQ(response.entries_size(), 3);
  const auto& newest = response.entries(0);
  EXPECT_EQ(newest.entry().version(), 3);
  EXPECT_EQ(newest.entry().change().event_id(), "990101/3");
  EXPECT_EQ(newest.entry().change().event_type(), "funds.v1.FundsArrived");
  EXPECT_EQ(newest.entry().change().actor().subject(), "maker-2");
  EXPECT_EQ(newest.entry().change().reason(), "second transfer");
  EXPECT_EQ(newest.entry().change().source().document().document_id(), id(901));
  EXPECT_EQ(day_of(newest.entry().change().effective_date()), 20170112);
  EXPECT_TRUE(newest.entry().change().has_recorded_time());
  EXPECT_EQ(newest.entry().document_ids(0), id(901));
  EXPECT_EQ(newest.entry().subjects(0).id(), id(1));
  EXPECT_EQ(change_of(newest, "balances.arrived_fen"), "1000 -> 1500");
  EXPECT_EQ(change_of(newest, "arrival.amount_fen"), "1000 -> 500");
  EXPECT_EQ(change_of(newest, "year"), "");
  EXPECT_EQ(newest.changes(0).before_event_id(), "990101/2");
  EXPECT_EQ(change_of(response.entries(1), "balances.arrived_fen"), " -> 1000");
  EXPECT_EQ(change_of(response.entries(2), "source_kind"), " -> SELF_RAISED");
  EXPECT_EQ(change_of(response.entries(2), "fund_line_id"), "");
}

// The arrival is a thing of its own; the line's balances are not its.
TEST(SubjectHistory, OfACreatedThingHasItsFields) {
  ViewFixture book(history_view());
  book.commit(20170105, opened(1));
  book.commit(20170110, arrived(1, 11, 1'000, 1'000));
  const auto response =
      book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_ARRIVAL, id(11)));
  ASSERT_EQ(response.entries_size(), 1);
  EXPECT_EQ(change_of(response.entries(0), "amount_fen"), " -> 1000");
  EXPECT_EQ(change_of(response.entries(0), "date"), " -> 2017-01-10");
  EXPECT_EQ(change_of(response.entries(0), "fund_line_id"), " -> " + id(1));
  EXPECT_EQ(change_of(response.entries(0), "balances.arrived_fen"), "");
}

TEST(SubjectHistory, SaysWhenAFigureFellToZero) {
  ViewFixture book(history_view());
  book.commit(20170105, opened(1));
  book.commit(20170110, arrived(1, 11, 1'000, 1'000));
  funds::v1::FundsDisbursed paid;
  paid.set_payment_id(id(21));
  paid.set_fund_line_id(id(1));
  paid.set_amount_fen(1'000);
  paid.set_region("990101100201");
  paid.mutable_balances()->set_arrived_fen(1'000);
  paid.mutable_balances()->set_paid_fen(1'000);
  book.commit(20170201, paid);
  const auto response =
      book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_FUND_LINE, id(1)));
  EXPECT_EQ(change_of(response.entries(0), "balances.cash_fen"), "1000 -> 0");
  EXPECT_EQ(change_of(response.entries(0), "balances.paid_fen"), " -> 1000");
  // The region of a payment is not the line's.
  EXPECT_EQ(change_of(response.entries(0), "region"), "");
}

TEST(SubjectHistory, SaysWhatIsNoLongerThere) {
  ViewFixture book(history_view());
  auto first = assigned(31, "org-1", 20170901);
  first.set_escalated_to("org-9");
  book.commit(20170801, first);
  book.commit(20170815, assigned(31, "org-2", 20171001));
  const auto response =
      book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_ISSUE, id(31)));
  ASSERT_EQ(response.entries_size(), 2);
  EXPECT_EQ(change_of(response.entries(0), "owner"), "ORGANISATION org-1 -> ORGANISATION org-2");
  EXPECT_EQ(change_of(response.entries(0), "due_date"), "2017-09-01 -> 2017-10-01");
  EXPECT_EQ(change_of(response.entries(0), "escalated_to"), "org-9 -> ");
}

TEST(SubjectHistory, NeverKeepsPersonalData) {
  ViewFixture book(history_view());
  registry::v1::PersonRegistered person;
  person.set_person_id(id(41));
  common::v1::PersonalIdentity identity;
  identity.set_name("张三秘密");
  identity.set_citizen_number("110105194912310022");
  person.mutable_identity()->set_bytes(identity.SerializeAsString());
  person.set_sex("1");
  person.set_citizen_index("0123456789abcdef");
  book.commit(20170501, person);
  const auto response =
      book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_PERSON, id(41)));
  ASSERT_EQ(response.entries_size(), 1);
  bool withheld = false;
  for (const auto& change : response.entries(0).changes()) {
    EXPECT_NE(change.field(), "citizen_index");
    if (change.field() != "identity") continue;
    withheld = change.withheld();
    EXPECT_EQ(change.after(), "");
  }
  EXPECT_TRUE(withheld);
  EXPECT_EQ(change_of(response.entries(0), "sex"), " -> 1");
  const auto in_hex = [](const std::string& text) {
    std::string hex;
    for (const unsigned char c : text) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", c);
      hex += digits;
    }
    return hex;
  };
  const std::string rows = book.dump();
  EXPECT_NE(rows.find(in_hex(id(41))), std::string::npos);
  EXPECT_EQ(rows.find(in_hex("张三秘密")), std::string::npos);
  EXPECT_EQ(rows.find(in_hex("110105194912310022")), std::string::npos);
  EXPECT_EQ(rows.find(in_hex("0123456789abcdef")), std::string::npos);
}

// The asset has the check's values under the check's name.
TEST(SubjectHistory, NamesTheThingThatAnEventAlsoMade) {
  ViewFixture book(history_view());
  assets::v1::AssetFormed formed;
  formed.set_asset_id(id(1));
  formed.set_kind("BOOKS");
  formed.mutable_value()->set_qualifier(common::v1::Figure::QUALIFIER_EXACT);
  formed.mutable_value()->set_nature(common::v1::Figure::NATURE_ACTUAL);
  formed.mutable_value()->set_fen(0);
  book.commit(20170610, formed);
  assets::v1::AssetChecked checked;
  checked.set_asset_id(id(1));
  for (const auto& [check, condition, milli] :
       {std::tuple(101, "GOOD", int64_t{2'000}), std::tuple(102, "DAMAGED", int64_t{-500})}) {
    checked.set_check_id(id(check));
    checked.set_condition(condition);
    checked.mutable_difference()->set_milli(milli);
    checked.mutable_difference()->set_unit(common::v1::UNIT_PIECE);
    book.commit(20170615, checked);
  }
  auto response = book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_ASSET, id(1)));
  ASSERT_EQ(response.entries_size(), 3);
  EXPECT_EQ(change_of(response.entries(0), "check.condition"), "GOOD -> DAMAGED");
  EXPECT_EQ(change_of(response.entries(0), "check.difference"), "2 PIECE -> -0.500 PIECE");
  EXPECT_EQ(change_of(response.entries(2), "value"), " -> EXACT ACTUAL 0 fen");
  response = book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_CHECK, id(102)));
  EXPECT_EQ(change_of(response.entries(0), "condition"), " -> DAMAGED");
}

TEST(SubjectHistory, OfAVillageIsThatOfItsRegion) {
  ViewFixture book(history_view());
  rules::v1::RegionCreated region;
  region.set_region("990101100201");
  region.set_name("贾驿村");
  book.commit(20120101, region);
  assistance::v1::VisitRecorded visit;
  visit.set_visit_id(id(51));
  visit.mutable_visited()->set_kind(common::v1::SUBJECT_KIND_VILLAGE);
  visit.mutable_visited()->set_id("990101100201");
  book.commit(20170601, visit);
  for (const auto kind : {common::v1::SUBJECT_KIND_VILLAGE, common::v1::SUBJECT_KIND_REGION}) {
    const auto response = book.ask<SubjectHistoryResponse>(about(kind, "990101100201"));
    ASSERT_EQ(response.entries_size(), 2);
    EXPECT_EQ(response.entries(0).changes_size(), 0);  // it is only named
    EXPECT_EQ(change_of(response.entries(1), "name"), " -> 贾驿村");
  }
}

// T-59: both the visit and its voiding stand in the visit's history.
TEST(SubjectHistory, HoldsTheRecordAndItsVoiding) {
  ViewFixture book(history_view());
  assistance::v1::VisitRecorded visit;
  visit.set_visit_id(id(51));
  book.commit(20170601, visit);
  assistance::v1::RecordVoided voided;
  voided.mutable_record()->set_kind(common::v1::SUBJECT_KIND_VISIT);
  voided.mutable_record()->set_id(id(51));
  voided.set_replaced_by(id(52));
  book.commit(20170702, voided);
  const auto response =
      book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_VISIT, id(51)));
  ASSERT_EQ(response.entries_size(), 2);
  EXPECT_EQ(response.entries(0).entry().change().event_type(), "assistance.v1.RecordVoided");
  EXPECT_EQ(change_of(response.entries(0), "replaced_by"), " -> " + id(52));
  EXPECT_EQ(change_of(response.entries(0), "record"), "");
  EXPECT_EQ(response.entries(1).entry().change().event_type(), "assistance.v1.VisitRecorded");
}

TEST(SubjectHistory, AnswersAsOfAndPages) {
  ViewFixture book(history_view());
  book.commit(20170105, opened(1));
  std::vector<int64_t> times;
  for (int i = 0; i < 4; ++i) {
    book.commit(20170110, arrived(1, 11 + i, 100, 100 * (i + 1)));
    times.push_back(book.last_recorded_time_us());
  }
  auto request = about(common::v1::SUBJECT_KIND_FUND_LINE, id(1));
  request.mutable_read()->set_seq(3);
  EXPECT_EQ(book.ask<SubjectHistoryResponse>(request).entries_size(), 3);
  request.mutable_read()->mutable_recorded_time()->set_seconds(times[0] / 1'000'000);
  EXPECT_EQ(book.ask<SubjectHistoryResponse>(request).entries_size(), 2);
  request.clear_read();
  request.mutable_page()->set_page_size(2);
  std::vector<int64_t> seen;
  do {
    const auto response = book.ask<SubjectHistoryResponse>(request);
    for (const auto& entry : response.entries()) seen.push_back(entry.entry().version());
    request.mutable_page()->set_page_token(response.next_page_token());
  } while (!request.page().page_token().empty());
  EXPECT_EQ(seen, (std::vector<int64_t>{5, 4, 3, 2, 1}));
}

TEST(SubjectHistory, OfNothingIsNotFound) {
  ViewFixture book(history_view());
  book.commit(20170105, opened(1));
  EXPECT_EQ(book.ask_error(about(common::v1::SUBJECT_KIND_FUND_LINE, id(2))).reason,
            "SUBJECT_NOT_FOUND");
}

TEST(SubjectHistory, TellsLongTextsApart) {
  ViewFixture book(history_view());
  rules::v1::CodeListPublished list;
  list.set_list_id("fund_purpose");
  for (int i = 0; i < 50; ++i) {
    auto& entry = *list.add_entries();
    entry.set_code("C" + std::to_string(i));
    entry.set_label("标签");
  }
  book.commit(20170101, list);
  list.mutable_entries(49)->set_label("改了");
  book.commit(20170102, list);
  const auto response =
      book.ask<SubjectHistoryResponse>(about(common::v1::SUBJECT_KIND_CODE_LIST, "fund_purpose"));
  ASSERT_EQ(response.entries_size(), 2);
  ASSERT_EQ(response.entries(0).changes_size(), 1);
  const auto& change = response.entries(0).changes(0);
  EXPECT_EQ(change.field(), "entries");
  EXPECT_NE(change.before(), change.after());
  EXPECT_LE(change.after().size(), 220U);
}

TEST(LateEntries, AreTheLatestFirst) {
  ViewFixture book(history_view());
  const int64_t noon = int64_t{1'498'881'600} * 1'000'000;  // 2017-07-01 12:00 +08:00
  book.record_at(noon).commit(20170701, opened(1));
  book.commit(20170630, opened(2));
  book.commit(20170601, opened(3));
  book.commit(20170630, opened(4));
  LateEntriesRequest request;
  request.set_days_min(1);
  auto response = book.ask<LateEntriesResponse>(request);
  ASSERT_EQ(response.entries_size(), 3);
  EXPECT_EQ(response.entries(0).version(), 3);
  EXPECT_EQ(response.entries(0).days_late(), 30);
  EXPECT_EQ(response.entries(1).version(), 4);
  EXPECT_EQ(response.entries(2).version(), 2);
  EXPECT_EQ(response.entries(2).days_late(), 1);
  request.set_days_min(2);
  EXPECT_EQ(book.ask<LateEntriesResponse>(request).entries_size(), 1);
  request.set_days_min(31);
  EXPECT_EQ(book.ask<LateEntriesResponse>(request).entries_size(), 0);
  request.set_days_min(1);
  request.mutable_page()->set_page_size(2);
  response = book.ask<LateEntriesResponse>(request);
  EXPECT_EQ(response.entries_size(), 2);
  request.mutable_page()->set_page_token(response.next_page_token());
  response = book.ask<LateEntriesResponse>(request);
  ASSERT_EQ(response.entries_size(), 1);
  EXPECT_EQ(response.entries(0).version(), 2);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST(ByRequest, ListsWhatOneRequestRecorded) {
  ViewFixture book(history_view());
  book.commit(20170105, opened(1));
  book.with_request_id("0123456789abcdef").commit(20170110, opened(2), opened(3), opened(4));
  ByRequestRequest request;
  request.set_request_id("30313233-3435-3637-3839-616263646566");
  request.mutable_page()->set_page_size(2);
  const auto first = book.ask<ByRequestResponse>(request);
  ASSERT_EQ(first.entries_size(), 2);
  EXPECT_EQ(first.entries(0).version(), 2);
  EXPECT_EQ(first.entries(0).change().request_id(), request.request_id());
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<ByRequestResponse>(request);
  ASSERT_EQ(second.entries_size(), 1);
  EXPECT_EQ(second.entries(0).version(), 4);
  EXPECT_EQ(second.next_page_token(), "");
  request.clear_page();
  request.set_request_id(id(1));
  EXPECT_EQ(book.ask_error(request).reason, "REQUEST_NOT_FOUND");
}

TEST(ByDocument, ListsWhatNamesItOrCameFromIt) {
  ViewFixture book(history_view());
  book.commit(20170105, opened(1));
  funds::v1::BudgetRecorded budget;
  budget.set_fund_line_id(id(1));
  budget.set_budget_id(id(61));
  budget.mutable_document()->set_document_id(id(900));
  book.commit(20170106, budget);
  book.from_document(id(900)).commit(20170107, arrived(1, 11, 1, 1));
  ByDocumentRequest request;
  request.set_document_id(id(900));
  const auto response = book.ask<ByDocumentResponse>(request);
  ASSERT_EQ(response.entries_size(), 2);
  EXPECT_EQ(response.entries(0).version(), 3);
  EXPECT_EQ(response.entries(1).version(), 2);
  EXPECT_EQ(response.entries(1).document_ids(0), id(900));
  request.set_document_id(id(901));
  EXPECT_EQ(book.ask_error(request).reason, "DOCUMENT_NOT_FOUND");
}

TEST(HistoryFold, GivesTheSameRowsAgain) {
  ViewFixture once(history_view());
  ViewFixture again(history_view());
  for (auto* book : {&once, &again}) {
    rules::v1::ParameterSet set;
    set.set_key("rate.amount");
    for (const char* dimension : {"item", "region", "class", "kind"})
      (*set.mutable_scope())[dimension] = "X";
    book->commit(20170101, set);
    book->commit(20170105, opened(1));
    book->commit(20170110, arrived(1, 11, 1'000, 1'000));
  }
  EXPECT_EQ(once.dump(), again.dump());
}

}  // namespace
}  // namespace taizhang
