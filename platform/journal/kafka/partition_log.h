// One partition of a Kafka topic as a journal's log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/journal/kafka/fetcher.h"
#include "platform/journal/kafka/producer.h"
#include "platform/journal/kafka/settings.h"
#include "platform/journal/kafka/tail.h"
#include "platform/journal/kafka/watch.h"
#include "platform/journal/log.h"

namespace taizhang::journal::kafka {

// What the partitions of a journal share for reading.
struct Readers {
  FetcherPool point;
  FetcherPool bulk;
  Watch* watch = nullptr;
};

class PartitionLog : public Log {
 public:
  PartitionLog(const KafkaSettings& settings, int32_t partition, int64_t tail_bytes_max);

  Tail& tail() { return tail_; }
  Line& line() { return line_; }
  // Before any other call of Log. `producer` null: opened to read.
  void connect(Producer* producer, Readers* readers);

  absl::Status produce(std::string bytes, uint64_t tag) override;
  // librdkafka sends by itself, as soon as linger_ms allows.
  void flush(bool /*inline_ok*/) override {}
  void set_report_sink(ReportSink sink) override { line_.set_sink(std::move(sink)); }
  std::unique_ptr<Cursor> read(int64_t offset) override;
  int64_t end() const override { return tail_.end(); }
  int64_t wait_beyond(int64_t offset, absl::Duration timeout) override {
    return tail_.wait_beyond(offset, timeout);
  }
  absl::Status room() const override;
  absl::Status damage() const override { return tail_.damage(); }
  bool exclusive() const override { return false; }

 private:
  const std::string topic_;
  Tail tail_;
  Line line_;
  Producer* producer_ = nullptr;
  Readers* readers_ = nullptr;
};

}  // namespace taizhang::journal::kafka
