// Events that a view passes over as decided, verification at any seq, and views that mend
// themselves.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "platform/projection/store.h"
#include "platform/projection/test_decisions.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang {
namespace {

using testing::DecisionsTest;
using testing::erased;
using testing::kLedger;
using testing::placed;
using testing::sum_view;

class SkipTest : public DecisionsTest {
 protected:
  int64_t poison() { return journal_.commit_raw(kLedger, "future.v1.SomethingNew", "?"); }
  // A skipped event makes no row, so the last seq of the sums is behind it.
  std::string newest(int64_t seq) {
    auto request = question();
    request.mutable_read()->set_at_least_seq(seq);
    return text(ask(request));
  }
  VerifyReport verify(const VerifyScope& scope = {}, int32_t version = 0) {
    auto report = views_->verify("sums", version, scope);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : VerifyReport();
  }
  std::string digest() { return views_->digests("sums", kLedger, std::nullopt)->front().digest; }
};

TEST_F(SkipTest, WhatIsPassedOverIsToldOfALedgerThatStopsBehindIt) {
  add("a", 1);
  const int64_t decided = poison();
  start();
  decide_skip(decided);
  catch_up();
  poison();
  catch_up();
  ASSERT_EQ(ask_error(question()).code, kDataLoss);
  Dispatcher dispatcher;
  views_->register_queries(dispatcher);
  const auto list = [&](const char* ledger) {
    auto request = std::make_shared<views::v1::ListSkippedRequest>();
    request->set_ledger(ledger);
    request->set_view("sums");
    const auto& method =
        *request->GetDescriptor()->file()->service(0)->FindMethodByName("ListSkipped");
    Answer told;
    dispatcher.unary(method, Call{&caller_, system_clock().boot_us() + 5'000'000}, request,
                     [&](Answer answer) { told = std::move(answer); });
    return told;
  };
  const auto told = list(kLedger);
  ASSERT_TRUE(std::get_if<0>(&told)) << std::get<Error>(told).reason;
  const auto& said = static_cast<const views::v1::ListSkippedResponse&>(*std::get<0>(told));
  ASSERT_EQ(said.skipped_size(), 1);
  EXPECT_EQ(said.skipped(0).seq(), decided);
  const auto unknown = list("110000");
  ASSERT_TRUE(std::get_if<Error>(&unknown));
  EXPECT_EQ(std::get<Error>(unknown).reason, "LEDGER_NOT_FOUND");
}

TEST_F(SkipTest, TheLedgerGoesOnBehindTheEvent) {
  add("a", 1);
  const int64_t bad = poison();
  add("a", 1);
  start();
  EXPECT_EQ(ask_error(question()).code, kDataLoss);
  decide_skip(bad);
  catch_up();
  EXPECT_EQ(newest(3), "a=2@3 ");
  EXPECT_EQ(ask(question()).freshness().skipped_events(), 1);
  auto before_it = question();
  before_it.mutable_read()->set_seq(bad - 1);
  EXPECT_EQ(ask(before_it).freshness().skipped_events(), 0);
  const auto status = views_->status()[0];
  EXPECT_TRUE(status.stopped.empty());
  EXPECT_EQ(status.skipped_total, 1);
  ASSERT_EQ(status.skipped.size(), 1u);
  EXPECT_EQ(status.skipped[0].ledger, kLedger);
  EXPECT_EQ(status.skipped[0].seq, bad);
  EXPECT_EQ(status.skipped[0].decided_by, "000001/1");
  EXPECT_EQ(status.skipped[0].reason, "because");
  const auto report = verify();
  EXPECT_TRUE(report.equal) << report.difference;
  EXPECT_EQ(report.skipped_events, 1);
  // The same over a restart and in a view that is built from nothing.
  const std::string before = digest();
  start();
  EXPECT_EQ(newest(3), "a=2@3 ");
  EXPECT_EQ(views_->status()[0].skipped_total, 1);
  ASSERT_TRUE(views_->rebuild("sums").ok());
  catch_up();
  EXPECT_EQ(digest(), before);
  views_.reset();
  std::filesystem::remove_all(settings_.directory);
  start();
  EXPECT_EQ(digest(), before);
  EXPECT_EQ(newest(3), "a=2@3 ");
}

TEST_F(SkipTest, OneEventOfACommitIsPassedOverAndTheOthersAreFolded) {
  add("a", 1);
  const auto first = placed("b", 1);
  const auto second = placed("c", 1);
  journal_.commit(kLedger, {&first, &second});
  start();
  decide_skip(2);
  catch_up();
  EXPECT_EQ(newest(3), "a=1@1 c=1@3 ");
}

TEST_F(SkipTest, OneEventAtATime) {
  const int64_t first = poison();
  add("a", 1);
  const int64_t second = poison();
  add("a", 1);
  start();
  decide_skip(first);
  catch_up();
  EXPECT_EQ(views_->status()[0].stopped.at(0).seq, second);
  decide_skip(second);
  catch_up();
  EXPECT_EQ(newest(4), "a=2@4 ");
}

TEST_F(SkipTest, AnotherViewOrVersionIsNotMeant) {
  const int64_t bad = poison();
  start();
  admin::v1::ViewEventSkipped event;
  event.set_ledger(kLedger);
  event.set_seq(bad);
  event.set_view("others");
  journal_.commit(testing::kSystem, {&event});
  decide_skip(bad, kLedger, 2);
  catch_up();
  EXPECT_EQ(ask_error(question()).code, kDataLoss);
  open_all({sum_view(1), sum_view(2)});
  catch_up();
  EXPECT_EQ(views_->status("sums", 1)->stopped.size(), 1u);
  EXPECT_TRUE(views_->status("sums", 2)->stopped.empty());
}

// A program that understands the event has folded it: what was decided holds there as well, or two
// processes would say different things.
TEST_F(SkipTest, AViewThatHadFoldedTheEventIsBuiltAnewWithoutIt) {
  for (int i = 0; i < 20; ++i) add("a", 1);
  start();
  EXPECT_EQ(newest(20), "a=20@20 ");
  decide_skip(7);
  catch_up();
  EXPECT_EQ(newest(20), "a=19@20 ");
  EXPECT_NE(views_->status()[0].rebuilt_why, "");
  const std::string before = digest();
  EXPECT_TRUE(verify().equal);
  // Also where the files are new and the decision comes after the event.
  views_.reset();
  std::filesystem::remove_all(settings_.directory);
  start();
  EXPECT_EQ(newest(20), "a=19@20 ");
  EXPECT_EQ(digest(), before);
}

TEST_F(SkipTest, WhatIsPassedOverWithoutADecisionIsADifference) {
  for (int i = 0; i < 5; ++i) add("a", 1);
  start();
  views_.reset();
  {
    auto store = projection::Store::open(view_directory(),
                                         projection::make_store_resources(1 << 20, 1 << 20));
    ASSERT_TRUE(store.ok()) << store.status();
    projection::Puts puts;
    std::string value;
    append_key_text(value, "000001/1");
    append_key_text(value, "invented");
    puts.add(projection::store_key::of_ledger(projection::store_key::kSkip, kLedger, 9), value);
    ASSERT_TRUE((*store)->write(puts).ok());
    ASSERT_TRUE((*store)->flush().ok());
  }
  start();
  const auto report = verify();
  EXPECT_FALSE(report.equal);
  EXPECT_EQ(report.difference,
            "passed over without a decision in the journal: ledger 990101, seq 9");
}

// Random books with events nobody understands, skips of these and of others, restarts and
// switches: what runs holds what a fold from nothing gives.
TEST_F(SkipTest, LiveEqualsRebuiltForRandomHistories) {
  settings_.batch_events_max = 5;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    std::mt19937 random(seed);
    settings_.directory = folder_.path() + "/views" + std::to_string(seed);
    const std::string ledger = std::to_string(990200 + seed);
    journal_.open(ledger);
    open_all({sum_view(1), sum_view(2)});
    std::set<int64_t> standing;  // nobody understands them, and nobody has decided
    int64_t seq = 0;
    for (int step = 0; step < 90; ++step) {
      const auto kind = random() % 20;
      if (kind == 0) {
        seq = journal_.commit_raw(ledger, "future.v1.SomethingNew", "");
        standing.insert(seq);
      } else if (kind == 1 && !standing.empty()) {
        decide_skip(*standing.begin(), ledger);
        standing.erase(standing.begin());
      } else if (kind == 2 && seq > 0) {
        decide_skip(1 + static_cast<int64_t>(random()) % seq, ledger);
      } else if (kind == 3) {
        decide_live(1 + static_cast<int32_t>(random() % 2));
      } else if (kind == 4 && step % 3 == 0) {
        open_all({sum_view(1), sum_view(2)});
      } else {
        const auto event = placed("k" + std::to_string(random() % 9), 1 + random() % 5);
        const auto gone = erased("k" + std::to_string(random() % 9));
        seq = random() % 6 == 0 ? journal_.commit(ledger, {&event, &gone})
                                : journal_.commit(ledger, {&event});
      }
    }
    for (const int64_t left : standing) decide_skip(left, ledger);
    catch_up();
    const auto live = views_->digests("sums", ledger, std::nullopt, 1);
    ASSERT_TRUE(live.ok()) << live.status() << " seed " << seed;
    EXPECT_EQ(live->front().seq, seq) << "seed " << seed;
    EXPECT_EQ(views_->digests("sums", ledger, std::nullopt, 2)->front().digest,
              live->front().digest);
    for (const int version : {1, 2}) {
      const auto report = verify({}, version);
      EXPECT_TRUE(report.equal) << report.difference << " seed " << seed;
    }
    const int64_t past = 1 + static_cast<int64_t>(random()) % seq;
    const auto at = verify({ledger, past});
    EXPECT_TRUE(at.equal) << at.difference << " seed " << seed << " at " << past;
    views_.reset();
    std::filesystem::remove_all(settings_.directory);
    open_all({sum_view(1), sum_view(2)});
    catch_up();
    EXPECT_EQ(views_->digests("sums", ledger, std::nullopt, 1)->front().digest,
              live->front().digest)
        << "seed " << seed;
  }
}

