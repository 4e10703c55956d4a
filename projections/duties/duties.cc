// The view, put together from its parts.
#include "projections/duties/duties.h"

#include "projections/duties/parts.h"

namespace taizhang {

View duties_view() {
  View view("duties", 1);
  duties::take_subjects(view);
  duties::take_rules(view);
  duties::take_pairings(view);
  duties::take_visits(view);
  duties::answer_obligations(view);
  duties::answer_visits_by_period(view);
  duties::answer_visits(view);
  duties::answer_pairings(view);
  return view;
}

}  // namespace taizhang
