// Real commits, multiplied.
#include "tests/bench/made_journal.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "platform/journal/fold.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/journal/record.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "tests/bench/book.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using journal::Kind;
using journal::v1::Commit;

constexpr int kHouseholdKind = 0xb1;
constexpr int kPersonKind = 0xb2;
constexpr int kVisitKind = 0xb3;
constexpr int kArrivalKind = 0xba;
constexpr int64_t kFlushEvery = 4'096;  // records
constexpr int64_t kStepUs = 50;         // of recorded time

[[noreturn]] void fail(const std::string& why) {
  fprintf(stderr, "making the journal: %s\n", why.c_str());
  exit(1);
}

std::string id(int kind, int64_t number) {
  char text[40];
  snprintf(text, sizeof text, "%08x-0000-4000-8000-%012llx", static_cast<unsigned>(kind),
           static_cast<unsigned long long>(number));
  return text;
}

std::string request_id(int kind, int64_t number) {
  std::string bytes(16, '\0');
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(static_cast<uint64_t>(kind) >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(static_cast<uint64_t>(number) >> (56 - 8 * i));
  }
  return bytes;
}

std::string ledger_code(int number) { return std::to_string(990101 + number); }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// What the writer made of setting up and of one command of each kind.
struct Samples {
  std::vector<std::pair<Kind, std::string>> setting_up;  // bodies, of the bench ledger
  Commit household;
  Commit visit;
  Commit arrival;
};

Samples take_samples(const std::string& folder, const std::string& reference_file) {
  auto topic = std::make_shared<journal::MemoryTopic>();
  journal::MemoryLog log(topic, true);
  int64_t set_up_end = 0;
  {
    Book book(log, folder, reference_file);
    set_up_end = topic->end();
    book.send("/taizhang.registry.v1.RegistryService/RegisterHousehold", register_household(0));
    book.settle();
    book.send("/taizhang.assistance.v1.AssistanceService/RecordVisit", record_visit(0));
    book.settle();
    book.send("/taizhang.funds.v1.FundsService/RecordFundsArrival", record_arrival(0));
    book.settle();
    if (book.refused() > 0) fail("a sample was refused");
  }
  Samples samples;
  std::vector<Commit> after;
  journal::Fold fold(0);
  for (int64_t offset = 0; offset < topic->end(); ++offset) {
    const auto stored = topic->at(offset);
    const auto folded = fold.apply(offset, stored->bytes);
    if (!folded.ok()) fail(folded.status().ToString());
    const bool opened = folded->ledger_opened && folded->ledger_opened->ledger() == kBenchLedger;
    const bool commit = folded->commit && folded->commit->ledger() == kBenchLedger;
    if (!opened && !commit) continue;
    if (offset < set_up_end) {
      samples.setting_up.emplace_back(folded->kind(), std::string(folded->body));
    } else {
      after.push_back(*folded->commit);
    }
  }
  if (after.size() != 3) fail("a sample is missing");
  samples.household = std::move(after[0]);
  samples.visit = std::move(after[1]);
  samples.arrival = std::move(after[2]);
  return samples;
}

class Maker {
 public:
  explicit Maker(journal::Log& log) : log_(log), fold_(0) {
    if (log.end() != 0) fail("the log is not empty");
    log.set_report_sink([](const journal::AppendReport& report) {
      if (!report.offset.ok()) fail(report.offset.status().ToString());
    });
    const std::string own = log.uuid();
    journal::RecordHeader header;
    header.uuid = own.empty() ? journal::id_of(std::string(16, 'J')) : journal::id_of(own);
    journal::v1::Genesis genesis;
    genesis.set_journal_uuid(std::string(journal::bytes_of(header.uuid)));
    genesis.set_partition_count(1);
    genesis.set_rule_version(journal::kRuleVersion);
    header.kind = Kind::kGenesis;
    append(header, genesis.SerializeAsString());
    journal::v1::Claim claim;
    claim.set_rule_version(journal::kRuleVersion);
    header.kind = Kind::kClaim;
    header.epoch = 1;
    header.owner.fill(7);
    append(header, claim.SerializeAsString());
  }

  void write(Kind kind, const std::string& body) {
    journal::RecordHeader header;
    header.kind = kind;
    header.uuid = fold_.uuid();
    header.epoch = fold_.epoch();
    header.owner = fold_.owner();
    header.n = fold_.n() + 1;
    header.prev = journal::prev_of(fold_.head());
    append(header, body);
  }

  void commit(Commit& commit, const std::string& ledger, int number) {
    const auto* state = fold_.ledger(ledger);
    commit.set_ledger(ledger);
    commit.set_first_seq(state->next_seq);
    commit.set_recorded_time_us(next_time_us());
    commit.mutable_requests(0)->set_request_id(request_id(number, state->next_seq));
    made_.events += commit.events_size();
    ++made_.commits;
    for (const auto& event : commit.events())
      made_.payload_bytes += static_cast<int64_t>(event.payload().size());
    write(Kind::kCommit, commit.SerializeAsString());
  }

  int64_t next_time_us() const { return fold_.closed_time_us() + kStepUs; }

  MadeJournal finish() {
    log_.flush(true);
    while (log_.end() < fold_.offset()) log_.wait_beyond(log_.end(), absl::Milliseconds(10));
    log_.set_report_sink(nullptr);
    return made_;
  }

