// Sums of money facts by month and day.
#include "projections/fund_execution/sums.h"

#include <algorithm>

#include "domain/money.h"

namespace taizhang::fund_execution {
namespace {

using state::v1::Stretch;
using state::v1::Sums;

bool is_before(const Stretch& stretch, int32_t at) { return stretch.at() < at; }

}  // namespace

bool add(Sums& to, const Sums& more) {
  const auto budgeted = add_fen(to.budgeted_fen(), more.budgeted_fen());
  const auto planned = add_fen(to.planned_fen(), more.planned_fen());
  const auto arrived = add_fen(to.arrived_fen(), more.arrived_fen());
  const auto allocated = add_fen(to.allocated_fen(), more.allocated_fen());
  const auto committed = add_fen(to.committed_fen(), more.committed_fen());
  const auto paid = add_fen(to.paid_fen(), more.paid_fen());
  if (!budgeted || !planned || !arrived || !allocated || !committed || !paid) return false;
  to.set_budgeted_fen(*budgeted);
  to.set_planned_fen(*planned);
  to.set_arrived_fen(*arrived);
  to.set_allocated_fen(*allocated);
  to.set_committed_fen(*committed);
  to.set_paid_fen(*paid);
  return true;
}

Sums& sums_at(Stretches& list, int32_t at) {
  const auto place = std::lower_bound(list.begin(), list.end(), at, is_before) - list.begin();
  if (place == list.size() || list[static_cast<int>(place)].at() != at) {
    list.Add()->set_at(at);
    std::rotate(list.pointer_begin() + place, list.pointer_end() - 1, list.pointer_end());
  }
  return *list[static_cast<int>(place)].mutable_sums();
}

bool add_until(Sums& to, const Stretches& list, int32_t last) {
  for (const auto& stretch : list) {
    if (stretch.at() > last) break;
    if (!add(to, stretch.sums())) return false;
  }
  return true;
}

bool has_stretch(const Stretches& list, int32_t at) {
  const auto found = std::lower_bound(list.begin(), list.end(), at, is_before);
  return found != list.end() && found->at() == at;
}

}  // namespace taizhang::fund_execution
