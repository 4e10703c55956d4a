// Bugs that are planted into a random book, to show that each check finds one.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/properties/invariants.h"
#include "tests/properties/memory_book.h"

namespace taizhang::test {

struct Bug {
  const char* found_as;  // begins what live() says
  std::function<void(MemoryBook&)> plant;
};

// An evolve that does right, and then something to what it left.
template <class Event, class Then>
void then(MemoryBook& book, const Then& change) {
  book.plant(
      stored_type(Event::descriptor()->full_name()),
      [change](Ledger& ledger, const google::protobuf::Message& event, const EvolveFn& right) {
        right(ledger, event);
        change(ledger, static_cast<const Event&>(event));
      });
}

template <class Event>
void do_nothing(MemoryBook& book) {
  book.plant(stored_type(Event::descriptor()->full_name()),
             [](Ledger&, const google::protobuf::Message&, const EvolveFn&) {});
}

// Each bug is found as what it is, and there is one for every invariant. `lived(bug, seed)`: what
// live() says of a book into which it was planted.
inline void expect_found(const std::vector<Bug>& bugs, const std::vector<Invariant>& invariants,
                         const std::function<std::string(const Bug&, uint64_t seed)>& lived) {
  std::set<std::string> planted;
  for (const auto& bug : bugs) {
    planted.insert(bug.found_as);
    std::string said;
    for (uint64_t seed = 1; seed <= 5 && said.empty(); ++seed) said = lived(bug, seed);
    EXPECT_NE(said.find(bug.found_as), std::string::npos)
        << "a bug for " << bug.found_as << ": " << said;
  }
  for (const auto& invariant : invariants)
    EXPECT_TRUE(planted.contains(invariant.name)) << invariant.name;
}

}  // namespace taizhang::test
