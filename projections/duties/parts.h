// The parts of the duties view: each takes its events or answers its queries.
#pragma once

#include "platform/projection/view.h"

namespace taizhang::duties {

void take_subjects(View& view);
void take_rules(View& view);
void take_pairings(View& view);
void take_visits(View& view);

void answer_obligations(View& view);
void answer_visits_by_period(View& view);
void answer_visits(View& view);
void answer_pairings(View& view);

}  // namespace taizhang::duties
