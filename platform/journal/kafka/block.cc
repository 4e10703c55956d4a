// Records of a fetch, or own ones.
#include "platform/journal/kafka/block.h"

#include <librdkafka/rdkafka.h>

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

Block::Block(std::vector<OwnRecord> own)
    : begin_(own.front().offset), end_(own.back().offset + 1), own_(std::move(own)) {
  for (const OwnRecord& record : own_) {
    bytes_ += static_cast<int64_t>(record.bytes.size() + sizeof record);
  }
}

Block::~Block() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
}

int64_t Block::offset_of(size_t index) const {
  return messages_.empty() ? own_[index].offset : messages_[index]->offset;
}

LogRecord Block::record(size_t index) const {
  if (messages_.empty()) {
    const OwnRecord& own = own_[index];
    return {.offset = own.offset, .stored_time_us = 0, .bytes = own.bytes};
  }
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
  size_t from = 0;
  for (size_t count = size(); count > 0;) {
    const size_t half = count / 2;
    if (offset_of(from + half) < offset) {
      from += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return from;
}

}  // namespace taizhang::journal::kafka
