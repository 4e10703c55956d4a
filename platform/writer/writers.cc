// The writers of a process, and the thread that decides whether they lead.
//
// Why one process ends up with all partitions: others are claimed only by who leads partition 0,
// and the claim of partition 0 is a compare-and-swap. Two that both believe to lead for a moment
// cannot both have partition 0's newest claim, and the one that has not finds out by a probe, which
// it makes when it hears a higher epoch or loses any partition. None of this is needed for safety,
// which is the fold's.
#include "platform/writer/writers.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/time/clock.h"
#include "platform/base/log.h"
#include "platform/command/ledgers.h"
#include "platform/writer/parts.h"

namespace taizhang {
namespace {

constexpr absl::Duration kTurn = absl::Milliseconds(5);

Error led_elsewhere(const Writer::Standing& first) {
  Error error = failure(kUnavailable, "WRITER_UNAVAILABLE", "this process does not decide now",
                        {{"outcome", "none"}}, kRetryAfterMs);
  if (!first.leading && !first.owner_address.empty()) {
    error.message = "another process is the journal's writer";
    error.metadata.emplace_back("owner", first.owner_address);
  }
  return error;
}

}  // namespace

Writers::Writers(Parts parts, WritersSettings settings)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      partitions_(parts_.logs.size()),
      liveness_(journal::id_of(parts_.random.bytes(journal::kIdBytes)), settings_.liveness),
      sender_(liveness_.observer()),
      takeover_(settings_.takeover) {}

Writers::~Writers() { stop(); }

std::string Writers::claim_file(uint32_t partition) const {
  return parts_.states.directory() + "/" + std::to_string(partition) + ".claim";
}

absl::Status Writers::open(uint32_t partition, journal::Fold fold) {
  Partition& one = partitions_[partition];
  auto state = parts_.states.open(partition);
  if (!state.ok()) return state.status();
  // The tables' lock is held now, so whoever wrote this file is dead.
  std::string before;
  std::ifstream(claim_file(partition), std::ios::binary) >> before;
  if (before.size() == 2 * journal::kIdBytes) {
    for (size_t i = 0; i < journal::kIdBytes; ++i) {
      one.claimed_before[i] =
          static_cast<uint8_t>(std::strtoul(before.substr(2 * i, 2).c_str(), nullptr, 16));
    }
  }

  WriterSettings settings = settings_.writer;
  settings.owner.partition_count = static_cast<uint32_t>(partitions_.size());
  settings.follow_when_deposed = parts_.channel != nullptr;
  settings.owner.on_attempt = [file = claim_file(partition)](const journal::Id128& owner) {
    // Only spares the next process of this folder the wait for a suspicion: not synced.
    std::ofstream(file, std::ios::trunc) << hex(journal::bytes_of(owner)) << "\n";
  };
  WriterHooks hooks;
  hooks.on_ledger = [this, partition](const std::string& ledger, bool open) {
    const std::lock_guard lock(mutex_);
    if (open) {
      placed_[ledger] = partition;
    } else if (const auto found = placed_.find(ledger);
               found != placed_.end() && found->second == partition) {
      placed_.erase(found);
    }
  };
  hooks.forward = [this](uint32_t to, Submission submission) {
    if (Writer* writer = to < partitions_.size() ? partitions_[to].running.load() : nullptr) {
      return writer->submit(std::move(submission));
    }
    submission.done(error_of_append(absl::UnavailableError("partition not open yet")));
  };
  if (parts_.channel) {
    hooks.beat = [this](const journal::Heartbeat& beat) { parts_.channel->send(beat); };
  }
  auto writer = std::make_unique<Writer>(
      *parts_.logs[partition], parts_.clock, parts_.random, parts_.registry, **state,
      parts_.blind_index, parts_.key_id, std::move(settings), std::move(fold), std::move(hooks));
  if (auto started = parts_.channel ? writer->start_following() : writer->start(); !started.ok()) {
    return started;
  }
  one.state = *std::move(state);
  one.writer = std::move(writer);
  one.writer->run();
  one.running = one.writer.get();
  return absl::OkStatus();
}

absl::Status Writers::start() {
  std::error_code failed;
  std::filesystem::create_directories(parts_.states.directory(), failed);
  if (failed) return absl::InternalError("cannot make " + parts_.states.directory());
  if (auto opened = open(0, journal::Fold(0)); !opened.ok()) return opened;
  if (!parts_.channel) {
    leading_ = true;
    return absl::OkStatus();
  }
  // What the tables know of is judged before anybody is served: who was killed while the journal
  // was cut hears it from them alone.
  if (auto opened = open_others(); !opened.ok()) return opened;
  thread_ = std::thread([this] { coordinate(); });
  return absl::OkStatus();
}

void Writers::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  // Partition 0 last: who sees it released finds the others released too.
  for (auto one = partitions_.rbegin(); one != partitions_.rend(); ++one) {
    if (one->writer) one->writer->stop();
  }
  leading_ = false;
}

