// Records of a fetch.
#include "platform/journal/kafka/block.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <utility>

namespace taizhang::journal::kafka {
namespace {

// librdkafka's bookkeeping of one message.
constexpr int64_t kMessageOverheadBytes = 500;

}  // namespace

Block::Block(std::shared_ptr<Client> client, int64_t begin,
             std::vector<rd_kafka_message_s*> messages)
    : client_(std::move(client)), begin_(begin), messages_(std::move(messages)) {
  end_ = messages_.back()->offset + 1;
  for (const rd_kafka_message_t* message : messages_) {
    bytes_ += static_cast<int64_t>(message->len) + kMessageOverheadBytes;
  }
}

Block::~Block() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
}

LogRecord Block::record(size_t index) const {
  const rd_kafka_message_t* message = messages_[index];
  LogRecord record;
  record.offset = message->offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t time_ms = rd_kafka_message_timestamp(message, &type);
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) record.stored_time_us = time_ms * 1000;
  record.bytes = {static_cast<const char*>(message->payload), message->len};
  return record;
}

size_t Block::index_of(int64_t offset) const {
  const auto found = std::lower_bound(
      messages_.begin(), messages_.end(), offset,
      [](const rd_kafka_message_t* message, int64_t at) { return message->offset < at; });
  return static_cast<size_t>(found - messages_.begin());
}

}  // namespace taizhang::journal::kafka
