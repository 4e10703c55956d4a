// Digest of the rows of a list, in order: of taizhang.lists.v1.ExportTrailer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/bytes.h"
#include "platform/base/sha256.h"

namespace taizhang::lists {

// Chained row by row, so that it does not depend on messages and goes on from where it stood.
class RowsDigest {
 public:
  RowsDigest() = default;
  // Of a list that was digested so far; the bytes of value().
  explicit RowsDigest(std::string_view value) {
    for (size_t i = 0; i < value_.size() && i < value.size(); ++i)
      value_[i] = static_cast<uint8_t>(value[i]);
  }

  void add(std::string_view row) {
    std::string length;
    append_le(length, static_cast<uint64_t>(row.size()));
    Sha256 next;
    next.add(bytes_of(value_));
    next.add(length);
    next.add(row);
    value_ = next.digest();
  }

  std::string_view value() const { return bytes_of(value_); }
  std::string text() const { return hex(value()); }

 private:
  Sha256Digest value_{};
};

}  // namespace taizhang::lists
