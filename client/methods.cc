// Methods by name, from the descriptors this program is linked with.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <map>

#include "client/client.h"

namespace taizhang::client {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;

std::string short_package(const std::string& package) {
  std::string name = package.starts_with("taizhang.") ? package.substr(9) : package;
  if (const size_t version = name.rfind(".v"); version != std::string::npos) name.resize(version);
  return name;
}

const std::map<std::string, const MethodDescriptor*, std::less<>>& methods() {
  static const auto* const all = [] {
    auto* found = new std::map<std::string, const MethodDescriptor*, std::less<>>;
    // The pool builds files on demand; only its database knows them all.
    std::vector<std::string> files;
    DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
    for (const auto& name : files) {
      if (!name.starts_with("taizhang/")) continue;
      const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
      for (int s = 0; s < file->service_count(); ++s) {
        for (int m = 0; m < file->service(s)->method_count(); ++m) {
          const auto* method = file->service(s)->method(m);
          found->emplace(short_name(*method), method);
        }
      }
    }
    return found;
  }();
  return *all;
}

}  // namespace

std::string short_name(const MethodDescriptor& method) {
  return short_package(method.file()->package()) + "." + method.name();
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& [name, method] : methods()) names.push_back(name);
  return names;
}

const MethodDescriptor* find_method(std::string_view name) {
  if (const auto found = methods().find(name); found != methods().end()) return found->second;
  std::string full(name);
  std::replace(full.begin(), full.end(), '/', '.');
  if (full.starts_with('.')) full.erase(0, 1);
  for (const auto& [key, method] : methods()) {
    if (method->full_name() == full || method->file()->package() + "." + method->name() == full)
      return method;
  }
  return nullptr;
}

std::unique_ptr<Message> new_message(std::string_view full_name) {
  const auto* descriptor =
      DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(full_name));
  if (!descriptor) return nullptr;
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
}

std::unique_ptr<Message> new_request(const MethodDescriptor& method) {
  return new_message(method.input_type()->full_name());
}

std::unique_ptr<Message> new_response(const MethodDescriptor& method) {
  return new_message(method.output_type()->full_name());
}

}  // namespace taizhang::client
