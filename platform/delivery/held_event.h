// An event that waits to be delivered, as it leaves. Private to platform/delivery.
#pragma once

#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::delivery {

struct HeldEvent {
  ledger::v1::EventEnvelope envelope;
  // Not every consumer may see the payload.
  bool personal = false;
};

}  // namespace taizhang::delivery
