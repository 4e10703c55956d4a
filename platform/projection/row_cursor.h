// The stored bytes of one table's rows in key order: for those who copy what is stored instead of
// parsing it.
#pragma once

#include <string_view>

namespace taizhang {

// As of one moment, like the SnapshotRows it comes from, which must outlive it. Not thread-safe.
class RowCursor {
 public:
  virtual ~RowCursor() = default;
  // To the first row at or above `key`, a make_key() of all key parts or of the first ones.
  virtual void seek(std::string_view key) = 0;
  // To the last row below `key`.
  virtual void seek_before(std::string_view key) = 0;
  // To the row after this one.
  virtual void next() = 0;
  // False: there is no such row, or the files are damaged, which the SnapshotRows' owner knows.
  virtual bool valid() const = 0;
  // Valid until the cursor moves: the encoded key, and the row as it was serialised (empty when it
  // is nothing but its key).
  virtual std::string_view key() const = 0;
  virtual std::string_view row() const = 0;
};

}  // namespace taizhang
