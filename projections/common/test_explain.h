// For tests of explanations: the question, and the answer in a line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/dates.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang::testing {

inline views::v1::ExplainRequest why(const std::string& view, const std::string& table,
                                     const std::vector<std::string>& key,
                                     const std::string& field) {
  views::v1::ExplainRequest request;
  request.set_view(view);
  request.set_table(table);
  for (const auto& part : key) request.add_key(part);
  request.set_field(field);
  return request;
}

inline views::v1::ExplainRequest on(int32_t day, views::v1::ExplainRequest request) {
  *request.mutable_read()->mutable_effective_date() = date_of(day);
  return request;
}

// "POOR by 4 7": what it was, and the events that made it so.
inline std::string told(const views::v1::ExplainResponse& answer) {
  std::string text = answer.is_number() ? std::to_string(answer.total()) : answer.text();
  text += " by";
  for (const auto& one : answer.contributions()) text += " " + std::to_string(one.change().seq());
  return text;
}

}  // namespace taizhang::testing
