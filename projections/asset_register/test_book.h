// A book of assets and the questions asked about it, for the tests of the view asset_register.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "domain/dates.h"
#include "platform/projection/view_fixture.h"
#include "projections/asset_register/asset_register.h"
#include "taizhang/asset_register/v1/service.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::testing {

inline constexpr char kDiaoqu[] = "990101100202";  // 吊渠村
inline constexpr char kJia[] = "990101100201";

// 00000000-0000-4000-8000-0000000000NN
inline std::string id(int number) {
  char text[37];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
  return text;
}

inline common::v1::SubjectRef village(const std::string& code) {
  common::v1::SubjectRef subject;
  subject.set_kind(common::v1::SUBJECT_KIND_VILLAGE);
  subject.set_id(code);
  return subject;
}

inline common::v1::Figure exact(int64_t fen) {
  common::v1::Figure figure;
  figure.set_qualifier(common::v1::Figure::QUALIFIER_EXACT);
  figure.set_nature(common::v1::Figure::NATURE_ACTUAL);
  figure.set_fen(fen);
  return figure;
}

inline common::v1::Figure unknown() {
  common::v1::Figure figure;
  figure.set_qualifier(common::v1::Figure::QUALIFIER_UNKNOWN);
  figure.set_nature(common::v1::Figure::NATURE_ACTUAL);
  return figure;
}

inline common::v1::Quantity pieces(int64_t milli) {
  common::v1::Quantity quantity;
  quantity.set_milli(milli);
  quantity.set_unit(common::v1::UNIT_PIECE);
  return quantity;
}

