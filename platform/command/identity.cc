// Identities, read from descriptors.
#include "platform/command/identity.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "platform/base/log.h"
#include "taizhang/options.pb.h"

namespace taizhang {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string name(list.substr(0, comma));
    name.erase(0, name.find_first_not_of(' '));
    names.push_back(std::move(name));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

}  // namespace

Identity::Identity(const Descriptor& type, std::string_view names) {
  for (const auto& name : split_names(names)) {
    const auto* part = type.FindFieldByName(name);
    if (!part || part->is_repeated() || part->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      broken_invariant("`creates` of " + type.full_name() + " names no such field: " + name);
    }
    parts_.push_back(part);
  }
}

const std::string& Identity::first_name() const { return parts_.front()->name(); }

std::string Identity::of(const Message& message) const {
  std::string id;
  if (parts_.empty()) return id;
  const auto& reflection = *message.GetReflection();
  for (const auto* part : parts_) {
    if (!id.empty()) id += '/';
    if (part->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      id += reflection.GetString(message, part);
    } else if (part->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
      id += std::to_string(reflection.GetInt32(message, part));
    } else {
      id += std::to_string(reflection.GetInt64(message, part));
    }
  }
  return id;
}

const Created& Created::by(const Descriptor& event_type) {
  static std::mutex mutex;
  static std::unordered_map<const Descriptor*, std::unique_ptr<Created>> known;
  const std::lock_guard lock(mutex);
  auto& created = known[&event_type];
  if (!created) {
    const auto& options = event_type.options().GetExtension(event);
    created = std::make_unique<Created>(
        Created{options.creates_kind(), Identity(event_type, options.creates())});
  }
  return *created;
}

}  // namespace taizhang
