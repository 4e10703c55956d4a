// The clean topic on librdkafka: what is sent comes back, a producer that fails is made anew, and
// a topic that is not as it must be is refused.
#include "platform/journal/kafka/clean_topic.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "absl/time/clock.h"
#include "platform/base/test_folder.h"
#include "platform/journal/kafka/clean_config.h"
#include "platform/journal/kafka/testing/cluster.h"
#include "platform/journal/kafka/topics.h"
#include "platform/republish/republisher.h"
#include "platform/republish/test_clean_topic.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang::journal::kafka {
namespace {

using republish::CleanPartition;
using republish::CleanRecord;
using republish::CleanTopic;
using republish::Republisher;
using republish::RepublisherSettings;
using taizhang::testing::EventJournal;
using taizhang::testing::header_of;
using taizhang::testing::TestEvent;
using testing::MockCluster;

constexpr absl::Duration kPatience = absl::Seconds(120);

bool eventually(const std::function<bool()>& holds) {
  const absl::Time until = absl::Now() + kPatience;
  while (absl::Now() < until) {
    if (holds()) return true;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return false;
}

std::unique_ptr<CleanTopic> open_unchecked(const KafkaSettings& settings, int partitions) {
  auto topic = open_clean_topic_unchecked(settings, partitions);
  EXPECT_TRUE(topic.ok()) << topic.status();
  return topic.ok() ? *std::move(topic) : nullptr;
}

std::vector<CleanRecord> stored(CleanPartition& partition) {
  std::vector<CleanRecord> records;
  auto extent = partition.extent();
  EXPECT_TRUE(extent.ok()) << extent.status();
  if (!extent.ok()) return records;
  const auto cursor = partition.read(extent->first);
  for (int64_t next = extent->first; next < extent->end;) {
    auto record = cursor->next();
    EXPECT_TRUE(record.ok()) << record.status();
    if (!record.ok()) return records;
    if (!*record) continue;
    EXPECT_EQ((*record)->offset, next);
    next = (*record)->offset + 1;
    records.push_back(std::move((*record)->record));
  }
  return records;
}

std::vector<TestEvent> accepted(CleanPartition& partition) {
  std::vector<TestEvent> taken;
  for (const CleanRecord& record : stored(partition)) {
    if (header_of(record, "ce_k") != std::to_string(taken.size() + 1)) continue;
    taken.push_back({header_of(record, "ce_id"), record.value});
  }
  return taken;
}

TEST(CleanTopicTest, GivesBackWhatWasSentInItsPartition) {
  const MockCluster cluster(2);
  const auto topic = open_unchecked(cluster.settings(), 2);
  ASSERT_EQ(topic->partitions(), 2);
  const std::vector<CleanRecord> sent = {
      {"510101", {{"ce_k", "1"}, {"ce_k", "twice"}, {"empty", ""}}, std::string("\0a\xff", 3)},
      {"510102", {}, ""},
      {std::string("\0", 1), {{"名", "值"}}, std::string(900'000, 'x')},
  };
  std::atomic<uint64_t> reported = 0;
  topic->partition(1).set_report_sink([&](const AppendReport& report) {
    EXPECT_TRUE(report.offset.ok()) << report.offset.status();
    EXPECT_EQ(report.tag, 7 + reported);
    ++reported;
  });
  for (size_t i = 0; i < sent.size(); ++i) {
    ASSERT_TRUE(topic->partition(1).produce(sent[i], 7 + i).ok());
  }
  ASSERT_TRUE(eventually([&] { return reported == sent.size(); }));
  EXPECT_EQ(stored(topic->partition(1)), sent);
  EXPECT_EQ(stored(topic->partition(0)), std::vector<CleanRecord>{});
}

config::v1::Config config_with(const std::string& clean_topic) {
  config::v1::Config config;
  auto& kafka = *config.mutable_journal()->mutable_kafka();
  kafka.set_bootstrap_servers("127.0.0.1:9092");
  kafka.set_topic("book");
  config.mutable_clean_topic();
  if (!clean_topic.empty()) config.mutable_clean_topic()->set_topic(clean_topic);
  return config;
}

TEST(CleanTopicSettings, AreTheJournalsWithAnotherTopic) {
  const auto settings = clean_topic_settings(config_with(""), ".");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->topic, "book.events");
  EXPECT_EQ(settings->bootstrap_servers, "127.0.0.1:9092");
  EXPECT_EQ(settings->replication_factor, 3);
  EXPECT_EQ(settings->linger_ms, 5);
  EXPECT_EQ(clean_topic_settings(config_with("province.events"), ".")->topic, "province.events");
}

TEST(CleanTopicSettings, RefuseTheJournalsOwnTopicsByName) {
  for (const auto* topic : {"book", "book.heartbeat"}) {
    const auto refused = clean_topic_settings(config_with(topic), ".");
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(refused.status().message(),
              std::string("clean_topic.topic: ") + topic + " is the journal's own topic");
  }
  EXPECT_FALSE(clean_topic_settings(config_with("no spaces"), ".").ok());
}

TEST(CleanTopicSettings, NeedAKafkaJournal) {
  config::v1::Config config;
  config.mutable_clean_topic();
  EXPECT_EQ(clean_topic_settings(config, ".").status().message(),
            "clean_topic: needs journal.kafka");
}

// Republishes a journal that grows while the cluster fails.
class FaultTest : public ::testing::Test {
 protected:
  FaultTest() { journal_.open("510101"); }

  void start() {
    RepublisherSettings settings;
    settings.directory = folder_.path();
    settings.retry_us_min = 10'000;
    settings.retry_us_max = 100'000;
    republisher_ = std::make_unique<Republisher>(std::vector<Log*>{&journal_.log},
                                                 open_unchecked(cluster_.settings(), 1),
                                                 system_clock(), settings);
    ASSERT_TRUE(republisher_->start().ok());
    record(20);
    ASSERT_TRUE(confirmed());
  }
  void record(int commits) {
    for (int i = 0; i < commits; ++i) journal_.record("510101", 1 + i % 3);
  }
  bool confirmed() {
    return eventually([this] {
      return republisher_->status()[0].k == static_cast<int64_t>(journal_.events.size());
    });
  }
  void check() {
    ASSERT_TRUE(confirmed());
    EXPECT_EQ(accepted(open_unchecked(cluster_.settings(), 1)->partition(0)), journal_.events);
  }
  int64_t attempts() const { return republisher_->status()[0].attempts; }

  const taizhang::testing::TestFolder folder_;
  MockCluster cluster_;
  EventJournal journal_;
  std::unique_ptr<Republisher> republisher_;
};

TEST_F(FaultTest, AProducerThatMustEndIsMadeAnew) {
  start();
  for (int i = 0; i < 3; ++i) {
    cluster_.next_produce_is_fatal();
    record(20);
    ASSERT_TRUE(confirmed());
  }
  EXPECT_GT(attempts(), 3);
  check();
}

TEST_F(FaultTest, ALostConnectionLosesNothing) {
  start();
  for (int i = 0; i < 3; ++i) {
    cluster_.next_produce_drops_the_connection();
    record(20);
    ASSERT_TRUE(confirmed());
  }
  check();
}

TEST_F(FaultTest, ARefusalBeginsAgain) {
  start();
  cluster_.next_produce_is_refused();
  record(20);
  ASSERT_TRUE(confirmed());
  EXPECT_GT(attempts(), 1);
  check();
}

TEST_F(FaultTest, ABrokerThatIsAwayIsWaitedFor) {
  start();
  cluster_.set_up(false);
  record(20);
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_LT(republisher_->status()[0].k, static_cast<int64_t>(journal_.events.size()));
  cluster_.set_up(true);
  check();
}

class BrokerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(testing::broker().empty()) << "TAIZHANG_KAFKA names no broker";
  }
  static std::string refusal(const KafkaSettings& settings, int partitions) {
    const auto opened = open_clean_topic(settings, partitions);
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
    return std::string(opened.status().message());
  }
};

TEST_F(BrokerTest, ATopicThatWasMadeForItIsTaken) {
  const KafkaSettings settings = testing::trial_settings();
  const auto made = create_clean_topic(settings, 3);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->made);
  ASSERT_TRUE(eventually([&] { return open_clean_topic(settings, 3).ok(); }));
  const auto again = create_clean_topic(settings, 3);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->made);
}

TEST_F(BrokerTest, ATopicThatIsMissingOrNotAsItMustBeIsRefusedByName) {
  const KafkaSettings settings = testing::trial_settings();
  EXPECT_NE(refusal(settings, 2).find(settings.topic), std::string::npos);
  ASSERT_TRUE(create_clean_topic(settings, 2).ok());
  ASSERT_TRUE(eventually([&] { return open_clean_topic(settings, 2).ok(); }));
  EXPECT_NE(refusal(settings, 3).find("partitions is 2, must be 3"), std::string::npos)
      << refusal(settings, 3);
  testing::alter_topic(settings, settings.topic, "cleanup.policy", "compact");
  EXPECT_NE(refusal(settings, 2).find("cleanup.policy is compact, must be delete"),
            std::string::npos)
      << refusal(settings, 2);
}

}  // namespace
}  // namespace taizhang::journal::kafka
