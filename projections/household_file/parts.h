// The parts of the household file: each takes its events and answers its queries.
#pragma once

#include "platform/projection/view.h"

namespace taizhang::household_file {

void take_households(View& view);
void take_pairings(View& view);
void take_visits(View& view);
void take_issues(View& view);
void take_payments(View& view);

void answer_sheet(View& view);
void answer_households(View& view);
void answer_timeline(View& view);
void answer_citizens(View& view);
void answer_visits(View& view);
void answer_issues(View& view);

}  // namespace taizhang::household_file
