// Which commands a random book asks for, how often, and in whose name.
#include "tests/support/random_commands.h"

namespace taizhang::test {

const std::vector<RandomBook::Kind>& RandomBook::kinds() {
  using B = RandomBook;
  static const auto* all = new std::vector<Kind>{
      {1, &B::open_ledger, "operator"},
      {3, &B::create_region, "operator"},
      {3, &B::publish_code_list, "operator"},
      {2, &B::define_parameter, "operator"},
      {4, &B::set_parameter, "operator"},
      {4, &B::register_organisation, "maker"},
      {4, &B::register_worker, "maker"},
      {6, &B::register_household, "maker"},
      {4, &B::load_household_status, "maker"},
      {6, &B::start_pairing, "maker"},
      {6, &B::end_pairing, "maker"},
      {9, &B::record_visit, "maker"},
      {3, &B::assign_issue, "maker"},
      {3, &B::resolve_issue, "maker"},
      {2, &B::reopen_issue, "maker"},
      {3, &B::void_visit, "maker"},
      {2, &B::open_fund_line, "maker"},
      {3, &B::record_budget, "maker"},
      {4, &B::record_arrival, "maker"},
      {8, &B::spend_directly, "maker"},
      {4, &B::form_asset, "maker"},
      {6, &B::check_asset, "maker"},
      {6, &B::confirm_title, "maker"},
      {6, &B::offer_asset, "maker"},
      {5, &B::answer_offer, "checker"},
      {3, &B::void_check, "maker"},
  };
  return *all;
}

}  // namespace taizhang::test
