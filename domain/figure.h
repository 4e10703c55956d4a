// Sums of figures: a sum is as weak as its weakest part, and what is unknown is never counted as 0
// (slice-1 §3).
#pragma once

#include <cstdint>
#include <optional>

#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

class FigureSum {
 public:
  enum class Outcome {
    kAdded,
    // Plan, actual, expected and derived figures never add.
    kOtherNature,
    // Fen, counts, and quantities of each unit never add.
    kOtherMeasure,
    kOverflow,
  };

  // Anything but kAdded leaves the sum as it was.
  Outcome add(const common::v1::Figure& figure);

  // A MASKED or UNKNOWN figure was added: the total is only the known part.
  bool incomplete() const { return incomplete_; }
  // Nothing: nothing was added. UNKNOWN without a value: nothing known was added.
  std::optional<common::v1::Figure> total() const;

 private:
  bool any_ = false;
  bool incomplete_ = false;
  common::v1::Figure::Nature nature_ = common::v1::Figure::NATURE_UNSPECIFIED;
  // Of the known part.
  common::v1::Figure::Qualifier qualifier_ = common::v1::Figure::QUALIFIER_UNSPECIFIED;
  common::v1::Figure::ValueCase measure_ = common::v1::Figure::VALUE_NOT_SET;
  common::v1::Unit unit_ = common::v1::UNIT_UNSPECIFIED;
  int64_t low_ = 0;
  int64_t high_ = 0;
};

}  // namespace taizhang
