// The whole write side in one thread from one seed: random callers, the writer, the segment engine
// on a disk that loses power, fails syncs and fills up, a clock that drifts and steps.
//
// A process dies at any operation and another takes its place; callers send again what they heard
// nothing of, or ask what became of it. What they were told is judged against the journal's bytes:
// every acknowledged command once and where its receipt says, a refused or cancelled one never, no
// gap; and the state that grew equals one that is folded from nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "domain/dates.h"
#include "platform/base/log.h"
#include "platform/writer/command_front.h"
#include "platform/command/commit.h"
#include "platform/writer/writer.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/journal/testing/history.h"
#include "platform/journal/testing/simulated_disk.h"
#include "services/contexts.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "tests/support/random_book.h"

namespace taizhang::test {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Message;
using journal::segments::SegmentLog;
using journal::testing::ManualClock;
using journal::testing::SeededRandom;
using journal::testing::SimulatedDisk;
using ledger::v1::GetOutcomeResponse;

constexpr uint64_t kSeeds = 300;
constexpr int kLives = 5;
constexpr int kStepsMax = 260;
constexpr int64_t kSegmentBytes = 65'536;
constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int64_t kZoneUs = int64_t{8} * 3'600 * 1'000'000;
// The second is no county of the book's regions: almost everything is refused there.
constexpr const char* kLedgers[] = {"990101", "510102"};

// An engine that says an append is stored when it is only queued: the bug that every test of
// durability must find.
class EagerLog : public journal::Log {
 public:
  explicit EagerLog(std::unique_ptr<journal::Log> log) : log_(std::move(log)), next_(log_->end()) {
    log_->set_report_sink([](const journal::AppendReport&) {});
  }
  absl::Status produce(std::string bytes, uint64_t tag) override {
    if (auto queued = log_->produce(std::move(bytes), tag); !queued.ok()) return queued;
    sink_({tag, next_++});
    return absl::OkStatus();
  }
  void flush(bool inline_ok) override { log_->flush(inline_ok); }
  void set_report_sink(journal::ReportSink sink) override { sink_ = std::move(sink); }
  std::unique_ptr<journal::Cursor> read(int64_t offset) override { return log_->read(offset); }
  int64_t end() const override { return log_->end(); }
  int64_t wait_beyond(int64_t offset, absl::Duration timeout) override {
    log_->flush(true);
    return log_->wait_beyond(offset, timeout);
  }
  absl::Status room() const override { return log_->room(); }
  std::string uuid() const override { return log_->uuid(); }
  bool exclusive() const override { return true; }

 private:
  std::unique_ptr<journal::Log> log_;
  int64_t next_;
  journal::ReportSink sink_ = [](const journal::AppendReport&) {};
};

const Registry& registry() {
  static const Registry* made = [] {
    auto* fresh = new Registry;
    register_contexts(*fresh);
    return fresh;
  }();
  return *made;
}

const CommandCatalogue& catalogue() {
  static const auto* made = new CommandCatalogue(registry());
  return *made;
}

const Fingerprinter& fingerprinter() {
  static const Fingerprinter made{std::string(32, 'k'), "k1"};
  return made;
}

const BlindIndex& blind_index() {
  static const BlindIndex made = [](std::string_view number) {
    return blind_index_of("blind", number);
  };
  return made;
}

const common::v1::RequestContext& context_of(const Message& request) {
  return static_cast<const common::v1::RequestContext&>(
      request.GetReflection()->GetMessage(request, request.GetDescriptor()->FindFieldByNumber(1)));
}

const common::v1::Receipt& receipt_of(const Message& response) {
  return static_cast<const common::v1::Receipt&>(response.GetReflection()->GetMessage(
      response, response.GetDescriptor()->FindFieldByName("receipt")));
}

// What a caller knows of one call.
struct Call {
  enum class Told {
    kNothing,       // in flight, or its process died
    kAcknowledged,  // at first_seq, last_seq
    kUnchanged,     // by what stands at first_seq, last_seq
    kNone,          // refused, or this call never takes effect
    kUnknown,       // nobody knows
    kCommitted,     // GetOutcome
    kAbsent,
    kCancelled,
  };
  RandomBook::Asked asked;  // null request: GetOutcome
  std::string ledger;
  std::string request_id;
  std::string fingerprint;
  Told told = Told::kNothing;
  std::string reason;
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  bool duplicate = false;
  int64_t begun = 0;  // steps of the simulation
  int64_t ended = 0;  // 0: not answered, and its process lives
};

// A commit as it stands in the journal.
struct Standing {
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  std::string fingerprint;
};

// What the journal says, read by somebody who knows only its bytes.
struct Book {
  std::map<std::string, std::map<std::string, Standing>> commits;  // ledger, request id
  std::map<std::string, std::set<std::string>> cancelled;
  std::map<std::string, int64_t> next_seq;
  std::string wrong;

