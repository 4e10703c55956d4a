// The journal on a real broker: unsafe topics, reading behind and at the end, a topic that changes
// under it, heartbeats, and two owners of which one holds.
#include "platform/journal/kafka/kafka_journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "absl/time/clock.h"
#include "platform/journal/kafka/heartbeats.h"
#include "platform/journal/kafka/testing/cluster.h"
#include "platform/journal/kafka/topics.h"
#include "platform/journal/owner.h"
#include "platform/journal/testing/history.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal::kafka {
namespace {

using testing::open_trial;
using testing::trial_topic;

class KafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(testing::broker().empty()) << "TAIZHANG_KAFKA names no broker";
  }
};

// Produces and waits for the reports.
void append(Log& log, const std::vector<std::string>& records) {
  std::atomic<size_t> stored{0};
  log.set_report_sink([&stored](AppendReport report) {
    EXPECT_TRUE(report.offset.ok()) << report.offset.status();
    ++stored;
  });
  for (size_t i = 0; i < records.size(); ++i) {
    absl::Status status;
    for (int tries = 0; tries < 10'000; ++tries) {
      status = log.produce(records[i], i);
      if (!absl::IsResourceExhausted(status)) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_TRUE(status.ok()) << status;
  }
  for (int i = 0; i < 60'000 && stored < records.size(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_EQ(stored, records.size());
  log.set_report_sink([](AppendReport) {});
}

// OK, or the first error other than "nothing now" within a minute.
absl::Status first_error(Cursor& cursor) {
  for (const absl::Time until = absl::Now() + absl::Seconds(60); absl::Now() < until;) {
    const auto record = cursor.next();
    if (!record.ok()) return record.status();
    if (!*record) absl::SleepFor(absl::Milliseconds(20));
  }
  return absl::OkStatus();
}

using TopicSafety = KafkaTest;

TEST_F(TopicSafety, AMissingTopicIsRefused) {
  const absl::Status status =
      KafkaJournal::open(testing::trial_settings(), Access::kWriter).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("taizhang journal create"), absl::string_view::npos) << status;
}

TEST_F(TopicSafety, WhatIsMadeIsGoodAndMadeOnce) {
  const KafkaSettings settings = trial_topic(3);
  EXPECT_TRUE(require_safe_topics(settings).ok()) << require_safe_topics(settings);
  const auto again = create_topics(settings, 5);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->at(0).made);
  EXPECT_FALSE(again->at(1).made);
  EXPECT_EQ(open_trial(settings)->partitions(), 3);
}

TEST_F(TopicSafety, EachUnsafeSettingIsRefusedByNameAndValue) {
  const std::vector<std::array<std::string, 3>> unsafe = {
      {"cleanup.policy", "compact", "delete"},
      {"retention.ms", "604800000", "-1"},
      {"retention.bytes", "1000000000", "-1"},
      {"message.timestamp.type", "CreateTime", "LogAppendTime"},
      {"max.message.bytes", "500000", "at least 1048588"},
      {"unclean.leader.election.enable", "true", "false"},
      {"flush.messages", "1000", "1"}};
  for (const auto& [name, value, required] : unsafe) {
    const KafkaSettings settings = trial_topic(1);
    testing::alter_topic(settings, settings.topic, name, value);
    const absl::Status status = KafkaJournal::open(settings, Access::kReader).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << name;
    // AlterConfigs sets back what it does not name, so the altered one is one of several.
    EXPECT_NE(status.message().find(name + " is " + value + ", must be " + required),
              absl::string_view::npos)
        << status;
  }
}

TEST_F(TopicSafety, ReplicationBelowTheSettingsIsRefused) {
  KafkaSettings settings = trial_topic(1);
  settings.replication_factor = 3;
  settings.min_insync_replicas = 2;
  const absl::Status status = require_safe_topics(settings);
  EXPECT_NE(status.message().find("replication factor is 1, must be at least 3"),
            absl::string_view::npos)
      << status;
  EXPECT_NE(status.message().find("min.insync.replicas is 1, must be at least 2"),
            absl::string_view::npos);
}

