// Clean records to and from librdkafka's messages.
#include "platform/journal/kafka/clean_topic.h"

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "platform/base/log.h"
#include "platform/journal/kafka/block.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/fetcher.h"
#include "platform/journal/kafka/topics.h"

namespace taizhang::journal::kafka {
namespace {

using republish::CleanCursor;
using republish::CleanPartition;
using republish::CleanRecord;
using republish::StoredCleanRecord;

constexpr int kPollMs = 100;
constexpr int kDrainPollsMax = 50;
constexpr absl::Duration kReadWait = absl::Milliseconds(100);

CleanRecord record_of(const rd_kafka_message_t& message) {
  CleanRecord record;
  record.key.assign(static_cast<const char*>(message.key), message.key_len);
  record.value.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers)) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.push_back({name, std::string(static_cast<const char*>(value), size)});
  }
  return record;
}

class KafkaCleanCursor : public CleanCursor {
 public:
  KafkaCleanCursor(std::shared_ptr<Client> client, const std::string& topic, int32_t partition,
                   int64_t offset)
      : fetcher_(std::move(client), topic), partition_(partition), offset_(offset) {}

  absl::StatusOr<std::optional<StoredCleanRecord>> next() override {
    if (!block_ || next_ == block_->size()) {
      if (auto taken = take(); !taken.ok()) return taken;
      if (!block_) return std::nullopt;
    }
    const rd_kafka_message_t& message = block_->message(next_++);
    return StoredCleanRecord{message.offset, record_of(message)};
  }

 private:
  absl::Status take() {
    block_.reset();
    if (!std::exchange(started_, true)) {
      if (auto started = fetcher_.start(partition_, offset_); !started.ok()) return started;
    }
    auto block = fetcher_.take(kReadWait);
    // Retention may drop the beginning between the question where it is and the reading.
    if (absl::IsOutOfRange(block.status())) {
      return absl::UnavailableError("the clean topic no longer holds " +
                                    std::string(block.status().message()));
    }
    if (!block.ok()) return block.status();
    block_ = *std::move(block);
    next_ = 0;
    return absl::OkStatus();
  }

  Fetcher fetcher_;
  const int32_t partition_;
  const int64_t offset_;
  bool started_ = false;
  BlockPtr block_;
  size_t next_ = 0;
};

// For a topic whose client could not be made.
class FailedCursor : public CleanCursor {
 public:
  explicit FailedCursor(absl::Status status) : status_(std::move(status)) {}
  absl::StatusOr<std::optional<StoredCleanRecord>> next() override { return status_; }

 private:
  const absl::Status status_;
};

// Where a partition's reports go.
class Reports {
 public:
  void set_sink(ReportSink sink) {
    const std::lock_guard lock(mutex_);
    sink_ = std::move(sink);
  }
  void report(AppendReport report) {
    const std::lock_guard lock(mutex_);
    if (sink_) sink_(std::move(report));
  }

 private:
  std::mutex mutex_;
  ReportSink sink_;
};

// One librdkafka producer from its making to its end, with the thread that hears its reports.
class Session {
 public:
  // `reports`: one per partition; must outlive it.
  static absl::StatusOr<std::shared_ptr<Session>> start(
      const KafkaSettings& settings, std::vector<std::unique_ptr<Reports>>& reports,
      uint64_t number) {
    std::shared_ptr<Session> session(new Session(number));
    ClientCallbacks callbacks;
    callbacks.delivered = [&reports](const rd_kafka_message_t& message) {
      AppendReport report;
      report.tag = reinterpret_cast<uint64_t>(message._private);
      report.offset = message.offset;
      if (message.err) report.offset = status_of(message.err, "producing to the clean topic");
      reports[static_cast<size_t>(message.partition)]->report(std::move(report));
    };
    callbacks.error = [raw = session.get()](bool fatal, const std::string& why) {
      if (!fatal) return;
      log(LogLevel::kWarning, "clean_topic_producer_ended", {{"why", why}});
      raw->failed_ = true;
    };
    auto client = Client::make(settings, Use::kProducer, std::move(callbacks));
    if (!client.ok()) return client.status();
    session->client_ = *std::move(client);
    // Makes the topic's handle and warms it: the first produce would wait for it otherwise.
    const auto partitions =
        session->client_->partitions_of(settings.topic, settings.request_ms_max);
    if (!partitions.ok()) return partitions.status();
    session->topic_ = session->client_->topic(settings.topic);
    session->thread_ = std::thread([raw = session.get()] { raw->run(); });
    return session;
  }

  ~Session() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

  bool failed() const { return failed_; }
  uint64_t number() const { return number_; }  // 1, 2, 3 … of its topic

