// The view, put together from its parts.
#include "projections/household_file/household_file.h"

#include "projections/household_file/parts.h"

namespace taizhang {

View household_file_view() {
  View view("household_file", 1);
  household_file::take_households(view);
  household_file::take_pairings(view);
  household_file::take_visits(view);
  household_file::take_issues(view);
  household_file::take_payments(view);
  household_file::answer_sheet(view);
  household_file::answer_households(view);
  household_file::answer_timeline(view);
  household_file::answer_citizens(view);
  household_file::answer_visits(view);
  household_file::answer_issues(view);
  return view;
}

}  // namespace taizhang
