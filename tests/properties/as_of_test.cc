// As of every seq, every view answers what a view that never saw a later event answers.
//
// A random book's commits go into a journal. One set of views folds it whole; another is given one
// commit at a time and asked for its newest state, then the first is asked as of that seq.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "domain/dates.h"
#include "platform/base/log.h"
#include "platform/projection/views.h"
#include "projections/asset_register/asset_register.h"
#include "projections/duties/duties.h"
#include "projections/fund_execution/fund_execution.h"
#include "projections/history/history.h"
#include "projections/household_file/household_file.h"
#include "projections/ledger/ledger_view.h"
#include "taizhang/common/v1/request.pb.h"
#include "tests/properties/book_journal.h"

namespace taizhang::test {
namespace {

namespace fs = std::filesystem;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

constexpr uint64_t kSeeds = 2;
// Enough for every kind of thing to be there, and few enough to ask at every seq.
constexpr int kCommits = 180;
// Days asked: before most facts, amid them, after all.
constexpr int32_t kDays[] = {20170601, 20180115, 20181231};

struct Question {
  const char* method;
  std::string fields;  // text of the request's own fields
};

std::vector<Question> questions() {
  std::vector<Question> all = {
      {"fund_execution.v1.FundExecutionService.BySource", ""},
      {"fund_execution.v1.FundExecutionService.ByVillage", ""},
      {"fund_execution.v1.FundExecutionService.Progress", ""},
      {"asset_register.v1.AssetRegisterService.Register", ""},
      {"asset_register.v1.AssetRegisterService.LateTitle", ""},
      {"asset_register.v1.AssetRegisterService.WithoutManager", ""},
      {"household_file.v1.HouseholdFileService.Households", ""},
      {"household_file.v1.HouseholdFileService.CountHouseholds", ""},
      {"household_file.v1.HouseholdFileService.Issues", "include_resolved: true"},
      {"duties.v1.DutiesService.Due", "include_met: true"},
      {"duties.v1.DutiesService.Overdue", ""},
      {"duties.v1.DutiesService.Visits", ""},
      {"duties.v1.DutiesService.Pairings", "include_closed: true"},
      {"duties.v1.DutiesService.VisitsByPeriod", "period: CALENDAR_PERIOD_MONTH"},
      {"history.v1.HistoryService.LateEntries", "days_min: 1"},
      {"ledger.v1.LedgerService.ReadEvents", ""},
  };
  const auto about = [&](const char* method, const char* field, const char* kind) {
    for (int i = 0; i < 3; ++i) {
      all.push_back({method, std::string(field) + ": \"" + id(kind + std::to_string(i)) + "\""});
    }
  };
  about("fund_execution.v1.FundExecutionService.LineHistory", "fund_line_id", "line ");
  about("asset_register.v1.AssetRegisterService.Card", "asset_id", "asset ");
  about("asset_register.v1.AssetRegisterService.AssetHistory", "asset_id", "asset ");
  about("household_file.v1.HouseholdFileService.Sheet", "household_id", "household ");
  about("household_file.v1.HouseholdFileService.Timeline", "household_id", "household ");
  about("household_file.v1.HouseholdFileService.HouseholdHistory", "household_id", "household ");
  about("household_file.v1.HouseholdFileService.ShowVisit", "visit_id", "visit ");
  about("household_file.v1.HouseholdFileService.IssueHistory", "issue_id", "issue ");
  about("duties.v1.DutiesService.PairingHistory", "pairing_id", "pairing ");
  for (const char* kind : {"HOUSEHOLD", "FUND_LINE", "ASSET", "WORKER"}) {
    const std::string name = kind == std::string_view("HOUSEHOLD")   ? "household 0"
                             : kind == std::string_view("FUND_LINE") ? "line 0"
                             : kind == std::string_view("ASSET")     ? "asset 0"
                                                                     : "worker 0";
    all.push_back(
        {"history.v1.HistoryService.SubjectHistory",
         "subject { kind: SUBJECT_KIND_" + std::string(kind) + " id: \"" + id(name) + "\" }"});
  }
  return all;
}

// Not what the book recorded, nor all there ever was.
bool asks_about_a_day(const Question& question) {
  const std::string_view method = question.method;
  return method.find("History") == std::string_view::npos && !method.starts_with("ledger.") &&
         !method.starts_with("history.") &&
         question.fields.find("include_closed") == std::string::npos;
}

// Its own effective date is that of the correction or of the file; what it tells was true earlier.
bool speaks_of_the_past(const MemoryBook::Commit& commit) {
  return std::any_of(commit.events.begin(), commit.events.end(), [](const auto& event) {
    return event.type.ends_with("Voided") || event.type.ends_with("Corrected") ||
           event.type.ends_with("Loaded") || event.type.ends_with("Reversed");
  });
}

// Every view of the product over one topic.
class Reader {
 public:
  Reader(std::shared_ptr<journal::MemoryTopic> topic, const fs::path& folder)
      : folder_(folder), log_(std::move(topic), true) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    ViewsSettings settings;
    settings.directory = folder_;
    settings.batch_events_max = 50;  // so that a whole book is built from sorted runs
    views_ = std::make_unique<Views>(std::vector<journal::Log*>{&log_}, system_clock(), settings,
                                     [](std::string_view number) { return citizen_index(number); });
    views_->add(ledger_view::ledger_view());
    views_->add(household_file_view());
    views_->add(duties_view());
    views_->add(fund_execution_view());
    views_->add(asset_register_view());
    views_->add(history_view());
    EXPECT_TRUE(views_->start().ok());
  }
  ~Reader() {
    views_.reset();
    fs::remove_all(folder_);
  }

