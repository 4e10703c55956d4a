// Codes, regions and subjects that a command names, looked up in the published tables.
#pragma once

#include <cstdint>
#include <string_view>

#include "platform/state/ledger.h"
#include "taizhang/rules/state/v1/state.pb.h"

namespace taizhang {
namespace common::v1 {
class SubjectRef;
}
class Registry;

// The code as it is in force on `day` (yyyymmdd), with its class; null: not in the list that day.
const rules::state::v1::Code::Validity* code_at(const Ledger& ledger, std::string_view list_id,
                                                std::string_view code, int32_t day);

// The region, when it is known and valid on `day`; null otherwise.
const rules::state::v1::Region* region_at(const Ledger& ledger, std::string_view region,
                                          int32_t day);

enum class Standing { kUnknown, kNotActive, kActive };
// Active: registered on or before `day`. Kinds that no table holds are unknown.
Standing standing_of(const Ledger& ledger, int subject_kind, std::string_view id, int32_t day);
bool is_active(const Ledger& ledger, const common::v1::SubjectRef& subject, int32_t day);

// Ties the checks of design §4 (e) to the published tables.
void register_reference_checks(Registry& registry);

}  // namespace taizhang
