// How a view folds: loud stops, restarts, crashes, rebuilds, damage, a slow one beside others.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "platform/projection/row_reader.h"
#include "platform/projection/store.h"
#include "platform/projection/test_views.h"

namespace taizhang {
namespace {

using ledger::v1::ReadEventsResponse;
using testing::erased;
using testing::kLedger;
using testing::placed;
using testing::sum_view;
using testing::ViewsTest;

std::atomic<int> g_slow_us{0};

void fold_slowly(Ledger& rows, const EventMeta& meta, const ledger::v1::LedgerPlaced& event) {
  std::this_thread::sleep_for(std::chrono::microseconds(g_slow_us.load()));
  testing::fold_placed(rows, meta, event);
}

TEST_F(ViewsTest, StopsALedgerLoudlyAtAnUnknownEvent) {
  journal_.open("990102");
  add("a", 1);
  journal_.commit_raw(kLedger, "future.v1.SomethingNew", "");
  add("a", 1);
  const auto other = placed("x", 1);
  journal_.commit("990102", {&other});
  start();
  const auto error = ask_error(question());
  EXPECT_EQ(error.code, kDataLoss);
  EXPECT_EQ(error.metadata, (std::vector<std::pair<std::string, std::string>>{
                                {"view", "sums"}, {"ledger", kLedger}, {"seq", "2"}}));
  EXPECT_EQ(text(ask(question("990102"))), "x=1@1 ");
  auto waiting = question();
  waiting.mutable_read()->set_at_least_seq(3);
  EXPECT_EQ(ask_error(waiting).code, kDataLoss);
  const auto status = views_->status()[0];
  ASSERT_EQ(status.stopped.size(), 1u);
  EXPECT_EQ(status.stopped[0].seq, 2);
  EXPECT_EQ(status.stopped[0].why, "unknown event type: future.v1.SomethingNew");
  EXPECT_EQ(status.lag_events, 2);
  // It stays so after a restart: what is not understood is not skipped.
  start();
  EXPECT_EQ(ask_error(question()).code, kDataLoss);
}

// A row that is replaced holds nothing of what it held, wherever that stands: with the fold, on its
// way into the files, in the files, or nowhere.
TEST_F(ViewsTest, ARowThatIsReplacedKeepsNothing) {
  settings_.batch_events_max = 40;
  settings_.row_cache_bytes_per_view = 1;
  settings_.build_bytes_max = 1;  // each batch leaves while the next is folded
  View view("sums", 1);
  view.on<ledger::v1::LedgerPlaced>([](Ledger& rows, const EventMeta&,
                                       const ledger::v1::LedgerPlaced& event) {
        if (event.name() == "add") {
          auto& row = rows.edit<testing::SumRow>(event.ledger());
          row.set_generation(row.generation() + event.generation());
        } else {
          auto& row = rows.replace<testing::SumRow>(event.ledger());
          EXPECT_EQ(row.generation(), 0u);
          row.set_generation(event.generation());
          EXPECT_TRUE(rows.has<testing::SumRow>(event.ledger()));
        }
      })
      .on<ledger::v1::LedgerFounded>(testing::fold_erased)
      .query(testing::list_rows);
  std::map<std::string, uint64_t> expected;
  std::mt19937 random(1);
  for (int i = 0; i < 3'000; ++i) {
    const std::string key = std::to_string(random() % 600);
    const uint64_t by = 1 + random() % 9;
    const bool is_added = random() % 2 == 0;
    if (random() % 10 == 0) {
      const auto event = erased(key);
      journal_.commit(kLedger, {&event});
      expected.erase(key);
    } else {
      const auto event = placed(key, by, is_added ? "add" : "replace");
      journal_.commit(kLedger, {&event});
      expected[key] = by + (is_added ? expected[key] : 0);
    }
    if (i == 2'000) start(std::move(view));  // the first are built, the others are folded live
  }
  catch_up();
  std::map<std::string, uint64_t> held;
  auto request = question();
  request.mutable_page()->set_page_size(1'000);
  const auto response = ask(request);
  for (const auto& row : response.events())
    held[row.id()] = static_cast<uint64_t>(row.commit_first_seq());
  std::erase_if(expected, [](const auto& row) { return row.second % 7 == 0; });  // list_rows
  EXPECT_EQ(held, expected);
  const auto report = views_->verify("sums");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->equal) << report->difference;
}

TEST_F(ViewsTest, WakesACallThatWaitsForALedgerThatStops) {
  start();
  auto request = question();
  request.mutable_read()->set_at_least_seq(5);
  auto later = ask_later(request, 60'000'000);
  journal_.commit_raw(kLedger, "future.v1.SomethingNew", "");
  EXPECT_EQ(std::get<Error>(later.get()).code, kDataLoss);
}

TEST_F(ViewsTest, GoesOnByItselfOnceTheProgramUnderstandsTheEvent) {
  add("a", 1);
  journal_.commit_raw(kLedger, "ledger.v1.LedgerFounded", "\xff");  // not a message
  add("a", 1);
  start();
  EXPECT_EQ(ask_error(question()).code, kDataLoss);
  add("a", 1);
  catch_up();
  views_->stop();
  // The next program does not look at that event any more.
  View next("sums", 1);
  next.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(testing::list_rows);
  start(std::move(next));
  auto request = question();
  request.mutable_read()->set_at_least_seq(4);
  EXPECT_EQ(text(ask(request)), "a=3@4 ");
  EXPECT_TRUE(views_->status()[0].stopped.empty());
  const auto report = views_->verify("sums");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->equal) << report->difference;
}

TEST_F(ViewsTest, GoesOnWhereItStoodAfterAStop) {
  for (int i = 0; i < 10; ++i) add("a", 1);
  start();
  views_->stop();
  add("a", 1);
  start();
  EXPECT_EQ(text(ask(question())), "a=11@11 ");
  EXPECT_EQ(views_->status()[0].events_folded, 1);
}

TEST_F(ViewsTest, FoldsAgainWhatACrashLost) {
  settings_.batch_events_max = 3;
  settings_.flush_events_max = 8;
  for (int i = 0; i < 20; ++i) add(std::string(1, static_cast<char>('a' + i % 3)), 1);
  start();
  for (int i = 0; i < 5; ++i) add("a", 1);
  catch_up();
  // What a kill leaves on the disk: the files as they are while the process runs.
  const std::string image = folder_.path() + "/image";
  std::filesystem::copy(settings_.directory, image, std::filesystem::copy_options::recursive);
  const std::string before = text(ask(question()));
  views_.reset();
  settings_.directory = image;
  start();
  EXPECT_EQ(text(ask(question())), before);
  const auto report = views_->verify("sums");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->equal) << report->difference;
  EXPECT_EQ(report->events, 25);
}

TEST_F(ViewsTest, RefusesAJournalThatWasRewound) {
  for (int i = 0; i < 5; ++i) add("a", 1);
  start();
  views_->stop();
  journal_.topic->truncate(journal_.topic->end() - 2);
  open(sum_view());
  EXPECT_EQ(started_.code(), absl::StatusCode::kDataLoss) << started_;
}

TEST_F(ViewsTest, RebuildsFromNothing) {
  for (int i = 0; i < 50; ++i) add(std::to_string(i % 7), 1);
  start();
  const std::string before = text(ask(question()));
  const auto first = views_->verify("sums");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->equal) << first->difference;
  ASSERT_TRUE(views_->rebuild("sums").ok());
  catch_up();
  EXPECT_EQ(text(ask(as_of(50))), before);
  const auto second = views_->verify("sums");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->digest, first->digest);
  EXPECT_EQ(second->versions, 50);
  EXPECT_EQ(views_->rebuild("nothing").code(), absl::StatusCode::kNotFound);
}

