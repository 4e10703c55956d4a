// What verbs print alike.
#include "apps/taizhang/verbs.h"

#include "platform/base/clock.h"
#include "platform/base/days.h"

namespace taizhang::cli {

void fill_operators(const Session& session, common::v1::RequestContext& context) {
  const auto& arguments = session.arguments();
  context.set_request_id(arguments.has("--request-id") ? arguments.get("--request-id")
                                                       : new_uuid());
  const int32_t day = shanghai_day(system_clock().wall_us());
  auto& today = *context.mutable_effective_date();
  today.set_year(day / 10'000);
  today.set_month(day / 100 % 100);
  today.set_day(day % 100);
  context.mutable_source()->set_kind(common::v1::Source::KIND_SYSTEM);
}

void say_end(const Session& session, const common::v1::Freshness& freshness,
             const std::string& unit) {
  if (session.more()) say("… there is more: --limit 0 shows all\n");
  say("\n" + unit + text_of(freshness) + "\n");
}

Table history_table(std::initializer_list<std::string> headings) {
  std::vector<std::string> all = {">seq", "recorded", "effective", "who", "event"};
  all.insert(all.end(), headings);
  all.push_back("why, from which document");
  return Table(std::move(all));
}

}  // namespace taizhang::cli
