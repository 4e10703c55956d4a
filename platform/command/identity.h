// The identity of what a command creates: some fields of its request and of its first event.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace taizhang {

class Identity {
 public:
  Identity() = default;  // creates nothing
  // `names`: fields of `type` divided by commas, as `creates` of an option gives them. Aborts when
  // one is no single text or number of the type.
  Identity(const google::protobuf::Descriptor& type, std::string_view names);

  bool empty() const { return parts_.empty(); }
  // Name of the first field: what a refusal speaks of.
  const std::string& first_name() const;
  // One text; parts divided by '/'. Empty: creates nothing.
  std::string of(const google::protobuf::Message& message) const;

 private:
  std::vector<const google::protobuf::FieldDescriptor*> parts_;
};

// What an event creates by its (event) option; read once per type.
struct Created {
  std::string kind;
  Identity identity;
  static const Created& by(const google::protobuf::Descriptor& event);
};

}  // namespace taizhang