TEST_F(ViewsTest, VerifyNamesTheFirstRowThatDiffers) {
  for (int i = 0; i < 10; ++i) add("a", 1);
  start();
  views_.reset();
  {
    auto store = projection::Store::open(view_directory(),
                                         projection::make_store_resources(1 << 20, 1 << 20));
    ASSERT_TRUE(store.ok()) << store.status();
    projection::Puts puts;
    std::string key =
        projection::store_key::row(kLedger, row_type<testing::SumRow>().prefix, make_key("a"));
    projection::store_key::append_version(key, 4);
    testing::SumRow row;
    row.set_ledger("a");
    std::string value;
    projection::append_row_value(row_type<testing::SumRow>(), row, value);
    puts.add(key, value);
    ASSERT_TRUE((*store)->write(puts).ok());
    ASSERT_TRUE((*store)->flush().ok());
  }
  start();
  const auto report = views_->verify("sums");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->equal);
  EXPECT_EQ(report->difference,
            "different in the view (the bytes): ledger 990101, placed/610001, seq 4");
}

// Never a wrong answer: a flipped byte gives the same rows, DATA_LOSS, a view that stands still, or
// is found by verify.
TEST_F(ViewsTest, AFlippedByteIsNeverAWrongAnswer) {
  settings_.damage_rebuilds_max = 0;  // what is found stays to be seen
  std::map<std::string, int> sums;
  for (int i = 0; i < 400; ++i) {
    add("key-" + std::to_string(i % 40), 1);
  }
  start();
  auto request = as_of(400);
  request.mutable_page()->set_page_size(1'000);
  const std::string right = text(ask(request));
  views_->stop();
  views_.reset();
  const std::string clean = folder_.path() + "/clean";
  std::filesystem::copy(settings_.directory, clean, std::filesystem::copy_options::recursive);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(clean)) {
    const auto name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.starts_with("LOG") && name != "page_token.key" &&
        entry.file_size() > 0) {
      files.push_back(std::filesystem::relative(entry.path(), clean).string());
    }
  }
  std::mt19937 random(1);
  int found = 0;
  for (int round = 0; round < 60; ++round) {
    std::filesystem::remove_all(settings_.directory);
    std::filesystem::copy(clean, settings_.directory, std::filesystem::copy_options::recursive);
    const std::string path = settings_.directory + "/" + files[random() % files.size()];
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(random() % std::filesystem::file_size(path));
    file.seekg(at);
    const char byte = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(byte ^ (1 << random() % 8)));
    file.close();
    open(sum_view());
    if (!started_.ok()) {
      ++found;
      continue;
    }
    views_->catch_up(10'000'000);
    Answer answer = ask_later(request, 1'000'000).get();
    if (const auto* error = std::get_if<Error>(&answer)) {
      EXPECT_TRUE(error->code == kDataLoss || error->code == kUnavailable)
          << error->code << error->message;
      ++found;
    } else {
      EXPECT_EQ(text(static_cast<const ReadEventsResponse&>(*std::get<0>(answer))), right)
          << path << " " << at;
    }
  }
  EXPECT_GT(found, 10);
}