  void catch_up() { ASSERT_TRUE(views_->catch_up(20'000'000)); }
  Views& views() { return *views_; }
  // By view; nothing: newest.
  std::map<std::string, std::string> digests(std::optional<int64_t> seq) const {
    std::map<std::string, std::string> by_view;
    for (const auto& view : views_->status()) {
      const auto found = views_->digests(view.name, kBookLedger, seq);
      EXPECT_TRUE(found.ok()) << view.name << ": " << found.status();
      if (found.ok() && found->size() == 1) by_view[view.name] = found->front().digest;
    }
    return by_view;
  }

  // The answer's text, without what is not of the book (freshness); or the error's reason.
  // `facts_only`: also without what says which events made a row.
  std::string ask(const Question& question, const common::v1::ReadOptions& moment, int32_t day,
                  bool facts_only = false) {
    const std::string method = "taizhang." + std::string(question.method);
    const auto* descriptor = DescriptorPool::generated_pool()->FindMethodByName(method);
    EXPECT_NE(descriptor, nullptr) << method;
    std::shared_ptr<Message> request(
        MessageFactory::generated_factory()->GetPrototype(descriptor->input_type())->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        question.fields + " ledger: \"" + kBookLedger + "\"", request.get()))
        << question.fields;
    auto& read = static_cast<common::v1::ReadOptions&>(*request->GetReflection()->MutableMessage(
        request.get(), descriptor->input_type()->FindFieldByName("read")));
    read = moment;
    *read.mutable_effective_date() = date_of(day);
    if (const auto* field = descriptor->input_type()->FindFieldByName("page")) {
      auto& page = *request->GetReflection()->MutableMessage(request.get(), field);
      static_cast<common::v1::PageRequest&>(page).set_page_size(1'000);
    }
    Call call;
    call.caller = &RandomBook::caller("both");
    call.deadline_boot_us = system_clock().boot_us() + 20'000'000;
    std::promise<std::string> said;
    views_->ask(method, call, request, [&](Answer answer) {
      if (const auto* error = std::get_if<Error>(&answer)) return said.set_value(error->reason);
      auto& response = *std::get<std::unique_ptr<Message>>(answer);
      if (const auto* freshness = response.GetDescriptor()->FindFieldByName("freshness")) {
        response.GetReflection()->ClearField(&response, freshness);
      }
      if (facts_only) drop_origins(response);
      said.set_value(response.ShortDebugString());
    });
    return said.get_future().get();
  }

