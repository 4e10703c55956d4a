// What a RequestPlan knows of one field of a request. Internal to its files.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

#include "platform/command/request_plan.h"
#include "taizhang/options.pb.h"

namespace taizhang {

// What stands here of the descriptor is what is asked for each request: descriptors of the
// generated pool look each answer up under a lock-like flag.
struct RequestPlan::Field {
  enum class Shape {
    kText,
    kBytes,
    kEnum,
    kInt64,
    kInt32,
    kBool,
    kDate,
    kPartialDate,
    kQuantity,
    kFigure,
    kSubjectRef,
    kMessage,
    kOther,
  };

  const google::protobuf::FieldDescriptor* field = nullptr;
  std::string_view name;
  Shape shape = Shape::kOther;
  bool repeated = false;
  bool map = false;
  bool presence = false;
  bool in_oneof = false;
  FieldRules rules;
  int chars_max = 0;
  int items_max = 0;
  bool amount = false;  // int64 that is money or a Quantity's milli
  Sign sign = SIGN_UNSPECIFIED;
  const google::protobuf::EnumDescriptor* enum_type = nullptr;
  const google::protobuf::FieldDescriptor* not_before = nullptr;  // a date
  const google::protobuf::FieldDescriptor* exactly_with = nullptr;
  // The number `exactly_with` must have; unused when that is no enum.
  int exactly_with_value = 0;
  bool exactly_with_enum = false;
  // What tells the rows of a list apart: a field of the row; null: the row itself.
  const google::protobuf::FieldDescriptor* unique_by = nullptr;
  const RequestPlan* nested = nullptr;  // of a message
  bool names_something = false;         // it or something below it is a Reference
};

// Where a field stands, spelt out only when something is said of it: well-formed requests pay
// nothing.
struct RequestPlan::Path {
  const Path* parent = nullptr;
  std::string_view name;  // empty: the request itself
  int index = -1;         // of a list's row

  std::string text() const {
    std::string out = parent && !parent->name.empty() ? parent->text() + "." : "";
    out += name;
    if (index >= 0) out += "[" + std::to_string(index) + "]";
    return out;
  }
};

}  // namespace taizhang