TEST_F(ViewsTest, ADamagedViewStandsStillUntilItIsRebuilt) {
  settings_.damage_rebuilds_max = 0;
  for (int i = 0; i < 30; ++i) add("a", 1);
  start();
  views_->stop();
  views_.reset();
  std::ofstream(view_directory() + "/CURRENT") << "nothing\n";
  open(sum_view());
  ASSERT_TRUE(started_.ok());
  EXPECT_FALSE(views_->status()[0].status.ok());
  EXPECT_EQ(ask_error(question()).code, kDataLoss);
  ASSERT_TRUE(views_->rebuild("sums").ok());
  catch_up();
  auto request = question();
  request.mutable_read()->set_at_least_seq(30);
  EXPECT_EQ(text(ask(request)), "a=30@30 ");
}

TEST_F(ViewsTest, AsOfEverySeqEqualsAFoldOfThePrefix) {
  settings_.batch_events_max = 50;
  settings_.row_cache_bytes_per_view = 4'000;  // rows leave and come back
  std::mt19937 random(7);
  std::map<std::string, std::pair<uint64_t, int64_t>> model;
  std::vector<std::string> expected{""};
  int64_t seq = 0;
  for (int commit = 0; commit < 150; ++commit) {
    std::vector<std::unique_ptr<google::protobuf::Message>> events;
    const size_t count = 1 + random() % 5;
    for (size_t i = 0; i < count; ++i) {
      const std::string key = "k" + std::to_string(random() % 30);
      ++seq;
      if (random() % 5 == 0) {
        events.push_back(std::make_unique<ledger::v1::LedgerFounded>(erased(key)));
        model.erase(key);
      } else {
        const uint64_t by = 1 + random() % 9;
        events.push_back(std::make_unique<ledger::v1::LedgerPlaced>(placed(key, by)));
        model[key].first += by;
        model[key].second = seq;
      }
      std::string state;
      for (const auto& [name, row] : model) {
        if (row.first % 7 != 0)
          state += name + "=" + std::to_string(row.first) + "@" + std::to_string(row.second) + " ";
      }
      expected.push_back(state);
    }
    std::vector<const google::protobuf::Message*> list;
    for (const auto& event : events) list.push_back(event.get());
    journal_.commit(kLedger, list);
  }
  start();
  for (int64_t at = 0; at <= seq; ++at) {
    auto request = as_of(at);
    request.mutable_page()->set_page_size(1'000);
    ASSERT_EQ(text(ask(request)), expected[static_cast<size_t>(at)]) << "as of " << at;
  }
}

TEST_F(ViewsTest, ASlowViewHoldsNobodyBackAndJoinsAgain) {
  settings_.batch_events_max = 20;
  settings_.shared_batches_bytes_max = 4'000;  // the slow one falls off what is kept
  g_slow_us = 20'000;  // behind for longer than the rest takes anywhere
  views_ =
      std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(), settings_,
                              [](std::string_view number) { return std::string(number); });
  views_->add(sum_view());
  View slow("slow", 1);
  slow.on<ledger::v1::LedgerPlaced>(fold_slowly);
  views_->add(std::move(slow));
  ASSERT_TRUE(views_->start().ok());
  catch_up();
  for (int i = 0; i < 2'000; ++i) add("a", 1);
  auto request = question();
  request.mutable_read()->set_at_least_seq(2'000);
  EXPECT_EQ(ask(request).freshness().seq(), 2'000);
  EXPECT_GT(views_->status()[1].lag_events, 0);
  g_slow_us = 0;
  ASSERT_TRUE(views_->catch_up(120'000'000));
  EXPECT_EQ(views_->status()[1].lag_events, 0);
  for (int i = 0; i < 10; ++i) add("a", 1);
  ASSERT_TRUE(views_->catch_up(120'000'000));
  EXPECT_EQ(views_->status()[1].events_folded, 2'010);
  const auto report = views_->verify("slow");
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->equal) << report->difference;
}

TEST_F(ViewsTest, ANewViewIsBuiltWhileOthersServe) {
  for (int i = 0; i < 300; ++i) add("a", 1);
  start();
  views_->stop();
  views_ =
      std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(), settings_,
                              [](std::string_view number) { return std::string(number); });
  views_->add(sum_view());
  View fresh("fresh", 1);
  fresh.on<ledger::v1::LedgerPlaced>(testing::fold_placed);
  views_->add(std::move(fresh));
  ASSERT_TRUE(views_->start().ok());
  add("a", 1);
  ASSERT_TRUE(views_->catch_up(10'000'000));
  EXPECT_EQ(views_->status()[0].events_folded, 1);
  EXPECT_EQ(views_->status()[1].events_folded, 301);
  EXPECT_FALSE(views_->status()[1].building);
}

}  // namespace
}  // namespace taizhang