inline assets::v1::AssetFormed formed(int asset, int32_t day, const common::v1::Figure& value,
                                      const std::string& region = kDiaoqu) {
  assets::v1::AssetFormed event;
  event.set_asset_id(id(asset));
  event.set_asset_class(assets::v1::ASSET_CLASS_PUBLIC);
  event.set_kind("OFFICE_GOODS");
  event.mutable_name()->set_text("asset " + std::to_string(asset));
  event.set_region(region);
  auto& part = *event.add_parts();
  part.set_fund_line_id(id(500));
  part.set_fen(value.fen());
  *event.mutable_value() = value;
  *event.mutable_quantity() = pieces(2'000);
  *event.mutable_formed_date() = date_of(day);
  event.add_serials("S-1");
  return event;
}

class Book : public ViewFixture {
 public:
  Book() : ViewFixture(asset_register_view()) {}

  void rules() {
    set_rule("asset.title_due", rules::v1::PARAMETER_TYPE_MONTH_DAY,
             [](rules::v1::ParameterValue& value) {
               value.mutable_month_day()->set_month(3);
               value.mutable_month_day()->set_day(31);
             });
    set_rule("asset.manager_required", rules::v1::PARAMETER_TYPE_BOOL,
             [](rules::v1::ParameterValue& value) { value.set_flag(true); });
  }

  int64_t form(int asset, int32_t day, const common::v1::Figure& value,
               const std::string& region = kDiaoqu) {
    return commit(day, formed(asset, day, value, region));
  }

  int64_t check(int asset, int number, int32_t day, int64_t found_milli = 2'000) {
    assets::v1::AssetChecked event;
    event.set_check_id(id(number));
    event.set_asset_id(id(asset));
    *event.mutable_check_date() = date_of(day);
    *event.mutable_found() = pieces(found_milli);
    *event.mutable_difference() = pieces(found_milli - 2'000);
    event.set_condition("GOOD");
    event.set_checker_worker_id(id(700));
    event.add_evidence()->set_document_id(id(901));
    return commit(day, event);
  }

  int64_t void_check(int asset, int number, int32_t day) {
    assets::v1::RecordVoided event;
    event.mutable_record()->set_kind(common::v1::SUBJECT_KIND_CHECK);
    event.mutable_record()->set_id(id(number));
    event.set_asset_id(id(asset));
    return commit(day, event);
  }

  int64_t title(int asset, int32_t day) {
    assets::v1::AssetTitled event;
    event.set_asset_id(id(asset));
    *event.mutable_owner() = village(kDiaoqu);
    auto& holding = *event.add_rights();
    holding.set_right(assets::v1::ASSET_RIGHT_OWNERSHIP);
    *holding.mutable_holder() = village(kDiaoqu);
    event.mutable_certificate()->set_document_id(id(902));
    *event.mutable_title_date() = date_of(day);
    return commit(day, event);
  }

  int64_t offer(int number, int32_t day, const std::vector<int>& assets) {
    assets::v1::AssetOffered event;
    event.set_offer_id(id(number));
    for (const int asset : assets) event.add_asset_ids(id(asset));
    *event.mutable_to() = village(kDiaoqu);
    event.mutable_document()->set_document_id(id(903));
    *event.mutable_offered_date() = date_of(day);
    return commit(day, event);
  }

  int64_t reject(int number, int32_t day, const std::vector<int>& assets) {
    assets::v1::AssetOfferRejected event;
    event.set_offer_id(id(number));
    event.set_decision(assets::v1::OFFER_DECISION_REJECT);
    *event.mutable_date() = date_of(day);
    for (const int asset : assets) event.add_asset_ids(id(asset));
    return commit(day, event);
  }

  int64_t accept(int number, int32_t day, int asset) {
    assets::v1::AssetHandedOver handed;
    handed.set_asset_id(id(asset));
    *handed.mutable_to() = village(kDiaoqu);
    handed.set_offer_id(id(number));
    handed.set_decision(assets::v1::OFFER_DECISION_ACCEPT);
    auto& sign_off = *handed.add_sign_offs();
    sign_off.set_role(common::v1::SignOff::ROLE_RECEIVER);
    sign_off.set_mark(common::v1::SignOff::MARK_SEAL);
    *handed.mutable_date() = date_of(day);
    assets::v1::ManagerAppointed manager;
    manager.set_asset_id(id(asset));
    manager.mutable_manager()->mutable_subject()->set_kind(common::v1::SUBJECT_KIND_WORKER);
    manager.mutable_manager()->mutable_subject()->set_id(id(701));
    manager.mutable_manager()->add_duties("KEEPING");
    *manager.mutable_from_date() = date_of(day);
    manager.set_offer_id(id(number));
    return commit(day, handed, manager);
  }

  // The three assets of slice-1 §8.
  void sample() {
    rules();
    const std::vector<int64_t> values{3'400'000, 400'000, 200'000};
    for (int asset = 1; asset <= 3; ++asset)
      form(asset, 20170610, exact(values[static_cast<size_t>(asset - 1)]));
    for (int asset = 1; asset <= 3; ++asset) check(asset, 100 + asset, 20170615);
    for (int asset = 1; asset <= 3; ++asset) title(asset, 20170620);
    offer(200, 20170625, {1, 2, 3});
    for (int asset = 1; asset <= 3; ++asset) accept(200, 20170630, asset);
  }

  asset_register::v1::CardResponse card_on(int asset, int32_t day, int64_t seq = 0) {
    asset_register::v1::CardRequest request;
    request.set_asset_id(id(asset));
    *request.mutable_read()->mutable_effective_date() = date_of(day);
    if (seq != 0) request.mutable_read()->set_seq(seq);
    return ask<asset_register::v1::CardResponse>(request);
  }

 private:
  template <class Fill>
  void set_rule(const std::string& key, rules::v1::ParameterType type, const Fill& fill) {
    rules::v1::ParameterDefined defined;
    defined.set_key(key);
    defined.set_type(type);
    defined.add_scope_dims("class");
    defined.set_resolution(rules::v1::RESOLUTION_MOST_SPECIFIC);
    defined.set_when_missing(rules::v1::WHEN_MISSING_CANNOT_DECIDE);
    commit(20120101, defined);
    rules::v1::ParameterSet set;
    set.set_key(key);
    fill(*set.mutable_value());
    *set.mutable_valid_from_date() = date_of(20120101);
    set.set_version(1);
    commit(20120101, set);
  }
};

template <class Request>
Request on(int32_t day) {
  Request request;
  *request.mutable_read()->mutable_effective_date() = date_of(day);
  return request;
}

}  // namespace taizhang::testing
