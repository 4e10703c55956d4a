// Figures of the product beside their ceilings, measured in one run: a table and JSON.
//
//   bench [--quick] [--journal segments|kafka|both] [--role all|writer] [--json FILE]
//         [--linger-ms N] [--replicas 1|3] [--only rates|takeovers|rebuild]
//         --daemon TAIZHANGD --reference FILE
//
// Kafka needs a broker: python3 tests/support/kafka_broker.py run [--nodes 3] -- bench …
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "platform/base/log.h"
#include "platform/journal/segments/segment_log.h"
#include "tests/bench/book_server.h"
#include "tests/bench/child.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/kafka_side.h"
#include "tests/bench/load.h"
#include "tests/bench/rebuild.h"
#include "tests/bench/report.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

constexpr int kCallers[] = {1, 16, 64, 256};
constexpr int kVisibleRuns = 4;  // times settings.seconds, for enough probes

struct Settings {
  std::string self;
  std::string daemon;
  std::string reference;
  std::string role = "all";
  bool segments = true;
  bool kafka = false;
  int linger_ms = 0;  // of a server on Kafka
  int replicas = 1;   // of its topic
  std::string only;   // a part; empty: all
  std::string json;
  std::string folder;
  double seconds = 5;
  int64_t start_events = 1'000'000;
};

