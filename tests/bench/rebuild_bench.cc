// How fast views are built from nothing, what they cost on disk and in memory, and what the machine
// could do: decoding the same commits, and writing the same rows in order.
//   rebuild_bench REFERENCE_FILE EVENTS[,EVENTS…] [--ledgers N] [--folder KEPT_FOLDER]
//                 [--views NAME,…] [--verify yes|no] [--json FILE]
// With several numbers of events all views together are built for each, and a table at the end
// shows how the cost of an event grows. With --folder the journals stay there and are used again.
// The journal is written to disk as it is made, so that memory does not bound the number of events:
// ten million take 3.7 GB for the journal and as much for the views.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <vector>

#include "platform/base/log.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/store.h"
#include "tests/bench/made_journal.h"
#include "tests/bench/rebuild.h"
#include "tests/bench/stopwatch.h"

namespace taizhang::bench {
namespace {

using journal::segments::SegmentLog;
using journal::segments::SegmentOptions;

// The ceiling of writing gathers as much at a time as a build may.
constexpr int64_t kRunBytes = 32 << 20;

struct Options {
  std::string reference;
  std::vector<int64_t> events;
  int ledgers = 4;
  std::string folder;
  std::vector<std::string> views;
  bool verify = true;
  std::string json;
};

template <class Value>
Value or_exit(absl::StatusOr<Value> value) {
  if (!value.ok()) {
    fprintf(stderr, "%s\n", value.status().ToString().c_str());
    exit(1);
  }
  return *std::move(value);
}

std::unique_ptr<SegmentLog> open_log(const std::string& folder) {
  SegmentOptions options;
  options.directory = folder;
  return or_exit(SegmentLog::open(options));
}

// Every commit decoded once. What decodes is what the views decode with.
MadeJournal decode_all(journal::Log& log, double& seconds) {
  MadeJournal seen;
  const double start = processor_seconds();
  projection::BatchReader reader(log, journal::Fold(0), {4'096, 4 << 20},
                                 [](const google::protobuf::Descriptor*) { return true; });
  while (const auto batch = or_exit(reader.read(std::numeric_limits<int64_t>::max()))) {
    seen.events += batch->events;
    seen.commits += static_cast<int64_t>(batch->commits.size());
    seen.record_bytes += batch->bytes;
    for (const auto& commit : batch->commits) {
      for (const auto& event : commit.events)
        seen.payload_bytes += static_cast<int64_t>(event.payload.size());
    }
  }
  seconds = processor_seconds() - start;
  return seen;
}

// Everything a view's files hold, written to others in its order.
double write_again_seconds(const std::string& view_folder, const std::string& scratch) {
  double seconds = 0;
  auto resources = projection::make_store_resources(64 << 20, 16 << 20);
  const auto from = or_exit(projection::Store::open(view_folder, resources));
  const auto to = or_exit(projection::Store::open(scratch, resources));
  if (!to->set_building(true).ok()) exit(1);
  projection::Puts puts;
  const auto flush = [&] {
    const double start = processor_seconds();
    if (!puts.empty() && !to->ingest(puts.list()).ok()) exit(1);
    seconds += processor_seconds() - start;
    puts.clear();
  };
  const auto cursor = from->cursor(projection::CursorKind::kOrder);
  for (cursor->seek(""); cursor->valid(); cursor->next()) {
    puts.add(cursor->key(), cursor->value());
    if (puts.bytes() > kRunBytes) flush();
  }
  flush();
  return seconds;
}

double write_all_again_seconds(const std::string& folder, const std::string& scratch) {
  double seconds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    seconds += write_again_seconds(entry.path(), scratch);
    std::filesystem::remove_all(scratch);
  }
  return seconds;
}

class Run {
 public:
  Run(const Options& options, const std::string& folder, int64_t events)
      : folder_(folder), verify_(options.verify), log_(open_log(folder + "/journal")) {
    if (log_->end() == 0)
      make_journal(*log_, folder + "/state", options.reference, events, options.ledgers);
    made_ = decode_all(*log_, decode_s_);
    const auto count = static_cast<double>(made_.events);
    out_ = {{"events", made_.events},
            {"ledgers", options.ledgers},
            {"payload_bytes_per_event", static_cast<double>(made_.payload_bytes) / count},
            {"record_bytes_per_event", static_cast<double>(made_.record_bytes) / count},
            {"decode_us_per_event", decode_s_ * 1e6 / count}};
    printf(
        "\n%lld events in %lld commits of %d ledgers; %.0f B of payload and %.0f B of records an "
        "event\ndecoding: %.2f us an event\n",
        static_cast<long long>(made_.events), static_cast<long long>(made_.commits),
        options.ledgers, static_cast<double>(made_.payload_bytes) / count,
        static_cast<double>(made_.record_bytes) / count, decode_s_ * 1e6 / count);
    printf("%-15s %10s %8s %8s %9s %6s %8s %6s %7s %10s\n", "view", "events/s", "us/event",
           "merging", "ceiling us", "ratio", "rows", "B/event", "MiB", "verified/s");
  }

