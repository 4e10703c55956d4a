// What the platform knows of a kind of row, read once from its descriptor and its (table) option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
class Reflection;
}  // namespace google::protobuf

namespace taizhang {

// Lives for ever; compare by address.
struct RowType {
  const google::protobuf::Message* prototype = nullptr;
  // Stored in front of every key: table name and its terminator.
  std::string prefix;
  std::string name;
  // "registry": the package taizhang.registry.state.v1 says who may write it.
  std::string context;
  std::vector<const google::protobuf::FieldDescriptor*> key_fields;
  // FieldDescriptor::CppType of each of them, which costs a look-up each time it is asked for.
  std::vector<int> key_cpp_types;
  const google::protobuf::Reflection* reflection = nullptr;
  // 0, 1, 2 … in the order in which types are first asked for: a place in a vector.
  size_t index = 0;
  // int64 `version`, stamped with the seq of the event that last wrote the row; null: the row has
  // none.
  const google::protobuf::FieldDescriptor* version_field = nullptr;

  // Aborts when the message has no (table) option or its key names a field it does not have.
  static const RowType& of(const google::protobuf::Message& prototype);

  // Key of a row made from its own key fields.
  std::string key_of(const google::protobuf::Message& row) const;
  // Fills the key fields of an empty row from an encoded key. Aborts when they do not fit.
  void fill_key(google::protobuf::Message& row, std::string_view key) const;
};

template <class Row>
const RowType& row_type() {
  static const RowType& type = RowType::of(Row::default_instance());
  return type;
}

}  // namespace taizhang
