// How fast views are built from nothing, what they cost on disk and in memory, and what the machine
// could do: decoding the same commits, and writing the same rows in order.
//   rebuild_bench REFERENCE_FILE EVENTS [--ledgers N] [--folder KEPT_FOLDER] [--view NAME]…
// With --folder the journal stays there and is used again.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

#include "platform/base/log.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/projection/batch_reader.h"
#include "tests/bench/made_journal.h"
#include "tests/bench/rebuild.h"

namespace taizhang::bench {
namespace {

using journal::segments::SegmentLog;
using journal::segments::SegmentOptions;

struct Options {
  std::string reference;
  int64_t events = 0;
  int ledgers = 4;
  std::string folder;
  std::vector<std::string> views;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::unique_ptr<SegmentLog> open_log(const std::string& folder) {
  SegmentOptions options;
  options.directory = folder + "/journal";
  auto log = SegmentLog::open(options);
  if (!log.ok()) {
    fprintf(stderr, "%s\n", log.status().ToString().c_str());
    exit(1);
  }
  return *std::move(log);
}

// Every commit decoded once, by one thread.
double decode_seconds(journal::Log& log) {
  const auto start = std::chrono::steady_clock::now();
  projection::BatchReader reader(log, journal::Fold(0), {4'096, 4 << 20},
                                 [](const google::protobuf::Descriptor*) { return true; });
  for (;;) {
    const auto batch = reader.read(std::numeric_limits<int64_t>::max());
    if (!batch.ok()) exit(1);
    if (!*batch) return seconds_since(start);
  }
}

void print(const std::string& name, const Built& built) {
  const auto events = static_cast<double>(built.events);
  printf(
      "%-16s %9.0f events/s  %6.2f us of processor  %5.2f rows  %6.1f B on disk an event  %5.0f "
      "MiB peak\n",
      name.c_str(), built.per_second(), built.processor_seconds * 1e6 / events,
      static_cast<double>(built.versions) / events, static_cast<double>(built.disk_bytes) / events,
      static_cast<double>(built.peak_bytes) / (1 << 20));
  fflush(stdout);
}

int run(const Options& options) {
  std::string folder = options.folder;
  if (folder.empty()) {
    folder =
        std::filesystem::temp_directory_path() / ("taizhang-rebuild." + std::to_string(getpid()));
  }
  std::filesystem::create_directories(folder);
  auto log = open_log(folder);
  if (log->end() == 0) {
    const auto made =
        make_journal(*log, folder + "/state", options.reference, options.events, options.ledgers);
    printf(
        "journal of %lld events in %lld commits, %.1f B of payload and %.1f B of records an "
        "event\n",
        static_cast<long long>(made.events), static_cast<long long>(made.commits),
        static_cast<double>(made.payload_bytes) / static_cast<double>(made.events),
        static_cast<double>(made.record_bytes) / static_cast<double>(made.events));
  }
  const double decode = decode_seconds(*log);
  printf("decoding all of it by one thread: %.2f s\n", decode);
  for (const auto& name : options.views)
    print(name, build_views({log.get()}, folder + "/views", {name}));
  if (options.views.size() > 1)
    print("all", build_views({log.get()}, folder + "/views", options.views));
  log.reset();
  std::filesystem::remove_all(options.folder.empty() ? folder : folder + "/views");
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  taizhang::bench::Options options;
  if (argc < 3) {
    fprintf(stderr,
            "usage: rebuild_bench REFERENCE_FILE EVENTS [--ledgers N] [--folder KEPT_FOLDER] "
            "[--view NAME]...\n");
    return 2;
  }
  options.reference = argv[1];
  options.events = atoll(argv[2]);
  for (int i = 3; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--ledgers")) options.ledgers = atoi(argv[i + 1]);
    if (!strcmp(argv[i], "--folder")) options.folder = argv[i + 1];
    if (!strcmp(argv[i], "--view")) options.views.push_back(argv[i + 1]);
  }
  if (options.views.empty()) options.views = taizhang::bench::view_names();
  taizhang::set_log_level(taizhang::LogLevel::kError);
  return taizhang::bench::run(options);
}
