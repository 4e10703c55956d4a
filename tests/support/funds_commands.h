// A book for tests of money, and the commands of funds, complete and acceptable; each test changes
// what it is about.
#pragma once

#include "services/common/references.h"
#include "services/funds/funds.h"
#include "services/rules/rules.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/funds/v1/commands.pb.h"
#include "tests/support/book_rows.h"

namespace taizhang::test {

// As slice-1 §5 has them: rates per item, heads of first secretaries, which sources may be spent
// directly and for what.
inline void give_rules_of_money(Scenario& book) {
  book.given(
      code_list("fund_purpose", {"TERRACE", "FESTIVAL", "STUDENT_AID", "OFFICE", "INDUSTRY"}),
      code_list("worker_post", {"FIRST_SECRETARY", "TEAM_LEADER"}),
      code_list("sector", {"HOUSING", "AGRICULTURE", "SOCIAL", "SETTLEMENT"}),
      code_list("donor_class", {"ENTERPRISE"}),
      code_list("price_item", {{"TERRACE", "MU"},
                               {"FESTIVAL_GIFT_HOUSEHOLD", "HOUSEHOLD"},
                               {"FESTIVAL_GIFT_PERSON", "PERSON"},
                               {"STUDENT_AID_HOUSEHOLD", "HOUSEHOLD"},
                               {"STUDENT_AID_PERSON", "PERSON"},
                               {"TOOL"}}));

  const auto purposes =
      codes_value("fund_purpose", {"TERRACE", "FESTIVAL", "STUDENT_AID", "OFFICE"});
  book.given(
      parameter_defined("funds.purposes_allowed", rules::v1::PARAMETER_TYPE_CODES, {"source_kind"}),
      parameter_set("funds.purposes_allowed", {{"source_kind", "SELF_RAISED"}}, purposes, 1),
      parameter_set("funds.purposes_allowed", {{"source_kind", "SPECIAL_HELP_FUND"}}, purposes, 2),
      parameter_set("funds.purposes_allowed", {{"source_kind", "WON"}}, purposes, 3),
      parameter_set("funds.purposes_allowed", {{"source_kind", "DONATION"}}, purposes, 4));
  // Whether a donation may be spent directly nobody has said.
  book.given(
      parameter_defined("funds.direct_spending", rules::v1::PARAMETER_TYPE_BOOL, {"source_kind"}),
      parameter_set("funds.direct_spending", {{"source_kind", "SELF_RAISED"}}, flag_value(true), 1),
      parameter_set("funds.direct_spending", {{"source_kind", "SPECIAL_HELP_FUND"}},
                    flag_value(true), 2),
      parameter_set("funds.direct_spending", {{"source_kind", "WON"}}, flag_value(false), 3));

  const auto rate = [&](int64_t version, const char* item, int64_t fen, common::v1::Unit unit) {
    book.given(parameter_set("rate.amount", {{"item", item}}, rate_value(fen, unit), version));
  };
  book.given(optional_parameter_defined("rate.amount", rules::v1::PARAMETER_TYPE_RATE, {"item"}));
  rate(1, "TERRACE", 50'000, common::v1::UNIT_MU);
  rate(2, "FESTIVAL_GIFT_HOUSEHOLD", 30'000, common::v1::UNIT_HOUSEHOLD);
  rate(3, "FESTIVAL_GIFT_PERSON", 30'000, common::v1::UNIT_PERSON);
  rate(4, "STUDENT_AID_HOUSEHOLD", 100'000, common::v1::UNIT_HOUSEHOLD);
  rate(5, "STUDENT_AID_PERSON", 100'000, common::v1::UNIT_PERSON);

  book.given(
      optional_parameter_defined("budget.per_head", rules::v1::PARAMETER_TYPE_AMOUNT_ITEMS,
                                 {"role", "level"}),
      parameter_set("budget.per_head", {{"role", "FIRST_SECRETARY"}, {"level", "COUNTY"}},
                    items_value({1'250'000, 500'000, 40'000}, rules::v1::CALENDAR_PERIOD_YEAR)));
}

inline Scenario money_book() {
  Scenario book({register_rules, register_reference_checks, register_funds});
  give_people_and_places(book);
  give_rules_of_money(book);
  return book;
}

inline funds::v1::OpenFundLineRequest open_line(
    std::string_view name, funds::v1::SourceKind source = funds::v1::SOURCE_KIND_SELF_RAISED) {
  funds::v1::OpenFundLineRequest command;
  command.set_fund_line_id(id(name));
  command.mutable_name()->set_text(std::string(name));
  command.set_source_kind(source);
  command.set_level(common::v1::ADMIN_LEVEL_COUNTY);
  command.set_year(2017);
  for (const auto* purpose : {"TERRACE", "FESTIVAL", "STUDENT_AID"}) command.add_purposes(purpose);
  command.set_owner_org_id(id("unit"));
  command.set_region("990101");
  return command;
}

inline funds::v1::RecordBudgetRequest record_budget(
    std::string_view name, std::string_view line, int64_t fen,
    funds::v1::BudgetNature nature = funds::v1::BUDGET_NATURE_ISSUED) {
  funds::v1::RecordBudgetRequest command;
  command.set_budget_id(id(name));
  command.set_fund_line_id(id(line));
  command.set_nature(nature);
  command.set_amount_fen(fen);
  *command.mutable_document() = document("budget paper", "BUDGET");
  return command;
}

// The bank's reference is the arrival's name.
inline funds::v1::RecordFundsArrivalRequest record_arrival(std::string_view name,
                                                           std::string_view line, int64_t fen,
                                                           int32_t day = 20170110) {
  funds::v1::RecordFundsArrivalRequest command;
  command.set_arrival_id(id(name));
  command.set_fund_line_id(id(line));
  command.set_amount_fen(fen);
  *command.mutable_date() = date_of(day);
  command.set_bank_reference(std::string(name));
  return command;
}

// A lump sum to "firm" for terraces in village J.
inline funds::v1::SpendDirectlyRequest spend(std::string_view name, std::string_view line,
                                             int64_t fen, int32_t day = 20170731) {
  funds::v1::SpendDirectlyRequest command;
  command.set_payment_id(id(name));
  command.set_fund_line_id(id(line));
  command.set_purpose("TERRACE");
  command.set_region(std::string(kVillageJ));
  *command.mutable_payee()->mutable_subject() =
      subject(common::v1::SUBJECT_KIND_ORGANISATION, id("firm"));
  command.set_amount_fen(fen);
  *command.mutable_paid_date() = date_of(day);
  *command.add_evidence() = document("receipt of " + std::string(name));
  command.set_approved_by(id("approver"));
  return command;
}

// The same with a price: so many of an item at so much each.
inline funds::v1::SpendDirectlyRequest spend_at(std::string_view name, std::string_view line,
                                                std::string_view item, int64_t unit_price_fen,
                                                const common::v1::Quantity& bought) {
  auto command = spend(name, line, unit_price_fen * bought.milli() / 1'000);
  command.mutable_price()->set_item(std::string(item));
  command.mutable_price()->set_unit_price_fen(unit_price_fen);
  *command.mutable_price()->mutable_quantity() = bought;
  return command;
}

}  // namespace taizhang::test
