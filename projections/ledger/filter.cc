// Filters over stored names.
#include "projections/ledger/filter.h"

#include <algorithm>

#include "platform/command/registry.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::ledger_view {
namespace {

bool among(const std::vector<std::string>& list, std::string_view one) {
  return list.empty() || std::find(list.begin(), list.end(), one) != list.end();
}

}  // namespace

std::string_view context_of(std::string_view stored_type) {
  return stored_type.substr(0, stored_type.find('.'));
}

Filter Filter::of(const ledger::v1::EventFilter& filter) {
  Filter made;
  for (const auto& type : filter.types()) made.types.emplace_back(stored_type(type));
  for (const auto& subject : filter.subjects())
    made.subjects.push_back({subject.kind(), subject.id()});
  made.contexts.assign(filter.contexts().begin(), filter.contexts().end());
  return made;
}

bool Filter::takes_type(std::string_view stored_type) const {
  return among(types, stored_type) && among(contexts, context_of(stored_type));
}

bool Filter::takes(std::string_view stored_type, const std::vector<Subject>& named) const {
  if (!takes_type(stored_type)) return false;
  return subjects.empty() || std::any_of(named.begin(), named.end(), [&](const Subject& subject) {
           return std::find(subjects.begin(), subjects.end(), subject) != subjects.end();
         });
}

}  // namespace taizhang::ledger_view
