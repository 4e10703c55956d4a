// What holds of every book at every moment (slice-1 §7), each as a function that looks at the rows
// and the events.
#pragma once

#include <string>
#include <vector>

#include "platform/state/ledger.h"
#include "tests/properties/memory_book.h"

namespace taizhang::test {

struct Invariant {
  const char* name;
  // Empty: it holds; otherwise what breaks it.
  std::string (*broken)(MemoryBook& book);
};

const std::vector<Invariant>& invariants();

// For those who write one: the first complaint that `judge(ledger, row)` makes about a row of a
// table.
template <class Row, class Judge>
std::string each(MemoryBook& book, const Judge& judge) {
  const Occasion now = book.occasion();
  const Ledger ledger(book.rows(), now);
  std::string wrong;
  ledger.scan<Row>([&](const Row& row) {
    wrong = judge(ledger, row);
    if (!wrong.empty()) wrong += ": " + row.ShortDebugString();
    return wrong.empty();
  });
  return wrong;
}

}  // namespace taizhang::test
