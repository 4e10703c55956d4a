// A journal as large as a benchmark wants it, of commits as the writer makes them, without deciding
// each.
//
// The writer itself sets up a ledger and answers one command of each kind; what follows are those
// commits again, with other ids, days, seqs and times, in several ledgers in turn.
#pragma once

#include <cstdint>
#include <string>

#include "platform/journal/log.h"

namespace taizhang::bench {

struct MadeJournal {
  int64_t commits = 0;
  int64_t events = 0;
  int64_t payload_bytes = 0;  // of the stored events: their payloads
  int64_t record_bytes = 0;   // of the journal's records
};

// Into an empty log, about `events` events: a tenth of them households with their members, the rest
// visits to them; one in twenty is an arrival of funds. Ledgers are 990101 and so on. `folder` is
// for the writer's tables and goes again. A failure ends the process.
MadeJournal make_journal(journal::Log& log, const std::string& folder,
                         const std::string& reference_file, int64_t events, int ledgers);

}  // namespace taizhang::bench
