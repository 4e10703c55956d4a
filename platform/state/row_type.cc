// Kinds of rows, read from their descriptors.
#include "platform/state/row_type.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <mutex>
#include <unordered_map>

#include "platform/base/log.h"
#include "platform/state/key.h"
#include "taizhang/options.pb.h"

namespace taizhang {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// "taizhang.registry.state.v1" -> "registry".
std::string context_of(std::string_view package) {
  constexpr std::string_view kRoot = "taizhang.";
  if (package.substr(0, kRoot.size()) == kRoot) package.remove_prefix(kRoot.size());
  return std::string(package.substr(0, package.find('.')));
}

std::unique_ptr<RowType> read_row_type(const Message& prototype) {
  const auto& descriptor = *prototype.GetDescriptor();
  const auto& options = descriptor.options().GetExtension(table);
  if (options.name().empty() || options.key().empty()) {
    broken_invariant("row message without a (table) name and key: " + descriptor.full_name());
  }
  auto type = std::make_unique<RowType>();
  // The one that lives for ever: `prototype` may be a row on somebody's stack.
  type->prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&descriptor);
  type->reflection = type->prototype->GetReflection();
  type->name = options.name();
  append_key_text(type->prefix, options.name());
  type->context = context_of(descriptor.file()->package());
  std::string_view rest = options.key();
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string name(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (!name.empty() && name.front() == ' ') name.erase(0, 1);
    const auto* key_field = descriptor.FindFieldByName(name);
    if (!key_field || key_field->is_repeated()) {
      broken_invariant("(table) of " + descriptor.full_name() +
                       " names no such key field: " + name);
    }
    type->key_fields.push_back(key_field);
    type->key_cpp_types.push_back(key_field->cpp_type());
  }
  const auto* version = descriptor.FindFieldByName("version");
  if (version && version->cpp_type() == FieldDescriptor::CPPTYPE_INT64)
    type->version_field = version;
  return type;
}

int64_t date_number(const Message& date) {
  const auto& reflection = *date.GetReflection();
  const auto& descriptor = *date.GetDescriptor();
  const auto part = [&](const char* name) {
    return int64_t{reflection.GetInt32(date, descriptor.FindFieldByName(name))};
  };
  return part("year") * 10'000 + part("month") * 100 + part("day");
}

void set_date(Message& date, int64_t number) {
  const auto& reflection = *date.GetReflection();
  const auto& descriptor = *date.GetDescriptor();
  const auto set = [&](const char* name, int64_t value) {
    reflection.SetInt32(&date, descriptor.FindFieldByName(name), static_cast<int32_t>(value));
  };
  set("year", number / 10'000);
  set("month", number / 100 % 100);
  set("day", number % 100);
}

}  // namespace

const RowType& RowType::of(const Message& prototype) {
  static std::mutex mutex;
  static std::unordered_map<const google::protobuf::Descriptor*, std::unique_ptr<RowType>> types;
  const std::lock_guard lock(mutex);
  auto& type = types[prototype.GetDescriptor()];
  if (!type) {
    type = read_row_type(prototype);
    type->index = types.size() - 1;
  }
  return *type;
}

std::string RowType::key_of(const Message& row) const {
  std::string key;
  std::string scratch;
  for (size_t i = 0; i < key_fields.size(); ++i) {
    const auto* part = key_fields[i];
    const int cpp_type = key_cpp_types[i];
    switch (cpp_type) {
      case FieldDescriptor::CPPTYPE_STRING:
        append_key_text(key, reflection->GetStringReference(row, part, &scratch));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        append_key_number(key, reflection->GetEnumValue(row, part));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        append_key_number(key, reflection->GetInt32(row, part));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        append_key_number(key, reflection->GetInt64(row, part));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        append_key_number(key, date_number(reflection->GetMessage(row, part)));
        break;
      default: broken_invariant("key field of an unsupported type: " + part->full_name());
    }
  }
  return key;
}

void RowType::fill_key(Message& row, std::string_view key) const {
  bool fits = true;
  for (size_t i = 0; i < key_fields.size(); ++i) {
    const auto* part = key_fields[i];
    const int cpp_type = key_cpp_types[i];
    if (cpp_type == FieldDescriptor::CPPTYPE_STRING) {
      std::string text;
      fits = fits && take_key_text(key, text);
      reflection->SetString(&row, part, std::move(text));
      continue;
    }
    int64_t number = 0;
    fits = fits && take_key_number(key, number);
    switch (cpp_type) {
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(&row, part, static_cast<int>(number));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(&row, part, static_cast<int32_t>(number));
        break;
      case FieldDescriptor::CPPTYPE_INT64: reflection->SetInt64(&row, part, number); break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        set_date(*reflection->MutableMessage(&row, part), number);
        break;
      default: fits = false;
    }
  }
  if (!fits || !key.empty()) broken_invariant("key does not fit table " + name);
}

}  // namespace taizhang