  void build(const std::vector<std::string>& names) {
    const std::string views = folder_ + "/views";
    const Built built = build_views({log_.get()}, views, names);
    built_ = built;
    const auto count = static_cast<double>(built.events);
    const double write_s = write_all_again_seconds(views, folder_ + "/again");
    // Of processor time, so that what else runs on the machine and how many cores it has count
    // less.
    const double ratio = (decode_s_ + write_s) / built.processor_seconds;
    double verified = 0;
    if (names.size() == 1 && verify_) verified = verify(names.front());
    const std::string name = names.size() == 1 ? names.front() : "all of these";
    printf("%-15s %10.0f %8.2f %8.2f %9.2f %6.2f %8.2f %6.1f %7.0f %10.0f\n", name.c_str(),
           built.per_second(), built.processor_seconds * 1e6 / count,
           built.merging_processor_seconds * 1e6 / count,
           (decode_s_ + write_s) * 1e6 / count, ratio, static_cast<double>(built.versions) / count,
           static_cast<double>(built.disk_bytes) / count,
           static_cast<double>(built.peak_bytes) / (1 << 20), verified);
    fflush(stdout);
    out_["views"][name] = {{"events_per_second", built.per_second()},
                           {"processor_us_per_event", built.processor_seconds * 1e6 / count},
                           {"merging_processor_us_per_event",
                            built.merging_processor_seconds * 1e6 / count},
                           {"write_us_per_event", write_s * 1e6 / count},
                           {"of_decode_and_write", ratio},
                           {"rows_per_event", static_cast<double>(built.versions) / count},
                           {"disk_bytes_per_event", static_cast<double>(built.disk_bytes) / count},
                           {"peak_bytes", built.peak_bytes},
                           {"verified_events_per_second", verified}};
    if (name == "ledger") {
      const auto together = static_cast<double>(made_.record_bytes + built.disk_bytes) /
                            static_cast<double>(made_.record_bytes);
      out_["journal_and_ledger_view_of_stored_bytes"] = together;
      printf("  -> journal and ledger view together: %.2f of the stored bytes (aim <= 1.6)\n",
             together);
    }
  }

  nlohmann::json out() const { return out_; }
  // Of the views built together.
  const Built& built() const { return built_; }

 private:
  double verify(const std::string& name) {
    auto views = make_views({log_.get()}, folder_ + "/views", {name});
    if (!views->start().ok() || !views->catch_up(60'000'000)) exit(1);
    const auto start = std::chrono::steady_clock::now();
    const auto report = or_exit(views->verify(name));
    if (!report.equal) {
      fprintf(stderr, "view %s: %s\n", name.c_str(), report.difference.c_str());
      exit(1);
    }
    return static_cast<double>(report.events) / seconds_since(start);
  }

  const std::string folder_;
  const bool verify_;
  std::unique_ptr<SegmentLog> log_;
  MadeJournal made_;
  double decode_s_ = 0;
  Built built_;
  nlohmann::json out_;
};

void print_growth(const std::vector<Built>& sizes) {
  printf("\ngrowth, all of these together\n%10s %10s %10s %8s %8s %8s\n", "events", "events/s",
         "us/event", "merging", "B/event", "MiB");
  for (const Built& built : sizes) {
    const auto count = static_cast<double>(built.events);
    printf("%10lld %10.0f %10.2f %8.2f %8.1f %8.0f\n", static_cast<long long>(built.events),
           built.per_second(), built.processor_seconds * 1e6 / count,
           built.merging_processor_seconds * 1e6 / count,
           static_cast<double>(built.disk_bytes) / count,
           static_cast<double>(built.peak_bytes) / (1 << 20));
  }
}

int run(const Options& options) {
  std::string base = options.folder;
  if (base.empty()) {
    base =
        std::filesystem::temp_directory_path() / ("taizhang-rebuild." + std::to_string(getpid()));
  }
  auto out = nlohmann::json::array();
  std::vector<Built> sizes;
  for (const int64_t events : options.events) {
    const std::string folder = base + "/" + std::to_string(events);
    std::filesystem::create_directories(folder);
    {
      Run run(options, folder, events);
      if (options.events.size() == 1) {
        for (const auto& name : options.views) run.build({name});
      }
      if (options.views.size() > 1 || options.events.size() > 1) run.build(options.views);
      sizes.push_back(run.built());
      out.push_back(run.out());
    }
    std::filesystem::remove_all(options.folder.empty() ? folder : folder + "/views");
  }
  if (options.folder.empty()) std::filesystem::remove_all(base);
  if (sizes.size() > 1) print_growth(sizes);
  if (!options.json.empty()) std::ofstream(options.json) << out.dump(2) << "\n";
  return 0;
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  taizhang::bench::Options options;
  bool understood = argc >= 3 && argc % 2 == 1;
  for (int i = 3; understood && i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--ledgers") {
      options.ledgers = atoi(argv[i + 1]);
    } else if (option == "--folder") {
      options.folder = argv[i + 1];
    } else if (option == "--views") {
      options.views = taizhang::bench::parts_of(argv[i + 1]);
    } else if (option == "--verify") {
      options.verify = std::string_view(argv[i + 1]) == "yes";
      understood = options.verify || std::string_view(argv[i + 1]) == "no";
    } else if (option == "--json") {
      options.json = argv[i + 1];
    } else {
      understood = false;
    }
  }
  if (!understood) {
    fprintf(stderr,
            "usage: rebuild_bench REFERENCE_FILE EVENTS[,EVENTS...] [--ledgers N] [--folder "
            "KEPT_FOLDER] [--views NAME,...] [--verify yes|no] [--json FILE]\n");
    return 2;
  }
  options.reference = argv[1];
  for (const auto& number : taizhang::bench::parts_of(argv[2]))
    options.events.push_back(atoll(number.c_str()));
  if (options.views.empty()) options.views = taizhang::bench::view_names();
  taizhang::set_log_level(taizhang::LogLevel::kError);
  return taizhang::bench::run(options);
}