// --- Commands

// Null: nobody here can answer for this ledger now.
Writer* Writers::writer_of(const std::string& ledger, bool opening) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = placed_.find(ledger);
    if (found != placed_.end()) return partitions_[found->second].running.load();
  }
  // Not open anywhere: so says the directory's writer, once every partition is known.
  const bool known =
      opening || std::all_of(partitions_.begin(), partitions_.end(),
                             [](const Partition& one) { return one.running.load(); });
  return known ? partitions_[0].running.load() : nullptr;
}

void Writers::submit(Submission submission) {
  const bool opening = submission.type->name == kOpenLedger;
  Writer* writer = nullptr;
  if (leading_) {
    // A crash may have left a ledger open and not founded: only the directory knows its name.
    writer = opening && !submission.validate_only ? partitions_[0].running.load()
                                                  : writer_of(submission.ledger, opening);
  }
  if (writer) return writer->submit(std::move(submission));
  submission.done(led_elsewhere(partitions_[0].writer->standing()));
}

void Writers::ask(OutcomeQuestion question) {
  Writer* writer = leading_ ? writer_of(question.ledger, false) : nullptr;
  if (writer) return writer->ask(std::move(question));
  question.done(led_elsewhere(partitions_[0].writer->standing()));
}

// --- Who leads

void Writers::coordinate() {
  while (!stopping_) {
    hear();
    if (may_speak()) lead_or_follow();
    absl::SleepFor(kTurn);
  }
}

// The other partitions' folds need the journal's UUID, which Genesis of partition 0 says. OK also
// while that is not known.
absl::Status Writers::open_others() {
  const auto first = partitions_[0].writer->standing();
  if (!first.has_genesis || partitions_.back().writer) return absl::OkStatus();
  if (first.partition_count != partitions_.size()) {
    return absl::FailedPreconditionError(
        "the journal was made with " + std::to_string(first.partition_count) +
        " partitions, and has " + std::to_string(partitions_.size()));
  }
  for (uint32_t p = 1; p < partitions_.size(); ++p) {
    if (partitions_[p].writer) continue;
    const journal::GenesisExpectation expected{first.uuid, first.partition_count};
    if (auto opened = open(p, journal::Fold(p, expected)); !opened.ok()) return opened;
  }
  return absl::OkStatus();
}

// Partition 0 at least can be spoken of.
bool Writers::may_speak() {
  const int64_t now_us = parts_.clock.boot_us();
  if (now_us < next_open_us_) return false;
  const auto opened = open_others();
  if (opened.ok()) return true;
  next_open_us_ = now_us + settings_.open_retry_us;
  log(LogLevel::kError, "partition_not_opened", {{"why", std::string(opened.message())}});
  return false;
}

void Writers::hear() {
  const auto beats = parts_.channel->poll();
  const auto now_us = parts_.clock.boot_us();
  journal::Id128 uuid{};
  for (uint32_t p = 0; p < partitions_.size(); ++p) {
    if (!partitions_[p].writer) break;
    const auto standing = partitions_[p].writer->standing();
    uuid = standing.uuid;
    liveness_.watch(p, standing.epoch, standing.owner);
  }
  for (const auto& beat : beats) {
    if (beat.journal == uuid) liveness_.hear(beat);
  }
  if (now_us < next_beat_us_) return;
  next_beat_us_ = now_us + settings_.writer.heartbeat_us;
  journal::Heartbeat listening;
  listening.journal = uuid;
  listening.sender = sender_;
  parts_.channel->send(listening);
}

