// Lines, sessions and the producer that joins them.
#include "platform/journal/kafka/producer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "platform/base/log.h"
#include "platform/journal/record.h"

namespace taizhang::journal::kafka {
namespace {

constexpr int kPollMs = 100;
constexpr int kWarmMs = 5'000;

uint64_t next_serial() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

bool is_claim(std::string_view record) {
  const std::optional<RecordIdentity> identity = identify(record);
  return identity && identity->kind == static_cast<uint8_t>(Kind::kClaim);
}

}  // namespace

Line::Line(int32_t partition, Tail& tail, int64_t records_max, int64_t bytes_max, bool gather)
    : partition_(partition),
      tail_(tail),
      records_max_(records_max),
      bytes_max_(bytes_max),
      gather_(gather) {}

void Line::set_sink(ReportSink sink) {
  const std::lock_guard lock(sink_mutex_);
  sink_ = std::move(sink);
}

absl::Status Line::room_for(int64_t bytes) const {
  const auto records = static_cast<int64_t>(entries_.size());
  if (records < records_max_ && bytes_ + bytes <= bytes_max_) return absl::OkStatus();
  return absl::ResourceExhaustedError("partition " + std::to_string(partition_) + ": " +
                                      std::to_string(records) + " records, " +
                                      std::to_string(bytes_) + " bytes wait for the brokers");
}

absl::Status Line::room() const {
  const std::lock_guard lock(mutex_);
  return room_for(static_cast<int64_t>(kRecordBytesMax));
}

absl::Status Line::produce(ProducerSession& session, std::string& bytes, uint64_t tag) {
  const auto size = static_cast<int64_t>(bytes.size());
  auto entry = std::make_unique<Entry>();
  entry->line = this;
  entry->session = &session;
  entry->tag = tag;
  const std::lock_guard lock(mutex_);
  // Under the lock that give_up() takes: an entry is either seen by it or never queued.
  if (session.failed()) return absl::AbortedError("the producer has failed");
  if (absl::Status status = room_for(size); !status.ok()) return status;
  entry->bytes = std::move(bytes);
  const bool waits = gather_ && !entries_.empty();
  if (const int32_t error = waits ? 0 : send_locked(session, *entry)) {
    bytes = std::move(entry->bytes);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return absl::ResourceExhaustedError("librdkafka's queue is full");
    }
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      return absl::InvalidArgumentError("record of " + std::to_string(size) +
                                        " bytes is too large for the topic");
    }
    if (error == RD_KAFKA_RESP_ERR__FATAL) return absl::AbortedError("the producer has failed");
    return status_of(error, "producing to partition " + std::to_string(partition_));
  }
  bytes_ += size;
  if (waits) ++unsent_;
  entries_.push_back(std::move(entry));
  return absl::OkStatus();
}

int32_t Line::send_locked(ProducerSession& session, Entry& entry) {
  entry.sent = true;
  entry.connections = session.route().connections;
  return session.send(entry);
}

void Line::send_waiting_locked(ProducerSession& session) {
  if (entries_.size() > unsent_) return;
  while (unsent_ > 0) {
    Entry& entry = *entries_[entries_.size() - unsent_];
    // Of a session that has failed: given up in a moment.
    if (entry.session != &session) break;
    if (const int32_t error = send_locked(session, entry)) {
      entry.settled = true;
      entry.offset = status_of(error, "producing to partition " + std::to_string(partition_));
    }
    --unsent_;
  }
}

std::unique_ptr<Line::Entry> Line::take_front_locked() {
  std::unique_ptr<Entry> entry = std::move(entries_.front());
  entries_.pop_front();
  bytes_ -= static_cast<int64_t>(entry->bytes.size());
  if (!entry->sent) --unsent_;
  return entry;
}

void Line::settle(Entry& entry, absl::StatusOr<int64_t> offset) {
  const std::lock_guard lock(mutex_);
  if (entry.reported) return;
  entry.settled = true;
  entry.offset = std::move(offset);
}

void Line::report_settled(ProducerSession& session) {
  const std::lock_guard sink_lock(sink_mutex_);
  std::vector<std::unique_ptr<Entry>> settled;
  {
    const std::lock_guard lock(mutex_);
    while (!entries_.empty() && entries_.front()->settled) settled.push_back(take_front_locked());
    send_waiting_locked(session);
  }
  feed_tail(session, settled);
  report(settled);
}

std::vector<std::unique_ptr<Line::Entry>> Line::give_up(const ProducerSession& session,
                                                        const absl::Status& why) {
  const std::lock_guard sink_lock(sink_mutex_);
  std::vector<std::unique_ptr<Entry>> given_up;
  {
    const std::lock_guard lock(mutex_);
    // Those of a later session stand behind and stay.
    while (!entries_.empty() && entries_.front()->session == &session) {
      given_up.push_back(take_front_locked());
      Entry& entry = *given_up.back();
      entry.reported = true;
      if (!entry.settled) entry.offset = why;
    }
  }
  report(given_up);
  return given_up;
}

void Line::report(std::vector<std::unique_ptr<Entry>>& settled) {
  for (const std::unique_ptr<Entry>& entry : settled) {
    if (entry->offset.ok()) tail_.advance(*entry->offset + 1);
    sink_({entry->tag, entry->offset});
  }
}

