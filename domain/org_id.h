// Ids of organisations: a UUID, or "uscc:" and a unified social credit code, which anybody can make
// without asking.
#pragma once

#include <optional>
#include <string_view>

namespace taizhang {

// The credit code inside a "uscc:" id; nothing for a UUID. A view into `id`.
std::optional<std::string_view> credit_code_of_org_id(std::string_view id);

}  // namespace taizhang
