// One pass over the text with the descriptor in hand; protobuf's own reader converts only what this
// one let pass.
#include "client/strict_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "client/json_reader.h"

namespace taizhang::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using nlohmann::json;

constexpr size_t kDepthMax = 64;
constexpr int kNamesListedMax = 12;

std::string short_type(const Descriptor& message) { return message.full_name(); }

std::string names_of(const Descriptor& message) {
  std::string names;
  for (int i = 0; i < message.field_count(); ++i) {
    names += i ? ", " : "";
    if (i == kNamesListedMax) return names + "…";
    names += message.field(i)->name();
  }
  return names;
}

std::string names_of(const google::protobuf::EnumDescriptor& values) {
  std::string names;
  int listed = 0;
  for (int i = 0; i < values.value_count(); ++i) {
    if (values.value(i)->number() == 0) continue;
    names += listed ? ", " : "";
    if (listed++ == kNamesListedMax) return names + "…";
    names += values.value(i)->name();
  }
  return names;
}

bool is_text_form(const Descriptor& message) {
  return message.full_name() == "google.protobuf.Timestamp" ||
         message.full_name() == "google.protobuf.Duration" ||
         message.full_name() == "google.protobuf.FieldMask";
}

class MessageReader final : public JsonReader {
 public:
  MessageReader(std::string_view text, Place from, const Descriptor& root)
      : JsonReader(text, from), root_(root) {}