// Whether partition 0 is to be claimed now.
bool Writers::may_take_over(const Writer::Standing& first) {
  const bool nobody = first.owner == journal::Id128{};
  const bool own = first.own_claim || first.owner == partitions_[0].claimed_before;
  bool suspected = takeover_;
  for (uint32_t p = 0; p < partitions_.size() && !suspected; ++p) {
    if (!partitions_[p].writer) continue;
    suspected =
        partitions_[p].writer->standing().owner != journal::Id128{} && liveness_.suspected(p);
  }
  if (!nobody && !own && !suspected) {
    take_over_at_us_ = 0;
    return false;
  }
  if (own || takeover_) return true;
  const int64_t now_us = parts_.clock.boot_us();
  if (take_over_at_us_ == 0) {
    const std::string bytes = parts_.random.bytes(sizeof(uint32_t));
    uint32_t random = 0;
    std::memcpy(&random, bytes.data(), sizeof(random));
    take_over_at_us_ = now_us + random % std::max<int64_t>(1, settings_.backoff_us_max);
  }
  return now_us >= take_over_at_us_;
}

void Writers::lead_or_follow() {
  const auto first = partitions_[0].writer->standing();
  if (!first.failed && first.leading) return lead_others(first);
  // Between two of its own epochs the writer claims again by itself, and keeps its commands.
  if (!first.failed && !first.following) return;
  if (std::exchange(led_, false)) {
    leading_ = false;
    for (auto& one : partitions_) {
      one.probing.reset();  // it counted the epoch that has ended
      if (&one != partitions_.data() && one.writer) one.writer->follow();
    }
  }
  if (first.failed || first.claiming || !first.at_end || !may_take_over(first)) return;
  take_over_at_us_ = 0;
  takeover_ = false;
  log(LogLevel::kWarning, "taking_over", {{"epoch", first.epoch}, {"from", first.owner_address}});
  partitions_[0].writer->lead(first.owner);
}

void Writers::lead_others(const Writer::Standing& first) {
  led_ = true;
  if (liveness_.take_outrun(0)) partitions_[0].writer->probe();
  bool all = partitions_.back().writer != nullptr;
  for (uint32_t p = 1; p < partitions_.size() && partitions_[p].writer; ++p) {
    Partition& one = partitions_[p];
    const auto standing = one.writer->standing();
    if (standing.leading) {
      one.probing.reset();
      if (liveness_.take_outrun(p)) one.writer->probe();
      continue;
    }
    if (standing.following) all = false;
    if (!standing.following || standing.claiming || !standing.at_end) continue;
    // Whoever took it may have taken partition 0 first: that is certain once an append there is
    // confirmed that was made after the loss was seen.
    if (!one.probing) {
      one.probing = first.confirmed;
      partitions_[0].writer->probe();
    } else if (first.confirmed > *one.probing) {
      one.probing.reset();
      one.writer->lead(standing.owner);
    }
  }
  leading_ = all;
}

bool Writers::close_time(uint32_t partition) {
  Writer* const writer = leading_ ? partitions_[partition].running.load() : nullptr;
  if (writer) writer->probe();
  return writer != nullptr;
}

std::optional<Error> Writers::not_leading() const {
  if (leading_) return std::nullopt;
  return led_elsewhere(partitions_[0].writer->standing());
}

Writer::Stats Writers::stats() const {
  Writer::Stats sum;
  sum.serving = leading_;
  for (const auto& one : partitions_) {
    const Writer* writer = one.running;
    if (!writer) continue;
    const auto stats = writer->stats();
    sum.queued += stats.queued;
    sum.in_flight += stats.in_flight;
    sum.commits += stats.commits;
    sum.refusals += stats.refusals;
    sum.duplicates += stats.duplicates;
    sum.epochs += stats.epochs;
    sum.void_records += stats.void_records;
    sum.foreign_records += stats.foreign_records;
    sum.serving &= stats.serving;
  }
  return sum;
}

std::vector<Writer::Standing> Writers::standings() const {
  std::vector<Writer::Standing> all;
  for (const auto& one : partitions_) {
    if (const Writer* writer = one.running) all.push_back(writer->standing());
  }
  return all;
}

}  // namespace taizhang
