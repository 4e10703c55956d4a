// What decide returns: events, a refusal, or "unchanged".
#pragma once

#include <google/protobuf/generated_enum_reflection.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "platform/state/ledger.h"

namespace taizhang {

// A business "no". `value` is a refusal enum's value with (code) and (zh) options; `field` the path
// of the field it speaks of ("members[2].identity.citizen_number"); metadata goes into ErrorInfo,
// never personal data.
struct Refusal {
  const google::protobuf::EnumValueDescriptor* value = nullptr;
  std::string field;
  std::vector<std::pair<std::string, std::string>> metadata;
};

template <class RefusalEnum>
Refusal refuse(RefusalEnum value, std::string_view field,
               std::vector<std::pair<std::string, std::string>> metadata = {}) {
  return {google::protobuf::GetEnumDescriptor<RefusalEnum>()->FindValueByNumber(value),
          std::string(field), std::move(metadata)};
}

struct Emitted {
  std::unique_ptr<google::protobuf::Message> event;
  // yyyymmdd; 0: the command's effective day.
  int32_t effective_day = 0;
};

// The events of an accepted command, in order.
class Events {
 public:
  template <class Event>
  Events& add(Event event, int32_t effective_day = 0) {
    list_.push_back({std::make_unique<Event>(std::move(event)), effective_day});
    return *this;
  }
  // A right of the actor was used, for example "SELF_APPROVE"; it is frozen on the events.
  Events& used_right(std::string_view right) {
    rights_used_.emplace_back(right);
    return *this;
  }
  std::vector<Emitted>& list() { return list_; }
  const std::vector<Emitted>& list() const { return list_; }
  const std::vector<std::string>& rights_used() const { return rights_used_; }

 private:
  std::vector<Emitted> list_;
  std::vector<std::string> rights_used_;
};

// Equal to what is there: answered with the receipt of the commit that made it; nothing is written.
struct Unchanged {
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  int64_t recorded_time_us = 0;
};

class Decision {
 public:
  Decision(Refusal refusal) : value_(std::move(refusal)) {}
  Decision(Events events) : value_(std::move(events)) {}
  Decision(Unchanged unchanged) : value_(unchanged) {}

  Refusal* refusal() { return std::get_if<Refusal>(&value_); }
  Events* events() { return std::get_if<Events>(&value_); }
  Unchanged* unchanged() { return std::get_if<Unchanged>(&value_); }

 private:
  std::variant<Refusal, Events, Unchanged> value_;
};

template <class Event>
Events emit(Event event) {
  Events events;
  events.add(std::move(event));
  return events;
}

// VERSION_MISMATCH when the caller stated a version and the aggregate is at another.
std::optional<Refusal> version_mismatch(const Ledger& ledger, int64_t version);

// Copies every field of `command` that `event` has under the same name: equal types as they are; a
// Personal… message into a Sealed of scheme 0. Fields `context` and `ledger` are never copied.
void copy_inputs(const google::protobuf::Message& command, google::protobuf::Message& event);

template <class Event>
Event copy_inputs(const google::protobuf::Message& command) {
  Event event;
  copy_inputs(command, event);
  return event;
}

}  // namespace taizhang
