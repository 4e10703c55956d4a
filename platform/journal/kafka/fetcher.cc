// Consumers for what is not in memory.
#include "platform/journal/kafka/fetcher.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace taizhang::journal::kafka {
namespace {

// Records of one block: few enough to stay in the processor's cache.
constexpr size_t kBlockRecordsMax = 1'000;
constexpr size_t kIdleMax = 8;
constexpr int kWakeMs = 200;
constexpr int kWarmMs = 2'000;
constexpr absl::Duration kLastRecordWait = absl::Milliseconds(200);
constexpr int64_t kStepBackFactor = 32;

int ms_of(absl::Duration timeout) {
  return static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(timeout)));
}

}  // namespace

std::vector<rd_kafka_message_s*> take_messages(rd_kafka_queue_s* queue, absl::Duration timeout,
                                               size_t max) {
  // A batch call returns when it is full or the time is over, so it is asked for one record when it
  // may wait and for many when it may not.
  std::vector<rd_kafka_message_s*> messages(max);
  ssize_t count = rd_kafka_consume_batch_queue(queue, 0, messages.data(), max);
  if (count == 0) {
    count = rd_kafka_consume_batch_queue(queue, ms_of(timeout), messages.data(), 1);
    if (count == 1) {
      count += std::max<ssize_t>(
          0, rd_kafka_consume_batch_queue(queue, 0, messages.data() + 1, max - 1));
    }
  }
  messages.resize(static_cast<size_t>(std::max<ssize_t>(0, count)));
  return messages;
}

Fetcher::Fetcher(std::shared_ptr<Client> client, std::string topic)
    : client_(std::move(client)), topic_(std::move(topic)) {}

Fetcher::~Fetcher() { stop(); }

absl::Status Fetcher::start(int32_t partition, int64_t offset) {
  stop();
  // A queue of its own each time: nothing of an earlier stretch can stand in it.
  queue_ = rd_kafka_queue_new(client_->get());
  partition_ = partition;
  position_ = offset;
  was_full_ = false;
  at_end_ = false;
  connections_ = client_->connections();
  if (rd_kafka_consume_start_queue(client_->topic(topic_), partition, offset, queue_) == 0) {
    return absl::OkStatus();
  }
  const rd_kafka_resp_err_t error = rd_kafka_last_error();
  rd_kafka_queue_destroy(std::exchange(queue_, nullptr));
  return status_of(error, "reading partition " + std::to_string(partition) + " of " + topic_);
}

void Fetcher::stop() {
  if (!queue_) return;
  rd_kafka_consume_stop(client_->topic(topic_), partition_);
  rd_kafka_queue_destroy(std::exchange(queue_, nullptr));
}

bool Fetcher::reconnected() {
  const uint64_t before = std::exchange(connections_, client_->connections());
  return before != connections_;
}

absl::StatusOr<BlockPtr> Fetcher::take(absl::Duration timeout) {
  rd_kafka_poll(client_->get(), 0);
  std::vector<rd_kafka_message_s*> taken = take_messages(queue_, timeout, kBlockRecordsMax);
  std::vector<rd_kafka_message_s*> records;
  records.reserve(taken.size());
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (rd_kafka_message_t* message : taken) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= position_) {
      records.push_back(message);
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      at_end_ = true;
    } else {
      error = message->err;
    }
    rd_kafka_message_destroy(message);
  }
  if (!records.empty()) {
    auto block = std::make_shared<const Block>(client_, position_, std::move(records));
    position_ = block->end();
    wake_when_drained(block->bytes() / static_cast<int64_t>(block->size()));
    return block;
  }
  if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    return absl::OutOfRangeError("offset " + std::to_string(position_));
  }
  if (error) {
    return status_of(error,
                     "reading partition " + std::to_string(partition_) + " of topic " + topic_);
  }
  return nullptr;
}

// librdkafka 2.0.2 stops fetching while its queue is full and then looks again only once a second.
// A question to the same broker wakes it, when most of the queue has been taken.
void Fetcher::wake_when_drained(int64_t record_bytes) {
  const auto queued = static_cast<int64_t>(rd_kafka_queue_length(queue_));
  const int64_t full = std::min(int64_t{kReadAheadRecordsMax},
                                client_->read_ahead_bytes() / std::max<int64_t>(1, record_bytes));
  if (queued > full / 2) was_full_ = true;
  if (!was_full_ || queued > full / 4) return;
  was_full_ = false;
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic_.c_str(), partition_)->offset = RD_KAFKA_OFFSET_END;
  // Only the asking matters.
  rd_kafka_offsets_for_times(client_->get(), list, kWakeMs);
  rd_kafka_topic_partition_list_destroy(list);
}

absl::StatusOr<int64_t> last_record(Fetcher& fetcher, int32_t partition, int64_t end,
                                    int timeout_ms) {
  const absl::Time until = absl::Now() + absl::Milliseconds(timeout_ms);
  for (int64_t back = 1;; back *= kStepBackFactor) {
    const int64_t from = std::max<int64_t>(0, end - back);
    if (absl::Status status = fetcher.start(partition, from); !status.ok()) return status;
    int64_t last = -1;
    while (!fetcher.at_end() && last + 1 < end) {
      const absl::StatusOr<BlockPtr> block = fetcher.take(kLastRecordWait);
      if (!block.ok()) return block.status();
      if (*block) last = (*block)->end() - 1;
      if (!*block && absl::Now() > until) {
        return absl::UnavailableError("the end of partition " + std::to_string(partition) +
                                      " is not read");
      }
    }
    if (last >= 0 || from == 0) return last;
  }
}

absl::StatusOr<std::unique_ptr<Fetcher>> FetcherPool::acquire() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Fetcher> fetcher = std::move(idle_.back());
      idle_.pop_back();
      return fetcher;
    }
  }
  absl::StatusOr<std::shared_ptr<Client>> client = Client::make(settings_, use_);
  if (!client.ok()) return client.status();
  // A client that does not know the leaders yet begins to fetch up to a second later.
  const absl::StatusOr<int> partitions =
      (*client)->partitions_of(settings_.topic, std::min(settings_.request_ms_max, kWarmMs));
  if (!partitions.ok()) return partitions.status();
  return std::make_unique<Fetcher>(*std::move(client), settings_.topic);
}

void FetcherPool::release(std::unique_ptr<Fetcher> fetcher) {
  fetcher->stop();
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(fetcher));
}

void FetcherPool::clear() {
  std::vector<std::unique_ptr<Fetcher>> idle;
  const std::lock_guard lock(mutex_);
  idle.swap(idle_);
}

}  // namespace taizhang::journal::kafka
