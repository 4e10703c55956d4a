// What the parameters of a ledger say about one fact: the rule that governs, no rule, or "cannot
// decide".
#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/parameter.h"
#include "platform/command/decision.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/rules/v1/values.pb.h"

namespace taizhang {

class Governing {
 public:
  // No rule matches and the key does not let that pass, or the key is not defined.
  static Governing missing(std::string_view key);
  // No rule matches, and the key lets that pass.
  static Governing no_rule(std::string_view key);
  // `matches`: the governing one first, never empty.
  static Governing rule(std::string_view key,
                        const std::vector<const rules::state::v1::Parameter::Setting*>& matches);

  // False: the decision must be refused, see parameter_missing().
  bool decided() const { return !uses_.empty(); }
  bool has_rule() const { return value_ != nullptr; }
  // Only with has_rule(). Valid until the present decide returns.
  const rules::v1::ParameterValue& value() const { return *value_; }
  const std::string& key() const { return key_; }
  // The governing rule first, then the others that matched; of version 0 when there is no rule.
  const std::vector<common::v1::ParameterUse>& uses() const { return uses_; }
  // Appends the uses to a field of an event.
  void copy_uses(google::protobuf::RepeatedPtrField<common::v1::ParameterUse>* field) const;

 private:
  explicit Governing(std::string_view key) : key_(key) {}

  std::string key_;
  const rules::v1::ParameterValue* value_ = nullptr;
  std::vector<common::v1::ParameterUse> uses_;
};

// The rule of `key` for a fact of `day` (yyyymmdd).
Governing governing(const Ledger& ledger, std::string_view key, const ScopeFacts& facts,
                    int32_t day);

// PARAMETER_MISSING for `field`, naming the key.
Refusal parameter_missing(const Governing& governing, std::string_view field);

}  // namespace taizhang
