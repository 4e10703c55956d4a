// The read side over a journal of several partitions: any interleaving, restarts and kills at any
// point, one partition that is damaged, foreign or not there yet.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <random>
#include <thread>

#include "platform/projection/store.h"
#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "platform/projection/views.h"

namespace taizhang {
namespace {

using ledger::v1::ReadEventsRequest;
using ledger::v1::ReadEventsResponse;
using testing::placed;
using testing::sum_view;
using testing::TestJournal;

constexpr int kPartitions = 3;
constexpr int kLedgers = 7;
constexpr const char* kMethod = "taizhang.ledger.v1.LedgerService.ReadEvents";

std::string code_of(int ledger) { return "99010" + std::to_string(ledger); }
int partition_of(int ledger) { return ledger % kPartitions; }

std::atomic<int> g_slow_us{0};

void fold_slowly(Ledger& rows, const EventMeta& meta, const ledger::v1::LedgerPlaced& event) {
  std::this_thread::sleep_for(std::chrono::microseconds(g_slow_us.load()));
  testing::fold_placed(rows, meta, event);
}

// Readable now and then, as a journal behind a network is: a cursor may end UNAVAILABLE, or have
// nothing to say in the middle of what is there.
class FaintLog : public journal::MemoryLog {
 public:
  FaintLog(std::shared_ptr<journal::MemoryTopic> topic, uint32_t one_of)
      : MemoryLog(std::move(topic), true), one_of_(one_of) {}

  std::unique_ptr<journal::Cursor> read(int64_t offset) override {
    return std::make_unique<FaintCursor>(MemoryLog::read(offset), one_of_, offset);
  }

 private:
  class FaintCursor : public journal::Cursor {
   public:
    FaintCursor(std::unique_ptr<journal::Cursor> inner, uint32_t one_of, int64_t seed)
        : inner_(std::move(inner)), one_of_(one_of), random_(static_cast<uint32_t>(seed)) {}
    absl::StatusOr<std::optional<journal::LogRecord>> next() override {
      if (one_of_ != 0 && ++asked_ > 1 && random_() % one_of_ == 0) {
        if (random_() % 2 == 0) return std::optional<journal::LogRecord>();
        return absl::UnavailableError("nobody answers");
      }
      return inner_->next();
    }

   private:
    std::unique_ptr<journal::Cursor> inner_;
    const uint32_t one_of_;
    std::mt19937 random_;
    int asked_ = 0;
  };
  const uint32_t one_of_;
};

// One process that reads: files of its own over the same topics. `faint_one_of`: see FaintLog; 0:
// always readable.
class Reader {
 public:
  Reader(std::vector<std::shared_ptr<journal::MemoryTopic>> topics, ViewsSettings settings,
         View view = sum_view(), uint32_t faint_one_of = 0)
      : name_(view.name()) {
    for (auto& topic : topics) logs_.push_back(std::make_unique<FaintLog>(topic, faint_one_of));
    std::vector<journal::Log*> logs;
    for (auto& log : logs_) logs.push_back(log.get());
    caller_.roles = {common::v1::ROLE_MAKER};
    caller_.regions = {""};
    views_ = std::make_unique<Views>(std::move(logs), system_clock(), std::move(settings),
                                     [](std::string_view number) { return std::string(number); });
    views_->add(std::move(view));
    started_ = views_->start();
  }

  const absl::Status& started() const { return started_; }
  Views& views() { return *views_; }
  bool catch_up() { return views_->catch_up(20'000'000); }
  ViewStatus status() { return views_->status()[0]; }

