// A journal of several partitions and processes that read it, for the tests of the read side.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/test_folder.h"
#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "platform/projection/views.h"

namespace taizhang::testing {

using ledger::v1::ReadEventsRequest;
using ledger::v1::ReadEventsResponse;

inline constexpr int kPartitions = 3;
inline constexpr int kLedgers = 7;
inline constexpr const char* kMethod = "taizhang.ledger.v1.LedgerService.ReadEvents";

inline std::string code_of(int ledger) { return "99010" + std::to_string(ledger); }
inline int partition_of(int ledger) { return ledger % kPartitions; }

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
    settings_.directory = folder_.path() + "/views";
    for (int i = 0; i < kPartitions; ++i)
      topics_.push_back(std::make_shared<journal::MemoryTopic>());
  }

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
    settings.directory = folder_.path() + "/" + name;
    return settings;
  }

  const TestFolder folder_;
  ViewsSettings settings_;
  std::vector<std::shared_ptr<journal::MemoryTopic>> topics_;
  std::vector<std::unique_ptr<TestJournal>> partitions_;
  std::mt19937 random_{11};
  std::map<int, uint64_t> sums_;
  std::map<int, int64_t> seqs_;
};

}  // namespace taizhang::testing
