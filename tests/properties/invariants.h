// What holds of every book at every moment (slice-1 §7), each as a function that looks at the rows
// and the events.
#pragma once

#include <string>
#include <vector>

#include "tests/properties/memory_book.h"

namespace taizhang::test {

struct Invariant {
  const char* name;
  // Empty: it holds; otherwise what breaks it.
  std::string (*broken)(MemoryBook& book);
};

const std::vector<Invariant>& invariants();

}  // namespace taizhang::test
