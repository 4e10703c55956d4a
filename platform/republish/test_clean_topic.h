// For tests of the clean topic: a journal in memory with events, and a reader of the consumer rule.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "platform/projection/test_journal.h"
#include "platform/republish/memory/memory_clean_topic.h"
#include "taizhang/assistance/v1/events.pb.h"

namespace taizhang::testing {

// An event as its journal was told it.
struct TestEvent {
  std::string id;  // "<ledger>/<seq>"
  std::string payload;

  friend bool operator==(const TestEvent&, const TestEvent&) = default;
};

// A journal that remembers the events committed to it, in order.
class EventJournal : public TestJournal {
 public:
  using TestJournal::TestJournal;

  // One commit of `count` events.
  void record(const std::string& ledger, int count = 1) {
    std::vector<assistance::v1::PairingEnded> made(static_cast<size_t>(count));
    std::vector<const google::protobuf::Message*> views;
    for (auto& event : made) {
      event.set_pairing_id("pairing-" + std::to_string(events.size() + views.size()));
      views.push_back(&event);
    }
    const int64_t last = commit(ledger, views);
    for (int i = 0; i < count; ++i) {
      events.push_back({ledger + "/" + std::to_string(last - count + 1 + i),
                        made[static_cast<size_t>(i)].SerializeAsString()});
    }
  }

  std::vector<TestEvent> events;
};

inline std::string header_of(const republish::CleanRecord& record, std::string_view name) {
  for (const auto& header : record.headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

// All that stands in the topic, in order.
inline std::vector<republish::CleanRecord> stored(const journal::MemoryTopic& topic) {
  std::vector<republish::CleanRecord> records;
  for (int64_t offset = 0; offset < topic.end(); ++offset) {
    records.push_back(republish::decode(topic.at(offset)->bytes));
  }
  return records;
}

// What a consumer that obeys the rule takes: k = last + 1, nothing else. Written without the code
// under test.
inline std::vector<TestEvent> accepted(const journal::MemoryTopic& topic) {
  std::vector<TestEvent> taken;
  for (const auto& record : stored(topic)) {
    if (header_of(record, "ce_k") != std::to_string(taken.size() + 1)) continue;
    taken.push_back({header_of(record, "ce_id"), record.value});
  }
  return taken;
}

}  // namespace taizhang::testing
