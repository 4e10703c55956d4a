// The consumer of the journal's end.
#include "platform/journal/kafka/follower.h"

#include <librdkafka/rdkafka.h>

#include <utility>

#include "platform/base/log.h"
#include "platform/journal/kafka/fetcher.h"

namespace taizhang::journal::kafka {
namespace {

// How long stopping may wait for the thread.
constexpr absl::Duration kPollWait = absl::Milliseconds(100);
constexpr size_t kBatchRecordsMax = 1'000;

}  // namespace

Follower::Follower(std::string topic, std::vector<Tail*> tails, std::function<void()> suspect)
    : topic_(std::move(topic)),
      tails_(std::move(tails)),
      suspect_(std::move(suspect)),
      fetched_(tails_.size()),
      following_(tails_.size(), 0) {}

absl::StatusOr<std::unique_ptr<Follower>> Follower::start(const KafkaSettings& settings,
                                                          std::vector<Tail*> tails,
                                                          std::function<void()> suspect) {
  std::unique_ptr<Follower> follower(
      new Follower(settings.topic, std::move(tails), std::move(suspect)));
  ClientCallbacks callbacks;
  callbacks.error = [suspect = follower->suspect_](bool, const std::string&) { suspect(); };
  absl::StatusOr<std::shared_ptr<Client>> client =
      Client::make(settings, Use::kFollower, std::move(callbacks));
  if (!client.ok()) return client.status();
  follower->client_ = *std::move(client);
  // Known leaders, so that following begins at once.
  if (const auto partitions =
          follower->client_->partitions_of(settings.topic, settings.request_ms_max);
      !partitions.ok()) {
    return partitions.status();
  }
  follower->queue_ = rd_kafka_queue_new(follower->client_->get());
  for (size_t i = 0; i < follower->tails_.size(); ++i) {
    if (absl::Status status = follower->follow(static_cast<int32_t>(i)); !status.ok()) {
      return status;
    }
  }
  follower->thread_ = std::thread([self = follower.get()] { self->run(); });
  return follower;
}

Follower::~Follower() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  for (size_t i = 0; i < following_.size(); ++i) {
    if (following_[i]) rd_kafka_consume_stop(client_->topic(topic_), static_cast<int32_t>(i));
  }
  if (queue_) rd_kafka_queue_destroy(queue_);
}

absl::Status Follower::follow(int32_t partition) {
  const auto index = static_cast<size_t>(partition);
  if (rd_kafka_consume_start_queue(client_->topic(topic_), partition, tails_[index]->next(),
                                   queue_) != 0) {
    return status_of(rd_kafka_last_error(),
                     "following partition " + std::to_string(partition) + " of topic " + topic_);
  }
  following_[index] = 1;
  return absl::OkStatus();
}

void Follower::run() {
  while (!stopping_) {
    rd_kafka_poll(client_->get(), 0);
    std::vector<rd_kafka_message_s*> messages = take_messages(queue_, kPollWait, kBatchRecordsMax);
    if (messages.empty()) {
      follow_again();
    } else {
      sort_out(std::move(messages));
    }
    ask_watermarks();
  }
}

void Follower::sort_out(std::vector<rd_kafka_message_s*> messages) {
  for (rd_kafka_message_t* message : messages) {
    const auto partition = static_cast<size_t>(message->partition);
    if (partition >= tails_.size()) {
      rd_kafka_message_destroy(message);
      continue;
    }
    auto& fetched = fetched_[partition];
    const int64_t next = fetched.empty() ? tails_[partition]->next() : fetched.back()->offset + 1;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= next) {
      fetched.push_back(message);
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
        message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      log(LogLevel::kWarning, "journal_partition_unreadable",
          {{"topic", topic_},
           {"partition", message->partition},
           {"why", rd_kafka_err2str(message->err)}});
      // Out of range ends the fetching of a partition; it goes on when nothing else is to be done.
      if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && following_[partition]) {
        rd_kafka_consume_stop(client_->topic(topic_), message->partition);
        following_[partition] = 0;
      }
      suspect_();
    }
    rd_kafka_message_destroy(message);
  }
  for (size_t i = 0; i < fetched_.size(); ++i) {
    if (fetched_[i].empty()) continue;
    tails_[i]->push(
        std::make_shared<const Block>(client_, tails_[i]->next(), std::exchange(fetched_[i], {})));
  }
}

// What the last fetches said of each partition's end, so that a reader knows how far it is behind
// before it has read that far.
void Follower::ask_watermarks() {
  for (size_t i = 0; i < tails_.size(); ++i) {
    int64_t low = 0;
    int64_t high = 0;
    if (rd_kafka_get_watermark_offsets(client_->get(), topic_.c_str(), static_cast<int32_t>(i),
                                       &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      tails_[i]->advance(high);
    }
  }
}

void Follower::follow_again() {
  for (size_t i = 0; i < tails_.size(); ++i) {
    if (following_[i] || !tails_[i]->damage().ok()) continue;
    if (absl::Status status = follow(static_cast<int32_t>(i)); !status.ok()) {
      log(LogLevel::kWarning, "journal_partition_unreadable",
          {{"topic", topic_}, {"partition", i}, {"why", std::string(status.message())}});
    }
  }
}

}  // namespace taizhang::journal::kafka
