// A book for tests of assets, and the commands of assets, complete and acceptable; each test
// changes what it is about.
#pragma once

#include <initializer_list>

#include "services/assets/assets.h"
#include "services/common/references.h"
#include "services/rules/rules.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assets/v1/commands.pb.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "tests/support/assistance_commands.h"
#include "tests/support/book_rows.h"

namespace taizhang::test {

// As slice-1 §5 has them, with the fund line "D" beside. Equity needs no manager here, and of
// operating assets nobody has said.
inline Scenario asset_book() {
  Scenario book({register_rules, register_reference_checks, register_assets});
  give_people_and_places(book);
  book.given(code_list("asset_kind", {"BOOKS", "COMPUTER"}),
             code_list("asset_condition",
                       {{"GOOD"}, {"WORN"}, {"DAMAGED", "DEFECT"}, {"MISSING", "DEFECT"}}),
             code_list("manager_duty", {"KEEPING", "MAINTENANCE"}));
  book.given(
      parameter_defined("asset.manager_required", rules::v1::PARAMETER_TYPE_BOOL, {"class"}),
      parameter_set("asset.manager_required", {{"class", "PUBLIC"}}, flag_value(true), 1),
      parameter_set("asset.manager_required", {{"class", "HOUSEHOLD"}}, flag_value(true), 2),
      parameter_set("asset.manager_required", {{"class", "EQUITY"}}, flag_value(false), 3),
      parameter_defined("void.second_person_after_days", rules::v1::PARAMETER_TYPE_DAYS, {"kind"}),
      parameter_set("void.second_person_after_days", {{"kind", "CHECK"}}, days_value(30)));
  auto line = new_row<funds::state::v1::FundLine>();
  line.set_fund_line_id(id("D"));
  line.set_from_day(kEffectiveDay);
  book.given_row(line);
  return book;
}

inline common::v1::Figure value_of(common::v1::Figure::Qualifier qualifier, int64_t fen) {
  common::v1::Figure value;
  value.set_qualifier(qualifier);
  value.set_nature(common::v1::Figure::NATURE_ACTUAL);
  value.set_fen(fen);
  return value;
}

// Ten pieces for the public of village D, worth 3,400,000 fen of line "D", formed on 2017-06-10.
inline assets::v1::FormAssetRequest form(
    std::string_view name, assets::v1::AssetClass asset_class = assets::v1::ASSET_CLASS_PUBLIC) {
  assets::v1::FormAssetRequest command;
  command.set_asset_id(id(name));
  command.set_asset_class(asset_class);
  command.set_kind("BOOKS");
  command.mutable_name()->set_text(std::string(name));
  command.set_region(std::string(kVillageD));
  auto& part = *command.add_parts();
  part.set_fund_line_id(id("D"));
  part.set_fen(3'400'000);
  *command.mutable_value() = value_of(common::v1::Figure::QUALIFIER_EXACT, 3'400'000);
  *command.mutable_quantity() = quantity(10, common::v1::UNIT_PIECE);
  *command.mutable_formed_date() = date_of(20170610);
  command.add_serials("A-1");
  return command;
}

// All ten are there, and good.
inline assets::v1::CheckAssetRequest check(std::string_view name, std::string_view asset,
                                           int32_t day = 20170615) {
  assets::v1::CheckAssetRequest command;
  command.set_check_id(id(name));
  command.set_asset_id(id(asset));
  *command.mutable_check_date() = date_of(day);
  *command.mutable_found() = quantity(10, common::v1::UNIT_PIECE);
  command.set_condition("GOOD");
  command.set_checker_worker_id(id("checker"));
  return command;
}

inline void set_owner(assets::v1::ConfirmTitleRequest& command,
                      const common::v1::SubjectRef& owner) {
  *command.mutable_owner() = owner;
  command.clear_rights();
  auto& right = *command.add_rights();
  right.set_right(assets::v1::ASSET_RIGHT_OWNERSHIP);
  *right.mutable_holder() = owner;
}

// Owned by village D.
inline assets::v1::ConfirmTitleRequest title(std::string_view asset, int32_t day = 20170620) {
  assets::v1::ConfirmTitleRequest command;
  command.set_asset_id(id(asset));
  set_owner(command, village(kVillageD));
  *command.mutable_certificate() = document("certificate", "CERTIFICATE");
  *command.mutable_title_date() = date_of(day);
  return command;
}

// To village D.
inline assets::v1::OfferAssetRequest offer(std::string_view name,
                                           std::initializer_list<std::string_view> asset_names,
                                           int32_t day = 20170625) {
  assets::v1::OfferAssetRequest command;
  command.set_offer_id(id(name));
  for (const auto asset : asset_names) command.add_asset_ids(id(asset));
  *command.mutable_to() = village(kVillageD);
  *command.mutable_document() = document("list of assets", "LIST");
  *command.mutable_offered_date() = date_of(day);
  return command;
}

// Sealed by the receiver; an acceptance names worker "checker" as manager.
inline assets::v1::AnswerAssetOfferRequest answer(
    std::string_view offer_name,
    assets::v1::OfferDecision decision = assets::v1::OFFER_DECISION_ACCEPT,
    int32_t day = 20170630) {
  assets::v1::AnswerAssetOfferRequest command;
  command.set_offer_id(id(offer_name));
  command.set_decision(decision);
  auto& sign_off = *command.add_sign_offs();
  sign_off.set_role(common::v1::SignOff::ROLE_RECEIVER);
  sign_off.set_org_id(id("village office"));
  *sign_off.mutable_date() = date_of(day);
  sign_off.set_mark(common::v1::SignOff::MARK_SEAL);
  if (decision == assets::v1::OFFER_DECISION_ACCEPT) {
    auto& manager = *command.mutable_manager();
    *manager.mutable_subject() = subject(common::v1::SUBJECT_KIND_WORKER, id("checker"));
    manager.add_duties("KEEPING");
  }
  *command.mutable_date() = date_of(day);
  return command;
}

inline assets::v1::VoidRecordRequest void_check(std::string_view name) {
  assets::v1::VoidRecordRequest command;
  *command.mutable_record() = subject(common::v1::SUBJECT_KIND_CHECK, id(name));
  command.mutable_context()->set_reason("counted the wrong shelf");
  return command;
}

}  // namespace taizhang::test
