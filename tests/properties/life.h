// A book lived at random, whatever makes its commands: what must hold after each.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/properties/invariants.h"
#include "tests/properties/memory_book.h"
#include "tests/support/random_book.h"

namespace taizhang::test {

constexpr uint64_t kSeeds = 50;
constexpr int kCommands = 2'000;
// Every command is accepted and refused so often, over all seeds.
constexpr int kTimesAtLeast = 20;

struct Told {
  int accepted = 0;
  int refused = 0;
};

struct Tally {
  std::map<std::string, Told> commands;
  std::map<std::string, int> refusals;
  int duplicates = 0;
  int unchanged = 0;
};

// Of each of these commands.
void expect_often(const Tally& tally, const std::function<bool(const CommandType&)>& which);

// Lives a whole book. Returns the first thing that is wrong: of an answer, a repeat, a write, an
// invariant, or the state that the events alone give.
std::string live(MemoryBook& book, const std::function<RandomBook::Asked(MemoryBook&)>& next,
                 const std::vector<Invariant>& invariants, Tally& tally);

}  // namespace taizhang::test
