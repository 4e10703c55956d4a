// Functions tied to protos, and the check that none is forgotten.
#include "platform/command/registry.h"

#include <google/protobuf/descriptor.h>

#include <set>

#include "platform/base/log.h"
#include "taizhang/options.pb.h"

namespace taizhang {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;

namespace {

constexpr std::string_view kRoot = "taizhang.";

std::string context_of(const Descriptor& event) {
  std::string_view package = event.file()->package();
  package.remove_prefix(kRoot.size());
  return std::string(package.substr(0, package.find('.')));
}

// "SpendDirectly emits FundsAllocated": the event's full name, or empty.
std::string find_emitted(const Descriptor& request, const std::string& name) {
  const std::string full = name.find('.') == std::string::npos
                               ? request.file()->package() + "." + name
                               : std::string(kRoot) + name;
  const auto* pool = DescriptorPool::generated_pool();
  return pool->FindMessageTypeByName(full) ? full : pool->FindMessageTypeByName(name) ? name : "";
}

}  // namespace

std::string_view stored_type(std::string_view full_name) {
  if (full_name.starts_with(kRoot)) full_name.remove_prefix(kRoot.size());
  return full_name;
}

void Registry::add_command(const Message& prototype, DecideFn decide) {
  auto& command = commands_[prototype.GetDescriptor()->full_name()];
  if (command.decide) broken_invariant("two decides for " + prototype.GetDescriptor()->full_name());
  command.prototype = &prototype;
  command.decide = std::move(decide);
}

void Registry::add_validate(const Message& prototype, ValidateFn check) {
  auto& command = commands_[prototype.GetDescriptor()->full_name()];
  if (command.validate)
    broken_invariant("two validates for " + prototype.GetDescriptor()->full_name());
  command.validate = std::move(check);
}

void Registry::add_event(const Message& prototype, EvolveFn evolve) {
  const auto& descriptor = *prototype.GetDescriptor();
  auto& event = events_[std::string(stored_type(descriptor.full_name()))];
  if (event.evolve) broken_invariant("two evolves for " + descriptor.full_name());
  event = {&prototype, std::move(evolve), context_of(descriptor)};
}

const Registry::Command* Registry::find_command(std::string_view request_name) const {
  const auto found = commands_.find(request_name);
  return found == commands_.end() ? nullptr : &found->second;
}

void Registry::each_command(const std::function<void(const Command&)>& visit) const {
  for (const auto& [name, command] : commands_) visit(command);
}

const Registry::Event* Registry::find_event(std::string_view type) const {
  const auto found = events_.find(type);
  return found == events_.end() ? nullptr : &found->second;
}

void Registry::check_complete() const {
  const auto* pool = DescriptorPool::generated_pool();
  std::set<const FileDescriptor*> files;
  for (const auto& [name, registered] : commands_) {
    if (!registered.decide) broken_invariant("a validate without a decide: " + name);
    files.insert(registered.prototype->GetDescriptor()->file());
  }
  for (const auto& [name, event] : events_) files.insert(event.prototype->GetDescriptor()->file());
  // Services stand in the package of their requests.
  for (const auto& [name, registered] : commands_) {
    std::string folder = registered.prototype->GetDescriptor()->file()->package();
    for (char& c : folder) {
      if (c == '.') c = '/';
    }
    if (const auto* file = pool->FindFileByName(folder + "/service.proto")) files.insert(file);
  }
  std::set<std::string> seen_commands;
  for (const auto* file : files) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto& method = *file->service(s)->method(m);
        if (!method.options().HasExtension(taizhang::command)) continue;
        const auto& options = method.options().GetExtension(taizhang::command);
        const auto* registered = find_command(method.input_type()->full_name());
        if (!registered) broken_invariant("no decide for " + method.full_name());
        seen_commands.insert(method.input_type()->full_name());
        for (const auto& emitted : options.emits()) {
          const std::string full = find_emitted(*method.input_type(), emitted);
          if (full.empty() || !find_event(stored_type(full))) {
            broken_invariant(method.full_name() + " emits an event without evolve: " + emitted);
          }
        }
      }
    }
    const std::string& path = file->name();
    if (path.substr(path.rfind('/') + 1).starts_with("events")) {
      for (int i = 0; i < file->message_type_count(); ++i) {
        const auto& message = *file->message_type(i);
        if (message.options().HasExtension(taizhang::event) &&
            !find_event(stored_type(message.full_name()))) {
          broken_invariant("no evolve for " + message.full_name());
        }
      }
    }
  }
  for (const auto& [name, registered] : commands_) {
    if (!seen_commands.contains(name)) broken_invariant("no rpc with (command) takes " + name);
  }
}

}  // namespace taizhang
