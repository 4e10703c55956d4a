// taizhangd: the server. Reads its settings, starts a node, stops it on SIGTERM or SIGINT.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/synchronization/mutex.h"
#include "apps/taizhangd/node.h"
#include "apps/taizhangd/product_views.h"
#include "platform/base/log.h"
#include "platform/config/config.h"
#include "taizhang/config/v1/config.pb.h"

namespace {

using taizhang::config::v1::Config;

constexpr int kExitFailed = 1;  // a start was refused, or something broke
constexpr int kExitUsage = 2;   // arguments or settings are wrong

constexpr char kHelp[] =
    R"(taizhangd - the book of record: takes commands, keeps the journal, answers queries.

Usage: taizhangd --config FILE [--role all|writer|reader] [--check]
                 [--confirm-clock-behind] [--confirm-clock-ahead] [--takeover]

  --config FILE            settings, a text file: see proto/taizhang/config/v1/config.proto
  --role ROLE              all (default): commands and queries; writer: commands only;
                           reader: queries only
  --check                  read the settings, say what is wrong with them, and end
  --confirm-clock-behind   the clock is right although it is behind the last recorded time
  --confirm-clock-ahead    the clock is right although it is far ahead of the last recorded time
  --takeover               the journal's present writer is dead: take over without waiting for
                           its silence (Kafka)
  --help                   this text

Ends after SIGTERM or SIGINT when every call that was taken is answered.
Exit: 0 ended well; 1 the start was refused or something broke; 2 arguments or settings are wrong.

Example:
  taizhangd --config /var/lib/taizhang/taizhangd.textproto
)";

struct Arguments {
  std::string config;
  std::string role;
  bool check = false;
  bool help = false;
  taizhang::NodeOptions node;
};

// Empty: good; otherwise what is wrong.
std::string parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (name == "--config" || name == "--role") {
      std::string& value = name == "--config" ? out.config : out.role;
      if (equals != std::string_view::npos) {
        value = word.substr(equals + 1);
      } else if (i + 1 < argc) {
        value = argv[++i];
      }
      if (value.empty()) return std::string(name) + " needs a value";
    } else if (word == "--check") {
      out.check = true;
    } else if (word == "--confirm-clock-behind") {
      out.node.clock_behind_confirmed = true;
    } else if (word == "--confirm-clock-ahead") {
      out.node.clock_ahead_confirmed = true;
    } else if (word == "--takeover") {
      out.node.takeover = true;
    } else if (word == "--help" || word == "-h") {
      out.help = true;
    } else {
      return "unknown argument " + std::string(word);
    }
  }
  if (out.config.empty() && !out.help) return "--config is missing";
  return "";
}

bool set_role(const std::string& role, Config& config) {
  if (role == "all")
    config.set_role(taizhang::config::v1::PROCESS_ROLE_ALL);
  else if (role == "writer")
    config.set_role(taizhang::config::v1::PROCESS_ROLE_WRITER);
  else if (role == "reader")
    config.set_role(taizhang::config::v1::PROCESS_ROLE_READER);
  else
    return role.empty();
  return true;
}

taizhang::LogLevel log_level(const Config& config) {
  switch (config.log_level()) {
    case taizhang::config::v1::LOG_LEVEL_DEBUG: return taizhang::LogLevel::kDebug;
    case taizhang::config::v1::LOG_LEVEL_WARNING: return taizhang::LogLevel::kWarning;
    case taizhang::config::v1::LOG_LEVEL_ERROR: return taizhang::LogLevel::kError;
    default: return taizhang::LogLevel::kInfo;
  }
}

int complain(int code, const std::string& text) {
  fprintf(stderr, "taizhangd: %s\n", text.c_str());
  return code;
}

int run(const Config& config, const taizhang::NodeOptions& options) {
  // Every thread inherits the mask, so that the signals wait for this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  umask(077);
  // Debian builds Abseil without NDEBUG: each lock that gRPC takes would go into one graph of all
  // locks, which has a lock of its own.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  auto node = taizhang::Node::start(config, options);
  if (!node.ok()) return complain(kExitFailed, std::string(node.status().message()));
  taizhang::log(taizhang::LogLevel::kInfo, "serving", {{"address", (*node)->address()}});
  constexpr timespec kTick{.tv_sec = 0, .tv_nsec = 100'000'000};
  while (sigtimedwait(&signals, nullptr, &kTick) < 0) (*node)->tick();
  taizhang::log(taizhang::LogLevel::kInfo, "stopping");
  (*node)->stop();
  taizhang::log(taizhang::LogLevel::kInfo, "stopped");
  return 0;
}

// A view that is built keeps some hundred files open; shells allow 1,024 to a process unless asked.
void raise_open_files() {
  constexpr rlim_t kOpenFiles = 65'536;  // as the units in deploy/systemd allow
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kOpenFiles));
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (const std::string wrong = parse(argc, argv, arguments); !wrong.empty()) {
    return complain(kExitUsage, wrong + "; see taizhangd --help");
  }
  if (arguments.help) {
    fputs(kHelp, stdout);
    return 0;
  }
  Config config;
  if (const auto read = taizhang::load_config(arguments.config, config); !read.ok()) {
    return complain(kExitUsage, std::string(read.message()));
  }
  if (const auto served = taizhang::check_served(config.views()); !served.ok()) {
    return complain(kExitUsage, arguments.config + ": " + std::string(served.message()));
  }
  if (!set_role(arguments.role, config))
    return complain(kExitUsage, "--role: expected all, writer or reader");
  taizhang::set_log_level(log_level(config));
  if (arguments.check) return 0;
  raise_open_files();
  arguments.node.config_folder = std::filesystem::absolute(arguments.config).parent_path();
  return run(config, arguments.node);
}
