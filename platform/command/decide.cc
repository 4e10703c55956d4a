// The order of checks, once for all commands.
#include "platform/command/decide.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "platform/base/log.h"
#include "platform/command/format.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/options.pb.h"
#include "taizhang/platform/state/v1/state.pb.h"

namespace taizhang {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
namespace state = platform::state::v1;

namespace {

constexpr std::string_view kContextDate = "context.effective_date";

// "taizhang.funds.v1.SpendDirectlyRequest" -> "funds.SpendDirectly".
std::string command_name(const google::protobuf::MethodDescriptor& method) {
  std::string package = method.file()->package();
  package.erase(0, package.find('.') + 1);
  return package.substr(0, package.find('.')) + "." + method.name();
}

CommandType read_command(const google::protobuf::MethodDescriptor& method,
                         const Registry& registry) {
  const auto& request = *method.input_type();
  const auto* context = request.FindFieldByNumber(1);
  const auto* ledger = request.FindFieldByNumber(2);
  const auto* receipt = method.output_type()->FindFieldByNumber(1);
  if (!context || context->message_type() != common::v1::RequestContext::descriptor() || !ledger ||
      ledger->name() != "ledger" || !receipt ||
      receipt->message_type() != common::v1::Receipt::descriptor()) {
    broken_invariant(
        "a command's request starts with context and ledger, its response with receipt: " +
        method.full_name());
  }
  CommandType type;
  type.name = command_name(method);
  type.method = method.full_name();
  type.descriptor = &method;
  type.options = &method.options().GetExtension(command);
  type.plan = &RequestPlan::of(request);
  type.functions = registry.find_command(request.full_name());
  type.context_field = context;
  type.ledger_field = ledger;
  type.reflection = type.functions->prototype->GetReflection();
  type.effective =
      type.options->effective().empty() ? std::string(kContextDate) : type.options->effective();
  type.effective_path = DatePath(request, type.effective);
  type.creates = Identity(request, type.options->creates());
  type.creates_kind = type.options->creates_kind();
  if (const auto* id = request.FindFieldByName(type.options->creates()))
    type.creates_subject = id->options().GetExtension(field).subject();
  if (!type.creates.empty() && type.creates_kind.empty()) {
    broken_invariant("`creates` without `creates_kind`: " + method.full_name());
  }
  type.response = MessageFactory::generated_factory()->GetPrototype(method.output_type());
  return type;
}

}  // namespace

const common::v1::RequestContext& CommandType::context_of(const Message& request) const {
  return static_cast<const common::v1::RequestContext&>(
      reflection->GetMessage(request, context_field));
}

const std::string& CommandType::ledger_of(const Message& request) const {
  // A generated string field: the reference is into `request`, the scratch stays unused.
  std::string unused;
  return reflection->GetStringReference(request, ledger_field, &unused);
}

CommandCatalogue::CommandCatalogue(const Registry& registry) {
  registry.check_complete();
  const auto* pool = DescriptorPool::generated_pool();
  // Every command's service stands in `service.proto` beside its request.
  std::vector<const google::protobuf::FileDescriptor*> files;
  registry.each_command([&](const Registry::Command& registered) {
    std::string folder = registered.prototype->GetDescriptor()->file()->package();
    std::replace(folder.begin(), folder.end(), '.', '/');
    const auto* file = pool->FindFileByName(folder + "/service.proto");
    if (!file) broken_invariant("no service.proto in " + folder);
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  });
  for (const auto* file : files) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto& method = *file->service(s)->method(m);
        if (!method.options().HasExtension(command)) continue;
        by_method_.emplace(method.full_name(), read_command(method, registry));
      }
    }
  }
  for (const auto& [name, type] : by_method_)
    by_request_[type.descriptor->input_type()->full_name()] = &type;
}

const CommandType* CommandCatalogue::by_request(std::string_view request_full_name) const {
  const auto found = by_request_.find(request_full_name);
  return found == by_request_.end() ? nullptr : found->second;
}

void check_stateless(const CommandType& type, const Message& request, Violations& found) {
  const auto* context =
      type.reflection->HasField(request, type.context_field) ? &type.context_of(request) : nullptr;
  if (!context) found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "context", "is required");
  if (context && type.effective == kContextDate && !context->has_effective_date()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, std::string(kContextDate), "is required");
  }
  if (context && type.effective != kContextDate && context->has_effective_date()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, std::string(kContextDate),
              "must not stand here: the effective date of this command is " + type.effective);
  }
  if (context && context->expected_version() != 0 && type.options->aggregate().empty()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "context.expected_version",
              "must not stand with a creating command");
  }
  if (context && context->reason().empty() && type.options->reason_required()) {
    found.add(common::v1::COMMON_REFUSAL_REASON_REQUIRED, "context.reason", "a reason is required");
  }
  const std::string& ledger = type.ledger_of(request);
  if (ledger.empty()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "ledger", "is required");
  } else if (!is_ledger_code(ledger)) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "ledger",
              "must be a ledger code of 6 digits");
  }
  type.plan->check(request, found);
  if (type.functions->validate) type.functions->validate(request, found);
}