  absl::Status produce(int32_t partition, const CleanRecord& record, uint64_t tag) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& header : record.headers) {
      rd_kafka_header_add(headers, header.name.data(), static_cast<ssize_t>(header.name.size()),
                          header.value.data(), static_cast<ssize_t>(header.value.size()));
    }
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_->get(), RD_KAFKA_V_RKT(topic_), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(tag)),
        RD_KAFKA_V_END);
    if (!error) return absl::OkStatus();
    rd_kafka_headers_destroy(headers);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return absl::ResourceExhaustedError("librdkafka's queue is full");
    }
    return status_of(error, "producing to the clean topic");
  }

 private:
  explicit Session(uint64_t number) : number_(number) {}

  void run() {
    while (!failed_ && !ending_) rd_kafka_poll(client_->get(), kPollMs);
    // What a dead producer still holds is reported as failed; whoever needs it sends it again.
    rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; i < kDrainPollsMax && rd_kafka_outq_len(client_->get()) > 0; ++i) {
      rd_kafka_poll(client_->get(), kPollMs);
    }
  }

  const uint64_t number_;
  std::shared_ptr<Client> client_;
  rd_kafka_topic_t* topic_ = nullptr;
  std::atomic<bool> failed_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

class KafkaCleanTopic : public republish::CleanTopic {
 public:
  KafkaCleanTopic(KafkaSettings settings, int partitions) : settings_(std::move(settings)) {
    for (int32_t i = 0; i < partitions; ++i) {
      reports_.push_back(std::make_unique<Reports>());
      partitions_.push_back(std::make_unique<Partition>(*this, i));
    }
  }

  int partitions() const override { return static_cast<int>(partitions_.size()); }
  CleanPartition& partition(int index) override { return *partitions_[static_cast<size_t>(index)]; }

  absl::Status connect() { return session().status(); }

 private:
  class Partition : public CleanPartition {
   public:
    Partition(KafkaCleanTopic& topic, int32_t index) : topic_(topic), index_(index) {}

    absl::Status produce(const CleanRecord& record, uint64_t tag) override {
      const auto session = topic_.session();
      if (!session.ok()) return absl::UnavailableError(std::string(session.status().message()));
      // What was sent by the one before is lost or unclear: nothing may follow it.
      const uint64_t number = (*session)->number();
      if (std::exchange(session_number_, number) != number && std::exchange(sent_, false)) {
        return absl::UnavailableError("the producer of the clean topic was made anew");
      }
      auto queued = (*session)->produce(index_, record, tag);
      sent_ = sent_ || queued.ok();
      return queued;
    }
    void set_report_sink(ReportSink sink) override {
      topic_.reports_[static_cast<size_t>(index_)]->set_sink(std::move(sink));
    }
    absl::StatusOr<Extent> extent() override {
      const auto reader = topic_.reader();
      if (!reader.ok()) return reader.status();
      const auto bounds = (*reader)->bounds_of(topic_.settings_.topic, topic_.partitions(),
                                               topic_.settings_.request_ms_max);
      if (!bounds.ok()) return bounds.status();
      const Bounds& own = (*bounds)[static_cast<size_t>(index_)];
      return Extent{own.begin, own.end};
    }
    std::unique_ptr<CleanCursor> read(int64_t offset) override {
      auto reader = topic_.reader();
      if (!reader.ok()) return std::make_unique<FailedCursor>(reader.status());
      return std::make_unique<KafkaCleanCursor>(*std::move(reader), topic_.settings_.topic, index_,
                                                offset);
    }

   private:
    KafkaCleanTopic& topic_;
    const int32_t index_;
    uint64_t session_number_ = 0;  // of the producer used last
    bool sent_ = false;            // something was sent with it
  };

  absl::StatusOr<std::shared_ptr<Session>> session() {
    const std::lock_guard lock(session_mutex_);
    if (session_ && !session_->failed()) return session_;
    // Ends the old one first: its reports come before any of the new one.
    session_.reset();
    auto session = Session::start(settings_, reports_, ++sessions_);
    if (session.ok()) session_ = *session;
    return session;
  }

  // Shared by all partitions that are being read, and gone when none is.
  absl::StatusOr<std::shared_ptr<Client>> reader() {
    const std::lock_guard lock(reader_mutex_);
    if (auto reader = reader_.lock()) return reader;
    auto reader = Client::make(settings_, Use::kBulkReader);
    if (!reader.ok()) return reader.status();
    (*reader)->topic(settings_.topic);
    reader_ = *reader;
    return reader;
  }

  const KafkaSettings settings_;
  std::vector<std::unique_ptr<Reports>> reports_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::mutex reader_mutex_;
  std::weak_ptr<Client> reader_;
  std::mutex session_mutex_;
  uint64_t sessions_ = 0;
  std::shared_ptr<Session> session_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<republish::CleanTopic>> open_clean_topic(KafkaSettings settings,
                                                                        int partitions) {
  const auto facts = check_clean_topic(settings, partitions);
  if (!facts.ok()) return facts.status();
  if (auto good = require_good(*facts); !good.ok()) return good;
  return open_clean_topic_unchecked(std::move(settings), partitions);
}

absl::StatusOr<std::unique_ptr<republish::CleanTopic>> open_clean_topic_unchecked(
    KafkaSettings settings, int partitions) {
  if (auto checked = check_settings(settings); !checked.ok()) return checked;
  auto topic = std::make_unique<KafkaCleanTopic>(std::move(settings), partitions);
  if (auto connected = topic->connect(); !connected.ok()) return connected;
  return topic;
}

}  // namespace taizhang::journal::kafka
