// Tables from descriptors, keys from text.
#include "platform/projection/view_tables.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>

#include "platform/base/sha256.h"
#include "platform/command/answer.h"
#include "platform/projection/formula.h"
#include "platform/projection/store.h"
#include "platform/state/key.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;

std::vector<const RowType*> read_tables(const std::string& view) {
  const std::string package = "taizhang." + view + ".state.v1";
  std::vector<std::string> names;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&names);
  std::vector<const RowType*> tables;
  for (const auto& name : names) {
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    if (!file || file->package() != package) continue;
    for (int i = 0; i < file->message_type_count(); ++i) {
      const auto* type = file->message_type(i);
      if (!type->options().HasExtension(taizhang::table)) continue;
      tables.push_back(
          &RowType::of(*google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)));
    }
  }
  std::sort(tables.begin(), tables.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  return tables;
}

bool reaches_sealed(const Descriptor& type, int depth) {
  constexpr int kDepthMax = 8;
  if (&type == common::v1::Sealed::descriptor()) return true;
  for (int i = 0; depth < kDepthMax && i < type.field_count(); ++i) {
    const auto* below = type.field(i)->message_type();
    if (below && reaches_sealed(*below, depth + 1)) return true;
  }
  return false;
}

bool read_number(const std::string& text, int64_t& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool read_day(const std::string& text, int64_t& out) {
  int year = 0;
  int month = 0;
  int day = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 ||
      static_cast<size_t>(used) != text.size())
    return false;
  out = int64_t{year} * 10'000 + month * 100 + day;
  return true;
}

bool read_enum(const FieldDescriptor& field, const std::string& text, int64_t& out) {
  const auto& values = *field.enum_type();
  for (int i = 0; i < values.value_count(); ++i) {
    const auto& value = *values.value(i);
    if (text != value.name() && text != short_name(value)) continue;
    out = value.number();
    return true;
  }
  return read_number(text, out);
}

bool append_part(const FieldDescriptor& field, const std::string& text, std::string& key) {
  int64_t number = 0;
  bool fits = false;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      // Control characters stand in no key: the encoding would not take them.
      if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }))
        return false;
      append_key_text(key, text);
      return true;
    case FieldDescriptor::CPPTYPE_ENUM: fits = read_enum(field, text, number); break;
    case FieldDescriptor::CPPTYPE_MESSAGE: fits = read_day(text, number); break;
    default: fits = read_number(text, number);
  }
  if (fits) append_key_number(key, number);
  return fits;
}

// Nothing: the key does not begin with such a part.
std::optional<std::string> take_part(const FieldDescriptor& field, std::string_view& key) {
  std::string text;
  int64_t number = 0;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING)
    return take_key_text(key, text) ? std::optional(text) : std::nullopt;
  if (!take_key_number(key, number)) return std::nullopt;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const auto* value = field.enum_type()->FindValueByNumber(static_cast<int>(number));
    if (value) return short_name(*value);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    char day[64];
    std::snprintf(day, sizeof day, "%04lld-%02lld-%02lld", static_cast<long long>(number / 10'000),
                  static_cast<long long>(number / 100 % 100), static_cast<long long>(number % 100));
    return day;
  }
  return std::to_string(number);
}

}  // namespace

const std::vector<const RowType*>& tables_of(std::string_view view) {
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, std::vector<const RowType*>, std::less<>>;
  const std::lock_guard lock(mutex);
  auto found = known->find(view);
  if (found == known->end()) {
    const std::string name(view);
    found = known->emplace(name, read_tables(name)).first;
  }
  return found->second;
}

const RowType* find_table(std::string_view view, std::string_view table) {
  for (const auto* candidate : tables_of(view)) {
    if (candidate->name == table) return candidate;
  }
  return nullptr;
}

bool holds_personal(const RowType& table) {
  return reaches_sealed(*table.prototype->GetDescriptor(), 0);
}

absl::StatusOr<std::string> key_of_text(const RowType& table,
                                        const std::vector<std::string>& parts) {
  if (parts.size() > table.key_fields.size()) {
    return absl::InvalidArgumentError("table " + table.name + " has " +
                                      std::to_string(table.key_fields.size()) + " key fields, " +
                                      std::to_string(parts.size()) + " are named");
  }
  std::string key;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!append_part(*table.key_fields[i], parts[i], key)) {
      return absl::InvalidArgumentError("\"" + parts[i] + "\" is no value of key field " +
                                        table.key_fields[i]->name());
    }
  }
  return key;
}

std::vector<std::string> key_text(const RowType& table, std::string_view key) {
  std::vector<std::string> parts;
  for (const auto* field : table.key_fields) {
    auto part = take_part(*field, key);
    if (!part) return {};
    parts.push_back(std::move(*part));
  }
  return parts;
}

std::string place_of(std::string_view view, std::string_view store_key) {
  std::string_view rest = store_key;
  if (!rest.empty()) rest.remove_prefix(1);
  std::string ledger;
  std::string name;
  if (!take_key_text(rest, ledger) || !take_key_text(rest, name) ||
      rest.size() < store_key::kVersionBytes) {
    return "an unreadable key " + hex(store_key);
  }
  std::string place = name;
  const std::string_view key = store_key::without_version(rest);
  const auto* table = find_table(view, name);
  const auto parts = table ? key_text(*table, key) : std::vector<std::string>();
  for (const auto& part : parts) place += "/" + part;
  if (parts.empty()) place += "/" + hex(key);
  return place + ", seq " + std::to_string(store_key::version_of(rest));
}

}  // namespace taizhang::projection
