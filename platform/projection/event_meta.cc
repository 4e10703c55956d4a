// Public ids and days of an event.
#include "platform/projection/event_meta.h"

#include "platform/base/days.h"

namespace taizhang {

int32_t EventMeta::recorded_day() const { return shanghai_day(recorded_time_us); }

std::string EventMeta::id() const { return event_id(ledger, seq); }

std::string EventMeta::request_id_text() const {
  char text[kUuidTextSize];
  return write_uuid_text(request_id, text) ? std::string(text, sizeof text) : std::string();
}

bool write_uuid_text(std::string_view bytes, char* text) {
  if (bytes.size() != 16) return false;
  constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *text++ = '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    *text++ = kHex[byte >> 4];
    *text++ = kHex[byte & 15];
  }
  return true;
}

std::string event_id(std::string_view ledger, int64_t seq) {
  std::string id(ledger);
  id += '/';
  id += std::to_string(seq);
  return id;
}

}  // namespace taizhang
