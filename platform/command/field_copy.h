// Copying fields between messages of different types, along plans that are made once.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <memory>

#include "absl/container/flat_hash_map.h"

namespace taizhang {

// Copies one field into one of equal type; an absent one stays absent, lists are appended.
class FieldCopy {
 public:
  FieldCopy(const google::protobuf::FieldDescriptor& from,
            const google::protobuf::FieldDescriptor& to);
  // The reflections are those of the two messages.
  void copy(const google::protobuf::Message& in, const google::protobuf::Reflection& source,
            google::protobuf::Message& out, const google::protobuf::Reflection& target) const;

 private:
  void copy_list(const google::protobuf::Message& in, const google::protobuf::Reflection& source,
                 google::protobuf::Message& out, const google::protobuf::Reflection& target) const;

  const google::protobuf::FieldDescriptor* from_;
  const google::protobuf::FieldDescriptor* to_;
  // The descriptors' own answers, which cost a look-up each time they are asked.
  google::protobuf::FieldDescriptor::CppType type_;
  bool repeated_;
  bool presence_;
  bool same_message_;
};

const google::protobuf::Reflection& reflection_of(const google::protobuf::Descriptor& type);

// The plan made of some message types, kept for ever; one per thread, so that nobody waits.
template <class Plan, class... Types>
const Plan& plan_of(const Types&... types) {
  thread_local absl::flat_hash_map<std::array<const void*, sizeof...(Types)>, std::unique_ptr<Plan>>
      plans;
  auto& plan = plans[{&types...}];
  if (!plan) plan = std::make_unique<Plan>(types...);
  return *plan;
}

}  // namespace taizhang
