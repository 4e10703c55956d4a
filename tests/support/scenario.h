// A book on the table, for tests that speak the domain: given events or commands, when a command,
// then what comes of it.
//
//   Scenario(register_funds)
//       .given(line_opened("f1"))
//       .when(record_arrival("f1").with_fen(500))
//       .refused(FUNDS_REFUSAL_RECEIPT_REPEATED, "bank_reference");
//
// Every command runs through the platform's own order of checks (decide.h), on rows in memory,
// without transport. What a command leaves out of its context (request id, source, effective date)
// and its ledger is filled in; when_exactly() fills nothing. After an accepted create the same is
// asked again and must be unchanged.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/command/caller.h"
#include "platform/command/decide.h"
#include "platform/command/decision.h"
#include "platform/command/fingerprint.h"
#include "platform/command/registry.h"
#include "platform/state/ledger.h"
#include "platform/state/memory_rows.h"

namespace taizhang::test {

// What a new scenario starts with.
inline constexpr std::string_view kLedger = "990101";
inline constexpr int32_t kToday = 20180630;         // recorded day
inline constexpr int32_t kEffectiveDay = 20170101;  // of commands without a date of their own

// The 32 characters that stand for a citizen number in a scenario's state.
std::string citizen_index(std::string_view normalised_number);

class Scenario {
 public:
  using Register = void (*)(Registry&);

  // The contexts whose commands and events it knows; tables of others are filled by given_row().
  explicit Scenario(std::initializer_list<Register> contexts);
  explicit Scenario(Register context) : Scenario({context}) {}

  // Events are applied as they are, on `kEffectiveDay` unless on() says otherwise; commands must be
  // accepted.
  template <class... Messages>
  Scenario& given(const Messages&... messages) {
    (give(messages), ...);
    return *this;
  }
  // A row of any context's table, with its key fields set.
  Scenario& given_row(const google::protobuf::Message& row);

  // For everything that follows.
  Scenario& on(int32_t effective_day);
  Scenario& recorded_on(int32_t day);
  Scenario& in_ledger(std::string ledger, int kind);
  // On a system ledger: last seq of the ledger that commands name.
  Scenario& named_seq(int64_t seq);
  Scenario& as(std::string subject, std::string worker_id = "", std::string org_id = "");
  Scenario& with_roles(std::initializer_list<int> roles);
  Scenario& with_rights(std::initializer_list<std::string> rights);
  Scenario& with_regions(std::initializer_list<std::string> regions);

  // For the next when() only.
  Scenario& expecting_version(int64_t version);
  Scenario& because(std::string reason);

  Scenario& when(const google::protobuf::Message& command);
  Scenario& when_exactly(const google::protobuf::Message& command);

  // The command was refused: with this reason, said of this field. For generic reasons it must be
  // the first one found.
  template <class RefusalEnum>
  Scenario& refused(RefusalEnum value, std::string_view field) {
    return refused_as(*google::protobuf::GetEnumDescriptor<RefusalEnum>()->FindValueByNumber(value),
                      field);
  }
  Scenario& accepted();
  // Accepted with exactly these events, in this order.
  template <class... Expected>
  Scenario& accepted(const Expected&... expected) {
    accepted();
    return emitted_are({&expected...});
  }
  Scenario& unchanged();
  // Of an accepted command: the right was used.
  Scenario& used_right(std::string_view right);

  // The n-th event of this type that the last command emitted; a test failure and an empty one when
  // there is none.
  template <class Event>
  const Event& event(int n = 0) {
    const auto* found = find_event(*Event::descriptor(), n);
    return found ? static_cast<const Event&>(*found) : Event::default_instance();
  }
  int event_count() const { return static_cast<int>(emitted_.size()); }
  // A row of the state, an empty one when absent.
  template <class Row, class... Key>
  const Row& row(const Key&... key) {
    const Occasion now = occasion();
    return Ledger(rows_, now).get<Row>(key...);
  }
  template <class Row, class... Key>
  bool has(const Key&... key) {
    const Occasion now = occasion();
    return Ledger(rows_, now).has<Row>(key...);
  }
  // Every row of a table, in key order.
  template <class Row, class Visit>
  void scan(const Visit& visit) {
    const Occasion now = occasion();
    Ledger(rows_, now).scan<Row>(visit);
  }
  int64_t last_seq() const { return seq_; }
  // The state as it is: table prefix and key → bytes.
  std::map<std::string, std::string> state() const { return rows_.dump(); }

 private:
  struct World;
  static const World& world_of(const std::vector<Register>& contexts);

  void give(const google::protobuf::Message& message);
  void apply(const google::protobuf::Message& event, int32_t effective_day);
  std::unique_ptr<google::protobuf::Message> completed(const google::protobuf::Message& command);
  void run(const google::protobuf::Message& command);
  void commit(const CommandType& type, const google::protobuf::Message& command, Events& events);
  void expect_unchanged_when_repeated(const CommandType& type,
                                      const google::protobuf::Message& command);
  Occasion occasion() const;
  Scenario& refused_as(const google::protobuf::EnumValueDescriptor& value, std::string_view field);
  Scenario& emitted_are(std::initializer_list<const google::protobuf::Message*> expected);
  const google::protobuf::Message* find_event(const google::protobuf::Descriptor& type, int n);
  std::string outcome_text() const;

  enum class Outcome { kNone, kViolations, kRefused, kUnchanged, kAccepted };

  const World& world_;
  MemoryRows rows_;
  std::string ledger_ = std::string(kLedger);
  int kind_;
  int32_t today_ = kToday;
  int32_t effective_day_ = kEffectiveDay;
  Caller caller_;
  std::shared_ptr<common::v1::Actor> actor_;
  int64_t seq_ = 0;
  int64_t expected_version_ = 0;
  int64_t named_seq_ = 0;
  std::string reason_;
  int requests_ = 0;

  Outcome outcome_ = Outcome::kNone;
  Violations violations_;
  Refusal refusal_;
  std::vector<std::string> rights_used_;
  std::vector<std::unique_ptr<google::protobuf::Message>> emitted_;
};

}  // namespace taizhang::test
