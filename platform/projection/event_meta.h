// What a fold and an answer know of an event besides its message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace taizhang {
namespace common::v1 {
class Actor;
class Source;
}  // namespace common::v1

// Views and pointers live as long as the call they are handed to.
struct EventMeta {
  std::string_view ledger;       // six digits
  int64_t seq = 0;               // of this event in its ledger
  int64_t commit_first_seq = 0;  // of the commit it stands in
  int64_t commit_last_seq = 0;
  int64_t recorded_time_us = 0;                // microseconds since 1970, UTC
  int32_t effective_day = 0;                   // yyyymmdd
  const common::v1::Actor* actor = nullptr;    // never null
  const common::v1::Source* source = nullptr;  // never null
  std::string_view reason;                     // why, in words; may be empty
  std::string_view
      request_id;            // 16 raw bytes; see request_id_text(); empty: written by the platform
  std::string_view command;  // "funds.SpendDirectly"; may be empty
  std::string_view correlation_id;  // may be empty
  bool self_approved = false;
  int64_t cause_seq = 0;     // seq of the event it reacts to; 0: the request itself
  std::string_view type;     // stored type, "funds.v1.FundsDisbursed"
  std::string_view payload;  // the stored bytes of the message
  const google::protobuf::Descriptor* descriptor = nullptr;  // of the message; never null
  const google::protobuf::Message* event = nullptr;          // the message, parsed; never null

  int32_t recorded_day() const;         // +08:00, yyyymmdd
  std::string id() const;               // "<ledger>/<seq>", the public id
  std::string request_id_text() const;  // 36 lower-case characters; empty when there is none
};

// The text of a UUID of 16 raw bytes, lower-case, into `text`. False: `bytes` is not one.
inline constexpr size_t kUuidTextSize = 36;
bool write_uuid_text(std::string_view bytes, char* text);

// "<ledger>/<seq>".
std::string event_id(std::string_view ledger, int64_t seq);

}  // namespace taizhang
