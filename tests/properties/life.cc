// What must hold after every command of a random book.
#include "tests/properties/life.h"

#include <gtest/gtest.h>

#include "taizhang/options.pb.h"

namespace taizhang::test {
namespace {

using Outcome = MemoryBook::Outcome;

constexpr int kCheckEvery = 50;

std::string broken_invariant_of(MemoryBook& book, const std::vector<Invariant>& invariants) {
  for (const auto& invariant : invariants) {
    const std::string broken = invariant.broken(book);
    if (!broken.empty()) return std::string(invariant.name) + ": " + broken;
  }
  return "";
}

// Sends one command and looks at what it left behind. Returns what is wrong with that.
std::string live_one_command(MemoryBook& book, const RandomBook::Asked& asked, Tally& tally) {
  const int64_t writes = book.rows().writes;
  const int64_t last_seq = book.last_seq();
  const auto answer = book.send(*asked.request, *asked.caller);
  auto& told =
      tally.commands
          [MemoryBook::catalogue().by_request(asked.request->GetDescriptor()->full_name())->name];
  if (answer.outcome == Outcome::kAccepted) {
    ++told.accepted;
    if (book.last_seq() == last_seq) return "accepted without an event";
    const int64_t after = book.rows().writes;
    const int64_t seq = book.last_seq();
    const auto again = book.send(*asked.request, *asked.caller);
    if (book.last_seq() != seq) return "a repeat appended something";
    if (book.rows().writes != after) return "a repeat wrote something";
    return again.outcome == Outcome::kDuplicate ? "" : "a repeat is not a duplicate";
  }
  if (book.last_seq() != last_seq) return "an event of a command that was not accepted";
  if (book.rows().writes != writes) return "a write of a command that was not accepted";
  tally.duplicates += answer.outcome == Outcome::kDuplicate;
  tally.unchanged += answer.outcome == Outcome::kUnchanged;
  if (answer.outcome == Outcome::kRefused) {
    ++told.refused;
    ++tally.refusals[answer.reason];
  }
  return "";
}

}  // namespace

void expect_often(const Tally& tally, const std::function<bool(const CommandType&)>& which) {
  for (const auto& [method, type] : MemoryBook::catalogue().all()) {
    if (!which(type)) continue;
    const auto found = tally.commands.find(type.name);
    const Told told = found == tally.commands.end() ? Told() : found->second;
    EXPECT_GE(told.accepted, kTimesAtLeast) << type.name << " was hardly ever accepted";
    EXPECT_GE(told.refused, kTimesAtLeast) << type.name << " was hardly ever refused";
  }
}

std::string live(MemoryBook& book, const std::function<RandomBook::Asked(MemoryBook&)>& next,
                 const std::vector<Invariant>& invariants, Tally& tally) {
  for (int i = 1; i <= kCommands; ++i) {
    std::string wrong = live_one_command(book, next(book), tally);
    if (wrong.empty() && i % kCheckEvery == 0) wrong = broken_invariant_of(book, invariants);
    if (!wrong.empty()) return "command " + std::to_string(i) + ": " + wrong;
  }
  return book.rows().dump() == book.replayed() ? "" : "the events do not give the state";
}

}  // namespace taizhang::test
