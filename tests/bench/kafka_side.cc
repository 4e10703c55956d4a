// What only a journal in Kafka has.
#include "tests/bench/kafka_side.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "platform/journal/kafka/kafka_journal.h"
#include "platform/journal/kafka/testing/bare_topic.h"
#include "platform/journal/kafka/topics.h"
#include "tests/bench/rebuild.h"
#include "tests/bench/report.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/visible.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using Clock = std::chrono::steady_clock;
using journal::kafka::KafkaJournal;
using journal::kafka::KafkaSettings;
using journal::kafka::testing::BareRead;

constexpr int kTakeovers = 3;  // of each tail but the longest; the middle one counts

// Twice the prototype, which took 26 ms without a tail and 0.6 s with 1,000,000 records.
double takeover_aim_seconds(int64_t tail) { return 2 * (0.026 + 0.574e-6 * double(tail)); }

// The value, or the end of the process.
template <class T>
T must(absl::StatusOr<T> value) {
  if (!value.ok()) {
    fprintf(stderr, "%s\n", value.status().ToString().c_str());
    exit(1);
  }
  return *std::move(value);
}

// Seconds to read every record of the partition through the journal's own cursor.
BareRead cursor_read(journal::Log& log) {
  BareRead read;
  const int64_t end = log.end();
  const auto start = Clock::now();
  const auto cursor = log.read(0);
  for (int64_t next = 0; next < end;) {
    const auto record = must(cursor->next());
    if (!record) continue;
    next = record->offset + 1;
    ++read.records;
    read.bytes += static_cast<int64_t>(record->bytes.size());
  }
  read.seconds = seconds_since(start);
  return read;
}

double per_second(const BareRead& read) { return double(read.records) / read.seconds; }

}  // namespace

KafkaSettings make_topic(int linger_ms, int replicas) {
  const char* broker = getenv("TAIZHANG_KAFKA");
  if (!broker) {
    fprintf(stderr,
            "no broker: run under python3 tests/support/kafka_broker.py run --, or set "
            "TAIZHANG_KAFKA=host:port\n");
    exit(2);
  }
  KafkaSettings topic;
  topic.bootstrap_servers = broker;
  topic.topic = "bench-" + std::to_string(getpid());
  topic.replication_factor = replicas;
  topic.min_insync_replicas = std::min(replicas, 2);
  topic.linger_ms = linger_ms;
  must(journal::kafka::create_topics(topic, 1));
  return topic;
}

std::string settings_text(const KafkaSettings& topic) {
  return "keys_dir: \"../keys\"\n"
         "views { serve: \"duties\" }\n"
         "journal { kafka { bootstrap_servers: \"" +
         topic.bootstrap_servers + "\" topic: \"" + topic.topic +
         "\" replication_factor: " + std::to_string(topic.replication_factor) +
         " min_insync_replicas: " + std::to_string(topic.min_insync_replicas) +
         " check_interval_s: 86400 linger_ms: " + std::to_string(topic.linger_ms) + " } }\n";
}

void set_flush(const KafkaSettings& topic, bool synced) {
  if (const auto set = journal::kafka::testing::set_synced(topic, synced); !set.ok()) {
    fprintf(stderr, "%s\n", set.ToString().c_str());
    exit(1);
  }
}

void visible_at_reader(BookServer& writer, const KafkaSettings& topic, double per_second,
                       double seconds, nlohmann::json& out) {
  Daemon daemon = writer.daemon();
  daemon.folder = std::filesystem::path(daemon.folder).parent_path() / "reader";
  daemon.role = "reader";
  daemon.prepare();
  const Child process(daemon.command());
  const std::string address = process.wait_for_line(daemon.address_file(), 30);
  if (address.empty()) {
    fprintf(stderr, "the reader did not start\n");
    exit(1);
  }
  wait_for_views(address);
  set_flush(topic, false);
  const Visible visible = write_to_visible(writer, address, per_second, seconds);
  set_flush(topic, true);
  print_visible("a reader process (page cache)", visible, "<= 15");
  out["visible_at_reader"] = json_of(visible);
  out["visible_at_reader"]["flush"] = "page cache";
}