using VerifyTest = SkipTest;

// Puts a wrong version of the row "a" into the files of a view that does not run.
void put_wrong(const std::string& directory, int64_t seq, uint64_t generation) {
  auto store =
      projection::Store::open(directory, projection::make_store_resources(1 << 20, 1 << 20));
  ASSERT_TRUE(store.ok()) << store.status();
  projection::Puts puts;
  std::string key =
      projection::store_key::row(kLedger, row_type<testing::SumRow>().prefix, make_key("a"));
  projection::store_key::append_version(key, seq);
  testing::SumRow row;
  row.set_ledger("a");
  row.set_generation(generation);
  row.set_name("20260101");
  row.set_version(seq);
  puts.add(key, "\1" + row.SerializeAsString());
  ASSERT_TRUE((*store)->write(puts).ok());
  ASSERT_TRUE((*store)->flush().ok());
}

TEST_F(VerifyTest, NamesTheEarliestRowVersionThatDiffers) {
  for (int i = 0; i < 10; ++i) add("a", 1);
  journal_.open("990102");
  const auto other = placed("x", 1);
  journal_.commit("990102", {&other});
  start();
  views_.reset();
  put_wrong(view_directory(), 8, 80);
  put_wrong(view_directory(), 4, 40);
  start();
  auto report = verify();
  EXPECT_FALSE(report.equal);
  EXPECT_EQ(report.differing_versions, 2);
  EXPECT_EQ(report.difference_ledger, kLedger);
  EXPECT_EQ(report.difference_seq, 4);
  EXPECT_EQ(report.difference,
            "different in the view (the bytes): ledger 990101, placed/610001, seq 4");
  // At a moment before, and of another ledger, all is well.
  report = verify({kLedger, 3});
  EXPECT_TRUE(report.equal) << report.difference;
  EXPECT_EQ(report.versions, 3);
  EXPECT_EQ(report.events, 3);
  EXPECT_EQ(report.digest.size(), 64u);
  report = verify({kLedger, 7});
  EXPECT_EQ(report.differing_versions, 1);
  report = verify({"990102", std::nullopt});
  EXPECT_TRUE(report.equal) << report.difference;
  EXPECT_EQ(report.ledgers, 1);
  EXPECT_EQ(views_->verify("sums", 0, {kLedger, 11}).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(views_->verify("sums", 0, {"110101", std::nullopt}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(VerifyTest, OfALedgerThatStandsStill) {
  add("a", 1);
  poison();
  add("a", 1);
  start();
  const auto report = verify({kLedger, std::nullopt});
  EXPECT_TRUE(report.equal) << report.difference;
  EXPECT_EQ(report.versions, 1);
}

// Every kind of file, flipped, cut and missing: the view says so or was not touched by it, is built
// anew by itself, and the other view goes on.
TEST_F(VerifyTest, DamageOfEveryKindOfFileIsMendedOnceAndTheOtherViewGoesOn) {
  settings_.flush_events_max = 100;
  for (int i = 0; i < 400; ++i) add("key-" + std::to_string(i % 40), 1);
  const auto other = [] {
    View view("other", 1);
    view.on<ledger::v1::LedgerPlaced>(testing::fold_placed);
    return view;
  };
  open_all({sum_view(), other()});
  catch_up();
  auto request = as_of(400);
  request.mutable_page()->set_page_size(1'000);
  const std::string right = text(ask(request));
  views_->stop();
  views_.reset();
  const std::string clean = folder_.path() + "/clean";
  std::filesystem::copy(settings_.directory, clean, std::filesystem::copy_options::recursive);
  std::map<std::string, std::string> kinds;  // by extension or name without number: one file
  for (const auto& entry : std::filesystem::directory_iterator(clean + "/sums-v1")) {
    const auto name = entry.path().filename().string();
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    kinds[name.ends_with(".sst") ? ".sst" : name.substr(0, name.find('-'))] = name;
  }
  ASSERT_TRUE(kinds.contains(".sst") && kinds.contains("MANIFEST") && kinds.contains("CURRENT"));
  std::mt19937 random(5);
  int mended = 0;
  for (const auto& [kind, name] : kinds) {
    for (const std::string how : {"flipped", "flipped", "flipped", "cut", "missing"}) {
      SCOPED_TRACE(kind + " " + how);
      views_.reset();
      std::filesystem::remove_all(settings_.directory);
      std::filesystem::copy(clean, settings_.directory, std::filesystem::copy_options::recursive);
      const std::string path = view_directory() + "/" + name;
      const auto size = std::filesystem::file_size(path);
      if (how == "missing") {
        std::filesystem::remove(path);
      } else if (how == "cut") {
        std::filesystem::resize_file(path, size / 2);
      } else {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        const auto at = static_cast<std::streamoff>(random() % size);
        file.seekg(at);
        const char byte = static_cast<char>(file.get());
        file.seekp(at);
        file.put(static_cast<char>(byte ^ (1 << random() % 8)));
      }
      open_all({sum_view(), other()});
      catch_up();
      Answer answer = ask_later(request).get();
      const auto* error = std::get_if<Error>(&answer);
      if (error) {
        EXPECT_TRUE(error->code == kDataLoss || error->code == kUnavailable) << error->message;
      } else {
        EXPECT_EQ(text(static_cast<const testing::ReadEventsResponse&>(*std::get<0>(answer))),
                  right);
      }
      // What no query reads is found by verify; either way it is mended now, or was never there.
      catch_up();
      if (auto found = verify(); !found.equal) {
        EXPECT_TRUE(found.files_damaged) << found.difference;
        catch_up();
        found = verify();
        EXPECT_TRUE(found.equal) << found.difference;
      }
      EXPECT_EQ(text(ask(request)), right);
      const auto status = views_->status();
      mended += status[0].rebuilt_why.empty() ? 0 : 1;
      EXPECT_TRUE(status[0].status.ok());
      EXPECT_TRUE(status[1].status.ok());
      EXPECT_EQ(status[1].events_folded, 0) << "the other view had nothing to do with it";
    }
  }
  EXPECT_GE(mended, 8);
}

TEST_F(VerifyTest, AViewThatIsDamagedAgainStandsStill) {
  settings_.flush_events_max = 1;
  for (int i = 0; i < 30; ++i) add("a", 1);
  start();
  views_.reset();
  std::ofstream(view_directory() + "/CURRENT") << "nothing\n";
  start();
  EXPECT_EQ(newest(30), "a=30@30 ");
  EXPECT_NE(views_->status()[0].rebuilt_why, "");
  add("a", 1);
  catch_up();
  // Damaged while it runs: found by verify, the second time since the start.
  for (const auto& entry : std::filesystem::directory_iterator(view_directory())) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(10);
    file.put('\x7f');
  }
  const auto report = verify();
  EXPECT_FALSE(report.equal);
  EXPECT_TRUE(report.files_damaged);
  EXPECT_EQ(ask_error(question()).code, kDataLoss);
  EXPECT_FALSE(views_->status()[0].status.ok());
  ASSERT_TRUE(views_->rebuild("sums").ok());
  catch_up();
  EXPECT_EQ(newest(31), "a=31@31 ");
}

using FreshnessTest = SkipTest;

TEST_F(FreshnessTest, NamesTheLedgersThatAreBehind) {
  journal_.open("990102");
  add("a", 1);
  const auto other = placed("x", 1);
  journal_.commit("990102", {&other});
  poison();
  add("a", 1);
  start();
  const auto status = views_->status()[0];
  EXPECT_EQ(status.lag_events, 2);
  EXPECT_EQ(status.lagging_ledgers, 1);
  ASSERT_EQ(status.lagging.size(), 1u);
  EXPECT_EQ(status.lagging[0].ledger, kLedger);
  EXPECT_EQ(status.lagging[0].seq, 1);
  EXPECT_EQ(status.lagging[0].events, 2);
  EXPECT_GT(status.lagging[0].us, 0);
}

}  // namespace
}  // namespace taizhang