TEST_F(TopicSafety, UnsyncedRecordsNeedThreePowerDomainsAndReplicas) {
  KafkaSettings settings = trial_topic(1);
  testing::alter_topic(settings, settings.topic, "flush.messages", "1000");
  settings.power_domains = 3;
  const auto mentions_flush = [](const absl::Status& status) {
    return status.message().find("flush.messages") != absl::string_view::npos;
  };
  EXPECT_TRUE(mentions_flush(require_safe_topics(settings)));  // a single replica is never enough
  settings.replication_factor = 3;
  settings.min_insync_replicas = 2;
  EXPECT_FALSE(mentions_flush(require_safe_topics(settings)));
  settings.power_domains = 2;
  EXPECT_TRUE(mentions_flush(require_safe_topics(settings)));
}

TEST_F(TopicSafety, TheNumberOfPartitionsIsThatOfTheGenesis) {
  const KafkaSettings settings = trial_topic(2);
  const auto journal = open_trial(settings);
  append(journal->partition(0), {journal::testing::History(0xAA, 0, 3).genesis()});
  const absl::Status status = KafkaJournal::open(settings, Access::kReader).status();
  EXPECT_NE(status.message().find("partitions is 2, must be 3"), absl::string_view::npos) << status;
}

TEST_F(TopicSafety, ACheckSeesWhatChangedUnderARunningJournal) {
  const KafkaSettings settings = trial_topic(1);
  const auto journal = open_trial(settings);
  EXPECT_TRUE(journal->check().ok()) << journal->check();
  testing::alter_topic(settings, settings.topic, "retention.ms", "1000");
  const absl::Status status = journal->check();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("retention.ms is 1000, must be -1"), absl::string_view::npos)
      << status;
}

TEST_F(TopicSafety, TheCleanTopicIsMadeAndChecked) {
  KafkaSettings settings = testing::trial_settings();
  ASSERT_TRUE(create_clean_topic(settings, 2).ok());
  const auto good = check_clean_topic(settings, 2);
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(require_good(*good).ok()) << require_good(*good);
  const auto bad = check_clean_topic(settings, 3);
  ASSERT_TRUE(bad.ok());
  EXPECT_FALSE(require_good(*bad).ok());
}

using KafkaReading = KafkaTest;

TEST_F(KafkaReading, WhatIsOlderThanTheTailIsFetched) {
  KafkaSettings settings = trial_topic(1);
  settings.tail_bytes_max = 1 << 20;
  settings.read_ahead_bytes_max = 1 << 20;
  const auto journal = open_trial(settings);
  Log& log = journal->partition(0);
  constexpr int kRecords = 40'000;
  std::vector<std::string> records;
  for (int i = 0; i < kRecords; ++i) records.push_back(std::to_string(i) + std::string(300, 'x'));
  append(log, records);
  for (const int from : {0, 1, kRecords / 2, kRecords - 2}) {
    const auto cursor = log.read(from);
    for (int i = from; i < kRecords; ++i) {
      const auto record = cursor->next();
      ASSERT_TRUE(record.ok()) << record.status();
      ASSERT_TRUE(record->has_value()) << i;
      ASSERT_EQ((*record)->offset, i);
      ASSERT_EQ((*record)->bytes, records[static_cast<size_t>(i)]);
    }
    EXPECT_FALSE(cursor->next()->has_value());
  }
}

