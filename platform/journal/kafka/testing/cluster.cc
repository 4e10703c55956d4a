// Mock and real clusters of tests.
#include "platform/journal/kafka/testing/cluster.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/time/clock.h"
#include "platform/base/clock.h"
#include "platform/base/sha256.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/topics.h"

namespace taizhang::journal::kafka::testing {
namespace {

constexpr char kMockTopic[] = "mock";
constexpr int kProduceKey = 0;  // Kafka's number of the Produce request
constexpr int kAdminMs = 20'000;

}  // namespace

MockCluster::MockCluster(int partitions) : partitions_(partitions) {
  char text[256];
  handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
  cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
  rd_kafka_mock_topic_create(cluster_, kMockTopic, partitions, 1);
}

MockCluster::~MockCluster() {
  rd_kafka_mock_cluster_destroy(cluster_);
  rd_kafka_destroy(handle_);
}

KafkaSettings MockCluster::settings() const {
  KafkaSettings settings;
  settings.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(cluster_);
  settings.topic = kMockTopic;
  settings.replication_factor = 1;
  settings.min_insync_replicas = 1;
  return settings;
}

std::unique_ptr<KafkaJournal> MockCluster::open(Access access) const {
  auto journal = KafkaJournal::open_unchecked(settings(), access);
  EXPECT_TRUE(journal.ok()) << journal.status();
  return journal.ok() ? *std::move(journal) : nullptr;
}

void MockCluster::push_produce_error(int error) {
  rd_kafka_mock_push_request_errors(cluster_, kProduceKey, 1, error);
}

void MockCluster::next_produce_is_fatal() {
  push_produce_error(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
}

void MockCluster::next_produce_drops_the_connection() {
  push_produce_error(RD_KAFKA_RESP_ERR__TRANSPORT);
}

void MockCluster::next_produce_is_refused() {
  push_produce_error(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
}

void MockCluster::set_up(bool up) {
  if (up) {
    rd_kafka_mock_broker_set_up(cluster_, 1);
  } else {
    rd_kafka_mock_broker_set_down(cluster_, 1);
  }
}

std::string broker() {
  const char* value = getenv("TAIZHANG_KAFKA");
  return value ? value : "";
}

KafkaSettings trial_settings() {
  KafkaSettings settings;
  settings.bootstrap_servers = broker();
  EXPECT_FALSE(settings.bootstrap_servers.empty()) << "TAIZHANG_KAFKA names no broker";
  settings.topic = "test-" + hex(system_random().bytes(8));
  settings.replication_factor = 1;
  settings.min_insync_replicas = 1;
  return settings;
}

KafkaSettings trial_topic(int partitions) {
  KafkaSettings settings = trial_settings();
  const auto made = create_topics(settings, partitions);
  EXPECT_TRUE(made.ok()) << made.status();
  return settings;
}

std::unique_ptr<KafkaJournal> open_trial(const KafkaSettings& settings, Access access) {
  auto journal = KafkaJournal::open(settings, access);
  EXPECT_TRUE(journal.ok()) << journal.status();
  return journal.ok() ? *std::move(journal) : nullptr;
}

void alter_topic(const KafkaSettings& settings, const std::string& topic, const std::string& name,
                 const std::string& value) {
  const auto client = Client::make(settings, Use::kAdmin);
  ASSERT_TRUE(client.ok());
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str());
  rd_kafka_queue_t* queue = rd_kafka_queue_new((*client)->get());
  rd_kafka_AlterConfigs((*client)->get(), &resource, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kAdminMs);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_ConfigResource_destroy(resource);
  // The broker says so a moment after the controller has it.
  const auto said = [&] {
    const auto facts = check_topics(settings);
    return facts.ok() && std::any_of(facts->begin(), facts->end(), [&](const TopicFact& fact) {
             return fact.topic == topic && fact.setting == name && fact.value == value;
           });
  };
  for (const absl::Time until = absl::Now() + absl::Milliseconds(kAdminMs);
       !said() && absl::Now() < until;) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_TRUE(said()) << name;
}

void delete_topic(const KafkaSettings& settings, const std::string& topic) {
  const auto client = Client::make(settings, Use::kAdmin);
  ASSERT_TRUE(client.ok());
  rd_kafka_DeleteTopic_t* wanted = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_queue_t* queue = rd_kafka_queue_new((*client)->get());
  rd_kafka_DeleteTopics((*client)->get(), &wanted, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kAdminMs);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_DeleteTopic_destroy(wanted);
}

void delete_records(const KafkaSettings& settings, int partition, int64_t below) {
  const auto client = Client::make(settings, Use::kAdmin);
  ASSERT_TRUE(client.ok());
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, settings.topic.c_str(), partition)->offset = below;
  rd_kafka_DeleteRecords_t* wanted = rd_kafka_DeleteRecords_new(list);
  rd_kafka_queue_t* queue = rd_kafka_queue_new((*client)->get());
  rd_kafka_DeleteRecords((*client)->get(), &wanted, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kAdminMs);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_DeleteRecords_destroy(wanted);
  rd_kafka_topic_partition_list_destroy(list);
}

void append_in_transaction(const KafkaSettings& settings, int partition, const std::string& bytes) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char text[256];
  rd_kafka_conf_set(conf, "bootstrap.servers", settings.bootstrap_servers.c_str(), text,
                    sizeof text);
  rd_kafka_conf_set(conf, "transactional.id", settings.topic.c_str(), text, sizeof text);
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
  ASSERT_NE(producer, nullptr) << text;
  EXPECT_EQ(rd_kafka_init_transactions(producer, kAdminMs), nullptr);
  EXPECT_EQ(rd_kafka_begin_transaction(producer), nullptr);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, settings.topic.c_str(), nullptr);
  EXPECT_EQ(rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, const_cast<char*>(bytes.data()),
                             bytes.size(), nullptr, 0, nullptr),
            0);
  EXPECT_EQ(rd_kafka_commit_transaction(producer, kAdminMs), nullptr);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
}

}  // namespace taizhang::journal::kafka::testing
