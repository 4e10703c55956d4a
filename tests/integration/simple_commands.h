// The two commands that need nothing before them, and the registry that knows them.
#pragma once

#include <cstdio>
#include <string>

#include "platform/command/decide.h"
#include "services/contexts.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/rules/v1/commands.pb.h"

namespace taizhang::test {

inline constexpr const char* kOpen = "taizhang.admin.v1.AdminService.OpenLedger";
inline constexpr const char* kCreateRegion = "taizhang.rules.v1.RulesService.CreateRegion";
inline constexpr const char* kGetOutcome = "taizhang.ledger.v1.LedgerService.GetOutcome";

inline const Registry& registry() {
  static const Registry* made = [] {
    auto* fresh = new Registry;
    register_contexts(*fresh);
    return fresh;
  }();
  return *made;
}

inline const CommandCatalogue& catalogue() {
  static const auto* made = new CommandCatalogue(registry());
  return *made;
}

inline std::string uuid(int number) {
  char text[40];
  snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
  return text;
}

inline void fill(common::v1::RequestContext& context, int id) {
  context.set_request_id(uuid(id));
  auto& date = *context.mutable_effective_date();
  date.set_year(2017);
  date.set_month(1);
  date.set_day(1);
  context.mutable_source()->set_kind(common::v1::Source::KIND_FORM);
}

inline admin::v1::OpenLedgerRequest open_ledger(const std::string& ledger, int id,
                                                const std::string& name) {
  admin::v1::OpenLedgerRequest request;
  fill(*request.mutable_context(), id);
  request.set_ledger(ledger);
  request.set_kind(common::v1::LEDGER_KIND_COUNTY);
  request.set_name(name);
  return request;
}

inline rules::v1::CreateRegionRequest create_region(const std::string& ledger, int id,
                                                    const std::string& code,
                                                    const std::string& name) {
  rules::v1::CreateRegionRequest request;
  fill(*request.mutable_context(), id);
  request.set_ledger(ledger);
  request.set_region(code);
  request.set_name(name);
  request.set_level(code.size() == 6 ? common::v1::ADMIN_LEVEL_COUNTY
                                     : common::v1::ADMIN_LEVEL_TOWNSHIP);
  auto& from = *request.mutable_valid_from_date();
  from.set_year(2012);
  from.set_month(1);
  from.set_day(1);
  return request;
}

}  // namespace taizhang::test
