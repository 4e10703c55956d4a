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
  void collect(const google::protobuf::Message& message, const Path& path,
               std::vector<Reference>& out) const;

  const google::protobuf::Descriptor& descriptor_;
  std::vector<std::unique_ptr<Field>> fields_;
};

// Formats, also for parsers of tokens and command lines.
bool is_uuid(std::string_view text);
bool is_region_form(std::string_view text);
bool is_ledger_code(std::string_view text);

// Value of the date at `path` ("context.effective_date") as yyyymmdd; 0: absent.
int32_t day_at(const google::protobuf::Message& request, std::string_view path);

}  // namespace taizhang
