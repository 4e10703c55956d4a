// How long what was written takes until it is seen, beside a load.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/book_server.h"

namespace taizhang::bench {

// From the receipt at the caller to the answer to a read with its seq as `at_least_seq`, the call
// itself included.
struct Visible {
  std::vector<double> us;  // sorted
  int64_t errors = 0;
  std::string first_error;
  LoadResult beside;

  double at(double share) const {
    return us.empty() ? 0 : us[size_t(share * double(us.size() - 1))];
  }
};

// Waits until the views of a server with the book answer; the end of the process when they do not.
void wait_for_views(const std::string& address);

// 100 probes a second, written to `writer` and read at `reader_address`, beside `per_second`
// commands of the mix from 64 callers.
Visible write_to_visible(BookServer& writer, const std::string& reader_address, double per_second,
                         double seconds);

void print_visible(const char* where, const Visible& visible, const char* aim_p99_ms);
nlohmann::json json_of(const Visible& visible);

}  // namespace taizhang::bench
