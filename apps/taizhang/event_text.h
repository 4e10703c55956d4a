// Events on the terminal: their content, and the envelope in one line.
#pragma once

#include <string>

#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::cli {

// The content of an event as JSON; empty: withheld, or a type this program does not know.
std::string payload_of(const ledger::v1::EventEnvelope& event);
// The envelope in one line, with the content decoded as `data`.
std::string json_of(ledger::v1::EventEnvelope event);
// "funds.v1.FundsDisbursed".
std::string short_type(const std::string& type);

}  // namespace taizhang::cli