  bool null() override {
    number_ = false;
    return fail("null is no value; leave the field out");
  }
  bool boolean(bool) override {
    number_ = false;
    const FieldDescriptor* field = nullptr;
    if (!scalar(field)) return false;
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL) return fail(expected(*field));
    return true;
  }
  bool number_integer(number_integer_t value) override { return integer(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return integer(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& spelled) override {
    number_ = true;
    const FieldDescriptor* field = nullptr;
    if (!scalar(field)) return false;
    if (is_integer(*field)) {
      const bool whole = spelled.find_first_of(".eE") == std::string::npos;
      return fail(whole ? expected(*field)
                        : "fraction or exponent in " + field->name() + "; " + expected(*field));
    }
    const auto type = field->cpp_type();
    if (type != FieldDescriptor::CPPTYPE_DOUBLE && type != FieldDescriptor::CPPTYPE_FLOAT)
      return fail(expected(*field));
    return true;
  }
  bool string(string_t& value) override {
    number_ = false;
    const FieldDescriptor* field = nullptr;
    if (!scalar(field, /*text=*/true)) return false;
    if (is_integer(*field)) return check_integer(*field, value);
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: return true;
      case FieldDescriptor::CPPTYPE_ENUM:
        if (field->enum_type()->FindValueByName(value)) return true;
        return fail("unknown value " + json(value).dump() + " of " + field->name() +
                    "; expected one of: " + names_of(*field->enum_type()));
      case FieldDescriptor::CPPTYPE_MESSAGE: return true;  // scalar() let only the text forms pass
      default: return fail(expected(*field));
    }
  }
  bool start_object(std::size_t) override {
    number_ = false;
    if (frames_.size() >= kDepthMax) return fail("nested deeper than " + std::to_string(kDepthMax));
    if (frames_.empty()) {
      frames_.push_back({.message = &root_});
      return true;
    }
    const FieldDescriptor* field = nullptr;
    if (!value_of(field)) return false;
    if (field->is_map() && !frames_.back().in_list && !frames_.back().map) {
      frames_.push_back({.map = field});
      return true;
    }
    const FieldDescriptor* holder = field->is_map() ? field->message_type()->map_value() : field;
    if (holder->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
        is_text_form(*holder->message_type())) {
      return fail(expected(*holder));
    }
    if (holder->message_type()->full_name() == "google.protobuf.Any")
      return fail("google.protobuf.Any is not taken");
    frames_.push_back({.message = holder->message_type()});
    return true;
  }
  bool end_object() override {
    frames_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    number_ = false;
    if (frames_.empty()) return fail("expected an object of " + short_type(root_));
    Frame& frame = frames_.back();
    if (frame.in_list || frame.map || !frame.field->is_repeated() || frame.field->is_map()) {
      return fail(frame.field ? expected(*frame.field) : "a list is not expected here");
    }
    frames_.push_back({.field = frame.field, .in_list = true});
    return true;
  }
  bool end_array() override {
    frames_.pop_back();
    return true;
  }
  bool key(string_t& name) override {
    number_ = false;
    Frame& frame = frames_.back();
    if (frame.map) {
      if (!frame.keys.insert(name).second)
        return fail("the key " + json(name).dump() + " stands twice");
      return true;
    }
    const Descriptor& message = *frame.message;
    const FieldDescriptor* field = message.FindFieldByName(name);
    if (!field) {
      for (int i = 0; i < message.field_count() && !field; ++i) {
        if (message.field(i)->json_name() == name) field = message.field(i);
      }
    }
    if (!field) {
      return fail("unknown field " + json(name).dump() + " of " + short_type(message) +
                  "; its fields: " + names_of(message));
    }
    if (const auto [known, is_new] = frame.fields.emplace(field->number(), name); !is_new) {
      return fail(known->second == name
                      ? "the field " + name + " stands twice"
                      : "the field stands in both spellings: " + known->second + " and " + name);
    }
    if (const auto* oneof = field->real_containing_oneof()) {
      if (const auto [known, is_new] = frame.oneofs.emplace(oneof->index(), name); !is_new) {
        return fail("only one of " + known->second + " and " + name + " may be set");
      }
    }
    frame.field = field;
    return true;
  }

 private:
  struct Frame {
    const Descriptor* message = nullptr;  // an object
    const FieldDescriptor* field =
        nullptr;  // the field whose value is read, or of the list's items
    bool in_list = false;
    const FieldDescriptor* map = nullptr;    // an object that is a map
    std::map<int, std::string> fields = {};  // number -> spelling
    std::map<int, std::string> oneofs = {};
    std::set<std::string> keys = {};
  };

  // The field that the value at hand belongs to.
  bool value_of(const FieldDescriptor*& field) {
    if (frames_.empty()) return fail("expected an object of " + short_type(root_));
    const Frame& frame = frames_.back();
    if (frame.map) {
      field = frame.map;
      return true;
    }
    field = frame.field;
    if (field->is_repeated() && !frame.in_list && !field->is_map()) return fail(expected(*field));
    return true;
  }

  bool scalar(const FieldDescriptor*& field, bool text = false) {
    if (!value_of(field)) return false;
    if (field->is_map()) {
      if (!frames_.back().map) return fail(expected(*field));
      field = field->message_type()->map_value();
    }
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
        !(text && is_text_form(*field->message_type()))) {
      return fail(expected(*field));
    }
    return true;
  }

  static bool is_integer(const FieldDescriptor& field) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
      case FieldDescriptor::CPPTYPE_INT64:
      case FieldDescriptor::CPPTYPE_UINT32:
      case FieldDescriptor::CPPTYPE_UINT64: return true;
      default: return false;
    }
  }

  bool integer(const std::string& spelled) {
    number_ = true;
    const FieldDescriptor* field = nullptr;
    if (!scalar(field)) return false;
    if (is_integer(*field)) return check_integer(*field, spelled);
    const auto type = field->cpp_type();
    if (type == FieldDescriptor::CPPTYPE_DOUBLE || type == FieldDescriptor::CPPTYPE_FLOAT)
      return true;
    if (type == FieldDescriptor::CPPTYPE_ENUM) {
      int number = 0;
      const auto read = std::from_chars(spelled.data(), spelled.data() + spelled.size(), number);
      if (read.ec == std::errc() && field->enum_type()->FindValueByNumber(number)) return true;
      return fail("unknown value " + spelled + " of " + field->name() +
                  "; expected one of: " + names_of(*field->enum_type()));
    }
    return fail(expected(*field));
  }

  template <class Int>
  static bool fits(std::string_view spelled) {
    Int value = 0;
    const auto read = std::from_chars(spelled.data(), spelled.data() + spelled.size(), value);
    return read.ec == std::errc() && read.ptr == spelled.data() + spelled.size();
  }

  bool check_integer(const FieldDescriptor& field, std::string_view spelled) {
    bool good = false;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: good = fits<int32_t>(spelled); break;
      case FieldDescriptor::CPPTYPE_INT64: good = fits<int64_t>(spelled); break;
      case FieldDescriptor::CPPTYPE_UINT32: good = fits<uint32_t>(spelled); break;
      default: good = fits<uint64_t>(spelled); break;
    }
    return good || fail(expected(field));
  }

  static std::string expected(const FieldDescriptor& field) {
    const std::string of = field.name() + ": expected ";
    if (field.is_map()) return of + "an object of keys and values";
    std::string kind;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: kind = "a whole number of 32 bits"; break;
      case FieldDescriptor::CPPTYPE_INT64:
        kind = "a whole number of 64 bits, as a string or plain";
        break;
      case FieldDescriptor::CPPTYPE_UINT32: kind = "a whole number of 32 bits, not negative"; break;
      case FieldDescriptor::CPPTYPE_UINT64:
        kind = "a whole number of 64 bits, not negative, as a string or plain";
        break;
      case FieldDescriptor::CPPTYPE_BOOL: kind = "true or false"; break;
      case FieldDescriptor::CPPTYPE_ENUM: kind = "a name of " + field.enum_type()->name(); break;
      case FieldDescriptor::CPPTYPE_STRING: kind = "a string"; break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        kind = is_text_form(*field.message_type()) ? "a string of " + field.message_type()->name()
                                                   : "an object of " + field.message_type()->name();
        break;
      default: kind = "a number"; break;
    }
    return of + (field.is_repeated() ? "a list; each item " + kind : kind);
  }

  const Descriptor& root_;
  std::vector<Frame> frames_;
};

}  // namespace

absl::Status read_json(std::string_view text, google::protobuf::Message& out, Place from) {
  if (auto read = MessageReader(text, from, *out.GetDescriptor()).run(); !read.ok()) return read;
  const auto converted = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &out);
  if (converted.ok()) return absl::OkStatus();
  return error_at(text, text.data(), from,
                  std::string(converted.message().data(), converted.message().size()));
}

std::string write_json(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = indented;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return "{}";
  return text;
}

}  // namespace taizhang::client
