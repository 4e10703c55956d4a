// Opening of ledgers: the one command that makes the thing it runs on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/command/registry.h"

namespace taizhang {

// The directory ledger of a journal: says where every ledger lives.
inline constexpr std::string_view kDirectory = "000000";
// The system ledger of a partition: facts about its ledgers that do not belong into their books. Its
// code says where it lives, so the directory does not place it.
std::string system_ledger(uint32_t partition);
inline constexpr std::string_view kOpenLedger = "admin.OpenLedger";

// Command OpenLedger and the events LedgerPlaced and LedgerFounded.
void register_ledgers(Registry& registry);

}  // namespace taizhang
