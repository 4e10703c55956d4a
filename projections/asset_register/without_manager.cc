// Assets nobody looks after, though somebody must.
#include "projections/asset_register/life.h"
#include "projections/asset_register/list.h"
#include "projections/asset_register/parts.h"
#include "projections/common/rule.h"

namespace taizhang::asset_register {
namespace {

using rules::state::v1::Parameter;
using state::v1::Asset;

// Judged by the rule of the day asked.
bool judge(const Asset& asset, const Parameter& parameter, int32_t day,
           v1::WithoutManagerRow& row) {
  if (manager_on(asset, day)) return false;
  auto rule = rule_for(parameter, facts_of(asset), day);
  const bool required = rule.value && rule.value->flag();
  if (!required && !rule.missing) return false;
  row.set_judgement(rule.missing ? v1::JUDGEMENT_RULE_MISSING : v1::JUDGEMENT_BROKEN);
  row.mutable_rules()->Swap(&rule.uses);
  return true;
}

}  // namespace

Result<v1::WithoutManagerResponse> without_manager(const Snapshot& snapshot,
                                                   const v1::WithoutManagerRequest& request) {
  const auto& parameter = snapshot.get<Parameter>(kManagerRequiredKey);
  v1::WithoutManagerResponse response;
  page_assets(snapshot, {request.region(), request.asset_class(), {}}, [&](const Asset& asset) {
    v1::WithoutManagerRow row;
    if (!judge(asset, parameter, snapshot.effective_day(), row)) return false;
    fill_asset(snapshot, asset, *row.mutable_asset());
    response.add_rows()->Swap(&row);
    return true;
  });
  return response;
}

}  // namespace taizhang::asset_register
