// The one way in.
#include "platform/command/dispatcher.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "platform/base/log.h"
#include "platform/command/decide.h"
#include "platform/command/request_plan.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

namespace {

Error not_handled(const MethodDescriptor& method) {
  return failure(kUnimplemented, "METHOD_NOT_SERVED",
                 method.full_name() + " is not served by this process");
}

}  // namespace

void Dispatcher::handle(std::string method, Unary handler) {
  if (!unary_.emplace(method, std::move(handler)).second)
    broken_invariant("two handlers for " + method);
}

void Dispatcher::handle_stream(std::string method, Streaming handler) {
  if (!streaming_.emplace(method, std::move(handler)).second)
    broken_invariant("two handlers for " + method);
}

// Queries are validated and authorised here; commands by the writer's front, which knows their
// type.
std::optional<Error> Dispatcher::check_query(const MethodDescriptor& method, const Call& call,
                                             const Message& request) {
  const auto& options = method.options().GetExtension(query);
  const auto& plan = RequestPlan::of(*method.input_type());
  Violations found;
  plan.check(request, found);
  if (!found.empty()) return error_of(found);
  const bool role = options.roles().empty()
                        ? !call.caller->roles.empty()
                        : std::any_of(options.roles().begin(), options.roles().end(),
                                      [&](int wanted) { return call.caller->has_role(wanted); });
  if (!role)
    return error_of(refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "", {{"missing", "role"}}));
  const auto* ledger = method.input_type()->FindFieldByName("ledger");
  if (ledger && !ledger->is_repeated()) {
    const std::string code_value = request.GetReflection()->GetString(request, ledger);
    if (!code_value.empty() && !call.caller->may_enter(code_value)) {
      return error_of(
          refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "ledger", {{"missing", "region"}}));
    }
  }
  for (const auto& reference : plan.references(request)) {
    if (reference.kind == Reference::Kind::kRegion &&
        !call.caller->covers(std::string(reference.value))) {
      return error_of(refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, reference.field,
                             {{"missing", "region"}}));
    }
  }
  return std::nullopt;
}

bool Dispatcher::handles(std::string_view method) const {
  const std::string name(method);
  return unary_.contains(name) || streaming_.contains(name);
}

void Dispatcher::unary(const MethodDescriptor& method, const Call& call,
                       std::shared_ptr<const Message> request, Done done) const {
  const auto handler = unary_.find(method.full_name());
  if (handler == unary_.end()) return done(not_handled(method));
  if (method.options().HasExtension(query)) {
    if (auto error = check_query(method, call, *request)) return done(std::move(*error));
  }
  handler->second(call, std::move(request), std::move(done));
}

std::variant<std::unique_ptr<ServerStream>, Error> Dispatcher::stream(
    const MethodDescriptor& method, const Call& call,
    std::shared_ptr<const Message> request) const {
  const auto handler = streaming_.find(method.full_name());
  if (handler == streaming_.end()) return not_handled(method);
  if (auto error = check_query(method, call, *request)) return std::move(*error);
  return handler->second(call, std::move(request));
}

}  // namespace taizhang
