// Public ids and days of an event.
#include "platform/projection/event_meta.h"

#include "platform/base/days.h"

namespace taizhang {

int32_t EventMeta::recorded_day() const { return shanghai_day(recorded_time_us); }

std::string EventMeta::id() const { return event_id(ledger, seq); }

std::string EventMeta::request_id_text() const {
  if (request_id.size() != 16) return {};
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(request_id[i]);
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

std::string event_id(std::string_view ledger, int64_t seq) {
  std::string id(ledger);
  id += '/';
  id += std::to_string(seq);
  return id;
}

}  // namespace taizhang
