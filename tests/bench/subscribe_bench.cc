// Events out: catching up beside a bare stream, what a filter costs, how long an event takes to
// reach 1, 10 and 1,000 subscribers, and what a named subscription delivers.
//   subscribe_bench REFERENCE_FILE EVENTS [--daemon TAIZHANGD]
//     [--only catch_up|many|filters|live|named] [--rounds N]
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "platform/base/log.h"
#include "platform/journal/memory/memory_log.h"
#include "tests/bench/catch_up.h"
#include "tests/bench/events_node.h"
#include "tests/bench/live.h"
#include "tests/bench/made_journal.h"
#include "tests/bench/named.h"

namespace taizhang::bench {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string reference;
  int64_t events = 0;
  std::string only;  // empty: everything
  int rounds = 5;
  std::string daemon;  // without it: no named subscription

  bool has(const char* part) const { return only.empty() || only == part; }
};

constexpr int kStreamsMax = 2'000;
constexpr int64_t kManyEvents = 10'000;

int run(const Options& options) {
  setvbuf(stdout, nullptr, _IOLBF, 0);  // a figure is seen when it is there
  const fs::path folder =
      fs::temp_directory_path() / ("taizhang-subscribe." + std::to_string(getpid()));
  fs::create_directories(folder);
  if (options.has("catch_up") || options.has("many") || options.has("filters")) {
    journal::MemoryLog log(std::make_shared<journal::MemoryTopic>(), true);
    const auto made = make_journal(log, folder / "made", options.reference, options.events, 1);
    EventsNode node(log, folder / "views", kStreamsMax);
    if (options.has("catch_up")) run_catch_up(node.address(), options.rounds);
    if (options.has("many")) run_many_catch_up(node.address(), made.events, kManyEvents);
    if (options.has("filters")) run_filters(node.address(), made.events);
  }
  if (options.has("live")) run_live(folder, options.reference);
  if (options.has("named") && !options.daemon.empty())
    run_named(options.daemon, folder / "named", options.reference);
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  taizhang::bench::Options options;
  bool good = argc >= 3 && argc % 2 == 1;
  for (int i = 3; good && i < argc; i += 2) {
    if (strcmp(argv[i], "--only") == 0) {
      options.only = argv[i + 1];
    } else if (strcmp(argv[i], "--daemon") == 0) {
      options.daemon = argv[i + 1];
    } else if (strcmp(argv[i], "--rounds") == 0) {
      options.rounds = atoi(argv[i + 1]);
    } else {
      good = false;
    }
  }
  if (!good || options.rounds < 1) {
    fprintf(stderr,
            "usage: subscribe_bench REFERENCE_FILE EVENTS [--daemon TAIZHANGD] "
            "[--only catch_up|many|filters|live|named] [--rounds N]\n");
    return 2;
  }
  options.reference = argv[1];
  options.events = atoll(argv[2]);
  taizhang::set_log_level(taizhang::LogLevel::kError);
  return taizhang::bench::run(options);
}
