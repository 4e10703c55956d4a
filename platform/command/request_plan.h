// The rules of one request type, compiled once from its field options: stateless validation (design
// §4 (b)) and the list of codes, regions and subjects it names, for the state-based checks (e).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/command/registry.h"

namespace taizhang {

// Default bounds of api.md "Limits".
constexpr int kTextCharsMax = 500;
constexpr int kCodeCharsMax = 64;
constexpr int kItemsMax = 1'000;
constexpr int64_t kAmountMax = 1'000'000'000'000'000;  // fen or milli
constexpr int kViolationsMax = 100;                    // findings reported at once

// Something a request names that state must know.
struct Reference {
  enum class Kind { kCode, kRegion, kSubject };
  Kind kind;
  std::string_view list_id;  // kCode
  int subject_kind = 0;      // kSubject; kRegion when the field also must exist
  std::string_view value;
  std::string field;    // path
  bool checked = true;  // false: named only (authorisation by region looks at it)
};

class RequestPlan {
 public:
  // Lives for ever.
  static const RequestPlan& of(const google::protobuf::Descriptor& request);
  ~RequestPlan();

  // All violations of field options, in field order, merged with unknown fields at any depth.
  void check(const google::protobuf::Message& request, Violations& found) const;

  // Everything named, in field order. Views point into `request`.
  std::vector<Reference> references(const google::protobuf::Message& request) const;

  struct Field;
  struct Path;

 private:
  explicit RequestPlan(const google::protobuf::Descriptor& request);
  void check_message(const google::protobuf::Message& message, const Path& path,
                     Violations& found) const;
  void check_list(const Field& rule, const google::protobuf::Message& message, const Path& path,
                  Violations& found) const;
  void check_value(const Field& rule, const google::protobuf::Message& message, int index,
                   const Path& at, Violations& found) const;
  bool is_present(const Field& rule, const google::protobuf::Message& message) const;
  void collect(const google::protobuf::Message& message, const Path& path,
               std::vector<Reference>& out) const;

  const google::protobuf::Descriptor& descriptor_;
  const google::protobuf::Reflection& reflection_;
  bool names_something_ = true;  // until all fields are read: a message may contain itself
  std::vector<std::unique_ptr<Field>> fields_;
};

// The date at a path of fields ("context.effective_date") of one type of request.
class DatePath {
 public:
  // Aborts when the path leads to no date.
  DatePath(const google::protobuf::Descriptor& request, std::string_view path);
  // As yyyymmdd; 0: absent.
  int32_t day(const google::protobuf::Message& request) const;

 private:
  std::vector<const google::protobuf::FieldDescriptor*> parts_;
};

}  // namespace taizhang
