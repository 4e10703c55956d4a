// kill -9 while the answer to a view's queries is switched from one version to another: whoever
// starts next answers with the version that was decided last, whole, and nothing is built anew.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "platform/projection/test_decisions.h"

namespace taizhang {
namespace {

constexpr int kRounds = 12;

class SwitchKillTest : public testing::DecisionsTest {
 protected:
  // The views of a process of its own over the journal as it stands, killed after that long. True:
  // it lived until then.
  bool killed_after(int64_t us) {
    const pid_t child = fork();
    if (child == 0) {
      open_all({testing::sum_view(1), testing::sum_view(2)});
      if (!started_.ok()) _exit(1);
      for (;;) pause();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(us));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }
};

TEST_F(SwitchKillTest, WhatWasDecidedLastAnswersAndIsWhole) {
  settings_.flush_events_max = 50;  // so that kills find much and little written
  std::mt19937_64 random(7);
  int64_t events = 0;
  int32_t decided = 1;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < 100; ++i, ++events) add("k" + std::to_string(random() % 40), 1);
    decided = 3 - decided;
    decide_live(decided);
    for (int i = 0; i < 20; ++i, ++events) add("k" + std::to_string(random() % 40), 1);
    // From the first moment of a start to long behind the switch.
    for (const int64_t us : {random() % 3'000, random() % 30'000, random() % 150'000})
      ASSERT_TRUE(killed_after(static_cast<int64_t>(us))) << "round " << round;
  }
  open_all({testing::sum_view(1), testing::sum_view(2)});
  catch_up();
  for (const auto& version : views_->status()) {
    EXPECT_TRUE(version.status.ok()) << version.status;
    EXPECT_EQ(version.live, version.version == decided) << version.version;
    EXPECT_EQ(version.rebuilt_why, "");
    const auto verified = views_->verify("sums", version.version);
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_TRUE(verified->equal) << verified->difference;
  }
  EXPECT_EQ(views_->digests("sums", "990101", std::nullopt, 1)->front().seq, events);
  EXPECT_EQ(views_->digests("sums", "990101", std::nullopt, 1)->front().digest,
            views_->digests("sums", "990101", std::nullopt, 2)->front().digest);
}

}  // namespace
}  // namespace taizhang