 private:
  static void drop_origins(Message& message) {
    const auto& reflection = *message.GetReflection();
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const auto* field : fields) {
      if (field->name() == "version" || field->name() == "event_ids") {
        reflection.ClearField(&message, field);
      } else if (field->message_type() && field->is_repeated()) {
        for (int i = 0; i < reflection.FieldSize(message, field); ++i)
          drop_origins(*reflection.MutableRepeatedMessage(&message, field, i));
      } else if (field->message_type()) {
        drop_origins(*reflection.MutableMessage(&message, field));
      }
    }
  }

  fs::path folder_;
  journal::MemoryLog log_;
  std::unique_ptr<Views> views_;
};

// Views that read a journal commit by commit.
class Follower {
 public:
  Follower(const BookJournal& journal, const fs::path& folder)
      : journal_(*journal.topic), reader_(prefix_, folder) {}

  // They have then folded one commit more; false: there is none.
  bool next_commit() {
    while (++offset_ < journal_.end()) {
      const auto record = journal_.at(offset_);
      prefix_->append(record->bytes);
      const auto folded = fold_.apply(offset_, record->bytes);
      EXPECT_TRUE(folded.ok()) << folded.status();
      if (!folded.ok()) return false;
      if (!folded->commit) continue;
      seq_ = folded->commit->first_seq() + folded->commit->events_size() - 1;
      recorded_time_us_ = folded->commit->recorded_time_us();
      reader_.catch_up();
      return true;
    }
    return false;
  }

  Reader& reader() { return reader_; }
  // Of the newest commit; seq: of its last event.
  int64_t offset() const { return offset_; }
  int64_t seq() const { return seq_; }
  int64_t recorded_time_us() const { return recorded_time_us_; }

 private:
  const journal::MemoryTopic& journal_;
  const std::shared_ptr<journal::MemoryTopic> prefix_ = std::make_shared<journal::MemoryTopic>();
  Reader reader_;
  journal::Fold fold_{0};
  int64_t offset_ = -1;
  int64_t seq_ = 0;
  int64_t recorded_time_us_ = 0;
};

