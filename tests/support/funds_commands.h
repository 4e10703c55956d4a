// A book for tests of money, and the commands of funds, complete and acceptable; each test changes what it is about.
#pragma once

#include "services/common/references.h"
#include "services/funds/funds.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/funds/v1/commands.pb.h"
#include "tests/support/book_rows.h"

namespace taizhang::test {

// As slice-1 §5 has them: rates per item, heads of first secretaries, which sources may be spent directly and for what.
inline void give_rules_of_money(Scenario& book) {
  rules::v1::ParameterValue all_purposes;
  all_purposes.mutable_codes()->set_list("fund_purpose");
  for (const auto* purpose : {"TERRACE", "FESTIVAL", "STUDENT_AID", "OFFICE"}) {
    book.given_row(code_row("fund_purpose", purpose));
    all_purposes.mutable_codes()->add_codes(purpose);
  }
  book.given_row(code_row("fund_purpose", "INDUSTRY"));
  for (const auto* post : {"FIRST_SECRETARY", "TEAM_LEADER"}) book.given_row(code_row("worker_post", post));
  for (const auto* sector : {"HOUSING", "AGRICULTURE", "SOCIAL", "SETTLEMENT"}) book.given_row(code_row("sector", sector));
  book.given_row(code_row("donor_class", "ENTERPRISE"));
  book.given_row(code_row("price_item", "TERRACE", "MU"));
  book.given_row(code_row("price_item", "TOOL"));
  for (const auto* item : {"FESTIVAL_GIFT_HOUSEHOLD", "STUDENT_AID_HOUSEHOLD"}) {
    book.given_row(code_row("price_item", item, "HOUSEHOLD"));
  }
  for (const auto* item : {"FESTIVAL_GIFT_PERSON", "STUDENT_AID_PERSON"}) {
    book.given_row(code_row("price_item", item, "PERSON"));
  }

  auto allowed = parameter_row("funds.purposes_allowed");
  auto direct = parameter_row("funds.direct_spending");
  for (const auto* source : {"SELF_RAISED", "SPECIAL_HELP_FUND", "WON"}) {
    add_version(allowed, all_purposes, {{"source_kind", source}});
    add_version(direct, flag(std::string_view(source) != "WON"), {{"source_kind", source}});
  }
  add_version(allowed, all_purposes, {{"source_kind", "DONATION"}});  // whether directly, nobody has said
  book.given_row(allowed).given_row(direct);

  auto rates = parameter_row("rate.amount", rules::v1::WHEN_MISSING_NO_RULE);
  add_version(rates, rate(50'000, common::v1::UNIT_MU), {{"item", "TERRACE"}});
  add_version(rates, rate(30'000, common::v1::UNIT_HOUSEHOLD), {{"item", "FESTIVAL_GIFT_HOUSEHOLD"}});
  add_version(rates, rate(30'000, common::v1::UNIT_PERSON), {{"item", "FESTIVAL_GIFT_PERSON"}});
  add_version(rates, rate(100'000, common::v1::UNIT_HOUSEHOLD), {{"item", "STUDENT_AID_HOUSEHOLD"}});
  add_version(rates, rate(100'000, common::v1::UNIT_PERSON), {{"item", "STUDENT_AID_PERSON"}});
  book.given_row(rates);

  auto per_head = parameter_row("budget.per_head", rules::v1::WHEN_MISSING_NO_RULE);
  rules::v1::ParameterValue items;
  items.mutable_amount_items()->set_period(rules::v1::CALENDAR_PERIOD_YEAR);
  for (const int64_t fen : {1'250'000, 500'000, 40'000}) items.mutable_amount_items()->add_items()->set_fen(fen);
  add_version(per_head, items, {{"role", "FIRST_SECRETARY"}, {"level", "COUNTY"}});
  book.given_row(per_head);
}

inline Scenario money_book() {
  Scenario book({register_reference_checks, register_funds});
  give_people_and_places(book);
  give_rules_of_money(book);
  return book;
}

inline funds::v1::OpenFundLineRequest open_line(std::string_view name,
                                                funds::v1::SourceKind source = funds::v1::SOURCE_KIND_SELF_RAISED) {
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

inline funds::v1::RecordBudgetRequest record_budget(std::string_view name, std::string_view line, int64_t fen,
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
inline funds::v1::RecordFundsArrivalRequest record_arrival(std::string_view name, std::string_view line, int64_t fen,
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
inline funds::v1::SpendDirectlyRequest spend(std::string_view name, std::string_view line, int64_t fen,
                                             int32_t day = 20170731) {
  funds::v1::SpendDirectlyRequest command;
  command.set_payment_id(id(name));
  command.set_fund_line_id(id(line));
  command.set_purpose("TERRACE");
  command.set_region(std::string(kVillageJ));
  *command.mutable_payee()->mutable_subject() = subject(common::v1::SUBJECT_KIND_ORGANISATION, id("firm"));
  command.set_amount_fen(fen);
  *command.mutable_paid_date() = date_of(day);
  *command.add_evidence() = document("receipt of " + std::string(name));
  command.set_approved_by(id("approver"));
  return command;
}

// The same with a price: so many of an item at so much each.
inline funds::v1::SpendDirectlyRequest spend_at(std::string_view name, std::string_view line, std::string_view item,
                                                int64_t unit_price_fen, const common::v1::Quantity& bought) {
  auto command = spend(name, line, unit_price_fen * bought.milli() / 1'000);
  command.mutable_price()->set_item(std::string(item));
  command.mutable_price()->set_unit_price_fen(unit_price_fen);
  *command.mutable_price()->mutable_quantity() = bought;
  return command;
}

}  // namespace taizhang::test
