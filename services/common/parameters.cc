// Parameters of a ledger, applied to one fact.
#include "services/common/parameters.h"

#include "taizhang/common/v1/errors.pb.h"

namespace taizhang {

using rules::state::v1::Parameter;

Governing Governing::missing(std::string_view key) { return Governing(key); }

Governing Governing::no_rule(std::string_view key) {
  Governing result(key);
  result.uses_.push_back(use_of_no_rule(key));
  return result;
}

Governing Governing::rule(std::string_view key,
                          const std::vector<const Parameter::Setting*>& matches) {
  Governing result(key);
  result.value_ = &matches.front()->value();
  for (const auto* setting : matches) result.uses_.push_back(use_of(key, *setting));
  return result;
}

void Governing::copy_uses(
    google::protobuf::RepeatedPtrField<common::v1::ParameterUse>* field) const {
  for (const auto& use : uses_) *field->Add() = use;
}

Governing governing(const Ledger& ledger, std::string_view key, const ScopeFacts& facts,
                    int32_t day) {
  const auto* parameter = ledger.find<Parameter>(key);
  if (!parameter) return Governing::missing(key);
  const auto matches = matching_settings(*parameter, facts, day);
  if (!matches.empty()) return Governing::rule(key, matches);
  return parameter->when_missing() == rules::v1::WHEN_MISSING_NO_RULE ? Governing::no_rule(key)
                                                                      : Governing::missing(key);
}

Refusal parameter_missing(const Governing& governing, std::string_view field) {
  return refuse(common::v1::COMMON_REFUSAL_PARAMETER_MISSING, field,
                {{"parameter", governing.key()}});
}

}  // namespace taizhang
