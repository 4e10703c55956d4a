// Neighbouring records of one partition without a copy: as a fetch brought them, or own ones as
// they were sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/journal/kafka/client.h"
#include "platform/journal/log.h"

namespace taizhang::journal::kafka {

// A record of this process, once it is known where it is stored (when, the engine does not know).
struct OwnRecord {
  int64_t offset = 0;
  std::string bytes;
};

// Immutable, hence shared freely. Never empty. Keeps the client of its messages alive.
class Block {
 public:
  // `messages` are librdkafka's and become the block's; ascending offsets. `begin`: the position
  // that was read from; up to the first record's offset there is nothing.
  Block(std::shared_ptr<Client> client, int64_t begin, std::vector<rd_kafka_message_s*> messages);
  // Ascending offsets.
  explicit Block(std::vector<OwnRecord> own);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Every record from begin() to before end() is here.
  int64_t begin() const { return begin_; }
  int64_t end() const { return end_; }
  // What it costs to keep, roughly.
  int64_t bytes() const { return bytes_; }
  size_t size() const { return messages_.empty() ? own_.size() : messages_.size(); }
  // Valid as long as the block.
  LogRecord record(size_t index) const;
  // The same with key and headers; only of what was fetched.
  const rd_kafka_message_s& message(size_t index) const { return *messages_[index]; }
  // The first record at or after `offset`; size(): none.
  size_t index_of(int64_t offset) const;

 private:
  int64_t offset_of(size_t index) const;

  std::shared_ptr<Client> client_;
  int64_t begin_;
  int64_t end_ = 0;
  int64_t bytes_ = 0;
  // One of them is empty.
  std::vector<rd_kafka_message_s*> messages_;
  std::vector<OwnRecord> own_;
};

using BlockPtr = std::shared_ptr<const Block>;

}  // namespace taizhang::journal::kafka
