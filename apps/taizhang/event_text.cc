// Events as lines.
#include "apps/taizhang/event_text.h"

#include "client/client.h"
#include "client/strict_json.h"

namespace taizhang::cli {

std::string payload_of(const ledger::v1::EventEnvelope& event) {
  if (event.payload_withheld()) return "";
  const auto content = client::new_message(event.type());
  if (!content || !content->ParseFromString(event.payload())) return "";
  return client::write_json(*content, false);
}

std::string json_of(ledger::v1::EventEnvelope event) {
  const std::string data = payload_of(event);
  if (!data.empty()) event.clear_payload();
  std::string text = client::write_json(event, false);
  if (!data.empty()) {
    text.pop_back();
    text += ",\"data\":" + data + "}";
  }
  return text;
}

std::string short_type(const std::string& type) {
  return type.starts_with("taizhang.") ? type.substr(sizeof "taizhang." - 1) : type;
}

}  // namespace taizhang::cli
