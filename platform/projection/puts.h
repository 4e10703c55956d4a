// Keys and values on their way into a view's files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace taizhang::projection {

// In the order in which they were added. Views of keys and values hold until clear(). Not
// thread-safe; several threads may read at once.
class Puts {
 public:
  struct Put {
    const char* at = nullptr;  // the key, and the value behind it
    uint32_t key_size = 0;
    uint32_t value_size = 0;
    std::string_view key() const { return {at, key_size}; }
    std::string_view value() const { return {at + key_size, value_size}; }
  };

  // Returns the place in list().
  size_t add(std::string_view key, std::string_view value);
  const std::vector<Put>& list() const { return list_; }
  size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  std::string_view key(size_t i) const { return list_[i].key(); }
  std::string_view value(size_t i) const { return list_[i].value(); }
  // What it takes in memory.
  int64_t bytes() const;
  void clear();

 private:
  // Blocks never move, so that views of what is in them hold while more is added.
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };
  std::vector<Block> blocks_;
  size_t used_ = 0;  // of the last block
  int64_t block_bytes_ = 0;
  std::vector<Put> list_;
};

// All of them by key; of one key that was added several times to one of the lists, only the last.
// No key stands in two lists.
std::vector<Puts::Put> sorted(const std::vector<const Puts*>& lists);

}  // namespace taizhang::projection
