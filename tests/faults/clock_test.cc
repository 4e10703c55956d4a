// The server's clock against its journal at the start: behind the last recorded time, or far ahead
// of it, it asks the operator.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "platform/base/sha256.h"
#include "platform/config/key_file.h"
#include "platform/journal/owner.h"
#include "platform/journal/segments/segment_log.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kDayUs = 86'400 * kSecondUs;

class ShiftedClock : public Clock {
 public:
  explicit ShiftedClock(int64_t by_us) : by_us_(by_us) {}
  int64_t wall_us() override { return system_clock().wall_us() + by_us_; }
  int64_t boot_us() override { return system_clock().boot_us(); }

 private:
  int64_t by_us_;
};

class Silent : public journal::OwnerListener {
  absl::Status on_record(const journal::Folded&) override { return absl::OkStatus(); }
  void on_confirmed(uint64_t, int64_t) override {}
  void on_epoch_ended(const absl::Status&) override {}
};

class ClockAtStart : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / "clock_test" /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "data");
    write("taizhangd.textproto",
          "data_dir: 'data' listen: '127.0.0.1:0' admin_listen: '127.0.0.1:0' metrics_port: 0 journal { segment_bytes: 4194304 "
          "}\n");
    write(
        "tokens.textproto",
        "profiles { name: 'maker' subject: 's' roles: ROLE_MAKER everywhere: true token_sha256: '" +
            hex(bytes_of(sha256(std::string_view("t")))) + "' }\n");
  }
  void TearDown() override {
    if (running_ > 0) stop();
    fs::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::trunc) << text;
    chmod((folder_ / name).c_str(), 0600);
  }

  // A journal whose last recorded time is now + `shift_us`, as a server with such a clock leaves
  // it.
  void given_journal_of_a_clock(int64_t shift_us) {
    for (const char* key : {"fingerprint.key", "blind_index.key"}) {
      ASSERT_TRUE(
          load_or_make_key(folder_ / "data" / key, /*may_make=*/true, system_random()).ok());
    }
    journal::segments::SegmentOptions options;
    options.directory = folder_ / "data/journal";
    options.segment_bytes = 4 << 20;
    auto log = journal::segments::SegmentLog::open(std::move(options));
    ASSERT_TRUE(log.ok()) << log.status();
    ShiftedClock clock(shift_us);
    Silent listener;
    journal::OwnerSettings settings;
    settings.create = true;
    journal::Owner owner(**log, clock, system_random(), listener, journal::Fold(0), settings,
                         [] {});
    ASSERT_TRUE(owner.claim().ok());
    journal::v1::Barrier barrier;
    barrier.set_recorded_time_us(owner.next_recorded_time_us(""));
    ASSERT_TRUE(owner.append(*journal::Draft::of(journal::Kind::kBarrier, barrier)).ok());
    ASSERT_TRUE(owner.release(absl::Seconds(10)).ok());
    (*log)->close();
  }

  // True: it serves; false: it ended with exit code 1, and what it said is in `said_`.
  bool serves(const std::string& flag = "") {
    fs::remove(folder_ / "data/address");
    const std::string log = folder_ / "log", config = folder_ / "taizhangd.textproto";
    running_ = fork();
    if (running_ == 0) {
      if (!freopen(log.c_str(), "w", stderr)) _exit(126);
      execl(TAIZHANGD_PATH, TAIZHANGD_PATH, "--config", config.c_str(),
            flag.empty() ? nullptr : flag.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 12'000; ++i) {
      if (fs::exists(folder_ / "data/address")) return true;
      int status = 0;
      if (waitpid(running_, &status, WNOHANG) == running_) {
        running_ = 0;
        EXPECT_EQ(WEXITSTATUS(status), 1);
        std::ifstream file(log);
        said_.assign(std::istreambuf_iterator<char>(file), {});
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "neither serves nor ends";
    return false;
  }
  void stop() {
    kill(running_, SIGTERM);
    waitpid(running_, nullptr, 0);
    running_ = 0;
  }

  fs::path folder_;
  pid_t running_ = 0;
  std::string said_;
};

TEST_F(ClockAtStart, BehindTheLastRecordedTimeWantsTheOperatorsWord) {
  given_journal_of_a_clock(3'600 * kSecondUs);
  EXPECT_FALSE(serves());
  EXPECT_NE(said_.find("clock"), std::string::npos) << said_;
  EXPECT_FALSE(serves("--confirm-clock-ahead")) << "the other word is not enough";
  EXPECT_TRUE(serves("--confirm-clock-behind"));
}

TEST_F(ClockAtStart, FarAheadOfTheLastRecordedTimeWantsTheOperatorsWord) {
  given_journal_of_a_clock(-60 * kDayUs);
  EXPECT_FALSE(serves());
  EXPECT_NE(said_.find("clock"), std::string::npos) << said_;
  EXPECT_FALSE(serves("--confirm-clock-behind")) << "the other word is not enough";
  EXPECT_TRUE(serves("--confirm-clock-ahead"));
}

TEST_F(ClockAtStart, ALittleBehindIsNoReason) {
  given_journal_of_a_clock(2 * kSecondUs);
  EXPECT_TRUE(serves()) << said_;
}

TEST_F(ClockAtStart, AWeekAtRestIsNoReason) {
  given_journal_of_a_clock(-7 * kDayUs);
  EXPECT_TRUE(serves()) << said_;
}

}  // namespace
}  // namespace taizhang
