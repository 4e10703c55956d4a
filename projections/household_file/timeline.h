// The timeline of a household as folds write it.
#pragma once

#include <string>

#include "platform/projection/event_meta.h"
#include "platform/state/ledger.h"
#include "taizhang/household_file/state/v1/state.pb.h"

namespace taizhang::household_file {

// Enters the event into the household's timeline at its effective date; the caller fills what it
// says. One event is entered into one household once.
inline v1::TimelineDetail& enter_timeline(Ledger& rows, const EventMeta& meta,
                                          const std::string& household_id) {
  return *rows.edit<state::v1::TimelineEntry>(household_id, meta.effective_day, meta.seq)
              .mutable_detail();
}

}  // namespace taizhang::household_file
