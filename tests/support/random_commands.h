// One random command of each type: acceptable in the book as it is, or spoilt in a way that is its
// own. What the files of the commands share; there is one for each context.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "domain/dates.h"
#include "tests/support/book_rows.h"
#include "tests/support/random_book.h"
#include "tests/support/registry_commands.h"

namespace taizhang::test {

template <class Request>
std::unique_ptr<google::protobuf::Message> made(Request request) {
  return std::make_unique<Request>(std::move(request));
}

template <class Row, class Good>
std::string RandomBook::where(const char* kind, const Good& good) {
  std::string name = any(kind);
  for (int tries = 0; tries < 8; ++tries) {
    const auto* row = book_->find<Row>(id(name));
    if (row && good(*row)) break;
    name = any(kind);
  }
  return name;
}

template <class Row>
std::string RandomBook::known(const char* kind) {
  return where<Row>(kind, [](const Row&) { return true; });
}

}  // namespace taizhang::test