  void add(const journal::v1::Commit& commit) {
    auto& next = next_seq.try_emplace(commit.ledger(), 1).first->second;
    if (commit.first_seq() != next)
      wrong = "gap in " + commit.ledger() + " before " + std::to_string(commit.first_seq());
    next = commit.first_seq() + commit.events_size();
    for (const auto& request : commit.requests()) {
      const Standing standing{commit.first_seq(), next - 1, request.fingerprint()};
      if (!commits[commit.ledger()].emplace(uuid_text(request.request_id()), standing).second) {
        wrong = "request " + uuid_text(request.request_id()) + " took effect twice";
      }
    }
  }
};

std::string judge(const std::vector<Call>& calls, const Book& book) {
  if (!book.wrong.empty()) return book.wrong;
  std::map<std::pair<std::string, std::string>, std::vector<const Call*>> by_request;
  for (const auto& call : calls) by_request[{call.ledger, call.request_id}].push_back(&call);
  const auto commits_of = [&](const std::string& ledger) -> const auto& {
    static const std::map<std::string, Standing> none;
    const auto found = book.commits.find(ledger);
    return found == book.commits.end() ? none : found->second;
  };

  for (const auto& [ledger, commits] : book.commits) {
    if (ledger == "000000") continue;  // what the platform writes of a ledger's place
    for (const auto& [request_id, standing] : commits) {
      const auto& said = by_request[{ledger, request_id}];
      const bool explained =
          std::any_of(said.begin(), said.end(), [&, &own = standing](const Call* call) {
            return call->asked.request && call->fingerprint == own.fingerprint &&
                   (call->told == Call::Told::kAcknowledged || call->told == Call::Told::kUnknown ||
                    call->told == Call::Told::kNothing);
          });
      if (!explained) return "request " + request_id + " was refused or never sent, and is there";
    }
  }
  for (const auto& call : calls) {
    const auto& commits = commits_of(call.ledger);
    const auto found = commits.find(call.request_id);
    const bool there = found != commits.end();
    const bool in_place = there && found->second.first_seq == call.first_seq &&
                          found->second.last_seq == call.last_seq;
    const std::string name = "request " + call.request_id + " ";
    switch (call.told) {
      case Call::Told::kAcknowledged:
        if (!there) return name + "was acknowledged and is lost";
        if (!in_place) return name + "stands elsewhere than its receipt says";
        if (found->second.fingerprint != call.fingerprint) return name + "has another body";
        break;
      case Call::Told::kUnchanged:
        if (std::none_of(commits.begin(), commits.end(), [&](const auto& commit) {
              return commit.second.first_seq == call.first_seq &&
                     commit.second.last_seq == call.last_seq;
            })) {
          return name + "was answered unchanged by a commit that is not there";
        }
        break;
      case Call::Told::kNone:
        if (call.reason == "REQUEST_ID_REUSED" && !there)
          return name + "is said to be taken and is not there";
        if (call.reason == "REQUEST_CANCELLED" && there)
          return name + "is said to be cancelled and is there";
        break;
      case Call::Told::kCommitted:
        if (!in_place) return name + "was told committed elsewhere";
        break;
      case Call::Told::kCancelled: {
        const auto settled = book.cancelled.find(call.ledger);
        if (there || settled == book.cancelled.end() || !settled->second.contains(call.request_id))
          return name + "was told cancelled and is not";
        break;
      }
      case Call::Told::kAbsent: {
        const auto& said = by_request[{call.ledger, call.request_id}];
        if (there && std::none_of(said.begin(), said.end(), [&](const Call* other) {
              return other->asked.request && (other->ended == 0 || other->ended > call.begun);
            })) {
          return name + "was told absent and is there";
        }
        break;
      }
      default: break;
    }
  }
  // Of two acknowledged calls, one answered before the other was sent stands first.
  std::map<std::string, int64_t> highest;
  std::multimap<int64_t, const Call*> events;
  for (const auto& call : calls) {
    if (call.told != Call::Told::kAcknowledged || call.duplicate) continue;
    events.emplace(call.begun * 2 + 1, &call);
    events.emplace(call.ended * 2, &call);
  }
  for (const auto& [at, call] : events) {
    if (at == call->ended * 2 && call->ended != call->begun) {
      highest[call->ledger] = std::max(highest[call->ledger], call->last_seq);
    } else if (at == call->begun * 2 + 1 && call->first_seq <= highest[call->ledger]) {
      return "request " + call->request_id + " stands before one that was answered earlier";
    }
  }
  return "";
}

class Simulation {
 public:
  Simulation(uint64_t seed, bool eager)
      : random_(seed),
        disk_(seed + 9'000'000),
        eager_(eager),
        folder_(fs::path(fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") /
                ("writer_simulation." + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    for (const auto* ledger : kLedgers) books_.emplace(ledger, RandomBook(seed, ledger));
  }
  ~Simulation() {
    end_process();
    fs::remove_all(folder_);
  }

  // Empty: everything held; otherwise what did not.
  std::string run() {
    for (int life = 0; life < kLives; ++life) {
      if (std::string wrong = live(); !wrong.empty())
        return "life " + std::to_string(life) + ": " + wrong;
      if (std::string wrong = check(); !wrong.empty())
        return "after life " + std::to_string(life) + ": " + wrong;
    }
    return compare_with_replay();
  }

  const std::vector<Call>& calls() const { return calls_; }
  uint64_t epochs() const { return epochs_; }

 private:
  // --- One process -------------------------------------------------------------------------------

  absl::StatusOr<std::unique_ptr<SegmentLog>> open_log() {
    journal::segments::SegmentOptions options;
    options.directory = "/journal";
    options.segment_bytes = kSegmentBytes;
    options.group_bytes_max = 8'192;
    options.disk_full_retry_us = 0;
    options.files = &disk_;
    options.random = &random_;
    options.clock = &clock_;
    options.threads = false;
    options.on_fatal = [this](const absl::Status&) { dead_ = true; };
    return SegmentLog::open(std::move(options));
  }

  absl::Status start_process() {
    dead_ = false;
    auto log = open_log();
    if (!log.ok()) return log.status();
    segments_ = log->get();
    if (eager_) {
      log_ = std::make_unique<EagerLog>(*std::move(log));
    } else {
      log_ = *std::move(log);
    }
    auto state = State::open(folder_ / "state", {});
    if (!state.ok()) return state.status();
    state_ = *std::move(state);
    WriterSettings settings;
    settings.owner.create = true;
    settings.owner.claim_us_max = 100'000;
    settings.owner.clock_ahead_confirmed = true;
    settings.owner.clock_behind_confirmed = true;
    settings.claim_retry_us = 0;
    settings.state_mark_commits = 5;
    settings.state_write_us = static_cast<int64_t>(random_.below(3'000'000));
    writer_ = std::make_unique<Writer>(*log_, clock_, random_, registry(), *state_, blind_index(),
                                       "k1", settings);
    auto started = writer_->start();
    if (!started.ok()) return started;
    dispatcher_ = std::make_unique<Dispatcher>();
    serve_commands(catalogue(), fingerprinter(), *writer_, *dispatcher_);
    alive_ = std::make_shared<bool>(true);
    return absl::OkStatus();
  }

  // What a process still says while it is taken apart nobody hears.
  void end_process() {
    if (alive_) *alive_ = false;
    if (writer_) epochs_ += writer_->stats().epochs;
    dispatcher_.reset();
    writer_.reset();
    state_.reset();
    segments_ = nullptr;
    log_.reset();
    for (auto& call : calls_) {
      if (call.ended == 0) call.ended = now_;
    }
  }

  std::string live() {
    const bool full = random_.one_in(5);
    if (full)
      disk_.set_capacity_bytes(static_cast<int64_t>((3 + random_.below(3)) * kSegmentBytes));
    const bool cut = random_.one_in(2);
    if (cut) disk_.power_off_after(static_cast<int64_t>(random_.below(150)));
    if (random_.one_in(5)) disk_.fail_sync(static_cast<int64_t>(random_.below(40)));
    const bool dropped = random_.one_in(4);
    if (dropped) fs::remove_all(folder_ / "state");
    const absl::Status started = start_process();
    // Only what was planned may keep it from starting.
    const bool planned =
        cut || full || dead_ || started.message().find("simulated") != absl::string_view::npos;
    if (!started.ok() && !planned) return "did not start: " + started.ToString();
    if (absl::IsDataLoss(started)) return "lost data: " + started.ToString();
    if (started.ok()) {
      const uint64_t steps = random_.below(kStepsMax);
      for (uint64_t i = 0; i < steps && !dead_; ++i) step();
      if (!dead_ && random_.one_in(4)) stop_process();
    }
    if (cut || random_.one_in(2)) {
      disk_.power_cut();
    } else {
      disk_.process_killed();
    }
    disk_.set_capacity_bytes(-1);
    end_process();
    return "";
  }

  // Gracefully: every call that was taken is answered.
  void stop_process() {
    ++now_;
    writer_->stop();
    segments_->close();
    if (dead_) return;
    for (const auto& call : calls_) {
      EXPECT_NE(call.ended, 0) << "a call was not answered at the stop";
    }
  }

  void step() {
    ++now_;
    switch (random_.below(20)) {
      case 0: segments_->write_mark(); break;
      case 1: segments_->maintain(); break;
      case 2: clock_.advance_us(static_cast<int64_t>(random_.below(2'000'000))); break;
      case 3:
        if (random_.one_in(8)) clock_.step_wall_us(7'000'000);  // drops the claim
        break;
      case 4: ask_outcome(); break;
      case 5:
      case 6: send_again(); break;
      case 7:
      case 8:
      case 9:
      case 10:
      case 11: send_new(); break;
      default: clock_.advance_us(1 + static_cast<int64_t>(random_.below(1'000))); writer_->step();
    }
  }

  // --- Callers -----------------------------------------------------------------------------------

  void send_new() {
    auto& book = books_.at(kLedgers[random_.one_in(8) ? 1 : 0]);
    const int64_t days = (clock_.wall_us() + kZoneUs) / kDayUs;
    send(book.next(state_->ledger(book.ledger()), add_days(19700101, static_cast<int32_t>(days))));
  }

  // The same request, mostly one that nobody answered.
  void send_again() {
    std::vector<size_t> unsure;
    for (size_t i = 0; i < calls_.size(); ++i) {
      const bool nobody_knows =
          calls_[i].told == Call::Told::kNothing || calls_[i].told == Call::Told::kUnknown;
      if (calls_[i].asked.request && nobody_knows) unsure.push_back(i);
    }
    if (calls_.empty()) return;
    const size_t which = unsure.empty() || random_.one_in(3) ? random_.below(calls_.size())
                                                             : unsure[random_.below(unsure.size())];
    if (calls_[which].asked.request) send(calls_[which].asked);
  }

  size_t new_call(std::string ledger, std::string request_id) {
    Call call;
    call.ledger = std::move(ledger);
    call.request_id = std::move(request_id);
    call.begun = now_;
    calls_.push_back(std::move(call));
    return calls_.size() - 1;
  }

  void send(RandomBook::Asked asked) {  // a copy: calls_ grows
    const auto& message = *asked.request;
    const auto& type = *catalogue().by_request(message.GetDescriptor()->full_name());
    const auto& reflection = *message.GetReflection();
    const size_t index =
        new_call(reflection.GetString(message, message.GetDescriptor()->FindFieldByNumber(2)),
                 context_of(message).request_id());
    calls_[index].asked = asked;
    calls_[index].fingerprint = fingerprinter().of(type, message).request;
    unary(*type.descriptor, asked.caller, asked.request, index);
  }

  void ask_outcome() {
    if (calls_.empty()) return;
    const Call about = calls_[random_.below(calls_.size())];
    auto question = std::make_shared<ledger::v1::GetOutcomeRequest>();
    question->set_ledger(about.ledger);
    question->set_request_id(about.request_id);
    question->set_settle(random_.one_in(2));
    const size_t index = new_call(about.ledger, about.request_id);
    const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        "taizhang.ledger.v1.LedgerService.GetOutcome");
    unary(*method, &RandomBook::caller("maker"), std::move(question), index);
  }

  void unary(const google::protobuf::MethodDescriptor& method, const Caller* caller,
             std::shared_ptr<const Message> request, size_t index) {
    taizhang::Call transport;
    transport.caller = caller;
    transport.deadline_boot_us =
        clock_.boot_us() + static_cast<int64_t>(200'000 + random_.below(10'000'000));
    transport.bulk = random_.one_in(4);
    dispatcher_->unary(method, transport, std::move(request),
                       [this, index, alive = alive_](Answer answer) {
                         if (*alive) hear(calls_[index], answer);
                       });
  }

  void hear(Call& call, const Answer& answer) {
    if (call.ended != 0) {
      answered_twice_ = true;
      return;
    }
    call.ended = now_;
    if (const auto* error = std::get_if<Error>(&answer)) {
      call.reason = error->reason;
      const bool lost = error->code == kUnavailable || error->code == kDataLoss;
      bool none = !lost;
      for (const auto& [key, value] : error->metadata) none |= key == "outcome" && value == "none";
      call.told = none ? Call::Told::kNone : Call::Told::kUnknown;
      return;
    }
    const auto& response = *std::get<std::unique_ptr<Message>>(answer);
    if (const auto* said = dynamic_cast<const GetOutcomeResponse*>(&response)) {
      call.told = said->outcome() == GetOutcomeResponse::OUTCOME_COMMITTED ? Call::Told::kCommitted
                  : said->outcome() == GetOutcomeResponse::OUTCOME_ABSENT  ? Call::Told::kAbsent
                                                                           : Call::Told::kCancelled;
    } else {
      const auto& receipt = receipt_of(response);
      call.told = receipt.unchanged() ? Call::Told::kUnchanged : Call::Told::kAcknowledged;
      call.duplicate = receipt.duplicate();
    }
    call.first_seq = receipt_of(response).first_seq();
    call.last_seq = receipt_of(response).last_seq();
  }

  // --- The judge ---------------------------------------------------------------------------------

  std::string check() {
    if (answered_twice_) return "a call was answered twice";
    auto log = open_log();
    if (!log.ok()) return "cannot be read: " + log.status().ToString();
    journal::Fold fold(0);
    Book book;
    const auto cursor = (*log)->read(0);
    while (true) {
      const auto record = cursor->next();
      if (!record.ok()) return "cannot be read: " + record.status().ToString();
      if (!*record) break;
      const auto folded = fold.apply((*record)->offset, (*record)->bytes);
      if (!folded.ok()) return "cannot be folded: " + folded.status().ToString();
      if (folded->commit) book.add(*folded->commit);
      if (folded->request_settled) {
        book.cancelled[folded->request_settled->ledger()].insert(
            uuid_text(folded->request_settled->request_id()));
      }
    }
    return judge(calls_, book);
  }

  // The state that grew over all lives against one that is folded from nothing; on its way the
  // second also compares every mark in the journal.
  std::string compare_with_replay() {
    StateDigest digests[2];
    for (auto& digest : digests) {
      if (auto started = start_process(); !started.ok())
        return "did not start at the end: " + started.ToString();
      stop_process();
      digest = state_->digest();
      const auto recomputed = state_->recomputed_digest();
      if (!recomputed.ok() || *recomputed != digest) return "the tables are not what was counted";
      end_process();
      fs::remove_all(folder_ / "state");
    }
    return digests[0] == digests[1] ? "" : "the state differs from a replay";
  }

  SeededRandom random_;
  SimulatedDisk disk_;
  ManualClock clock_;
  const bool eager_;
  const fs::path folder_;
  std::map<std::string, RandomBook> books_;
  std::vector<Call> calls_;
  int64_t now_ = 1;
  uint64_t epochs_ = 0;
  bool answered_twice_ = false;

  // Of the present process.
  bool dead_ = false;
  std::shared_ptr<bool> alive_;
  std::unique_ptr<journal::Log> log_;
  SegmentLog* segments_ = nullptr;
  std::unique_ptr<State> state_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

class WriterSimulation : public testing::Test {
 protected:
  WriterSimulation() { set_log_level(LogLevel::kError); }
};

TEST_F(WriterSimulation, WhatCallersAreToldIsWhatTheJournalHolds) {
  std::map<Call::Told, int> told;
  uint64_t epochs = 0, duplicates = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Simulation simulation(seed, /*eager=*/false);
    ASSERT_EQ(simulation.run(), "") << "seed " << seed;
    for (const auto& call : simulation.calls()) {
      ++told[call.told];
      duplicates += call.duplicate;
    }
    epochs += simulation.epochs();
  }
  // The simulation did enough to prove something.
  EXPECT_GT(told[Call::Told::kAcknowledged], 5'000);
  EXPECT_GT(told[Call::Told::kNone], 2'000);
  EXPECT_GT(told[Call::Told::kNothing], 1'000) << "calls that died with their process";
  EXPECT_GT(told[Call::Told::kUnchanged], 50);
  EXPECT_GT(told[Call::Told::kCommitted], 100);
  EXPECT_GT(told[Call::Told::kAbsent], 50);
  EXPECT_GT(told[Call::Told::kCancelled], 50);
  EXPECT_GT(duplicates, 500u);
  EXPECT_GT(epochs, kSeeds * kLives);
}

// Runs with the bug planted; that it is found is the proof that the one above looks.
TEST_F(WriterSimulation, FindsAnEngineThatAnswersTooEarly) {
  std::string said;
  for (uint64_t seed = 1; seed <= 40 && said.find("lost") == std::string::npos; ++seed) {
    said = Simulation(seed, /*eager=*/true).run();
  }
  EXPECT_NE(said.find("was acknowledged and is lost"), std::string::npos) << said;
}

}  // namespace
}  // namespace taizhang::test
