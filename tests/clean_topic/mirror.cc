// A republisher as a process of its own, for tests: mirrors a journal in memory, the same in every
// process that is given the same arguments, into a clean topic of a real broker.
//
//   clean_topic_mirror list EVENTS
//   clean_topic_mirror run EVENTS BOOTSTRAP TOPIC FOLDER COMMITS_PER_SECOND BEGUN_MS
//
// list prints what a reader must end with, one event a line: partition, k, ledger, seq, type and
// the payload in hexadecimal. run lets the journal grow at that rate since BEGUN_MS (wall
// clock, so that it is never shorter after a restart), prints "mirrored" when every event stands in
// the topic, and goes on until it is killed.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/journal/kafka/clean_topic.h"
#include "platform/republish/republisher.h"
#include "platform/republish/test_clean_topic.h"

namespace taizhang::republish {
namespace {

using taizhang::testing::EventJournal;

constexpr uint32_t kPartitions = 2;
constexpr const char* kLedgers[] = {"510101", "510102", "510103", "510104"};
constexpr int kEventsPerCommitMax = 3;

class Journal {
 public:
  Journal() {
    for (uint32_t i = 0; i < kPartitions; ++i) {
      partitions_.push_back(std::make_unique<EventJournal>(i, kPartitions));
    }
    for (size_t i = 0; i < std::size(kLedgers); ++i) {
      partitions_[i % kPartitions]->open(kLedgers[i]);
    }
  }

  // The next commit.
  void grow() {
    const size_t ledger = commits_ % std::size(kLedgers);
    auto& partition = *partitions_[ledger % kPartitions];
    const int events = 1 + static_cast<int>(commits_ % kEventsPerCommitMax);
    partition.record(kLedgers[ledger], events);
    events_ += events;
    if (++commits_ % 7 == 0) partition.barrier();
  }

  int64_t events() const { return events_; }
  int64_t commits() const { return static_cast<int64_t>(commits_); }
  std::vector<journal::Log*> logs() {
    std::vector<journal::Log*> logs;
    for (auto& partition : partitions_) logs.push_back(&partition->log);
    return logs;
  }
  const EventJournal& partition(size_t index) const { return *partitions_[index]; }

 private:
  std::vector<std::unique_ptr<EventJournal>> partitions_;
  size_t commits_ = 0;
  int64_t events_ = 0;
};

int list(int64_t events) {
  Journal journal;
  while (journal.events() < events) journal.grow();
  for (size_t partition = 0; partition < kPartitions; ++partition) {
    int64_t k = 0;
    for (const auto& event : journal.partition(partition).events) {
      const size_t slash = event.id.find('/');
      std::cout << partition << ' ' << ++k << ' ' << event.id.substr(0, slash) << ' '
                << event.id.substr(slash + 1) << " taizhang.assistance.v1.PairingEnded "
                << hex(event.payload) << '\n';
    }
  }
  return EXIT_SUCCESS;
}

int run(int64_t events, const journal::kafka::KafkaSettings& kafka, const std::string& folder,
        int64_t commits_per_second, int64_t begun_ms) {
  Journal journal;
  const auto grow = [&] {
    const int64_t due = (system_clock().wall_us() / 1'000 - begun_ms) * commits_per_second / 1'000;
    while (journal.events() < events && journal.commits() < due) journal.grow();
  };
  grow();
  auto topic = journal::kafka::open_clean_topic(kafka, kPartitions);
  if (!topic.ok()) {
    std::cerr << topic.status() << '\n';
    return EXIT_FAILURE;
  }
  RepublisherSettings settings;
  settings.directory = folder;
  settings.checkpoint_interval_us = 50'000;
  Republisher republisher(journal.logs(), *std::move(topic), system_clock(), settings);
  if (auto started = republisher.start(); !started.ok()) {
    std::cerr << started << '\n';
    return EXIT_FAILURE;
  }
  while (journal.events() < events) {
    grow();
    absl::SleepFor(absl::Milliseconds(5));
  }
  int64_t mirrored = 0;
  while (mirrored < journal.events()) {
    absl::SleepFor(absl::Milliseconds(10));
    mirrored = 0;
    for (const auto& lane : republisher.status()) mirrored += lane.k;
  }
  std::cout << "mirrored" << std::endl;
  for (;;) absl::SleepFor(absl::Seconds(1));
}

}  // namespace
}  // namespace taizhang::republish

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "list") {
    return taizhang::republish::list(std::stoll(words[1]));
  }
  if (words.size() == 7 && words[0] == "run") {
    taizhang::journal::kafka::KafkaSettings kafka;
    kafka.bootstrap_servers = words[2];
    kafka.topic = words[3];
    kafka.replication_factor = kafka.min_insync_replicas = 1;
    kafka.linger_ms = 5;
    return taizhang::republish::run(std::stoll(words[1]), kafka, words[4], std::stoll(words[5]),
                                    std::stoll(words[6]));
  }
  std::cerr << "usage: clean_topic_mirror list EVENTS | run EVENTS BOOTSTRAP TOPIC FOLDER "
               "COMMITS_PER_SECOND BEGUN_MS\n";
  return EXIT_FAILURE;
}