 private:
  void append(journal::RecordHeader header, const std::string& body) {
    header.body_bytes = static_cast<uint32_t>(body.size());
    std::string record = journal::encode_record(header, body);
    const int64_t offset = fold_.offset();
    const auto folded = fold_.apply(offset, record);
    if (!folded.ok() || !folded->valid()) fail("a record is not valid");
    made_.record_bytes += static_cast<int64_t>(record.size());
    while (!log_.room().ok()) log_.wait_beyond(log_.end(), absl::Milliseconds(10));
    if (const auto produced = log_.produce(std::move(record), static_cast<uint64_t>(offset));
        !produced.ok())
      fail(produced.ToString());
    if (offset % kFlushEvery == 0) log_.flush(true);
  }

  journal::Log& log_;
  journal::Fold fold_;
  MadeJournal made_;
};

// Changes the message of one event of a commit.
template <class Event, class Change>
void change(Commit& commit, const Change& by) {
  const std::string_view name = Event::descriptor()->full_name();
  for (auto& stored : *commit.mutable_events()) {
    if (!name.ends_with("." + stored.type())) continue;
    Event event;
    if (!event.ParseFromString(stored.payload())) fail("a sample cannot be read");
    by(event, stored);
    event.SerializeToString(stored.mutable_payload());
    return;
  }
  fail("a sample has no " + std::string(name));
}

class LedgerBook {
 public:
  LedgerBook(Maker& maker, const Samples& samples, std::string ledger, int64_t households)
      : maker_(maker), ledger_(std::move(ledger)), households_(households) {
    const auto own = [&](const Commit& sample) {
      std::string bytes = sample.SerializeAsString();
      replace_all(bytes, kBenchLedger, ledger_);
      Commit commit;
      if (!commit.ParseFromString(bytes)) fail("a sample cannot be read");
      return commit;
    };
    household_ = own(samples.household);
    visit_ = own(samples.visit);
    arrival_ = own(samples.arrival);
    for (const auto& [kind, sample] : samples.setting_up) {
      std::string body = sample;
      replace_all(body, kBenchLedger, ledger_);
      if (kind == Kind::kLedgerOpened) {
        journal::v1::LedgerOpened opened;
        opened.ParseFromString(body);
        opened.set_recorded_time_us(maker_.next_time_us());
        maker_.write(kind, opened.SerializeAsString());
      } else {
        Commit commit;
        commit.ParseFromString(body);
        maker_.commit(commit, ledger_, 0xc0);
      }
    }
  }

  // Events written.
  int64_t step() {
    const int64_t at = next_++;
    if (at < households_) return add_household(at);
    return at % 20 == 0 ? add_arrival(at) : add_visit(at - households_);
  }

 private:
  int64_t add_household(int64_t at) {
    const std::string household = id(kHouseholdKind, at);
    const std::string person = id(kPersonKind, at);
    change<registry::v1::HouseholdRegistered>(household_, [&](auto& event, auto&) {
      event.set_household_id(household);
      event.set_head_person_id(person);
    });
    change<registry::v1::PersonRegistered>(
        household_, [&](auto& event, auto&) { event.set_person_id(person); });
    change<registry::v1::MemberAdded>(household_, [&](auto& event, auto&) {
      event.set_household_id(household);
      event.set_person_id(person);
    });
    maker_.commit(household_, ledger_, 0xa1);
    return household_.events_size();
  }

  int64_t add_visit(int64_t at) {
    change<assistance::v1::VisitRecorded>(visit_, [&](auto& event, auto& stored) {
      event.set_visit_id(id(kVisitKind, at));
      event.mutable_visited()->set_id(id(kHouseholdKind, at % households_));
      const int64_t day = at / households_;
      auto& date = *event.mutable_date();
      date.set_year(2016 + static_cast<int>(day / 336 % 8));
      date.set_month(1 + static_cast<int>(day / 28 % 12));
      date.set_day(1 + static_cast<int>(day % 28));
      stored.set_effective_date(date.year() * 10'000 + date.month() * 100 + date.day());
    });
    maker_.commit(visit_, ledger_, 0xa2);
    return visit_.events_size();
  }

  int64_t add_arrival(int64_t at) {
    change<funds::v1::FundsArrived>(
        arrival_, [&](auto& event, auto&) { event.set_arrival_id(id(kArrivalKind, at)); });
    maker_.commit(arrival_, ledger_, 0xa4);
    return arrival_.events_size();
  }

  Maker& maker_;
  const std::string ledger_;
  const int64_t households_;
  int64_t next_ = 0;
  Commit household_;
  Commit visit_;
  Commit arrival_;
};

}  // namespace

MadeJournal make_journal(journal::Log& log, const std::string& folder,
                         const std::string& reference_file, int64_t events, int ledgers) {
  const Samples samples = take_samples(folder, reference_file);
  Maker maker(log);
  const int64_t households =
      std::clamp<int64_t>(events / 10 / samples.household.events_size() / ledgers, 1, kHouseholds);
  std::vector<LedgerBook> books;
  for (int number = 0; number < ledgers; ++number)
    books.emplace_back(maker, samples, ledger_code(number), households);
  for (int64_t written = 0; written < events;) {
    for (auto& book : books) written += book.step();
  }
  return maker.finish();
}

}  // namespace taizhang::bench
