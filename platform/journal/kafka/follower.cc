// The consumer of the journal's end.
#include "platform/journal/kafka/follower.h"

#include <librdkafka/rdkafka.h>

#include <utility>

#include "absl/time/clock.h"
#include "platform/base/log.h"
#include "platform/journal/kafka/fetcher.h"

namespace taizhang::journal::kafka {
namespace {

// How long stopping may wait for the thread.
constexpr absl::Duration kPollWait = absl::Milliseconds(100);
constexpr size_t kBatchRecordsMax = 1'000;
// How soon a partition that could not be followed is tried again.
constexpr absl::Duration kFollowAgain = absl::Milliseconds(200);
// Reports that come without a pause for so long spare the reading, until they pause.
constexpr absl::Duration kFedBefore = absl::Milliseconds(200);
constexpr absl::Duration kFedPause = absl::Milliseconds(50);

}  // namespace

Follower::Follower(std::string topic, std::vector<Tail*> tails, Watch& watch)
    : topic_(std::move(topic)),
      tails_(std::move(tails)),
      watch_(watch),
      fetched_(tails_.size()),
      following_(tails_.size(), 0),
      fed_(tails_.size()),
      compared_(tails_.size(), 0),
      again_at_(tails_.size(), absl::InfinitePast()) {}

absl::StatusOr<std::unique_ptr<Follower>> Follower::start(const KafkaSettings& settings,
                                                          std::vector<Tail*> tails, Watch& watch) {
  std::unique_ptr<Follower> follower(new Follower(settings.topic, std::move(tails), watch));
  ClientCallbacks callbacks;
  callbacks.error = [&watch](bool, const std::string&) { watch.suspect(/*lost=*/true); };
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
  for (Tail* tail : follower->tails_) {
    tail->on_gap([queue = follower->queue_] { rd_kafka_queue_yield(queue); });
  }
  follower->thread_ = std::thread([self = follower.get()] { self->run(); });
  return follower;
}

Follower::~Follower() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  for (size_t i = 0; i < following_.size(); ++i) {
    tails_[i]->on_gap([] {});
    unfollow(i);
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

void Follower::unfollow(size_t partition) {
  if (!std::exchange(following_[partition], 0)) return;
  rd_kafka_consume_stop(client_->topic(topic_), static_cast<int32_t>(partition));
}

void Follower::unfollow_for_a_while(size_t partition) {
  unfollow(partition);
  again_at_[partition] = absl::Now() + kFollowAgain;
}

void Follower::run() {
  while (!stopping_) {
    rd_kafka_poll(client_->get(), 0);
    sort_out(take_messages(queue_, resting() > 0 ? kFedPause : kPollWait, kBatchRecordsMax));
    // librdkafka tells of some lost connections only; of new ones nothing escapes.
    const uint64_t before = std::exchange(connections_, client_->connections());
    if (before != connections_) watch_.suspect(/*lost=*/false);
    pace();
    follow_again();
    ask_watermarks();
  }
}

// Asked after a batch was taken: if no connection was begun since the last comparison, it came over
// the same log.
bool Follower::stands(size_t partition) {
  const uint64_t connections = client_->connections();
  if (compared_[partition] == connections) return true;
  if (!watch_.verify_newest(static_cast<int32_t>(partition)).ok()) return false;
  compared_[partition] = connections;
  return true;
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
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (fetched.empty())
        tails_[partition]->mark_empty(tails_[partition]->next(), message->offset);
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      log(LogLevel::kWarning, "journal_partition_unreadable",
          {{"topic", topic_},
           {"partition", message->partition},
           {"why", rd_kafka_err2str(message->err)}});
      // Out of range ends the fetching of a partition.
      if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        unfollow_for_a_while(partition);
      watch_.suspect(/*lost=*/true);
    }
    rd_kafka_message_destroy(message);
  }
  for (size_t i = 0; i < fetched_.size(); ++i) {
    if (fetched_[i].empty()) continue;
    if (!stands(i)) {
      // Fetched again later, from the same place.
      for (rd_kafka_message_t* message : std::exchange(fetched_[i], {})) {
        rd_kafka_message_destroy(message);
      }
      unfollow_for_a_while(i);
      watch_.suspect(/*lost=*/true);
      continue;
    }
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

// A new connection may lead to another log, so what comes over it is read and compared.
void Follower::pace() {
  const absl::Time now = absl::Now();
  const uint64_t connections = client_->connections();
  for (size_t i = 0; i < tails_.size(); ++i) {
    const Tail& tail = *tails_[i];
    Fed& fed = fed_[i];
    const auto paused = [&] { return now - fed.last > kFedPause; };
    if (const uint64_t records = tail.fed(); records != fed.records) {
      if (paused()) fed.since = now;
      fed.records = records;
      fed.last = now;
    }
    // What is not from a report has to be read.
    const bool complete = tail.next() >= tail.end();
    if (!fed.resting) {
      if (paused() || now - fed.since < kFedBefore || !complete || !following_[i]) continue;
      unfollow(i);
      fed.resting = true;
      fed.connections = connections;
      ++resting_;
    } else if (paused() || !complete || fed.connections != connections) {
      fed.resting = false;
      --resting_;
    }
  }
}

void Follower::follow_again() {
  const absl::Time now = absl::Now();
  for (size_t i = 0; i < tails_.size(); ++i) {
    if (following_[i] || fed_[i].resting || now < again_at_[i] || !tails_[i]->damage().ok())
      continue;
    if (absl::Status status = follow(static_cast<int32_t>(i)); !status.ok()) {
      again_at_[i] = now + kFollowAgain;
      log(LogLevel::kWarning, "journal_partition_unreadable",
          {{"topic", topic_}, {"partition", i}, {"why", std::string(status.message())}});
    }
  }
}

}  // namespace taizhang::journal::kafka