// `tail`: commands since the tables were last stopped in order.
void print_takeover(const char* tables, int64_t tail, std::vector<double> seconds,
                    nlohmann::json& out) {
  std::sort(seconds.begin(), seconds.end());
  printf(
      "takeover by a restarted writer, tables %s, tail %8lld records (flush.messages=1): %.3f s "
      "(%.3f to %.3f; aim <= %.3f)\n",
      tables, static_cast<long long>(tail), seconds[seconds.size() / 2], seconds.front(),
      seconds.back(), takeover_aim_seconds(tail));
  out["takeover_seconds"][tables][std::to_string(tail)] = seconds;
}

void takeovers(BookServer& server, const KafkaSettings& topic, int64_t tail_max,
               nlohmann::json& out) {
  const std::string state = server.daemon().folder + "/data/state";
  const std::string kept = server.daemon().folder + "/state.kept";
  const std::string killed = server.daemon().folder + "/state.killed";
  const auto copy = [](const std::string& from, const std::string& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  };
  // What stop() writes holds everything; from here on the copy falls behind.
  server.end(SIGTERM);
  copy(state, kept);
  copy(state, killed);
  int64_t tail = 0;
  for (const int64_t wanted : {int64_t{0}, tail_max / 10, tail_max}) {
    if (wanted > tail) {
      copy(killed, state);
      server.restart();
      set_flush(topic, false);
      server.fill(wanted - tail);
      set_flush(topic, true);
      server.end(SIGKILL);
      copy(state, killed);
    }
    tail = wanted;
    const auto measured = [&](const std::string& tables, int times) {
      std::vector<double> seconds;
      for (int i = 0; i < times; ++i) {
        copy(tables, state);
        // A copy does not know the last claim as its own, so the operator's word replaces the wait.
        seconds.push_back(server.restart({"--takeover"}));
        server.end(SIGKILL);
      }
      return seconds;
    };
    print_takeover("as the kill left them", tail, measured(killed, kTakeovers), out);
    if (tail > 0) {
      print_takeover("set back", tail, measured(kept, tail < tail_max ? kTakeovers : 1), out);
    }
  }
}

void rebuild_from_kafka(const KafkaSettings& topic, const std::string& folder,
                        nlohmann::json& out) {
  // Twice, because a topic that is read for the first time is slower: the better one counts.
  BareRead bare = must(journal::kafka::testing::bare_read(topic, 0));
  const BareRead again = must(journal::kafka::testing::bare_read(topic, 0));
  if (per_second(again) > per_second(bare)) bare = again;
  const auto opened = must(KafkaJournal::open(topic, journal::kafka::Access::kReader));
  const BareRead cursor = cursor_read(opened->partition(0));
  const Built duties = build_views({&opened->partition(0)}, folder + "/duties", {"duties"});
  opened->close();
  const double built = double(bare.records) / duties.seconds;
  const double aim = std::min(0.8 * per_second(bare), 700'000.0);
  printf("bare consumer of the topic, %lld records of %lld B: %.0f records/s\n",
         static_cast<long long>(bare.records), static_cast<long long>(bare.bytes / bare.records),
         per_second(bare));
  printf("the journal's cursor: %.0f records/s\n", per_second(cursor));
  printf(
      "view duties built from the topic: %.0f records/s, %.0f events/s (aim >= %.0f records/s)\n",
      built, duties.per_second(), aim);
  print_ratio("view / bare consumer", built / per_second(bare), ">= 0.80 up to 700,000/s");
  out["rebuild"] = {{"bare_records_per_second", per_second(bare)},
                    {"record_bytes", bare.bytes / bare.records},
                    {"cursor_records_per_second", per_second(cursor)},
                    {"duties_records_per_second", built},
                    {"duties_events_per_second", duties.per_second()},
                    {"aim_records_per_second", aim}};
}

}  // namespace taizhang::bench