// Appends of one group on preallocated space: what the disk allows.
double fdatasyncs_per_second(const std::string& folder) {
  const std::string path = folder + "/fdatasync.bin";
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  const std::string zeros(8 << 20, '\0');
  if (file < 0 || write(file, zeros.data(), zeros.size()) < 0) return 0;
  fsync(file);
  const std::string group(512, 'x');
  int64_t count = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  while (elapsed() < 2) {
    if (pwrite(file, group.data(), group.size(), count % 16'000 * 512) < 0) break;
    fdatasync(file);
    ++count;
  }
  const double seconds = elapsed();
  close(file);
  unlink(path.c_str());
  return double(count) / seconds;
}

// Processor time of a run: of the server, of this process, which makes the load, and of the whole
// machine, broker and kernel included.
class Spent {
 public:
  explicit Spent(const Child& server) : server_(server) {}
  void tell(int64_t calls, nlohmann::json& out) const {
    const auto each = [&](double now, double before) {
      return (now - before) / double(calls) * 1e6;
    };
    const double server_us = each(server_.cpu_seconds(), server_s_);
    const double client_us = each(own_cpu_seconds(), client_s_);
    const double machine_us = each(machine_cpu_seconds(), machine_s_);
    printf("  CPU of a call: server %.1f us, client %.1f us, machine %.1f us\n", server_us,
           client_us, machine_us);
    out["server_cpu_us"] = server_us;
    out["client_cpu_us"] = client_us;
    out["machine_cpu_us"] = machine_us;
  }

 private:
  const Child& server_;
  const double server_s_ = server_.cpu_seconds();
  const double client_s_ = own_cpu_seconds();
  const double machine_s_ = machine_cpu_seconds();
};

// A server under one setting of its journal.
struct Variant {
  std::string name;  // "segments", "kafka flush.messages=1", "kafka page cache"
  BookServer* server = nullptr;
  std::optional<bool> synced;   // Kafka: whether the broker syncs
  const char* aim_at_64 = "-";  // of its commands/s by those of segments
};

class Bench {
 public:
  Bench(const Settings& settings, nlohmann::json& out) : settings_(settings), out_(out) {}

  void run() {
    start();
    if (wanted("rates")) {
      for (const int callers : kCallers) unary(callers);
      bulk();
    }
    for (const auto& variant : variants_) {
      const double mib = double(variant.server->process().peak_kib()) / 1'024;
      if (variant.synced == false) continue;  // the server of the one before
      out_["peak_mib"][variant.name] = mib;
      printf("%s: server VmHWM %.0f MiB (aim <= 400)\n", variant.name.c_str(), mib);
    }
    if (kafka_) {
      if (segments_) segments_->end(SIGTERM);
      if (settings_.only.empty())
        visible_at_reader(*kafka_, topic_, cached_at_64_ / 2, kVisibleRuns * settings_.seconds,
                          out_);
      if (wanted("takeovers")) takeovers(*kafka_, topic_, settings_.start_events, out_);
      if (wanted("rebuild")) rebuild_from_kafka(topic_, settings_.folder + "/views", out_);
      if (segments_) segments_->restart();
    }
    if (segments_ && wanted("rebuild")) {
      segments_->fill(settings_.start_events);
      starts();
      rebuild_from_segments();
    }
  }

 private:
  bool wanted(const std::string& part) const {
    return settings_.only.empty() || settings_.only == part;
  }

  void start() {
    const double syncs = fdatasyncs_per_second(settings_.folder);
    sync_us_ = 1e6 / syncs;
    printf("fdatasync of one 512 B append: %.0f/s (%.0f us)\n", syncs, sync_us_);
    out_["fdatasync_per_second"] = syncs;

    const std::string file = settings_.folder + "/echo.address";
    echo_.start({settings_.self, "--echo-server", file});
    echo_address_ = echo_.wait_for_line(file, 20);
    bool good = !echo_address_.empty();
    if (settings_.segments) {
      segments_.emplace(Daemon{settings_.daemon, settings_.folder + "/segments", settings_.role});
      good = good && segments_->set_up(settings_.reference);
      variants_.push_back({"segments", &*segments_, {}, "-"});
    }
    if (settings_.kafka) {
      topic_ = make_topic(settings_.linger_ms, settings_.replicas);
      kafka_.emplace(Daemon{settings_.daemon, settings_.folder + "/kafka", settings_.role,
                            settings_text(topic_)});
      good = good && kafka_->set_up(settings_.reference);
      variants_.push_back({"kafka flush.messages=1", &*kafka_, true, ">= 0.60"});
      variants_.push_back({"kafka page cache", &*kafka_, false, ">= 0.80"});
    }
    if (good) return;
    fprintf(stderr, "the servers did not start\n");
    exit(1);
  }

  void use(const Variant& variant) {
    if (variant.synced) set_flush(topic_, *variant.synced);
  }

  void unary(int callers) {
    const Spent spent(echo_);
    const auto bare = unary_load(load_on(echo_address_, kEchoUnary, callers, settings_.seconds),
                                 [](int64_t index) { return mixed_request(0, index); });
    print_row("echo unary", callers, bare);
    auto& out = out_["unary"][std::to_string(callers)];
    out["echo"] = json_of(bare);
    spent.tell(bare.calls, out["echo"]);
    double segments = 0;
    for (const auto& variant : variants_) {
      use(variant);
      const Spent commands_spent(variant.server->process());
      const auto durable = variant.server->unary(callers, settings_.seconds);
      print_row("commands unary, " + variant.name, callers, durable);
      auto& entry = out[variant.name];
      entry = json_of(durable);
      commands_spent.tell(durable.calls, entry);
      entry["ratio_to_echo"] = durable.per_second / bare.per_second;
      print_ratio("commands / echo", durable.per_second / bare.per_second,
                  callers == 64 && !variant.synced ? ">= 0.55" : "-");
      if (!variant.synced) segments = durable.per_second;
      if (callers == 64 && variant.synced == false) cached_at_64_ = durable.per_second;
      if (variant.synced && segments > 0) {
        entry["ratio_to_segments"] = durable.per_second / segments;
        print_ratio(variant.name + " / segments", durable.per_second / segments,
                    callers == 64 ? variant.aim_at_64 : "-");
      }
      if (callers == 1 && !variant.synced) {
        print_ratio("p50 - echo - fdatasync, ms", (durable.p50_us - bare.p50_us - sync_us_) / 1'000,
                    "<= 0.20");
      }
    }
  }

  void bulk() {
    const auto bare = bulk_load(
        load_on(echo_address_, kEchoBulk, kBulkMessages, settings_.seconds), kBulkCommands,
        [](int64_t index) { return mixed_bulk(0, index * kBulkCommands, kBulkCommands); },
        [](const std::string&) { return int64_t{0}; });
    print_row("echo bulk", kBulkMessages, bare);
    out_["bulk"]["echo"] = json_of(bare);
    double segments = 0;
    for (const auto& variant : variants_) {
      use(variant);
      const auto durable = variant.server->bulk(settings_.seconds);
      print_row("commands bulk, " + variant.name, kBulkMessages, durable);
      auto& entry = out_["bulk"][variant.name];
      entry = json_of(durable);
      entry["ratio_to_echo"] = durable.per_second / bare.per_second;
      print_ratio("commands / echo", durable.per_second / bare.per_second,
                  variant.synced ? "-" : ">= 0.40");
      if (!variant.synced) segments = durable.per_second;
      if (variant.synced && segments > 0) {
        entry["ratio_to_segments"] = durable.per_second / segments;
        print_ratio(variant.name + " / segments", durable.per_second / segments, "-");
      }
    }
    if (kafka_) set_flush(topic_, true);
  }

  void starts() {
    for (const auto& [name, signal] : {std::pair("SIGTERM", SIGTERM), {"kill -9", SIGKILL}}) {
      segments_->end(signal);
      const double seconds = segments_->restart();
      printf("start after %-8s %.2f s to the first acknowledged command (aim <= 3)\n", name,
             seconds);
      out_["start_seconds"][name] = seconds;
    }
    segments_->end(SIGTERM);
  }

  void rebuild_from_segments() {
    journal::segments::SegmentOptions options;
    options.directory = segments_->daemon().folder + "/data/journal";
    const auto log = journal::segments::SegmentLog::open(options);
    if (!log.ok()) {
      fprintf(stderr, "%s\n", log.status().ToString().c_str());
      exit(1);
    }
    const Built duties = build_views({log->get()}, settings_.folder + "/views/duties", {"duties"});
    printf("view duties built from segments: %.0f events/s (aim >= 250,000)\n",
           duties.per_second());
    out_["rebuild_from_segments"] = {{"duties_events_per_second", duties.per_second()}};
  }

  const Settings& settings_;
  nlohmann::json& out_;
  double sync_us_ = 0;
  double cached_at_64_ = 0;
  Child echo_;
  std::string echo_address_;
  std::optional<BookServer> segments_;
  std::optional<BookServer> kafka_;
  journal::kafka::KafkaSettings topic_;
  std::vector<Variant> variants_;
};

int main_of(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);  // a figure is seen when it is there
  set_log_level(LogLevel::kError);
  // As taizhangd has it: for the load and for the server that only echoes.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  Settings settings;
  settings.self = std::filesystem::read_symlink("/proc/self/exe");
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : ""; };
    if (word == "--echo-server") return run_echo_server(value().c_str());
    if (word == "--quick") {
      settings.seconds = 1.5;
      settings.start_events = 100'000;
    } else if (word == "--role")
      settings.role = value();
    else if (word == "--journal") {
      const std::string journal = value();
      settings.segments = journal == "segments" || journal == "both";
      settings.kafka = journal == "kafka" || journal == "both";
      if (!settings.segments && !settings.kafka) {
        fprintf(stderr, "--journal: expected segments, kafka or both\n");
        return 2;
      }
    } else if (word == "--linger-ms")
      settings.linger_ms = atoi(value().c_str());
    else if (word == "--replicas")
      settings.replicas = atoi(value().c_str());
    else if (word == "--daemon")
      settings.daemon = value();
    else if (word == "--reference")
      settings.reference = value();
    else if (word == "--only")
      settings.only = value();
    else if (word == "--json")
      settings.json = value();
    else {
      fprintf(stderr, "unknown argument %s; the file's head says what there is\n", word.c_str());
      return 2;
    }
  }
  settings.folder = std::filesystem::temp_directory_path() / "taizhang-bench.XXXXXX";
  if (!mkdtemp(settings.folder.data())) {
    perror("mkdtemp");
    return 1;
  }
  nlohmann::json out;
  out["role"] = settings.role;
  if (settings.kafka) {
    out["linger_ms"] = settings.linger_ms;
    out["replicas"] = settings.replicas;
  }
  Bench(settings, out).run();
  if (!settings.json.empty()) std::ofstream(settings.json) << out.dump(2) << "\n";
  std::filesystem::remove_all(settings.folder);
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) { return taizhang::bench::main_of(argc, argv); }
