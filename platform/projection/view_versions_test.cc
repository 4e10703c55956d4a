// Versions of a view side by side: building, comparing, switching, dropping.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <thread>

#include "platform/projection/test_decisions.h"
#include "platform/projection/view_runner.h"

namespace taizhang {
namespace {

using testing::DecisionsTest;
using testing::kLedger;
using testing::placed;
using testing::sum_view;

std::atomic<bool> g_gate_open{true};
std::atomic<int> g_came_to_gate{0};

void pass_gate() {
  ++g_came_to_gate;
  while (!g_gate_open) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void fold_behind_gate(Ledger& rows, const EventMeta& meta, const ledger::v1::LedgerPlaced& event) {
  pass_gate();
  testing::fold_placed(rows, meta, event);
}

// As a query that met a damaged block.
Result<ledger::v1::ReadEventsResponse> find_damage_behind_gate(
    const Snapshot&, const ledger::v1::ReadEventsRequest&) {
  pass_gate();
  return failure(kDataLoss, "DATA_LOSS", "a block is damaged");
}

// False: it did not become so in time.
bool becomes(const std::function<bool()>& so) {
  for (int tries = 0; tries < 120'000 && !so(); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return so();
}

// The same rows, built only while the gate is open.
View gated_view(int32_t version) {
  View view("sums", version);
  view.on<ledger::v1::LedgerPlaced>(fold_behind_gate)
      .on<ledger::v1::LedgerFounded>(testing::fold_erased)
      .query(testing::list_rows);
  return view;
}

void fold_doubled(Ledger& rows, const EventMeta& meta, const ledger::v1::LedgerPlaced& event) {
  ledger::v1::LedgerPlaced twice = event;
  twice.set_generation(2 * event.generation());
  testing::fold_placed(rows, meta, twice);
}

// What it says differs in every row.
View doubled_view(int32_t version) {
  View view("sums", version);
  view.on<ledger::v1::LedgerPlaced>(fold_doubled)
      .on<ledger::v1::LedgerFounded>(testing::fold_erased)
      .query(testing::list_rows);
  return view;
}

class ViewVersionsTest : public DecisionsTest {
 protected:
  ViewVersionsTest() {
    g_gate_open = true;
    g_came_to_gate = 0;
  }

  int32_t answering() { return ask(question()).freshness().view_version(); }
};

TEST_F(ViewVersionsTest, ANewVersionIsBuiltWhileTheOldOneAnswers) {
  for (int i = 0; i < 300; ++i) add("a", 1);
  start();
  views_->stop();
  g_gate_open = false;
  open_all({sum_view(1), gated_view(2)});
  EXPECT_EQ(text(ask(question())), "a=300@300 ");
  EXPECT_EQ(answering(), 1);
  auto status = views_->status();
  ASSERT_EQ(status.size(), 2u);
  EXPECT_TRUE(status[0].live);
  EXPECT_FALSE(status[1].live);
  EXPECT_EQ(status[1].version, 2);
  EXPECT_TRUE(status[1].building);
  EXPECT_EQ(views_->digests("sums", "", std::nullopt, 2).status().code(),
            absl::StatusCode::kUnavailable);
  g_gate_open = true;
  catch_up();
  add("a", 1);
  catch_up();
  EXPECT_FALSE(views_->status("sums", 2)->building);
  EXPECT_EQ(answering(), 1) << "nobody has decided yet";
  EXPECT_EQ(views_->digests("sums", "", std::nullopt, 1)->front().digest,
            views_->digests("sums", "", std::nullopt, 2)->front().digest);
}

TEST_F(ViewVersionsTest, ASwitchHoldsForEveryLaterQueryAndOverARestart) {
  for (const char* key : {"a", "b", "c"}) add(key, 1);
  start();
  open_all({sum_view(1), doubled_view(2)});
  catch_up();
  auto request = question();
  request.mutable_page()->set_page_size(1);
  const std::string token = ask(request).next_page_token();
  decide_live(2);
  catch_up();
  EXPECT_EQ(text(ask(question())), "a=2@1 b=2@2 c=2@3 ");
  EXPECT_EQ(answering(), 2);
  // A list that began with the other version cannot go on with this one.
  request.mutable_page()->set_page_token(token);
  EXPECT_EQ(ask_error(request).reason, "PAGE_TOKEN_INVALID");
  open_all({sum_view(1), doubled_view(2)});
  EXPECT_EQ(answering(), 2);
  decide_live(1);
  catch_up();
  EXPECT_EQ(text(ask(question())), "a=1@1 b=1@2 c=1@3 ");
  // The same build again: what was begun with it goes on.
  EXPECT_EQ(text(ask(request)), "b=1@2 ");
}

TEST_F(ViewVersionsTest, ADecisionWaitsUntilItsVersionIsBuiltHere) {
  for (int i = 0; i < 50; ++i) add("a", 1);
  start();
  decide_live(2);  // another process has it already
  catch_up();
  EXPECT_EQ(answering(), 1);
  views_->stop();
  g_gate_open = false;
  open_all({sum_view(1), gated_view(2)});
  EXPECT_EQ(answering(), 1);
  g_gate_open = true;
  catch_up();
  EXPECT_EQ(answering(), 2);
}

TEST_F(ViewVersionsTest, WithoutADecisionTheHighestThatIsBuiltAnswersFromTheNextStartOn) {
  add("a", 1);
  start();
  open_all({sum_view(1), sum_view(2)});
  catch_up();
  EXPECT_EQ(answering(), 1);
  open_all({sum_view(2), sum_view(1), sum_view(3)});
  EXPECT_EQ(answering(), 2);
}

TEST_F(ViewVersionsTest, AVersionThatAnswersNothingElseIsAskedForAMethodItHasNot) {
  add("a", 1);
  View mute("sums", 2);
  mute.on<ledger::v1::LedgerPlaced>(testing::fold_placed);
  open_all({sum_view(1), std::move(mute)});
  decide_live(2);
  catch_up();
  EXPECT_EQ(ask_error(question()).code, kUnimplemented);
}

TEST_F(ViewVersionsTest, FilesOfOtherProgramsAreToldAndKeptUntilSomebodyDropsThem) {
  add("a", 1);
  open_all({sum_view(1), sum_view(2)});
  catch_up();
  start();
  const auto unknown = views_->unknown_files();
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_EQ(unknown[0].name, "sums");
  EXPECT_EQ(unknown[0].version, 2);
  EXPECT_TRUE(std::filesystem::exists(settings_.directory + "/sums-v2"));
  EXPECT_EQ(views_->drop("sums", 3).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(views_->drop("sums", 1).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(views_->drop("sums", 2).ok());
  EXPECT_TRUE(views_->unknown_files().empty());
  EXPECT_FALSE(std::filesystem::exists(settings_.directory + "/sums-v2"));
}

TEST_F(ViewVersionsTest, ADroppedVersionStaysDroppedUntilItIsRebuilt) {
  for (int i = 0; i < 21; ++i) add("a", 1);
  open_all({sum_view(1), sum_view(2)});
  catch_up();
  ASSERT_EQ(answering(), 2);
  ASSERT_TRUE(views_->drop("sums", 1).ok());
  EXPECT_FALSE(std::filesystem::exists(settings_.directory + "/sums-v1"));
  add("a", 1);
  catch_up();
  open_all({sum_view(1), sum_view(2)});
  catch_up();
  EXPECT_TRUE(views_->status("sums", 1)->dropped);
  EXPECT_FALSE(std::filesystem::exists(settings_.directory + "/sums-v1"));
  decide_live(1);
  catch_up();
  EXPECT_EQ(answering(), 2) << "nothing is there that could answer";
  ASSERT_TRUE(views_->rebuild("sums", 1).ok());
  catch_up();
  EXPECT_EQ(answering(), 1);
  EXPECT_EQ(text(ask(question())), "a=22@22 ");
}

TEST_F(ViewVersionsTest, AVersionThatIsBeingDroppedIsNotSwitchedTo) {
  add("a", 1);
  start();
  open_all({sum_view(1), gated_view(2)});
  catch_up();
  ASSERT_EQ(answering(), 1);
  // The drop has to wait for the verification, and the decision comes meanwhile.
  g_came_to_gate = 0;
  g_gate_open = false;
  auto verified = std::async(std::launch::async, [&] { return views_->verify("sums", 2, {}); });
  ASSERT_TRUE(becomes([] { return g_came_to_gate > 0; }));
  auto dropped = std::async(std::launch::async, [&] { return views_->drop("sums", 2); });
  becomes([&] { return views_->status("sums", 2)->dropped; });
  decide_live(2);
  catch_up();
  g_gate_open = true;
  EXPECT_TRUE(verified.get().ok());
  EXPECT_TRUE(dropped.get().ok());
  EXPECT_EQ(answering(), 1);
}

TEST_F(ViewVersionsTest, FilesThatAreLetGoOfTakeNoBlameThatANewBuildWouldPayFor) {
  settings_.damage_rebuilds_max = 5;
  add("a", 1);
  View view("sums", 1);
  view.on<ledger::v1::LedgerPlaced>(testing::fold_placed)
      .on<ledger::v1::LedgerFounded>(testing::fold_erased)
      .query(find_damage_behind_gate);
  start(std::move(view));
  g_gate_open = false;
  auto late = std::async(std::launch::async, [&] { return ask_error(question(), 20'000'000); });
  ASSERT_TRUE(becomes([] { return g_came_to_gate > 0; }));
  auto rebuilt = std::async(std::launch::async, [&] { return views_->rebuild("sums"); });
  ASSERT_TRUE(becomes([&] { return views_->status()[0].building; }));
  g_gate_open = true;
  EXPECT_EQ(late.get().code, kDataLoss);
  EXPECT_TRUE(rebuilt.get().ok());
  catch_up();
  EXPECT_EQ(views_->status()[0].rebuilt_why, "") << "it was built anew once, by the operator";
}

// For a version alone.
std::shared_ptr<projection::Shared> shared_of(journal::Log& log, const ViewsSettings& settings) {
  auto shared = std::make_shared<projection::Shared>(std::vector<journal::Log*>{&log},
                                                     system_clock(), settings);
  shared->resources = projection::make_store_resources(1 << 20, 1 << 20);
  shared->waiters = std::make_unique<projection::Waiters>(shared->clock, 1);
  shared->changed = [](const std::string&) {};
  std::filesystem::create_directories(settings.directory);
  return shared;
}

// Who asks for a new build may come before the drop that waits.
TEST_F(ViewVersionsTest, WhatIsBuiltAnewWhileItIsBeingDroppedDoesNotAnswer) {
  journal::MemoryLog nothing(std::make_shared<journal::MemoryTopic>(), true);
  const auto shared = shared_of(nothing, settings_);
  shared->feeds.push_back(std::make_unique<projection::Feed>(
      nothing, 0, std::nullopt, [](const google::protobuf::Descriptor*) { return true; },
      projection::FeedSettings(), shared->clock, shared->identity, shared->grown));
  const auto runner = std::make_shared<projection::ViewRunner>(shared, sum_view(1));
  runner->open();
  runner->start();
  ASSERT_TRUE(runner->answers());
  runner->begin_drop();
  ASSERT_TRUE(runner->rebuild().ok());
  EXPECT_FALSE(runner->answers());
  EXPECT_TRUE(runner->status().dropped);
  ASSERT_TRUE(runner->drop().ok());
  EXPECT_TRUE(runner->status().dropped);
  ASSERT_TRUE(runner->rebuild().ok());
  EXPECT_TRUE(runner->answers()) << "the drop is over";
}

// Between the look at a view that wants to be mended and the mending an operator may drop it.
TEST_F(ViewVersionsTest, WhatWasDroppedIsNotMended) {
  const auto shared = shared_of(journal_.log, settings_);
  std::filesystem::create_directories(view_directory());
  std::ofstream(view_directory() + "/CURRENT") << "nothing\n";
  const auto runner = std::make_shared<projection::ViewRunner>(shared, sum_view(1));
  runner->open();
  ASSERT_TRUE(runner->wants_mending());
  runner->begin_drop();
  ASSERT_FALSE(runner->wants_mending()) << "whoever mends may come before the drop";
  ASSERT_TRUE(runner->drop().ok());
  runner->mend();
  EXPECT_TRUE(runner->status().dropped);
}

TEST_F(ViewVersionsTest, CompareTellsEachTableAndTheFirstRowThatDiffers) {
  journal_.open("990102");
  for (int i = 0; i < 30; ++i) add("k" + std::to_string(i % 10), 1);
  const auto gone = testing::erased("k3");
  journal_.commit(kLedger, {&gone});
  const auto other = placed("x", 1);
  journal_.commit("990102", {&other});
  open_all({sum_view(1), sum_view(2), doubled_view(3)});
  catch_up();
  auto same = views_->compare("sums", 1, 2);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->ledgers, 2);
  ASSERT_EQ(same->tables.size(), 1u);
  EXPECT_EQ(same->tables[0].name, "placed");
  EXPECT_EQ(same->tables[0].figures.rows, 10);  // 9 and the one of the other ledger
  EXPECT_EQ(same->tables[0].figures.versions, 32);
  EXPECT_EQ(same->tables[0].other.rows, 10);
  EXPECT_EQ(same->tables[0].figures.digest, same->tables[0].other.digest);
  EXPECT_EQ(same->tables[0].differing_rows, 0);
  auto different = views_->compare("sums", 1, 3);
  ASSERT_TRUE(different.ok()) << different.status();
  EXPECT_EQ(different->tables[0].differing_rows, 10);
  EXPECT_NE(different->tables[0].figures.digest, different->tables[0].other.digest);
  EXPECT_EQ(different->tables[0].difference,
            "different (the bytes): ledger 990101, placed/6b300001");
  auto past = views_->compare("sums", 1, 3, {kLedger, 5});
  ASSERT_TRUE(past.ok()) << past.status();
  EXPECT_EQ(past->ledgers, 1);
  EXPECT_EQ(past->tables[0].figures.rows, 5);
  EXPECT_EQ(past->tables[0].differing_rows, 5);
  EXPECT_EQ(views_->compare("sums", 1, 2, {kLedger, 1'000}).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(views_->compare("sums", 1, 2, {"110101", std::nullopt}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(views_->compare("sums", 1, 4).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ViewVersionsTest, QueriesDuringSwitchesAreAllAnsweredByOneOfTheVersions) {
  add("a", 1);
  open_all({sum_view(1), doubled_view(2)});
  catch_up();
  std::atomic<bool> done{false};
  std::atomic<int> asked{0};
  std::thread asking([&] {
    while (!done) {
      const auto answer = ask(question());
      const bool first = answer.freshness().view_version() == 1;
      EXPECT_EQ(text(answer), first ? "a=1@1 " : "a=2@1 ");
      ++asked;
    }
  });
  for (int i = 0; i < 50; ++i) {
    const int before = asked;
    decide_live(1 + i % 2);
    catch_up();
    EXPECT_EQ(answering(), 1 + i % 2);
    while (asked == before) std::this_thread::yield();
  }
  done = true;
  asking.join();
}

// What a kill -9 in the middle of switching leaves: at every moment of it some version answers, and
// in the end the one decided last.
TEST_F(ViewVersionsTest, AKillDuringSwitchesLeavesTheDecisionsOfTheJournal) {
  constexpr int kRounds = 8;
  constexpr int kSwitches = 98;  // the list leaves out multiples of 7
  settings_.flush_events_max = 20;
  for (int i = 0; i < 30; ++i) add("a", 1);
  open_all({sum_view(1), doubled_view(2)});
  catch_up();
  views_.reset();  // a process is copied by fork() only while it has one thread
  std::mt19937 random(11);
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      open_all({sum_view(1), doubled_view(2)});
      for (int i = 0; i < kSwitches; ++i) {
        decide_live(1 + i % 2);
        add("a", 1);
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 60));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int ended = 0;
    ASSERT_EQ(::waitpid(child, &ended, 0), child);
    // The journal of this process goes the way that the child's went, and further.
    const int more = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < kSwitches; ++i) {
      decide_live(1 + i % 2);
      add("a", 1);
    }
    for (int i = 0; i < more; ++i) decide_live(1 + (i + round) % 2);
    open_all({sum_view(1), doubled_view(2)});
    EXPECT_EQ(ask_later(question()).get().index(), 0u) << "no gap: some version answers at once";
    catch_up();
    const int decided = 1 + (more - 1 + round) % 2;
    EXPECT_EQ(answering(), decided);
    const int sum = 30 + kSwitches * (round + 1);
    EXPECT_EQ(text(ask(question())).rfind("a=" + std::to_string(decided * sum), 0), 0u);
    for (const int version : {1, 2}) {
      const auto report = views_->verify("sums", version);
      ASSERT_TRUE(report.ok()) << report.status();
      EXPECT_TRUE(report->equal) << report->difference;
    }
    views_.reset();
  }
}

}  // namespace
}  // namespace taizhang
