// An event as it leaves: EventEnvelope of taizhang.ledger.v1, built from what the ledger view
// stores.
#pragma once

#include "platform/projection/event_meta.h"

namespace taizhang {
namespace ledger::v1 {
class EventEnvelope;
}

// Everything but the payload: who, when, why, from which document.
void fill_envelope(const EventMeta& meta, ledger::v1::EventEnvelope& envelope);
// The stored bytes, never serialised again; withheld when they hold personal data and the caller
// may not see it.
void fill_payload(const EventMeta& meta, bool may_see_personal,
                  ledger::v1::EventEnvelope& envelope);

}  // namespace taizhang
