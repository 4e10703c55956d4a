// What verbs print alike.
#include "apps/taizhang/verbs.h"

namespace taizhang::cli {

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