std::optional<Refusal> check_authority(const CommandType& type, const Message& request,
                                       const std::vector<Reference>& references,
                                       const Caller& caller) {
  const auto& roles = type.options->roles();
  const bool role = roles.empty() ? caller.has_role(common::v1::ROLE_MAKER)
                                  : std::any_of(roles.begin(), roles.end(), [&](int wanted) {
                                      return caller.has_role(wanted);
                                    });
  if (!role) return refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "", {{"missing", "role"}});
  if (!caller.may_enter(type.ledger_of(request))) {
    return refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "ledger", {{"missing", "region"}});
  }
  for (const auto& reference : references) {
    if (reference.kind == Reference::Kind::kRegion &&
        !caller.covers(std::string(reference.value))) {
      return refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, reference.field,
                    {{"missing", "region"}});
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_kind(const CommandType& type, int ledger_kind) {
  const auto& kinds = type.options->kinds();
  const bool allowed = kinds.empty()
                           ? ledger_kind == common::v1::LEDGER_KIND_COUNTY
                           : std::find(kinds.begin(), kinds.end(), ledger_kind) != kinds.end();
  if (allowed) return std::nullopt;
  return refuse(common::v1::COMMON_REFUSAL_LEDGER_KIND_NOT_ALLOWED, "ledger");
}

Decision decide_command(const Registry& registry, const CommandType& type, const Ledger& ledger,
                        const Message& request, const std::vector<Reference>& references,
                        std::string_view creating_fingerprint) {
  const int32_t day = ledger.effective_day();
  if (day > ledger.today())
    return refuse(common::v1::COMMON_REFUSAL_EFFECTIVE_DATE_IN_FUTURE, type.effective);

  const auto& checks = registry.reference_checks();
  // Over all references of one kind: not-found refusals win over not-active ones.
  const auto ask = [&](Reference::Kind kind, const auto& check) {
    std::optional<Refusal> first;
    for (const auto& reference : references) {
      if (reference.kind != kind || !reference.checked) continue;
      auto no = check(reference);
      if (!no) continue;
      if (no->value->options().GetExtension(code) == common::v1::REFUSAL_CODE_NOT_FOUND) return no;
      if (!first) first = std::move(no);
    }
    return first;
  };
  if (auto no = ask(Reference::Kind::kCode, [&](const Reference& named) {
        return checks.code_in_list(ledger, named.list_id, named.value, day, named.field);
      })) {
    return *no;
  }
  if (auto no = ask(Reference::Kind::kRegion, [&](const Reference& named) {
        return checks.region(ledger, named.value, day, named.field);
      })) {
    return *no;
  }
  if (!type.creates.empty()) {
    const auto* there = ledger.find<state::Creation>(type.creates_kind, type.creates.of(request));
    if (there && there->fingerprint() == creating_fingerprint) {
      return Unchanged{there->first_seq(), there->last_seq(), there->recorded_time_us()};
    }
    if (there && !type.options->natural_key()) {
      return refuse(common::v1::COMMON_REFUSAL_ID_TAKEN, type.creates.first_name());
    }
  }
  const std::string created = type.creates.of(request);
  if (auto no = ask(Reference::Kind::kSubject, [&](const Reference& named) -> std::optional<Refusal> {
        // What the command itself creates is not missing; whether it may be named is its decide's.
        if (named.subject_kind == type.creates_subject && named.value == created)
          return std::nullopt;
        return checks.subject(ledger, named.subject_kind, named.value, day, named.field);
      })) {
    return *no;
  }
  return type.functions->decide(ledger, request);
}

void apply_event(const Registry& registry, Rows& rows, Occasion occasion, std::string_view type,
                 const Message& event) {
  const auto* registered = registry.find_event(type);
  if (!registered) broken_invariant("no evolve for " + std::string(type));
  occasion.context = registered->context;
  Ledger ledger(rows, occasion);
  registered->evolve(ledger, event);
}

void apply_request(Rows& rows, const Occasion& occasion, const AppliedRequest& request,
                   int64_t first_seq, int64_t last_seq, const Message& first_event) {
  Occasion own = occasion;
  own.context = "platform";
  Ledger ledger(rows, own);
  Ledger named(request.named ? *request.named : rows, own);
  auto& settled = named.edit<state::SettledRequest>(request.request_id);
  settled.set_first_seq(first_seq);
  settled.set_last_seq(last_seq);
  settled.set_recorded_time_us(occasion.recorded_time_us);
  settled.set_fingerprint(std::string(request.fingerprint));
  if (request.named) settled.set_ledger(occasion.ledger);
  if (request.creating_fingerprint.empty()) return;
  const auto& created = Created::by(*first_event.GetDescriptor());
  auto& creation = ledger.edit<state::Creation>(created.kind, created.identity.of(first_event));
  creation.set_fingerprint(std::string(request.creating_fingerprint));
  creation.set_first_seq(first_seq);
  creation.set_last_seq(last_seq);
  creation.set_recorded_time_us(occasion.recorded_time_us);
}

}  // namespace taizhang
