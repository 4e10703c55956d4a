// Putting a Kafka journal together.
#include "platform/journal/kafka/kafka_journal.h"

#include <algorithm>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/follower.h"
#include "platform/journal/kafka/heartbeats.h"
#include "platform/journal/kafka/partition_log.h"
#include "platform/journal/kafka/producer.h"
#include "platform/journal/kafka/topics.h"
#include "platform/journal/kafka/watch.h"

namespace taizhang::journal::kafka {

// Destroyed from below: what uses something stands after it.
struct KafkaJournal::Parts {
  std::shared_ptr<Client> admin;
  std::unique_ptr<Readers> readers;
  std::vector<std::unique_ptr<PartitionLog>> logs;
  std::unique_ptr<Watch> watch;
  std::unique_ptr<Follower> follower;
  std::vector<std::unique_ptr<Producer>> producers;
  std::future<absl::StatusOr<std::unique_ptr<HeartbeatChannel>>> heartbeats;  // the first
  bool closed = false;
};

namespace {

absl::StatusOr<int64_t> last_record_of(Readers& readers, const KafkaSettings& settings,
                                       int32_t partition, int64_t end) {
  absl::StatusOr<std::unique_ptr<Fetcher>> fetcher = readers.point.acquire();
  if (!fetcher.ok()) return fetcher.status();
  absl::StatusOr<int64_t> last = last_record(**fetcher, partition, end, settings.request_ms_max);
  readers.point.release(*std::move(fetcher));
  return last;
}

}  // namespace

KafkaJournal::KafkaJournal(KafkaSettings settings)
    : settings_(std::move(settings)), parts_(std::make_unique<Parts>()) {}

KafkaJournal::~KafkaJournal() { close(); }

absl::StatusOr<std::unique_ptr<KafkaJournal>> KafkaJournal::open(KafkaSettings settings,
                                                                 Access access) {
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  // Each has connections of its own and mostly waits for the broker, and a restarted writer is
  // waited for: side by side. Opening changes nothing, so the check may end after it.
  std::future<absl::StatusOr<std::unique_ptr<HeartbeatChannel>>> heartbeats;
  if (access == Access::kWriter)
    heartbeats = std::async(std::launch::async, [settings] { return open_heartbeats(settings); });
  auto safe = std::async(std::launch::async, [settings] { return require_safe_topics(settings); });
  auto journal = open_unchecked(std::move(settings), access);
  if (absl::Status status = safe.get(); !status.ok()) return status;
  if (journal.ok()) (*journal)->parts_->heartbeats = std::move(heartbeats);
  return journal;
}

absl::StatusOr<std::unique_ptr<KafkaJournal>> KafkaJournal::open_unchecked(KafkaSettings settings,
                                                                           Access access) {
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  std::unique_ptr<KafkaJournal> journal(new KafkaJournal(std::move(settings)));
  const KafkaSettings& kept = journal->settings_;
  Parts& parts = *journal->parts_;
  absl::StatusOr<std::shared_ptr<Client>> admin = Client::make(kept, Use::kAdmin);
  if (!admin.ok()) return admin.status();
  parts.admin = *std::move(admin);
  const absl::StatusOr<int> count = parts.admin->partitions_of(kept.topic, kept.request_ms_max);
  if (!count.ok()) return count.status();
  const absl::StatusOr<std::vector<Bounds>> bounds =
      parts.admin->bounds_of(kept.topic, *count, kept.request_ms_max);
  if (!bounds.ok()) return bounds.status();

  parts.readers.reset(new Readers{.point = FetcherPool(kept, Use::kPointReader),
                                  .bulk = FetcherPool(kept, Use::kBulkReader)});
  std::vector<Tail*> tails;
  for (int i = 0; i < *count; ++i) {
    const auto [begin, end] = (*bounds)[static_cast<size_t>(i)];
    if (begin > 0) {
      return absl::DataLossError("topic " + kept.topic + ", partition " + std::to_string(i) +
                                 ": it begins at offset " + std::to_string(begin) +
                                 ": its first records were deleted");
    }
    parts.logs.push_back(std::make_unique<PartitionLog>(kept, i, kept.tail_bytes_max / *count));
    Tail& tail = parts.logs.back()->tail();
    tails.push_back(&tail);
    if (end == 0) continue;
    const absl::StatusOr<int64_t> last = last_record_of(*parts.readers, kept, i, end);
    if (!last.ok()) return last.status();
    // From the newest record on, which is what the watch compares.
    tail.begin_at(std::max<int64_t>(0, *last));
    tail.advance(*last + 1);
    tail.mark_empty(*last + 1, end);
  }
  parts.watch = std::make_unique<Watch>(kept, parts.admin, parts.readers->point, tails);
  parts.readers->watch = parts.watch.get();
  absl::StatusOr<std::unique_ptr<Follower>> follower = Follower::start(kept, tails, *parts.watch);
  if (!follower.ok()) return follower.status();
  parts.follower = *std::move(follower);

  for (int first = 0; first < *count; first += kPartitionsPerProducer) {
    const int last = std::min(*count, first + kPartitionsPerProducer);
    std::vector<Line*> lines;
    for (int i = first; i < last; ++i) lines.push_back(&parts.logs[static_cast<size_t>(i)]->line());
    Producer* producer = nullptr;
    if (access == Access::kWriter) {
      absl::StatusOr<std::unique_ptr<Producer>> opened = Producer::open(kept, std::move(lines));
      if (!opened.ok()) return opened.status();
      parts.producers.push_back(*std::move(opened));
      producer = parts.producers.back().get();
    }
    for (int i = first; i < last; ++i) {
      parts.logs[static_cast<size_t>(i)]->connect(producer, parts.readers.get());
    }
  }
  return journal;
}

int KafkaJournal::partitions() const { return static_cast<int>(parts_->logs.size()); }

Log& KafkaJournal::partition(int index) { return *parts_->logs.at(static_cast<size_t>(index)); }

absl::Status KafkaJournal::check() {
  if (absl::Status status = require_safe_topics(settings_, partitions()); !status.ok()) {
    return status;
  }
  return parts_->watch->verify();
}

bool KafkaJournal::reachable() const { return parts_->watch->reachable(); }

absl::StatusOr<std::unique_ptr<HeartbeatChannel>> KafkaJournal::heartbeats() {
  return parts_->heartbeats.valid() ? parts_->heartbeats.get() : open_heartbeats(settings_);
}

void KafkaJournal::close() {
  if (std::exchange(parts_->closed, true)) return;
  for (const auto& log : parts_->logs) log->tail().close();
  parts_->producers.clear();
  parts_->follower = nullptr;
  if (parts_->watch) parts_->watch->stop();
  if (parts_->readers) {
    parts_->readers->point.clear();
    parts_->readers->bulk.clear();
  }
}

}  // namespace taizhang::journal::kafka
