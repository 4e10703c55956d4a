// The writer alone, one thread, journal in memory: what a command costs without transport and disk.
// For profilers:
//   valgrind --tool=callgrind decide_bench REFERENCE 2000
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "platform/journal/memory/memory_log.h"
#include "tests/bench/book.h"
#include "tests/bench/workload.h"

using namespace taizhang;  // NOLINT: a main of one page

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: decide_bench REFERENCE_FILE COUNT\n");
    return 2;
  }
  const int count = atoi(argv[2]);
  journal::MemoryLog log(std::make_shared<journal::MemoryTopic>(), true);
  bench::Book book(log, "/tmp/taizhang-decide." + std::to_string(getpid()), argv[1]);
  for (int i = 0; i < std::min(count, bench::kHouseholds); ++i) {
    book.send("/taizhang.registry.v1.RegistryService/RegisterHousehold",
              bench::register_household(i));
    if (i % 64 == 63) book.step();
  }
  book.settle();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    const auto command = bench::mixed_command(0, i);
    book.send(command.method, command.bytes);
    if (i % 64 == 63) book.step();
  }
  book.settle();
  const double us =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  printf("%d mixed commands, %lld refused: %.1f us each\n", count,
         static_cast<long long>(book.refused()), us / count);
  return book.refused() == 0 ? 0 : 1;
}