// In runs of neighbours that took one route; librdkafka does not need their bytes any more. A claim
// is read: it counts only where the fold saw it, and the broker's time of it is compared with ours.
void Line::feed_tail(const ProducerSession& session, std::vector<std::unique_ptr<Entry>>& settled) {
  if (settled.empty()) return;
  const Route route = session.route();
  std::vector<OwnRecord> run;
  for (const std::unique_ptr<Entry>& entry : settled) {
    const bool known = entry->offset.ok() && entry->session == &session &&
                       entry->connections == route.connections && !is_claim(entry->bytes);
    if (!run.empty() && (!known || *entry->offset != run.back().offset + 1)) {
      tail_.feed(std::exchange(run, {}), route);
    }
    if (known) run.push_back({*entry->offset, std::move(entry->bytes)});
  }
  if (!run.empty()) tail_.feed(std::move(run), route);
}

ProducerSession::ProducerSession(const KafkaSettings& settings, std::vector<Line*> lines)
    : serial_(next_serial()), settings_(settings), lines_(std::move(lines)) {}

absl::StatusOr<std::shared_ptr<ProducerSession>> ProducerSession::start(
    const KafkaSettings& settings, std::vector<Line*> lines) {
  std::shared_ptr<ProducerSession> session(new ProducerSession(settings, std::move(lines)));
  ClientCallbacks callbacks;
  callbacks.delivered = [](const rd_kafka_message_t& message) {
    auto& entry = *static_cast<Line::Entry*>(message._private);
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      entry.line->settle(entry, message.offset);
    } else {
      entry.line->settle(entry, status_of(message.err, "producing to partition " +
                                                           std::to_string(message.partition)));
    }
  };
  callbacks.error = [raw = session.get()](bool fatal, const std::string& why) {
    if (!fatal) return;
    const std::lock_guard lock(raw->mutex_);
    raw->fatal_why_ = why;
    raw->fatal_ = true;
  };
  absl::StatusOr<std::shared_ptr<Client>> client =
      Client::make(settings, Use::kProducer, std::move(callbacks));
  if (!client.ok()) return client.status();
  session->client_ = *std::move(client);
  session->client_->topic(settings.topic);
  session->thread_ = std::thread([raw = session.get()] { raw->run(); });
  return session;
}

ProducerSession::~ProducerSession() {
  fail("the journal is closed");
  if (thread_.joinable()) thread_.join();
}

void ProducerSession::run() {
  // Without this the first produce() to a topic waits up to a second (librdkafka 2.0.2).
  const auto partitions = client_->partitions_of(settings_.topic, kWarmMs);
  if (!partitions.ok()) {
    log(LogLevel::kWarning, "kafka_producer_cold",
        {{"why", std::string(partitions.status().message())}});
  }
  {
    const std::lock_guard lock(mutex_);
    warm_ = true;
  }
  changed_.notify_all();
  while (!failed()) {
    // After each poll, which hears of whole requests: one wake-up for all of them.
    for (Line* line : lines_) line->report_settled(*this);
    rd_kafka_poll(client_->get(), kPollMs);
    if (fatal_) {
      std::string why;
      {
        const std::lock_guard lock(mutex_);
        why = fatal_why_;
      }
      fail(why);
    }
  }
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return all_given_up_; });
  }
  // Reports of what was given up come to nothing; taking them lets the client end quickly. It reads
  // the bytes of what was given up until it is gone.
  rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_poll(client_->get(), 0) > 0) {
  }
  client_.reset();
  ended_.store(true, std::memory_order_release);
}

void ProducerSession::fail(const std::string& why) {
  if (failed_.exchange(true, std::memory_order_acq_rel)) return;
  log(LogLevel::kInfo, "kafka_producer_ended", {{"why", why}});
  for (Line* line : lines_) {
    auto entries = line->give_up(*this, absl::UnavailableError("the producer ended: " + why));
    const std::lock_guard lock(mutex_);
    for (auto& entry : entries) given_up_.push_back(std::move(entry));
  }
  {
    const std::lock_guard lock(mutex_);
    all_given_up_ = true;
  }
  changed_.notify_all();
}

void ProducerSession::wait_warm() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return warm_; });
}

int32_t ProducerSession::send(Line::Entry& entry) {
  if (rd_kafka_produce(client_->topic(settings_.topic), entry.line->partition(), 0,
                       entry.bytes.data(), entry.bytes.size(), nullptr, 0, &entry) == 0) {
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  return rd_kafka_last_error();
}

absl::StatusOr<std::unique_ptr<Producer>> Producer::open(const KafkaSettings& settings,
                                                         std::vector<Line*> lines) {
  std::unique_ptr<Producer> producer(new Producer(settings));
  producer->lines_ = std::move(lines);
  const auto session = producer->session();
  if (!session.ok()) return session.status();
  (*session)->wait_warm();
  return producer;
}

Producer::~Producer() = default;

absl::StatusOr<std::shared_ptr<ProducerSession>> Producer::session() {
  const std::lock_guard lock(mutex_);
  failed_.erase(std::remove_if(failed_.begin(), failed_.end(),
                               [](const auto& session) { return session->ended(); }),
                failed_.end());
  if (session_ && !session_->failed()) return session_;
  if (session_) failed_.push_back(std::exchange(session_, nullptr));
  absl::StatusOr<std::shared_ptr<ProducerSession>> session =
      ProducerSession::start(settings_, lines_);
  if (session.ok()) session_ = *session;
  return session;
}

absl::Status Producer::produce(Line& line, std::string bytes, uint64_t tag) {
  while (true) {
    const absl::StatusOr<std::shared_ptr<ProducerSession>> session = this->session();
    if (!session.ok()) return absl::UnavailableError(std::string(session.status().message()));
    absl::Status status = line.produce(**session, bytes, tag);
    if (!absl::IsAborted(status)) return status;
    (*session)->fail("librdkafka gave it up");
  }
}

}  // namespace taizhang::journal::kafka
