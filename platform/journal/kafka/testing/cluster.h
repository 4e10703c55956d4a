// Clusters for tests: librdkafka's mock for fault paths, and the real broker that the environment
// names.
#pragma once

#include <memory>
#include <string>

#include "platform/journal/kafka/kafka_journal.h"

struct rd_kafka_s;
struct rd_kafka_mock_cluster_s;

namespace taizhang::journal::kafka::testing {

// One mock broker. It keeps at most 5 MiB a partition, knows no topic settings, does not fence and
// does not see duplicates (librdkafka 2.0.2): for fault paths only. Thread-safe.
class MockCluster {
 public:
  explicit MockCluster(int partitions = 1);
  ~MockCluster();
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  KafkaSettings settings() const;
  // Not OK fails the test.
  std::unique_ptr<KafkaJournal> open(Access access = Access::kWriter) const;

  // The next answers to Produce requests, oldest first: fatal for the producer, a dropped
  // connection, or a refusal for good.
  void next_produce_is_fatal();
  void next_produce_drops_the_connection();
  void next_produce_is_refused();
  void set_up(bool up);

 private:
  void push_produce_error(int error);

  int partitions_;
  rd_kafka_s* handle_ = nullptr;
  rd_kafka_mock_cluster_s* cluster_ = nullptr;
};

// host:port of the real broker (TAIZHANG_KAFKA); empty: there is none.
std::string broker();

// A topic of its own on the real broker, one replica, every record synced. No broker fails the
// test.
KafkaSettings trial_settings();
// The same, made with so many partitions. Not OK fails the test.
KafkaSettings trial_topic(int partitions);
std::unique_ptr<KafkaJournal> open_trial(const KafkaSettings& settings,
                                         Access access = Access::kWriter);
// Changes one setting of a topic that is checked (the others go back to their defaults), deletes a
// topic, or the records of a partition below an offset. Not OK fails the test.
void alter_topic(const KafkaSettings& settings, const std::string& topic, const std::string& name,
                 const std::string& value);
void delete_topic(const KafkaSettings& settings, const std::string& topic);
void delete_records(const KafkaSettings& settings, int partition, int64_t below);

// What some other program might do: one record in a committed transaction, whose marker takes the
// offset after it.
void append_in_transaction(const KafkaSettings& settings, int partition, const std::string& bytes);

}  // namespace taizhang::journal::kafka::testing
