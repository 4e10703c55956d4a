// The read side in process: how fast views fold what the journal holds, and what an as-of read
// costs by history length.
//   read_bench REFERENCE_FILE VISITS VERSIONS
#include <google/protobuf/message.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include "platform/base/log.h"
#include "platform/journal/segments/segment_log.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/fund_execution/v1/service.pb.h"
#include "tests/bench/book.h"
#include "tests/bench/rebuild.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using google::protobuf::Message;
using journal::segments::SegmentLog;
using journal::segments::SegmentOptions;

std::unique_ptr<SegmentLog> open_log(const std::string& folder) {
  SegmentOptions options;
  options.directory = folder + "/journal";
  auto log = SegmentLog::open(options);
  if (!log.ok()) {
    fprintf(stderr, "%s\n", log.status().ToString().c_str());
    exit(1);
  }
  return *std::move(log);
}

// p50 of Progress of one line as of a seq, microseconds.
double as_of_read_us(Views& views, const std::string& line, int64_t seq) {
  Caller caller;
  caller.roles = {common::v1::ROLE_READER};
  caller.regions = {""};
  std::vector<double> us;
  for (int i = 0; i < 2'000; ++i) {
    auto request = std::make_shared<fund_execution::v1::ProgressRequest>();
    request->set_ledger(kBenchLedger);
    request->add_fund_line_ids(line);
    request->mutable_read()->set_seq(seq - i % 5);
    Call call;
    call.caller = &caller;
    call.deadline_boot_us = system_clock().boot_us() + 10'000'000;
    std::mutex mutex;
    std::condition_variable done;
    bool answered = false;
    const auto start = std::chrono::steady_clock::now();
    views.ask("taizhang.fund_execution.v1.FundExecutionService.Progress", call, request,
              [&](Answer answer) {
                if (const auto* error = std::get_if<Error>(&answer))
                  fprintf(stderr, "%s\n", error->message.c_str());
                const std::lock_guard lock(mutex);
                answered = true;
                done.notify_all();
              });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return answered; });
    us.push_back(seconds_since(start) * 1e6);
  }
  std::sort(us.begin(), us.end());
  return us[us.size() / 2];
}

int run(const char* reference, int64_t visits, int64_t versions) {
  const std::string folder =
      std::filesystem::temp_directory_path() / ("taizhang-read." + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  auto log = open_log(folder);
  int64_t events = 0;
  {
    Book book(*log, folder + "/state", reference);
    const auto send = [&](const std::string& method, const std::string& bytes, int64_t index) {
      book.send(method, bytes);
      if (index % 256 == 255) book.step();
    };
    for (int64_t i = 0; i < kHouseholds; ++i) {
      send("/taizhang.registry.v1.RegistryService/RegisterHousehold", register_household(i), i);
    }
    for (int64_t i = 0; i < visits; ++i) {
      send("/taizhang.assistance.v1.AssistanceService/RecordVisit", record_visit(i), i);
    }
    for (int64_t i = 0; i < versions; ++i) {
      send("/taizhang.funds.v1.FundsService/RecordFundsArrival", record_arrival(i), i);
    }
    book.settle();
    if (book.refused() > 0) return 1;
    events = book.last_seq();
  }
  printf("book of %lld events (%lld visits)\n", static_cast<long long>(events),
         static_cast<long long>(visits));
  printf("fold into duties        %9.0f events/s (aim >= 250,000)\n",
         build_views({log.get()}, folder + "/v1", {"duties"}).per_second());
  printf("fold into all 6 views   %9.0f events/s\n",
         build_views({log.get()}, folder + "/v2", view_names()).per_second());
  auto views = make_views({log.get()}, folder + "/v2", view_names());
  if (!views->start().ok() || !views->catch_up(60'000'000)) return 1;
  // Each asks as of the moment at which the row had so many versions. An answer names the last 20
  // events, so that it is smaller at 10 versions.
  double young = 0;
  for (const int64_t held : {int64_t{10}, int64_t{1'000}, int64_t{100'000}, versions}) {
    if (held > versions) continue;
    const double us = as_of_read_us(*views, fund_line_id(), events - versions + held);
    if (young == 0) young = us;
    printf("as-of read, p50         %9.1f us at %lld versions: ratio %.2f (aim <= 1.5)\n", us,
           static_cast<long long>(held), us / young);
  }
  views->stop();
  views.reset();
  log.reset();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: read_bench REFERENCE_FILE VISITS VERSIONS\n");
    return 2;
  }
  taizhang::set_log_level(taizhang::LogLevel::kError);
  return taizhang::bench::run(argv[1], atoll(argv[2]), atoll(argv[3]));
}