common::v1::ReadOptions newest() { return {}; }
common::v1::ReadOptions as_of_seq(int64_t seq) {
  common::v1::ReadOptions read;
  read.set_seq(seq);
  return read;
}
common::v1::ReadOptions as_of_time(int64_t us) {
  common::v1::ReadOptions read;
  read.mutable_recorded_time()->set_seconds(us / 1'000'000);
  read.mutable_recorded_time()->set_nanos(static_cast<int32_t>(us % 1'000'000 * 1'000));
  return read;
}

class AsOf : public testing::TestWithParam<uint64_t> {
 protected:
  AsOf()
      : folder_(fs::path(fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") /
                ("as_of_test." + std::to_string(getpid()))) {
    set_log_level(LogLevel::kError);
  }

  ~AsOf() override { fs::remove_all(folder_); }

  const fs::path folder_;
};

TEST_P(AsOf, EverySeqIsTheFoldOfThePrefix) {
  BookJournal journal;
  for (const auto& commit : random_commits(GetParam(), kCommits)) journal.write(commit);
  Reader whole(journal.topic, folder_ / "whole");
  whole.catch_up();

  Follower growing(journal, folder_ / "growing");
  const auto asked = questions();
  int answers = 0, telling = 0;
  while (growing.next_commit()) {
    const int64_t seq = growing.seq();
    const int32_t day = kDays[static_cast<size_t>(growing.offset()) % std::size(kDays)];
    for (const auto& question : asked) {
      const std::string right = growing.reader().ask(question, newest(), day);
      const std::string name =
          std::string(question.method) + " { " + question.fields + " } on " + std::to_string(day);
      ASSERT_EQ(whole.ask(question, as_of_seq(seq), day), right) << name << " as of seq " << seq;
      if (++answers % 5 == 0) {
        telling += whole.ask(question, newest(), day) != right;
        ASSERT_EQ(whole.ask(question, as_of_time(growing.recorded_time_us()), day), right)
            << name << " when seq " << seq << " was recorded";
      }
    }
  }
  EXPECT_GT(answers, 5'000);
  // Views that ignored the moment would have failed so often.
  EXPECT_GT(telling, answers / 5 / 4);
}

// Both axes at once: what became true after a day changes no answer about that day, whenever it was
// recorded; only the row's origins say that something came.
TEST_P(AsOf, WhatIsTrueOnlyLaterChangesNothingBefore) {
  BookJournal journal;
  const auto commits = random_commits(GetParam(), kCommits);
  for (const auto& commit : commits) journal.write(commit);
  Reader whole(journal.topic, folder_ / "whole");
  whole.catch_up();
  int answers = 0, telling = 0;
  for (const auto& commit : commits) {
    if (commit.first_seq == 1 || speaks_of_the_past(commit)) continue;
    int32_t first_day = std::numeric_limits<int32_t>::max();
    for (const auto& event : commit.events) first_day = std::min(first_day, event.effective_day);
    const auto before = as_of_seq(commit.first_seq - 1);
    const auto after = as_of_seq(commit.first_seq + static_cast<int64_t>(commit.events.size()) - 1);
    for (const int32_t day : kDays) {
      if (first_day <= day) continue;
      for (const auto& question : questions()) {
        if (!asks_about_a_day(question)) continue;
        ASSERT_EQ(whole.ask(question, after, day, true), whole.ask(question, before, day, true))
            << question.method << " { " << question.fields << " } on " << day << " at seq "
            << commit.first_seq << ", " << commit.events[0].type << " of " << first_day;
        // Of a later day it may well be another answer.
        telling += ++answers % 5 == 0 && whole.ask(question, after, 20'301'231, true) !=
                                             whole.ask(question, before, 20'301'231, true);
      }
    }
  }
  EXPECT_GT(answers, 1'000);
  EXPECT_GT(telling, 20);
}

// Views that follow commit by commit, one that was folded at once and asked for the past, and one
// that is built anew hold the same.
TEST_P(AsOf, DigestsAreThoseOfARebuiltView) {
  BookJournal journal;
  for (const auto& commit : random_commits(GetParam(), kCommits)) journal.write(commit);
  Reader whole(journal.topic, folder_ / "whole");
  whole.catch_up();
  const auto newest = whole.digests(std::nullopt);
  ASSERT_EQ(newest.size(), 6u);

  Follower following(journal, folder_ / "growing");
  Reader& growing = following.reader();
  std::set<std::map<std::string, std::string>> moments;
  while (following.next_commit()) {
    const auto live = growing.digests(std::nullopt);
    ASSERT_EQ(whole.digests(following.seq()), live) << "seq " << following.seq();
    moments.insert(live);
  }
  // Digests of nothing would not differ.
  EXPECT_GE(moments.size(), static_cast<size_t>(kCommits));
  EXPECT_EQ(growing.digests(std::nullopt), newest);
  for (const auto& [view, digest] : newest) {
    const auto verified = growing.views().verify(view, 0, {});
    ASSERT_TRUE(verified.ok()) << view << ": " << verified.status();
    EXPECT_TRUE(verified->equal) << view << ": " << verified->difference;
    ASSERT_TRUE(growing.views().rebuild(view, 0).ok());
  }
  growing.catch_up();
  EXPECT_EQ(growing.digests(std::nullopt), newest);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AsOf, testing::Range<uint64_t>(1, kSeeds + 1));

}  // namespace
}  // namespace taizhang::test
