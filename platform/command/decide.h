// The order of checks of design §4, once for all commands, without transport or journal: writer and
// tests use it.
//
// (b) check_stateless · (c) check_authority, check_kind · (d) the writer's · (e) and (f)
// decide_command · then apply_events.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/command/caller.h"
#include "platform/command/identity.h"
#include "platform/command/registry.h"
#include "platform/command/request_plan.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace taizhang {

class CommandOptions;
namespace common::v1 {
class RequestContext;
}

// One command: its proto and its functions. Lives as long as the catalogue.
struct CommandType {
  std::string name;    // "funds.SpendDirectly", stored with every request
  std::string method;  // "taizhang.funds.v1.FundsService.SpendDirectly"
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  const CommandOptions* options = nullptr;
  const RequestPlan* plan = nullptr;
  const Registry::Command* functions = nullptr;
  std::string effective;  // path of the effective date
  Identity creates;       // of what it creates
  std::string creates_kind;
  int creates_subject = 0;  // SubjectKind of the id of what it creates; 0: it is no subject
  const google::protobuf::Message* response = nullptr;  // prototype

  // Of a request of this type; empty ones when it has none.
  const common::v1::RequestContext& context_of(const google::protobuf::Message& request) const;
  const std::string& ledger_of(const google::protobuf::Message& request) const;
  int32_t effective_day(const google::protobuf::Message& request) const {
    return effective_path->day(request);
  }

  // What the three above ask for.
  const google::protobuf::Reflection* reflection = nullptr;
  const google::protobuf::FieldDescriptor* context_field = nullptr;
  const google::protobuf::FieldDescriptor* ledger_field = nullptr;
  std::optional<DatePath> effective_path;
};

class CommandCatalogue {
 public:
  // Every rpc with (command) in the pool whose request has a decide. Aborts by name where a proto
  // is inconsistent.
  explicit CommandCatalogue(const Registry& registry);
  const CommandType* by_request(std::string_view request_full_name) const;
  const std::map<std::string, CommandType, std::less<>>& all() const { return by_method_; }

 private:
  std::map<std::string, CommandType, std::less<>> by_method_;
  std::map<std::string, const CommandType*, std::less<>> by_request_;
};

void check_stateless(const CommandType& type, const google::protobuf::Message& request,
                     Violations& found);

// Role, ledger and named regions. `references`: type.plan->references(request).
std::optional<Refusal> check_authority(const CommandType& type,
                                       const google::protobuf::Message& request,
                                       const std::vector<Reference>& references,
                                       const Caller& caller);
inline std::optional<Refusal> check_authority(const CommandType& type,
                                              const google::protobuf::Message& request,
                                              const Caller& caller) {
  return check_authority(type, request, type.plan->references(request), caller);
}
std::optional<Refusal> check_kind(const CommandType& type, int ledger_kind);

// (e) then (f). `creating_fingerprint`: 16 bytes, compared with that of what is there under the
// same identity.
Decision decide_command(const Registry& registry, const CommandType& type, const Ledger& ledger,
                        const google::protobuf::Message& request,
                        const std::vector<Reference>& references,
                        std::string_view creating_fingerprint);

inline Decision decide_command(const Registry& registry, const CommandType& type,
                               const Ledger& ledger, const google::protobuf::Message& request,
                               std::string_view creating_fingerprint) {
  return decide_command(registry, type, ledger, request, type.plan->references(request),
                        creating_fingerprint);
}

// What an event says besides its body, when it is applied.
struct AppliedRequest {
  std::string_view request_id;  // UUID text
  std::string_view fingerprint;
  std::string_view creating_fingerprint;  // empty: creates nothing
  // Of the ledger that the request named, where the commit is on another one: its request id is
  // that ledger's.
  Rows* named = nullptr;
};

// Applies one event by its context's evolve. Aborts for a type that is not registered (the caller
// has checked).
void apply_event(const Registry& registry, Rows& rows, Occasion occasion, std::string_view type,
                 const google::protobuf::Message& event);

// Writes the platform's rows of one request: settled id, and what its first event created.
void apply_request(Rows& rows, const Occasion& occasion, const AppliedRequest& request,
                   int64_t first_seq, int64_t last_seq,
                   const google::protobuf::Message& first_event);

}  // namespace taizhang
