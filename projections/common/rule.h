// What the parameters a view keeps say about one fact.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstdint>

#include "domain/parameter.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

struct Rule {
  // Null: no version matches. Points into the parameter.
  const rules::v1::ParameterValue* value = nullptr;
  // No version matches and the key does not let that pass, or the key is not defined: cannot be
  // decided.
  bool missing = false;
  // The governing version first, then the others that matched; of version 0 when the key lets "no
  // rule" pass.
  google::protobuf::RepeatedPtrField<common::v1::ParameterUse> uses;
};

// `parameter`: the row of the key, empty when it is not defined. `day`: yyyymmdd.
Rule rule_for(const rules::state::v1::Parameter& parameter, const ScopeFacts& facts, int32_t day);

}  // namespace taizhang
