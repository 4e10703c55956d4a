// The binary itself: what it refuses to start with, and how it ends.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "platform/base/sha256.h"

namespace taizhang {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Taizhangd : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / "taizhangd_test" /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write("taizhangd.textproto",
          "data_dir: 'data' listen: '127.0.0.1:0' admin_listen: '127.0.0.1:0' metrics_port: 0\n");
    write(
        "tokens.textproto",
        "profiles { name: 'maker' subject: 's' roles: ROLE_MAKER everywhere: true token_sha256: '" +
            hex(bytes_of(sha256(std::string_view("t")))) + "' }\n");
  }
  void TearDown() override {
    if (running_ > 0) {
      kill(running_, SIGKILL);
      waitpid(running_, nullptr, 0);
    }
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::trunc) << text;
    chmod((folder_ / name).c_str(), 0600);
  }

  pid_t spawn(std::vector<std::string> arguments, const std::string& log) {
    arguments.insert(arguments.begin(), TAIZHANGD_PATH);
    std::vector<char*> words;
    for (auto& word : arguments) words.push_back(word.data());
    words.push_back(nullptr);
    const std::string path = folder_ / log;
    const pid_t child = fork();
    if (child == 0) {
      if (!freopen(path.c_str(), "w", stderr) || !freopen("/dev/null", "w", stdout)) _exit(126);
      execv(words[0], words.data());
      _exit(127);
    }
    return child;
  }

  static int wait_for_exit(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  // Exit code; what it said goes to `said_`.
  int run(const std::vector<std::string>& arguments) {
    const int code = wait_for_exit(spawn(arguments, "run.log"));
    said_ = text_of(folder_ / "run.log");
    return code;
  }
  int run_with_config() { return run({"--config", folder_ / "taizhangd.textproto"}); }

  void start() {
    fs::remove(folder_ / "data/address");
    running_ = spawn({"--config", folder_ / "taizhangd.textproto"}, "start.log");
    for (int i = 0; i < 12'000 && !fs::exists(folder_ / "data/address"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_TRUE(fs::exists(folder_ / "data/address")) << text_of(folder_ / "start.log");
  }

  int stop(int signal_number) {
    kill(running_, signal_number);
    return wait_for_exit(std::exchange(running_, 0));
  }

  bool said(const std::string& text) const { return said_.find(text) != std::string::npos; }

  fs::path folder_;
  std::string said_;
  pid_t running_ = 0;
};

TEST_F(Taizhangd, ExplainsItsArguments) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_EQ(run({}), 2);
  EXPECT_TRUE(said("--config is missing"));
  EXPECT_EQ(run({"--confg", "x"}), 2);
  EXPECT_TRUE(said("unknown argument --confg"));
  EXPECT_EQ(run({"--config", folder_ / "taizhangd.textproto", "--role", "both"}), 2);
  EXPECT_TRUE(said("expected all, writer or reader"));
}

TEST_F(Taizhangd, NamesThePlaceOfAWrongSetting) {
  write("taizhangd.textproto", "data_dir: 'data'\nlimit { }\n");
  EXPECT_EQ(run_with_config(), 2);
  EXPECT_TRUE(said("taizhangd.textproto:2:1: ")) << said_;
  EXPECT_TRUE(said("expected one of: data_dir, listen, ")) << said_;
  EXPECT_EQ(run({"--config", "/nowhere/c"}), 2);
}

TEST_F(Taizhangd, RefusesAnAddressThatLeavesTheMachine) {
  write("taizhangd.textproto", "data_dir: 'data' listen: '0.0.0.0:7610'\n");
  EXPECT_EQ(run_with_config(), 2);
  EXPECT_TRUE(said("expected a loopback address")) << said_;
}

TEST_F(Taizhangd, NamesTheViewsThereAreWhenOneDoesNotExist) {
  write("taizhangd.textproto", "data_dir: 'data' views { serve: 'duties' serve: 'dutys' }\n");
  EXPECT_EQ(run({"--config", folder_ / "taizhangd.textproto", "--check"}), 2);
  EXPECT_TRUE(said("views.serve: there is no view \"dutys\"; the views are ledger, ")) << said_;
}

TEST_F(Taizhangd, KeepsOnlyTheViewsThatAreNamedAndTheLedger) {
  write("taizhangd.textproto",
        "data_dir: 'data' listen: '127.0.0.1:0' admin_listen: '127.0.0.1:0' metrics_port: 0 "
        "views { serve: 'duties' }\n");
  start();
  EXPECT_EQ(stop(SIGTERM), 0);
  std::set<std::string> kept;
  for (const auto& entry : fs::directory_iterator(folder_ / "data/views")) {
    const auto name = entry.path().filename().string();
    if (entry.is_directory()) kept.insert(name.substr(0, name.find("-v")));
  }
  EXPECT_EQ(kept, (std::set<std::string>{"duties", "ledger"}));
}

TEST_F(Taizhangd, RefusesTokensThatOthersMayRead) {
  chmod((folder_ / "tokens.textproto").c_str(), 0644);
  EXPECT_EQ(run_with_config(), 1);
  EXPECT_TRUE(said("expected mode 0600")) << said_;
}

TEST_F(Taizhangd, StopsOnSigtermAndStartsAgain) {
  for (const int signal_number : {SIGTERM, SIGINT}) {
    start();
    EXPECT_EQ(stop(signal_number), 0) << text_of(folder_ / "start.log");
    EXPECT_NE(text_of(folder_ / "start.log").find("\"event\":\"stopped\""), std::string::npos);
  }
}

TEST_F(Taizhangd, StartsAgainAfterKill) {
  start();
  stop(SIGKILL);
  start();
  EXPECT_EQ(stop(SIGTERM), 0);
}

TEST_F(Taizhangd, SaysThatAPortIsTaken) {
  start();
  write("taizhangd.textproto", "data_dir: 'other' listen: '" +
                                   text_of(folder_ / "data/address").substr(0, 15) +
                                   "' admin_listen: '127.0.0.1:0' metrics_port: 0\n");
  EXPECT_EQ(run_with_config(), 1);
  EXPECT_TRUE(said("is the port taken?")) << said_;
}

TEST_F(Taizhangd, LeavesTheDataOfARunningOneAlone) {
  start();
  EXPECT_EQ(run_with_config(), 1);
  EXPECT_TRUE(said("journal")) << said_;
}

TEST_F(Taizhangd, RefusesDataWhoseKeyIsLost) {
  start();
  EXPECT_EQ(stop(SIGTERM), 0);
  fs::remove(folder_ / "data/blind_index.key");
  EXPECT_EQ(run_with_config(), 1);
  EXPECT_TRUE(said("blind_index.key: the key is missing")) << said_;
}

TEST_F(Taizhangd, KeepsItsDataToItself) {
  start();
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "data")) {
    struct stat facts {};
    ASSERT_EQ(stat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 077, 0u) << entry.path();
  }
}

}  // namespace
}  // namespace taizhang
