// Opening of ledgers. The writer places and opens the ledger around this decide (writer.cc,
// open_ledger).
#include "platform/command/ledgers.h"

#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/errors.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/ledger/state/v1/state.pb.h"
#include "taizhang/ledger/v1/events.pb.h"

namespace taizhang {
namespace {

namespace state = ledger::state::v1;

// Codes of the directory and of system ledgers; no region begins so.
constexpr std::string_view kReserved = "00";

bool code_fits(std::string_view code_text, int kind) {
  if (code_text.starts_with(kReserved)) return false;
  const bool province = code_text.ends_with("0000");
  const bool prefecture = !province && code_text.ends_with("00");
  switch (kind) {
    case common::v1::LEDGER_KIND_PROVINCE: return province;
    case common::v1::LEDGER_KIND_PREFECTURE: return prefecture;
    case common::v1::LEDGER_KIND_COUNTY: return !province && !prefecture;
    default: return false;
  }
}

Decision decide_open(const Ledger& ledger, const admin::v1::OpenLedgerRequest& command) {
  if (!code_fits(command.ledger(), command.kind())) {
    return refuse(admin::v1::ADMIN_REFUSAL_LEDGER_CODE_INVALID, "ledger");
  }
  if (const auto* founded = ledger.find<state::FoundedLedger>(command.ledger())) {
    // Equal whatever day the request names: a ledger is opened once.
    if (founded->kind() == command.kind() && founded->name() == command.name()) {
      return Unchanged{founded->version(), founded->version(), founded->recorded_time_us()};
    }
    return refuse(admin::v1::ADMIN_REFUSAL_LEDGER_EXISTS, "ledger");
  }
  ledger::v1::LedgerFounded founded;
  founded.set_ledger(command.ledger());
  founded.set_kind(command.kind());
  founded.set_name(command.name());
  return emit(std::move(founded));
}

void evolve_placed(Ledger& ledger, const ledger::v1::LedgerPlaced& event) {
  auto& row = ledger.edit<state::PlacedLedger>(event.ledger());
  row.set_kind(event.kind());
  row.set_name(event.name());
  row.set_partition(event.partition());
  row.set_generation(event.generation());
}

void evolve_founded(Ledger& ledger, const ledger::v1::LedgerFounded& event) {
  auto& row = ledger.edit<state::FoundedLedger>(event.ledger());
  row.set_kind(event.kind());
  row.set_name(event.name());
  row.set_recorded_time_us(ledger.recorded_time_us());
}

}  // namespace

std::string system_ledger(uint32_t partition) {
  const std::string number = std::to_string(partition + 1);
  return std::string(kDirectory.substr(number.size())) + number;
}

void register_ledgers(Registry& registry) {
  registry.command<admin::v1::OpenLedgerRequest>(decide_open)
      .event<ledger::v1::LedgerPlaced>(evolve_placed)
      .event<ledger::v1::LedgerFounded>(evolve_founded);
}

}  // namespace taizhang
