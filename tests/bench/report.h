// How the benchmark shows its figures: lines for people, and JSON.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/bench/load.h"

namespace taizhang::bench {

inline nlohmann::json json_of(const LoadResult& result) {
  return {{"per_second", result.per_second},
          {"p50_us", result.p50_us},
          {"p99_us", result.p99_us},
          {"calls", result.calls},
          {"errors", result.errors}};
}

inline void print_row(const std::string& name, int callers, const LoadResult& result) {
  printf("%-34s %4d callers  %9.0f/s  p50 %8.0f us  p99 %8.0f us%s%s\n", name.c_str(), callers,
         result.per_second, result.p50_us, result.p99_us, result.errors ? "  ERRORS: " : "",
         result.first_error.c_str());
}

inline void print_ratio(const std::string& name, double value, const char* aim) {
  printf("  -> %s: %.2f (aim %s)\n", name.c_str(), value, aim);
}

}  // namespace taizhang::bench
