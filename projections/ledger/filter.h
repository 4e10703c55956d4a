// What a subscriber or a reader wants to see of a ledger's events.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/projection/subjects.h"

namespace taizhang::ledger::v1 {
class EventFilter;
}

namespace taizhang::ledger_view {

// What an event must be. Each empty list lets everything pass; an event needs one of every list
// that is not empty.
struct Filter {
  static Filter of(const ledger::v1::EventFilter& filter);

  bool lets_all_pass() const { return types.empty() && subjects.empty() && contexts.empty(); }
  bool takes_type(std::string_view stored_type) const;
  // `named`: the subjects that the event names.
  bool takes(std::string_view stored_type, const std::vector<Subject>& named) const;

  std::vector<std::string> types;  // stored names, "funds.v1.FundsDisbursed"
  std::vector<Subject> subjects;
  std::vector<std::string> contexts;  // "funds"
};

std::string_view context_of(std::string_view stored_type);

}  // namespace taizhang::ledger_view
