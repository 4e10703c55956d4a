// Producing to and reading from one partition.
#include "platform/journal/kafka/partition_log.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "platform/base/log.h"

namespace taizhang::journal::kafka {
namespace {

// How long next() waits for a record that is known to be there. Then a cursor that has read before
// says "none now"; one that has not says that the brokers do not answer.
constexpr absl::Duration kNextWait = absl::Seconds(1);
constexpr absl::Duration kFirstWait = absl::Seconds(10);
constexpr absl::Duration kSlice = absl::Milliseconds(100);

// Takes what is in memory from there. What is older is fetched: first a little, because often one
// record is all that is wanted, then far ahead, until the shared tail has it.
class KafkaCursor : public Cursor {
 public:
  KafkaCursor(std::string where, int32_t partition, Tail& tail, Readers& readers, int64_t offset)
      : where_(std::move(where)),
        partition_(partition),
        tail_(tail),
        readers_(readers),
        position_(offset) {}
  ~KafkaCursor() override { stop_fetching(); }

  absl::StatusOr<std::optional<LogRecord>> next() override {
    if (!failed_.ok()) return failed_;
    if (!block_ || index_ == block_->size()) {
      block_ = nullptr;
      absl::StatusOr<BlockPtr> block = next_block();
      if (!block.ok()) return failed_ = block.status();
      if (!*block) return std::nullopt;
      block_ = *std::move(block);
      index_ = block_->index_of(position_);
    }
    const LogRecord record = block_->record(index_++);
    position_ = record.offset + 1;
    fresh_ = false;
    return record;
  }

 private:
  absl::StatusOr<BlockPtr> next_block() {
    if (fresh_) {
      if (absl::Status status = check_position(); !status.ok()) return status;
    }
    const absl::Time until = absl::Now() + (fresh_ ? kFirstWait : kNextWait);
    do {
      if (absl::Status damage = tail_.damage(); !damage.ok()) return damage;
      if (position_ >= tail_.end()) {
        stop_fetching();
        return nullptr;
      }
      if (BlockPtr block = tail_.find(position_)) {
        stop_fetching();
        return block;
      }
      if (position_ >= tail_.next()) {
        tail_.wait_read(position_, kSlice);
        continue;
      }
      absl::StatusOr<BlockPtr> block = fetch();
      // What was there once and is out of range now is damage; the watch finds out and says so.
      if (!block.ok() &&
          (absl::IsInvalidArgument(block.status()) || absl::IsPermissionDenied(block.status()))) {
        return block.status();
      }
      if (!block.ok()) {
        stop_fetching();
        readers_.watch->suspect(/*lost=*/true);
        absl::SleepFor(kSlice);
      } else if (*block) {
        return block;
      }
    } while (absl::Now() < until);
    if (!fresh_) return nullptr;
    return absl::UnavailableError(where_ + ": offset " + std::to_string(position_) +
                                  " could not be read, the brokers do not answer");
  }

  // A position beyond the known end is asked for once more: the end is known a moment late.
  absl::Status check_position() {
    if (position_ >= 0 && position_ <= tail_.end()) return absl::OkStatus();
    if (position_ > tail_.end()) {
      if (absl::Status status = readers_.watch->verify(); !status.ok()) return status;
      if (position_ <= tail_.end()) return absl::OkStatus();
    }
    return absl::DataLossError(where_ + ": offset " + std::to_string(position_) +
                               " is beyond the end " + std::to_string(tail_.end()) +
                               ": the topic was rewound, recreated or truncated");
  }

  absl::StatusOr<BlockPtr> fetch() {
    if (fetcher_ && pool_ == &readers_.point && fetched_) stop_fetching();
    if (!fetcher_) {
      pool_ = fetched_ ? &readers_.bulk : &readers_.point;
      absl::StatusOr<std::unique_ptr<Fetcher>> fetcher = pool_->acquire();
      if (!fetcher.ok()) return fetcher.status();
      fetcher_ = *std::move(fetcher);
      if (absl::Status status = fetcher_->start(partition_, position_); !status.ok()) {
        return status;
      }
    }
    absl::StatusOr<BlockPtr> block = fetcher_->take(kSlice);
    if (!block.ok() || !*block) return block;
    if (fetcher_->reconnected()) {
      // It may come from a log that was rewound meanwhile.
      if (absl::Status status = readers_.watch->verify_newest(partition_); !status.ok()) {
        return status;
      }
    }
    fetched_ = true;
    return block;
  }

  void stop_fetching() {
    if (fetcher_) pool_->release(std::move(fetcher_));
    fetcher_ = nullptr;
  }

  const std::string where_;
  const int32_t partition_;
  Tail& tail_;
  Readers& readers_;
  int64_t position_;
  bool fresh_ = true;  // nothing was read yet
  absl::Status failed_;
  BlockPtr block_;
  size_t index_ = 0;
  std::unique_ptr<Fetcher> fetcher_;
  FetcherPool* pool_ = nullptr;  // the fetcher's
  bool fetched_ = false;         // more than one block is wanted
};

}  // namespace

PartitionLog::PartitionLog(const KafkaSettings& settings, int32_t partition, int64_t tail_bytes_max)
    : topic_(settings.topic),
      tail_(tail_bytes_max),
      line_(partition, tail_, settings.in_flight_records_max, settings.in_flight_bytes_max,
            // With a linger librdkafka gathers by itself.
            /*gather=*/settings.linger_ms == 0) {}

void PartitionLog::connect(Producer* producer, Readers* readers) {
  producer_ = producer;
  readers_ = readers;
}

absl::Status PartitionLog::produce(std::string bytes, uint64_t tag) {
  if (!producer_) return absl::FailedPreconditionError("the journal was opened to read");
  if (absl::Status damage = tail_.damage(); !damage.ok()) return damage;
  return producer_->produce(line_, std::move(bytes), tag);
}

std::unique_ptr<Cursor> PartitionLog::read(int64_t offset) {
  return std::make_unique<KafkaCursor>(
      "topic " + topic_ + ", partition " + std::to_string(line_.partition()), line_.partition(),
      tail_, *readers_, offset);
}

absl::Status PartitionLog::room() const { return line_.room(); }

}  // namespace taizhang::journal::kafka
