// What the server can do: one decide per command, one evolve per event, one owner per table,
// checked against the protos.
//
// What a command is stands in its proto (taizhang/options.proto); here only the functions are tied
// to it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/command/decision.h"
#include "platform/state/ledger.h"

namespace taizhang {

// Findings of stateless validation: all of a request at once.
class Violations {
 public:
  struct Finding {
    const google::protobuf::EnumValueDescriptor* reason;
    std::string field;
    // What is expected, in English: "must be a UUID of 36 lower-case characters".
    std::string description;
  };
  // `reason` is one of the generic reasons of design §4 (b): FIELD_REQUIRED, FIELD_INVALID,
  // TOO_MANY_ROWS …
  template <class RefusalEnum>
  void add(RefusalEnum reason, std::string field, std::string description) {
    findings_.push_back(
        {google::protobuf::GetEnumDescriptor<RefusalEnum>()->FindValueByNumber(reason),
         std::move(field), std::move(description)});
  }
  const std::vector<Finding>& findings() const { return findings_; }
  bool empty() const { return findings_.empty(); }

 private:
  std::vector<Finding> findings_;
};

// State-based checks of design §4 (e) over the published tables of rules, registry …:
// services/common/ gives them. Each returns the refusal for one field, or nothing. `day` is
// yyyymmdd.
struct ReferenceChecks {
  std::function<std::optional<Refusal>(const Ledger&, std::string_view list_id,
                                       std::string_view code_value, int32_t day,
                                       std::string_view field_path)>
      code_in_list;
  std::function<std::optional<Refusal>(const Ledger&, std::string_view region, int32_t day,
                                       std::string_view field_path)>
      region;
  std::function<std::optional<Refusal>(const Ledger&, int subject_kind, std::string_view id,
                                       int32_t day, std::string_view field_path)>
      subject;
};

using DecideFn = std::function<Decision(const Ledger&, const google::protobuf::Message&)>;
using EvolveFn = std::function<void(Ledger&, const google::protobuf::Message&)>;
using ValidateFn = std::function<void(const google::protobuf::Message&, Violations&)>;

class Registry {
 public:
  // decide for a command; the request type names it.
  template <class Command>
  Registry& command(Decision (*decide)(const Ledger&, const Command&)) {
    add_command(Command::default_instance(),
                [decide](const Ledger& ledger, const google::protobuf::Message& command) {
                  return decide(ledger, static_cast<const Command&>(command));
                });
    return *this;
  }
  // Stateless checks of a command that field options cannot say.
  template <class Command>
  Registry& validate(void (*check)(const Command&, Violations&)) {
    add_validate(Command::default_instance(),
                 [check](const google::protobuf::Message& command, Violations& found) {
                   check(static_cast<const Command&>(command), found);
                 });
    return *this;
  }
  template <class Event>
  Registry& event(void (*evolve)(Ledger&, const Event&)) {
    add_event(Event::default_instance(),
              [evolve](Ledger& ledger, const google::protobuf::Message& event) {
                evolve(ledger, static_cast<const Event&>(event));
              });
    return *this;
  }
  void reference_checks(ReferenceChecks checks) { reference_checks_ = std::move(checks); }

  struct Command {
    const google::protobuf::Message* prototype = nullptr;
    DecideFn decide;
    ValidateFn validate;
  };
  struct Event {
    const google::protobuf::Message* prototype = nullptr;
    EvolveFn evolve;
    std::string context;  // "funds"
  };
  // By full message name. Null: not registered.
  const Command* find_command(std::string_view request_name) const;
  void each_command(const std::function<void(const Command&)>& visit) const;
  // By stored type, "funds.v1.FundsDisbursed".
  const Event* find_event(std::string_view stored_type) const;
  const ReferenceChecks& reference_checks() const { return reference_checks_; }

  // Walks the descriptor pool: aborts by name unless each rpc with (command) has one decide, each
  // event message of an events*.proto one evolve, each event named in `emits` exists, and each
  // (table) name is unique.
  void check_complete() const;

 private:
  void add_command(const google::protobuf::Message& prototype, DecideFn decide);
  void add_validate(const google::protobuf::Message& prototype, ValidateFn check);
  void add_event(const google::protobuf::Message& prototype, EvolveFn evolve);

  // Found by a view of a name, without a copy of it.
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  template <class Value>
  using ByName = std::unordered_map<std::string, Value, NameHash, std::equal_to<>>;
  ByName<Command> commands_;
  ByName<Event> events_;
  ReferenceChecks reference_checks_;
};

// "taizhang.funds.v1.FundsDisbursed" -> "funds.v1.FundsDisbursed", the name stored in commits.
std::string_view stored_type(std::string_view full_name);

}  // namespace taizhang