  std::future<Answer> ask_later(int ledger, int64_t at_least_seq, int64_t deadline_us = 5'000'000,
                                int64_t as_of_us = 0) {
    auto request = std::make_shared<ReadEventsRequest>();
    request->set_ledger(code_of(ledger));
    request->mutable_read()->set_at_least_seq(at_least_seq);
    if (as_of_us != 0) {
      auto& time = *request->mutable_read()->mutable_recorded_time();
      time.set_seconds(as_of_us / 1'000'000);
      time.set_nanos(static_cast<int32_t>(as_of_us % 1'000'000 * 1'000));
    }
    auto promise = std::make_shared<std::promise<Answer>>();
    Call call{&caller_, system_clock().boot_us() + deadline_us};
    views_->ask(kMethod, call, request,
                [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  ReadEventsResponse ask(int ledger, int64_t at_least_seq = 0, int64_t as_of_us = 0) {
    Answer answer = ask_later(ledger, at_least_seq, 5'000'000, as_of_us).get();
    if (auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << error->reason << ": " << error->message;
      return {};
    }
    return static_cast<const ReadEventsResponse&>(*std::get<0>(answer));
  }

  // Code → seq and digest of every ledger.
  std::map<std::string, std::pair<int64_t, std::string>> digests() {
    std::map<std::string, std::pair<int64_t, std::string>> all;
    const auto digests = views_->digests(name_, "", std::nullopt);
    EXPECT_TRUE(digests.ok()) << digests.status();
    if (!digests.ok()) return all;
    for (const auto& one : *digests) all[one.ledger] = {one.seq, one.digest};
    return all;
  }
  std::string digest_at(int ledger, int64_t seq) {
    const auto digests = views_->digests(name_, code_of(ledger), seq);
    EXPECT_TRUE(digests.ok()) << digests.status();
    return digests.ok() ? digests->front().digest : "";
  }
  void expect_equal_to_a_fold_from_nothing() {
    const auto report = views_->verify(name_);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->equal) << report->difference;
  }

 private:
  const std::string name_;
  std::vector<std::unique_ptr<FaintLog>> logs_;
  Caller caller_;
  std::unique_ptr<Views> views_;
  absl::Status started_;
};

class PartitionsTest : public ::testing::Test {
 protected:
  PartitionsTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "taizhang-partitions-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    settings_.directory = directory_ + "/views";
    for (int i = 0; i < kPartitions; ++i)
      topics_.push_back(std::make_shared<journal::MemoryTopic>());
  }
  ~PartitionsTest() override { std::filesystem::remove_all(directory_); }

  void write_journal() {
    for (int i = 0; i < kPartitions; ++i) write_partition(i);
    for (int ledger = 0; ledger < kLedgers; ++ledger) of(ledger).open(code_of(ledger));
  }
  void write_partition(int partition) {
    if (partitions_.empty()) partitions_.resize(kPartitions);
    partitions_[partition] = std::make_unique<TestJournal>(
        static_cast<uint32_t>(partition), static_cast<uint32_t>(kPartitions), topics_[partition]);
  }
  TestJournal& of(int ledger) { return *partitions_[partition_of(ledger)]; }

  int64_t add(int ledger, const std::string& key, uint64_t by = 1) {
    const auto event = placed(key, by);
    sums_[ledger] += by;
    return seqs_[ledger] = of(ledger).commit(code_of(ledger), {&event});
  }
  // Some commits of random ledgers, and now and then a record that moves a position only.
  void add_some(int commits) {
    for (int i = 0; i < commits; ++i) {
      const int ledger = static_cast<int>(random_() % kLedgers);
      add(ledger, std::string(1, static_cast<char>('a' + random_() % 5)), 1 + random_() % 9);
      if (random_() % 8 == 0) partitions_[random_() % kPartitions]->barrier();
      if (random_() % 8 == 0) topics_[random_() % kPartitions]->append("somebody else's");
    }
  }
  // Every ledger's rows are what was added, at its last seq.
  void expect_all(Reader& reader) {
    for (const auto& [ledger, sum] : sums_) {
      const auto answer = reader.ask(ledger, seqs_[ledger]);
      EXPECT_EQ(answer.freshness().seq(), seqs_[ledger]);
      EXPECT_EQ(answer.freshness().journal_seq(), seqs_[ledger]);
      uint64_t held = 0;
      for (const auto& row : answer.events()) held += static_cast<uint64_t>(row.commit_first_seq());
      EXPECT_LE(held, sum);
      EXPECT_EQ(held % 7, sum % 7);  // rows whose sum divides by 7 are not listed
    }
  }
  ViewsSettings settings_in(const std::string& name) const {
    auto settings = settings_;
    settings.directory = directory_ + "/" + name;
    return settings;
  }

  std::string directory_;
  ViewsSettings settings_;
  std::vector<std::shared_ptr<journal::MemoryTopic>> topics_;
  std::vector<std::unique_ptr<TestJournal>> partitions_;
  std::mt19937 random_{11};
  std::map<int, uint64_t> sums_;
  std::map<int, int64_t> seqs_;
};

TEST_F(PartitionsTest, FoldsTheLedgersOfAllPartitions) {
  write_journal();
  add_some(300);
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  const auto status = reader.status();
  ASSERT_EQ(status.partitions.size(), static_cast<size_t>(kPartitions));
  for (int i = 0; i < kPartitions; ++i) {
    EXPECT_EQ(status.partitions[i].position, topics_[i]->end());
    EXPECT_EQ(status.partitions[i].journal_end, topics_[i]->end());
  }
  EXPECT_EQ(status.lag_events, 0);
  EXPECT_EQ(status.events_folded, 300);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, TwoReadersAndARebuiltOneHaveTheSameDigests) {
  write_journal();
  Reader live(topics_, settings_in("live"));
  add_some(200);
  settings_.batch_events_max = 3;  // other batches, other order between the partitions
  Reader late(topics_, settings_in("late"));
  add_some(200);
  ASSERT_TRUE(live.catch_up());
  ASSERT_TRUE(late.catch_up());
  const auto digests = live.digests();
  ASSERT_EQ(digests.size(), static_cast<size_t>(kLedgers));
  for (int ledger = 0; ledger < kLedgers; ++ledger) {
    EXPECT_EQ(digests.at(code_of(ledger)).first, seqs_[ledger]);
    for (int64_t seq = 0; seq <= seqs_[ledger]; seq += 5)
      EXPECT_EQ(late.digest_at(ledger, seq), live.digest_at(ledger, seq));
    // The one kept beside the rows is that of the rows.
    EXPECT_EQ(live.digest_at(ledger, seqs_[ledger]), digests.at(code_of(ledger)).second);
    EXPECT_NE(live.digest_at(ledger, seqs_[ledger] - 1), digests.at(code_of(ledger)).second);
  }
  EXPECT_EQ(late.digests(), digests);
  ASSERT_TRUE(late.views().rebuild("sums").ok());
  ASSERT_TRUE(late.catch_up());
  EXPECT_EQ(late.digests(), digests);
}

TEST_F(PartitionsTest, ADigestOfWhatIsNotHeldIsRefused) {
  write_journal();
  add(0, "a");
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  const auto code = [&](std::string_view view, std::string_view ledger, int64_t seq) {
    return reader.views().digests(view, ledger, seq).status().code();
  };
  EXPECT_EQ(code("sums", code_of(0), 1), absl::StatusCode::kOk);
  EXPECT_EQ(code("sums", code_of(0), 2), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(code("sums", "110000", 1), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("nothing", code_of(0), 1), absl::StatusCode::kNotFound);
}

TEST_F(PartitionsTest, GoesOnAfterARestartAtAnyPoint) {
  write_journal();
  settings_.batch_events_max = 4;
  int64_t folded = 0;
  for (int round = 0; round < 20; ++round) {
    const auto commits = static_cast<int>(random_() % 6);
    add_some(commits);
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.started().ok()) << reader.started();
    add_some(2);
    if (round % 3 != 0) {
      ASSERT_TRUE(reader.catch_up());
      expect_all(reader);
    }
    reader.views().stop();
    folded += reader.status().events_folded;
  }
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  folded += reader.status().events_folded;
  int64_t events = 0;
  for (const auto& [ledger, seq] : seqs_) events += seq;
  EXPECT_EQ(folded, events);  // nothing twice
  reader.expect_equal_to_a_fold_from_nothing();
}

// What a kill leaves on the disk: the files as they are between two writes.
TEST_F(PartitionsTest, FoldsAgainWhatAKillLost) {
  write_journal();
  settings_.batch_events_max = 3;
  settings_.flush_events_max = 10;
  std::vector<std::string> images;
  {
    Reader reader(topics_, settings_);
    for (int i = 0; i < 12; ++i) {
      add_some(10);
      if (i % 2 == 0) {
        ASSERT_TRUE(reader.catch_up());
      }
      // Files that a compaction takes away meanwhile make a copy that is none.
      const std::string image = "image-" + std::to_string(i);
      std::error_code failed;
      std::filesystem::copy(settings_.directory, directory_ + "/" + image,
                            std::filesystem::copy_options::recursive, failed);
      if (!failed) images.push_back(image);
    }
  }
  ASSERT_GT(images.size(), 3u);
  int opened = 0;
  for (const auto& image : images) {
    Reader reader(topics_, settings_in(image));
    ASSERT_TRUE(reader.started().ok()) << reader.started();
    ASSERT_TRUE(reader.catch_up());
    if (!reader.status().status.ok()) continue;  // copied while a file changed
    ++opened;
    expect_all(reader);
    reader.expect_equal_to_a_fold_from_nothing();
  }
  EXPECT_GT(opened, 3);
}

TEST_F(PartitionsTest, WaitsForASeqInEachPartition) {
  write_journal();
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  std::vector<std::future<Answer>> answers;
  for (int ledger = 0; ledger < kLedgers; ++ledger) answers.push_back(reader.ask_later(ledger, 3));
  for (int i = 0; i < 3; ++i) {
    for (int ledger = 0; ledger < kLedgers; ++ledger) add(ledger, "a");
  }
  for (auto& answer : answers) {
    Answer got = answer.get();
    ASSERT_EQ(got.index(), 0u);
    const auto& response = static_cast<const ReadEventsResponse&>(*std::get<0>(got));
    EXPECT_GE(response.freshness().seq(), 3);
  }
  Answer late = reader.ask_later(1, 4, 100'000).get();
  EXPECT_EQ(std::get<Error>(late).reason, "SEQ_NOT_REACHED");
}

TEST_F(PartitionsTest, AnAnswerIsFinalByTheClosedTimeOfItsOwnPartition) {
  write_journal();
  add(0, "a");
  add(1, "a");
  const int64_t later_us = std::max(of(0).time_us, of(1).time_us) + 10;
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  EXPECT_FALSE(reader.ask(0, 0, later_us).freshness().final());
  of(1).time_us = later_us;
  of(1).barrier();
  ASSERT_TRUE(reader.catch_up());
  EXPECT_TRUE(reader.ask(1, 0, later_us).freshness().final());
  EXPECT_FALSE(reader.ask(0, 0, later_us).freshness().final());
}

TEST_F(PartitionsTest, AReaderMayStartBeforeTheJournalHasARecord) {
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  topics_[2]->append("somebody else's");
  // Whose partition 1 is cannot be known before partition 0 says it.
  write_partition(1);
  of(1).open(code_of(1));
  add(1, "a");
  auto early = reader.ask_later(1, 1);
  EXPECT_EQ(early.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  EXPECT_EQ(reader.status().partitions[1].position, 0);
  write_partition(2);
  write_partition(0);
  EXPECT_EQ(early.get().index(), 0u);
  for (int ledger = 0; ledger < kLedgers; ++ledger) {
    if (ledger != 1) of(ledger).open(code_of(ledger));
  }
  add_some(50);
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, AStopBeforeTheFirstRecordLosesNothing) {
  topics_[0]->append("somebody else's");
  topics_[1]->append("somebody else's");
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.started().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  write_journal();
  add_some(50);
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, ADamagedPartitionStopsTheViewLoudly) {
  write_journal();
  add_some(30);
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  partitions_[1]->damage();
  Answer waiting = reader.ask_later(0, seqs_[0] + 1, 10'000'000).get();
  EXPECT_EQ(std::get<Error>(waiting).code, kDataLoss);
  const auto status = reader.status();
  EXPECT_EQ(status.status.code(), absl::StatusCode::kDataLoss) << status.status;
  EXPECT_EQ(std::get<Error>(reader.ask_later(1, 0).get()).reason, "VIEW_STOPPED");
  EXPECT_FALSE(reader.views().digests("sums", "", std::nullopt).ok());
}

TEST_F(PartitionsTest, RefusesAPartitionThatWasRewound) {
  write_journal();
  add_some(60);
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.catch_up());
  }
  topics_[2]->truncate(topics_[2]->end() - 1);
  Reader reader(topics_, settings_);
  EXPECT_EQ(reader.started().code(), absl::StatusCode::kDataLoss) << reader.started();
  EXPECT_NE(reader.started().message().find("partition 2"), std::string::npos);
}

TEST_F(PartitionsTest, CountsForeignRecordsOfEachPartition) {
  write_journal();
  add(0, "a");
  topics_[1]->append("somebody else's");
  topics_[1]->append("somebody else's");
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  const auto partitions = reader.views().partitions();
  ASSERT_EQ(partitions.size(), static_cast<size_t>(kPartitions));
  EXPECT_EQ(partitions[0].foreign_records, 0);
  EXPECT_EQ(partitions[1].foreign_records, 2);
  EXPECT_EQ(partitions[1].position, topics_[1]->end());
  EXPECT_EQ(partitions[2].epoch, 1u);
}

TEST_F(PartitionsTest, RefusesAnotherNumberOfPartitions) {
  write_journal();
  add_some(30);
  {
    Reader all(topics_, settings_);
    ASSERT_TRUE(all.catch_up());
  }
  const std::vector<std::shared_ptr<journal::MemoryTopic>> two{topics_[0], topics_[1]};
  // With nothing on the disk it is found when the first record is read.
  Reader fresh(two, settings_in("fresh"));
  ASSERT_TRUE(fresh.catch_up());
  for (int i = 0; i < 500 && fresh.status().status.ok(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(fresh.status().status.message(), "the journal has 3 partitions, this process reads 2");
  // With files it is found at the start, or they say themselves that they hold more.
  Reader old(two, settings_);
  EXPECT_FALSE(old.started().ok() && old.status().status.ok());
}

TEST_F(PartitionsTest, GoesOnByItselfWithStoppedLedgersOfSeveralPartitions) {
  write_journal();
  add_some(40);
  for (const int ledger : {0, 1, 3}) {
    of(ledger).commit_raw(code_of(ledger), "ledger.v1.LedgerFounded", "\xff");  // not a message
    ++seqs_[ledger];
    add(ledger, "a");
  }
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.catch_up());
    EXPECT_EQ(reader.status().stopped.size(), 3u);
    EXPECT_EQ(std::get<Error>(reader.ask_later(3, 0).get()).code, kDataLoss);
    EXPECT_EQ(reader.ask(2).freshness().seq(), seqs_[2]);
  }
  // The next program does not look at that event any more.
  View next("sums", 1);
  next.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(testing::list_rows);
  Reader reader(topics_, settings_, std::move(next));
  ASSERT_TRUE(reader.catch_up());
  EXPECT_TRUE(reader.status().stopped.empty());
  expect_all(reader);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, AJournalThatCannotBeReadForAWhileIsReadAgain) {
  write_journal();
  add_some(300);
  of(1).commit_raw(code_of(1), "ledger.v1.LedgerFounded", "\xff");  // not a message
  ++seqs_[1];
  add(1, "a");
  settings_.batch_events_max = 10;
  settings_.shared_batches_bytes_max = 12'000;
  {
    Reader reader(topics_, settings_, sum_view(), 20);
    ASSERT_TRUE(reader.started().ok()) << reader.started();
    ASSERT_TRUE(reader.catch_up());
    EXPECT_EQ(reader.status().stopped.size(), 1u);
  }
  View next("sums", 1);
  next.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(testing::list_rows);
  Reader reader(topics_, settings_, std::move(next), 20);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  // A rebuild reads on its own, and a comparison that could not read everything says so.
  ASSERT_TRUE(reader.views().rebuild("sums").ok());
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  const auto report = reader.views().verify("sums");
  EXPECT_EQ(report.status().code(), absl::StatusCode::kUnavailable) << report.status();
  View again("sums", 1);
  again.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(testing::list_rows);
  Reader steady(topics_, settings_in("steady"), std::move(again));
  ASSERT_TRUE(steady.catch_up());
  EXPECT_EQ(reader.digests(), steady.digests());
}

TEST_F(PartitionsTest, FilesOfAnotherFormatAreBuiltAnew) {
  write_journal();
  add_some(40);
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.catch_up());
  }
  {
    auto store = projection::Store::open(settings_.directory + "/sums-v1",
                                         projection::make_store_resources(1 << 20, 1 << 20));
    ASSERT_TRUE(store.ok()) << store.status();
    projection::Puts puts;
    puts.add(projection::store_key::meta("format"), "taizhang view 1");
    ASSERT_TRUE((*store)->write(puts).ok());
    ASSERT_TRUE((*store)->flush().ok());
  }
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  EXPECT_EQ(reader.status().events_folded, 40);
  expect_all(reader);
}

TEST_F(PartitionsTest, ABuildSaysHowFarItIsAndHowLongItTakes) {
  write_journal();
  add_some(300);
  settings_.batch_events_max = 5;
  g_slow_us = 10'000;
  View slow("slow", 1);
  slow.on<ledger::v1::LedgerPlaced>(fold_slowly).query(testing::list_rows);
  Reader reader(topics_, settings_, std::move(slow));
  ViewStatus status;
  for (int i = 0; i < 300 && !status.build_seconds_left; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    status = reader.status();
  }
  EXPECT_TRUE(status.building);
  EXPECT_GT(status.position, 0);
  EXPECT_LT(status.position, status.journal_end);
  EXPECT_GT(status.events_per_second, 0);
  EXPECT_LT(status.events_per_second, 1'000);
  ASSERT_TRUE(status.build_seconds_left);
  EXPECT_GT(*status.build_seconds_left, 0);
  EXPECT_EQ(std::get<Error>(reader.ask_later(0, 0).get()).reason, "VIEW_BUILDING");
  g_slow_us = 0;
  ASSERT_TRUE(reader.catch_up());
  status = reader.status();
  EXPECT_FALSE(status.building);
  EXPECT_FALSE(status.build_seconds_left);
  expect_all(reader);
}

TEST_F(PartitionsTest, ASlowViewFallsBehindInSeveralPartitionsAndJoinsAgain) {
  write_journal();
  settings_.batch_events_max = 20;
  settings_.shared_batches_bytes_max = 12'000;
  g_slow_us = 5'000;
  View slow("slow", 1);
  slow.on<ledger::v1::LedgerPlaced>(fold_slowly);
  journal::MemoryLog logs[] = {journal::MemoryLog(topics_[0]), journal::MemoryLog(topics_[1]),
                               journal::MemoryLog(topics_[2])};
  Views views({&logs[0], &logs[1], &logs[2]}, system_clock(), settings_,
              [](std::string_view number) { return std::string(number); });
  views.add(sum_view());
  views.add(std::move(slow));
  ASSERT_TRUE(views.start().ok());
  add_some(2'000);
  for (int i = 0; i < 1'000 && views.status()[0].events_folded < 2'000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_GT(views.status()[1].lag_events, 0);
  g_slow_us = 0;
  ASSERT_TRUE(views.catch_up(20'000'000));
  EXPECT_EQ(views.status()[1].lag_events, 0);
  EXPECT_EQ(views.status()[1].events_folded, 2'000);
  EXPECT_EQ(views.digests("slow", code_of(0), std::nullopt)->front().digest,
            views.digests("sums", code_of(0), std::nullopt)->front().digest);
}

}  // namespace
}  // namespace taizhang
