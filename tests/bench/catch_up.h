// Subscribers that catch up: one beside a bare stream of the same messages, many at once, and what
// a filter costs by what it finds.
#pragma once

#include <cstdint>
#include <string>

#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::bench {

// Everything of the bench ledger, from its first event on.
ledger::v1::SubscribeRequest everything();

// One reads all events, `rounds` times (the median counts), then a bare stream of what it read.
void run_catch_up(const std::string& address, int rounds);
// The last `events` of a ledger that ends at `last_seq`, to 1, 10 and 1,000 at once.
void run_many_catch_up(const std::string& address, int64_t last_seq, int64_t events);
// What is selected by types, contexts and subjects, among `events`.
void run_filters(const std::string& address, int64_t events);

}  // namespace taizhang::bench
