// An asset: from being formed to having an owner by certificate.
#include <algorithm>
#include <set>

#include "platform/command/registry.h"
#include "services/assets/aggregates.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assets/v1/commands.pb.h"
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::assets {
namespace {

using common::v1::Figure;
using state::v1::Asset;
using v1::AssetFormed;
using v1::AssetTitled;
using v1::ConfirmTitleRequest;
using v1::FormAssetRequest;
using v1::ValuePart;

void validate_parts(const FormAssetRequest& command, Violations& found) {
  std::set<std::string_view> lines;
  for (int i = 0; i < command.parts_size(); ++i) {
    const auto& part = command.parts(i);
    const std::string path = "parts[" + std::to_string(i) + "]";
    if (part.source_case() == ValuePart::kSourceKind) {
      if (part.source_kind() == funds::v1::SOURCE_KIND_UNSPECIFIED) {
        found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, path + ".source_kind", "is required");
      }
    } else if (part.fund_line_id().empty()) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, path + ".fund_line_id",
                "one of fund_line_id and source_kind is required");
    } else if (!lines.insert(part.fund_line_id()).second) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path + ".fund_line_id",
                "stands twice in the list");
    }
  }
}

void validate(const FormAssetRequest& command, Violations& found) {
  if (command.origin_case() == FormAssetRequest::kProjectId && command.project_id().empty()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "project_id",
              "is required where it is named");
  }
  if (command.origin_case() == FormAssetRequest::kCareId && command.care_id().empty()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "care_id",
              "is required where it is named");
  }
  validate_parts(command, found);
  const auto& value = command.value();
  if (value.nature() != Figure::NATURE_UNSPECIFIED && value.nature() != Figure::NATURE_ACTUAL) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "value.nature", "must be ACTUAL");
  }
  if (value.has_quantity() || value.has_count()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "value", "must be in fen");
  }
}

// The parts agree with the value as far as it is known; of what is not known there are no parts.
bool parts_fit(const FormAssetRequest& command) {
  int64_t sum = 0;  // at most 1,000 parts of 10^15: fits
  for (const auto& part : command.parts()) sum += part.fen();
  const auto& value = command.value();
  switch (value.qualifier()) {
    case Figure::QUALIFIER_AT_LEAST: return sum >= value.fen();
    case Figure::QUALIFIER_AT_MOST: return sum <= value.fen();
    case Figure::QUALIFIER_RANGE: return value.fen() <= sum && sum <= value.high();
    case Figure::QUALIFIER_ABOUT: return true;
    case Figure::QUALIFIER_MASKED:
    case Figure::QUALIFIER_UNKNOWN: return command.parts().empty();
    default: return sum == value.fen();
  }
}

Decision decide(const Ledger&, const FormAssetRequest& command) {
  if (command.origin_case() == FormAssetRequest::kProjectId) {
    return refuse(v1::ASSETS_REFUSAL_PROJECT_NOT_FOUND, "project_id");
  }
  if (!parts_fit(command)) return refuse(v1::ASSETS_REFUSAL_PARTS_DO_NOT_SUM, "parts");
  return emit(copy_inputs<AssetFormed>(command));
}

void evolve(Ledger& ledger, const AssetFormed& event) {
  auto& asset = ledger.edit<Asset>(event.asset_id());
  asset.set_state(state::v1::ASSET_STATE_FORMED);
  asset.set_asset_class(event.asset_class());
  asset.set_kind(event.kind());
  asset.set_region(event.region());
  asset.set_from_day(ledger.effective_day());
  *asset.mutable_parts() = event.parts();
  *asset.mutable_value() = event.value();
  *asset.mutable_quantity() = event.quantity();
}

bool same_subject(const common::v1::SubjectRef& a, const common::v1::SubjectRef& b) {
  return a.kind() == b.kind() && a.id() == b.id();
}

bool may_own(v1::AssetClass asset_class, common::v1::SubjectKind owner) {
  if (asset_class == v1::ASSET_CLASS_HOUSEHOLD) return owner == common::v1::SUBJECT_KIND_HOUSEHOLD;
  return owner == common::v1::SUBJECT_KIND_VILLAGE ||
         owner == common::v1::SUBJECT_KIND_ORGANISATION;
}

// Somebody had looked at it by that day. A day before it was formed is a wrong order of dates,
// which is said later.
bool checked_by(const Asset& asset, int32_t day) {
  if (day < asset.from_day()) return !asset.checks().empty();
  return std::any_of(asset.checks().begin(), asset.checks().end(),
                     [&](const Asset::Check& check) { return check.day() <= day; });
}

bool ownership_given(const ConfirmTitleRequest& command) {
  bool given = false;
  for (const auto& holding : command.rights()) {
    if (holding.right() != v1::ASSET_RIGHT_OWNERSHIP) continue;
    if (!same_subject(holding.holder(), command.owner())) return false;
    given = true;
  }
  return given;
}

Decision decide(const Ledger& ledger, const ConfirmTitleRequest& command) {
  const auto* asset = ledger.find<Asset>(command.asset_id());
  if (!asset) return refuse(v1::ASSETS_REFUSAL_ASSET_NOT_FOUND, "asset_id");
  if (!checked_by(*asset, ledger.effective_day()))
    return refuse(v1::ASSETS_REFUSAL_ASSET_NOT_CHECKED, "asset_id");
  if (!may_own(asset->asset_class(), command.owner().kind())) {
    return refuse(v1::ASSETS_REFUSAL_OWNER_KIND_NOT_ALLOWED, "owner.kind");
  }
  if (asset->has_owner()) return refuse(v1::ASSETS_REFUSAL_ALREADY_TITLED, "asset_id");
  if (auto no = version_mismatch(ledger, asset->version())) return *no;
  if (ledger.effective_day() < asset->from_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "title_date");
  }
  if (!ownership_given(command)) return refuse(v1::ASSETS_REFUSAL_OWNERSHIP_MISSING, "rights");
  return emit(copy_inputs<AssetTitled>(command));
}

void evolve(Ledger& ledger, const AssetTitled& event) {
  auto& asset = ledger.edit<Asset>(event.asset_id());
  asset.set_state(state::v1::ASSET_STATE_TITLED);
  *asset.mutable_owner() = event.owner();
  *asset.mutable_rights() = event.rights();
  asset.set_title_day(ledger.effective_day());
}

}  // namespace

void register_asset(Registry& registry) {
  registry.command<FormAssetRequest>(decide)
      .validate<FormAssetRequest>(validate)
      .command<ConfirmTitleRequest>(decide)
      .event<AssetFormed>(evolve)
      .event<AssetTitled>(evolve);
}

}  // namespace taizhang::assets
