// Processes with all writers of a journal in memory, as many as a test wants on the same topics.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "platform/journal/memory/memory_heartbeats.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/writer/command_front.h"
#include "platform/writer/writers.h"
#include "tests/integration/simple_commands.h"

namespace taizhang::test {

// Beats so rare that a thread without a processor for a while is not taken for dead.
inline constexpr int64_t kBeatUs = 100'000;
inline constexpr int kSilentBeats = 6;

// What several processes share: the topics.
struct Cluster {
  explicit Cluster(int partitions) {
    for (int p = 0; p < partitions; ++p) {
      topics.push_back(std::make_shared<journal::MemoryTopic>(&system_clock()));
    }
  }
  std::vector<std::shared_ptr<journal::MemoryTopic>> topics;
  journal::MemoryHeartbeats heartbeats;
};

// A channel whose own signs of life can be kept from everybody: a process that hangs.
class MutedChannel : public journal::HeartbeatChannel {
 public:
  explicit MutedChannel(std::unique_ptr<HeartbeatChannel> channel) : channel_(std::move(channel)) {}
  void send(const journal::Heartbeat& beat) override {
    if (!muted) channel_->send(beat);
  }
  std::vector<journal::Heartbeat> poll() override { return channel_->poll(); }
  std::atomic<bool> muted{false};

 private:
  std::unique_ptr<HeartbeatChannel> channel_;
};

class Process {
 public:
  Process(Cluster& cluster, const std::filesystem::path& folder, const std::string& address,
          bool takeover = false)
      : channel(cluster.heartbeats.channel()), states_(folder / address, {}) {
    for (const auto& topic : cluster.topics) {
      logs_.push_back(std::make_unique<journal::MemoryLog>(topic));
    }
    std::vector<journal::Log*> logs;
    for (const auto& log : logs_) logs.push_back(log.get());
    WritersSettings settings;
    settings.takeover = takeover;
    settings.backoff_us_max = 50'000;
    settings.liveness = {kSilentBeats, 1'000};
    settings.writer.heartbeat_us = kBeatUs;
    settings.writer.owner.create = true;
    settings.writer.owner.address = address;
    writers =
        std::make_unique<Writers>(Writers::Parts{logs, &channel, system_clock(), system_random(),
                                                 registry(), blind_index_, "k1", states_},
                                  settings);
    started = writers->start();
    operator_.profile = operator_.subject = "operator";
    operator_.roles = {common::v1::ROLE_OPERATOR};
    operator_.regions = {""};
    serve_commands(catalogue(), fingerprinter_, *writers, dispatcher_);
  }

  ~Process() { writers->stop(); }

  Answer ask(const std::string& method, const google::protobuf::Message& request) {
    std::shared_ptr<google::protobuf::Message> copy(request.New());
    copy->CopyFrom(request);
    Call call;
    call.caller = &operator_;
    call.deadline_boot_us = system_clock().boot_us() + 10'000'000;
    auto answered = std::make_shared<std::promise<Answer>>();
    auto answer = answered->get_future();
    dispatcher_.unary(*google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(method),
                      call, copy,
                      [answered](Answer with) { answered->set_value(std::move(with)); });
    return answer.get();
  }
  std::string reason(const std::string& method, const google::protobuf::Message& request) {
    const Answer answer = ask(method, request);
    const auto* error = std::get_if<Error>(&answer);
    return error ? error->reason : "accepted";
  }
  bool leads_within(std::chrono::milliseconds time) const {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!writers->stats().serving) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  MutedChannel channel;
  absl::Status started;

 private:
  std::vector<std::unique_ptr<journal::MemoryLog>> logs_;
  StateFolder states_;
  BlindIndex blind_index_ = [](std::string_view number) { return blind_index_of("blind", number); };
  Fingerprinter fingerprinter_{std::string(32, 'k'), "k1"};
  Caller operator_;
  Dispatcher dispatcher_;

 public:
  std::unique_ptr<Writers> writers;  // last: it uses everything above
};

}  // namespace taizhang::test
