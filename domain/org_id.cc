// Ids of organisations.
#include "domain/org_id.h"

namespace taizhang {
namespace {

constexpr std::string_view kPrefix = "uscc:";

}  // namespace

std::optional<std::string_view> credit_code_of_org_id(std::string_view id) {
  if (id.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  return id.substr(kPrefix.size());
}

}  // namespace taizhang