TEST_F(KafkaReading, MarkersOfAStrangersTransactionAreNoRecords) {
  const KafkaSettings settings = trial_topic(1);
  const auto journal = open_trial(settings);
  Log& log = journal->partition(0);
  append(log, {"a"});
  testing::append_in_transaction(settings, 0, "stranger");
  // What is confirmed may be there for a reader a moment later.
  const auto read_all = [](Log& from, int64_t at, size_t count) {
    std::vector<std::string> records;
    const auto cursor = from.read(at);
    for (const absl::Time until = absl::Now() + absl::Seconds(60); absl::Now() < until;) {
      const auto record = cursor->next();
      EXPECT_TRUE(record.ok()) << record.status();
      if (record.ok() && *record) records.emplace_back((*record)->bytes);
      if (!record.ok() || (!*record && records.size() >= count)) break;
    }
    return records;
  };
  const std::vector<std::string> two = {"a", "stranger"};
  EXPECT_EQ(read_all(log, 0, 2), two);
  // The marker at offset 2 is nothing that could be read: the end stands before it, also for who
  // comes later. The brokers tell of it a moment late.
  const auto settled_end = [](const Log& of) {
    for (int i = 0; i < 6'000 && of.end() != 2; ++i) absl::SleepFor(absl::Milliseconds(10));
    return of.end();
  };
  EXPECT_EQ(settled_end(log), 2);
  const auto later = open_trial(settings, Access::kReader);
  EXPECT_EQ(settled_end(later->partition(0)), 2);
  EXPECT_EQ(read_all(later->partition(0), 0, 2), two);
  EXPECT_TRUE(journal->check().ok()) << journal->check();

  append(log, {"b"});
  EXPECT_EQ(log.end(), 4);
  const std::vector<std::string> one = {"b"};
  EXPECT_EQ(read_all(log, 2, 1), one);
  EXPECT_EQ(log.read(2)->next()->value().offset, 3);
  EXPECT_EQ(later->partition(0).wait_beyond(2, absl::Seconds(60)), 4);
  EXPECT_EQ(read_all(later->partition(0), 2, 1), one);
}

TEST_F(KafkaReading, RecordsCarryTheBrokersTime) {
  const auto journal = open_trial(trial_topic(1));
  append(journal->partition(0), {"a"});
  const int64_t stored_us = journal->partition(0).read(0)->next()->value().stored_time_us;
  EXPECT_LT(std::abs(stored_us - system_clock().wall_us()), 60'000'000);
}

TEST_F(KafkaReading, AReaderElsewhereSeesRecordsAtOnce) {
  const KafkaSettings settings = trial_topic(2);
  const auto writer = open_trial(settings);
  const auto reader = open_trial(settings, Access::kReader);
  Log& log = reader->partition(1);
  const auto cursor = log.read(0);
  std::vector<absl::Duration> taken;
  for (int i = 0; i < 200; ++i) {
    const absl::Time begin = absl::Now();
    ASSERT_TRUE(writer->partition(1).produce("r", static_cast<uint64_t>(i)).ok());
    ASSERT_EQ(log.wait_beyond(i, absl::Seconds(60)), i + 1);
    ASSERT_TRUE(cursor->next()->has_value());
    taken.push_back(absl::Now() - begin);
  }
  std::sort(taken.begin(), taken.end());
  // A fetch that waited its time out, or a poll, would take a tenth of a second each. The quickest
  // say so also where other programs take the processors.
  EXPECT_LT(taken[20], absl::Milliseconds(50));
}

TEST_F(KafkaReading, TheSameRecordAgainAndAgainIsCheap) {
  KafkaSettings settings = trial_topic(1);
  settings.tail_bytes_max = 1 << 20;
  const auto journal = open_trial(settings);
  Log& log = journal->partition(0);
  append(log, std::vector<std::string>(5'000, std::string(1'000, 'x')));
  ASSERT_TRUE(log.read(0)->next().ok());  // connects
  const absl::Time begin = absl::Now();
  for (int i = 0; i < 50; ++i) {
    const auto record = log.read(i)->next();
    ASSERT_TRUE(record.ok() && *record) << record.status();
    EXPECT_EQ((*record)->offset, i);
  }
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

// Deleting takes a moment.
void make_again(const KafkaSettings& settings) {
  for (int i = 0; i < 600; ++i) {
    const auto made = create_topics(settings, 1);
    if (made.ok() && made->front().made) return;
    absl::SleepFor(absl::Milliseconds(100));
  }
  FAIL() << "topic " << settings.topic << " cannot be made again";
}

using KafkaDamage = KafkaTest;

TEST_F(KafkaDamage, ATopicMadeAnewIsDataLoss) {
  const KafkaSettings settings = trial_topic(1);
  const auto journal = open_trial(settings);
  Log& log = journal->partition(0);
  append(log, {"a", "b", "c"});
  const auto cursor = log.read(0);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(cursor->next()->has_value());
  testing::delete_topic(settings, settings.topic);
  make_again(settings);
  const absl::Status status = first_error(*cursor);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_NE(status.message().find(settings.topic + ", partition 0"), absl::string_view::npos)
      << status;
  EXPECT_EQ(log.produce("d", 1).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(journal->check().code(), absl::StatusCode::kDataLoss);
}

TEST_F(KafkaDamage, ATopicMadeAnewThatHasGrownIsDataLoss) {
  const KafkaSettings settings = trial_topic(1);
  const auto journal = open_trial(settings);
  append(journal->partition(0), {"a", "b", "c"});
  ASSERT_TRUE(journal->check().ok());
  testing::delete_topic(settings, settings.topic);
  make_again(settings);
  append(open_trial(settings)->partition(0), {"1", "2", "3", "4", "5", "6"});
  const absl::Status status = journal->check();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  const auto cursor = journal->partition(0).read(0);
  EXPECT_EQ(first_error(*cursor).code(), absl::StatusCode::kDataLoss);
}

TEST_F(KafkaDamage, DeletedFirstRecordsAreDataLoss) {
  const KafkaSettings settings = trial_topic(1);
  const auto journal = open_trial(settings);
  append(journal->partition(0), {"a", "b", "c"});
  testing::delete_records(settings, 0, 2);
  EXPECT_NE(journal->check().message().find("log start offset of partition 0 is 2, must be 0"),
            absl::string_view::npos)
      << journal->check();
  EXPECT_FALSE(KafkaJournal::open(settings, Access::kReader).ok());
  EXPECT_EQ(KafkaJournal::open_unchecked(settings, Access::kReader).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(KafkaDamage, APositionBeyondTheEndIsDataLoss) {
  const KafkaSettings settings = trial_topic(1);
  const auto journal = open_trial(settings);
  append(journal->partition(0), {"a"});
  const absl::Status status = journal->partition(0).read(2)->next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find(settings.topic), absl::string_view::npos) << status;
}

Heartbeat heartbeat(uint64_t progress) {
  Heartbeat heartbeat;
  heartbeat.journal = journal::testing::id(1);
  heartbeat.sender = journal::testing::id(2);
  heartbeat.partition = 3;
  heartbeat.epoch = 4;
  heartbeat.owner = journal::testing::id(5);
  heartbeat.progress = progress;
  heartbeat.waiting = progress % 2 == 1;
  return heartbeat;
}

TEST(Heartbeats, AreStoredAsTheyAre) {
  const std::string bytes = encode_heartbeat(heartbeat(7));
  EXPECT_EQ(bytes.size(), 74u);
  EXPECT_EQ(decode_heartbeat(bytes), heartbeat(7));
  EXPECT_FALSE(decode_heartbeat(bytes.substr(1)).has_value());
  EXPECT_FALSE(decode_heartbeat("").has_value());
  for (const size_t at : {0, 4, 73}) {
    std::string other = bytes;
    other[at] = '\x7f';
    EXPECT_FALSE(decode_heartbeat(other).has_value()) << at;
  }
}

TEST_F(KafkaTest, HeartbeatsOfAllAreHeardInOneOrder) {
  const KafkaSettings settings = trial_topic(1);
  const auto journal = open_trial(settings);
  const auto before = journal->heartbeats();
  ASSERT_TRUE(before.ok()) << before.status();
  (*before)->send(heartbeat(1));
  std::vector<Heartbeat> heard;
  const auto hear = [&heard](HeartbeatChannel& channel, size_t count) {
    for (int i = 0; i < 12'000 && heard.size() < count; ++i) {
      for (const Heartbeat& each : channel.poll()) heard.push_back(each);
      absl::SleepFor(absl::Milliseconds(10));
    }
  };
  hear(**before, 1);
  ASSERT_EQ(heard, std::vector{heartbeat(1)});

  const auto after = journal->heartbeats();
  ASSERT_TRUE(after.ok()) << after.status();
  heard.clear();
  (*after)->send(heartbeat(2));
  hear(**after, 1);
  EXPECT_EQ(heard, std::vector{heartbeat(2)});  // not what was sent before it listened
  heard.clear();
  (*before)->send(heartbeat(3));
  hear(**before, 2);
  EXPECT_EQ(heard, (std::vector{heartbeat(2), heartbeat(3)}));
}

// A process that owns, or wants to.
class Process : public OwnerListener {
 public:
  Process(const KafkaSettings& settings, uint64_t seed)
      : journal_(open_trial(settings)),
        random_(seed),
        owner(journal_->partition(0), system_clock(), random_, *this, Fold(0), creating(), [] {}) {}

  absl::Status on_record(const Folded&) override { return absl::OkStatus(); }
  void on_confirmed(uint64_t n, int64_t) override {
    confirmed.push_back({owner.fold().epoch(), n});
  }
  void on_epoch_ended(const absl::Status& why) override { ended.push_back(why); }

  absl::Status append() {
    v1::Barrier barrier;
    barrier.set_recorded_time_us(owner.next_recorded_time_us(""));
    const auto n = owner.append(*Draft::of(Kind::kBarrier, barrier));
    owner.poll();
    return n.status();
  }
  bool poll_until(const std::function<bool()>& done) {
    for (int i = 0; i < 120'000 && !done(); ++i) {
      owner.poll();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return done();
  }

  std::vector<std::pair<uint64_t, uint64_t>> confirmed;  // (epoch, n)
  std::vector<absl::Status> ended;

 private:
  static OwnerSettings creating() {
    OwnerSettings settings;
    settings.create = true;
    return settings;
  }
  std::unique_ptr<KafkaJournal> journal_;
  journal::testing::SeededRandom random_;

 public:
  Owner owner;
};

// What a reader finds valid: (epoch, n) of every barrier.
std::vector<std::pair<uint64_t, uint64_t>> valid_barriers(const KafkaSettings& settings) {
  const auto journal = open_trial(settings, Access::kReader);
  std::vector<std::pair<uint64_t, uint64_t>> valid;
  Fold fold(0);
  const auto cursor = journal->partition(0).read(0);
  while (true) {
    const auto record = cursor->next();
    EXPECT_TRUE(record.ok()) << record.status();
    if (!record.ok() || !*record) return valid;
    const auto folded = fold.apply((*record)->offset, (*record)->bytes);
    EXPECT_TRUE(folded.ok()) << folded.status();
    if (!folded.ok()) return valid;
    if (folded->valid() && folded->kind() == Kind::kBarrier) {
      valid.push_back({folded->header.epoch, folded->header.n});
    }
  }
}

TEST_F(KafkaTest, OfTwoOwnersTheOneThatClaimedLastHolds) {
  const KafkaSettings settings = trial_topic(1);
  Process first(settings, 1);
  ASSERT_TRUE(first.owner.claim().ok());
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(first.append().ok());
  ASSERT_TRUE(first.poll_until([&] { return first.confirmed.size() == 500; }));

  Process second(settings, 2);
  ASSERT_TRUE(second.owner.claim().ok());
  EXPECT_EQ(second.owner.fold().epoch(), 2u);
  // The first does not know yet: what it appends now is on the log, and good for nothing.
  for (int i = 0; i < 200 && first.owner.serving(); ++i) (void)first.append();
  ASSERT_TRUE(first.poll_until([&] { return !first.ended.empty(); }));
  EXPECT_EQ(first.confirmed.size(), 500u);
  EXPECT_FALSE(first.owner.serving());

  for (int i = 0; i < 100; ++i) ASSERT_TRUE(second.append().ok());
  ASSERT_TRUE(second.poll_until([&] { return second.confirmed.size() == 100; }));
  EXPECT_TRUE(second.ended.empty());

  // And back, while the second has appends in flight.
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(second.append().ok());
  ASSERT_TRUE(first.owner.claim().ok());
  for (int i = 0; i < 100 && second.owner.serving(); ++i) (void)second.append();
  ASSERT_TRUE(second.poll_until([&] { return !second.ended.empty(); }));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(first.append().ok());
  ASSERT_TRUE(first.poll_until([&] { return first.confirmed.size() == 510; }));

  // Everything acknowledged is valid, once.
  const auto valid = valid_barriers(settings);
  for (const Process* process : {&first, &second}) {
    for (const auto& acknowledged : process->confirmed) {
      EXPECT_EQ(std::count(valid.begin(), valid.end(), acknowledged), 1)
          << acknowledged.first << " " << acknowledged.second;
    }
  }
}

}  // namespace
}  // namespace taizhang::journal::kafka
