// Assets titled too late, or still untitled when they should be.
#include "domain/dates.h"
#include "projections/asset_register/life.h"
#include "projections/asset_register/list.h"
#include "projections/asset_register/parts.h"
#include "projections/common/rule.h"

namespace taizhang::asset_register {
namespace {

using rules::state::v1::Parameter;
using state::v1::Asset;

// Judged by the rule of the day it was formed.
bool judge(const Asset& asset, const Parameter& parameter, int32_t day, v1::LateTitleRow& row) {
  auto rule = rule_for(parameter, facts_of(asset), asset.formed_day());
  if (!rule.value && !rule.missing) return false;
  if (rule.missing) {
    row.set_judgement(v1::JUDGEMENT_RULE_MISSING);
    return true;
  }
  const int32_t due = day_in_year(rule.value->month_day(), asset.formed_day() / 10'000 + 1);
  const auto* title = title_on(asset, day);
  const int32_t until = title ? title->day() : day;
  if (until <= due) return false;
  row.set_judgement(v1::JUDGEMENT_BROKEN);
  *row.mutable_due_date() = date_of(due);
  row.set_days_late(days_between(due, until));
  row.mutable_rules()->Swap(&rule.uses);
  return true;
}

}  // namespace

Result<v1::LateTitleResponse> late_title(const Snapshot& snapshot,
                                         const v1::LateTitleRequest& request) {
  const auto& parameter = snapshot.get<Parameter>(kTitleDueKey);
  v1::LateTitleResponse response;
  page_assets(snapshot, {request.region(), request.asset_class(), {}}, [&](const Asset& asset) {
    v1::LateTitleRow row;
    if (!judge(asset, parameter, snapshot.effective_day(), row)) return false;
    fill_asset(snapshot, asset, *row.mutable_asset());
    response.add_rows()->Swap(&row);
    return true;
  });
  return response;
}

}  // namespace taizhang::asset_register
