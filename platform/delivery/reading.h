// What operators see of one subscription.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace taizhang::delivery {

struct Reading {
  std::string subscription;  // "<ledger>/<name>"
  int64_t position = 0;
  // Of the ledger behind the position, selected or not; age of the oldest selected one that is not
  // handled. Nothing: the events cannot be read now.
  std::optional<int64_t> lag_events;
  std::optional<int64_t> lag_ms;
  int64_t in_flight = 0;  // delivered and not acknowledged
  int64_t parked_subjects = 0;
  int64_t redeliveries = 0;  // since this process delivers
  int64_t consumers = 0;
};

}  // namespace taizhang::delivery
