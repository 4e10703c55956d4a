// Reads beside writes, one process on segments: how soon what was written is seen at half load, and
// what an as-of read costs beside a bare echo.
//   visible_bench TAIZHANGD REFERENCE_FILE SECONDS
#include <google/protobuf/message.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "platform/base/log.h"
#include "taizhang/fund_execution/v1/service.pb.h"
#include "tests/bench/book_server.h"
#include "tests/bench/child.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/report.h"
#include "tests/bench/visible.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

constexpr char kProgress[] = "/taizhang.fund_execution.v1.FundExecutionService/Progress";

// Progress of the book's line as of one of 1,000 seqs after the setting up.
std::string as_of_read(int64_t index) {
  fund_execution::v1::ProgressRequest request;
  request.set_ledger(kBenchLedger);
  request.add_fund_line_ids(fund_line_id());
  request.mutable_read()->set_seq(kHouseholds + index % 1'000);
  return request.SerializeAsString();
}

int run(const std::string& self, const std::string& daemon, const std::string& reference,
        double seconds) {
  setvbuf(stdout, nullptr, _IOLBF, 0);  // a figure is seen when it is there
  std::string folder = std::filesystem::temp_directory_path() / "taizhang-visible.XXXXXX";
  if (!mkdtemp(folder.data())) return 1;
  BookServer server(Daemon{daemon, folder + "/segments"});
  if (!server.set_up(reference)) return 1;
  wait_for_views(server.address());

  const auto full = server.unary(64, seconds);
  print_row("commands unary", 64, full);
  print_visible("the same process (segments)",
                write_to_visible(server, server.address(), full.per_second / 2, 2 * seconds),
                "<= 10");

  const std::string file = folder + "/echo.address";
  Child echo;
  echo.start({self, "--echo-server", file});
  const std::string echo_address = echo.wait_for_line(file, 20);
  for (const int callers : {1, 64}) {
    const auto bare = unary_load(load_on(echo_address, kEchoUnary, callers, seconds), as_of_read);
    const auto read =
        unary_load(load_on(server.address(), kProgress, callers, seconds), as_of_read);
    print_row("echo unary", callers, bare);
    print_row("as-of read of a fund line", callers, read);
    print_ratio("as-of read / echo", read.per_second / bare.per_second, ">= 0.80");
    if (read.errors > 0) return 1;
  }
  server.end(SIGTERM);
  echo.end(SIGTERM);
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  taizhang::set_log_level(taizhang::LogLevel::kError);
  if (argc == 3 && strcmp(argv[1], "--echo-server") == 0)
    return taizhang::bench::run_echo_server(argv[2]);
  if (argc != 4) {
    fprintf(stderr, "usage: visible_bench TAIZHANGD REFERENCE_FILE SECONDS\n");
    return 2;
  }
  return taizhang::bench::run(std::filesystem::read_symlink("/proc/self/exe"), argv[1], argv[2],
                              atof(argv[3]));
}
