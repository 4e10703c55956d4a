// One query over 100 ledgers, in one server and in three: beside one ledger with as many rows, and
// beside a bare gRPC stream of the same bytes. Servers and client are threads of one process.
//   gather_bench ROWS_PER_LEDGER
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/sync_stream.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "platform/base/log.h"
#include "platform/base/sha256.h"
#include "platform/lists/list_service.h"
#include "platform/lists/reader_directory.h"
#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "platform/projection/views.h"
#include "platform/rpc/callers.h"
#include "platform/rpc/metrics.h"
#include "platform/rpc/remote_readers.h"
#include "platform/rpc/server.h"
#include "taizhang/config/v1/config.pb.h"
#include "taizhang/lists/v1/service.pb.h"
#include "tests/bench/child.h"
#include "tests/bench/event_stream.h"
#include "tests/bench/stopwatch.h"

namespace taizhang::bench {
namespace {

using lists::v1::GatherRequest;
using lists::v1::GatherResponse;

constexpr int kLedgers = 100;
constexpr int kEventsPerCommit = 100;
constexpr int kRepeats = 7;
constexpr char kToken[] = "bench";
constexpr char kGather[] = "/taizhang.lists.v1.ListService/Gather";

[[noreturn]] void give_up(const std::string& why) {
  fprintf(stderr, "%s\n", why.c_str());
  exit(1);
}

std::string ledger_code(int number) { return std::to_string(610'000 + number); }

Result<ledger::v1::ReadEventsResponse> list_sums(const Snapshot& snapshot,
                                                 const ledger::v1::ReadEventsRequest&) {
  ledger::v1::ReadEventsResponse response;
  snapshot.page_scan<testing::SumRow>([&](const testing::SumRow& row) {
    auto& envelope = *response.add_events();
    envelope.set_id(row.ledger());
    envelope.set_seq(row.version());
    envelope.set_subject(row.name());
    return true;
  });
  return response;
}

// A server of some ledgers, each with so many rows.
class Installation {
 public:
  Installation(const std::string& folder, int first, int end, int rows,
               const std::vector<std::string>& readers) {
    for (int ledger = first; ledger < end; ++ledger) fill(ledger_code(ledger), rows);
    ViewsSettings settings;
    settings.directory = folder;
    views_ =
        std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(), settings,
                                [](std::string_view number) { return std::string(number); });
    View view("sums", 1);
    view.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(list_sums);
    views_->add(std::move(view));
    if (!views_->start().ok() || !views_->catch_up(120'000'000)) give_up("the views do not start");
    config::v1::Readers known;
    for (const auto& address : readers) {
      auto& reader = *known.add_reader();
      reader.set_name(address);
      reader.set_address(address);
    }
    readers_ = connect_readers(known);
    serve_lists(*views_, 8, readers_.get(), dispatcher_);
    auto callers =
        Callers::parse("bench",
                       "profiles { name: 'b' subject: 's' roles: ROLE_READER everywhere: true "
                       "token_sha256: '" +
                           hex(bytes_of(sha256(kToken))) + "' }");
    if (!callers.ok()) give_up(callers.status().ToString());
    callers_ = std::make_unique<Callers>(std::move(*callers));
    config::v1::Limits limits;
    limits.set_request_log_every(0);
    auto started =
        RpcServer::start("127.0.0.1:0", limits, dispatcher_, *callers_, metrics_, "127.0.0.1:0");
    if (!started.ok()) give_up(started.status().ToString());
    server_ = std::move(*started);
  }
  ~Installation() {
    server_->stop();
    views_->stop();
  }
  const std::string& address() const { return server_->address(); }

 private:
  void fill(const std::string& ledger, int rows) {
    journal_.open(ledger);
    for (int row = 0; row < rows;) {
      std::vector<ledger::v1::LedgerPlaced> events;
      for (; row < rows && static_cast<int>(events.size()) < kEventsPerCommit; ++row) {
        const std::string key = "row-" + std::to_string(1'000'000 + row);
        events.push_back(testing::placed(key, 1, "what stands in a row of a list: " + key));
      }
      std::vector<const google::protobuf::Message*> stored;
      for (const auto& event : events) stored.push_back(&event);
      journal_.commit(ledger, stored);
    }
  }

  testing::TestJournal journal_;
  std::unique_ptr<Views> views_;
  std::unique_ptr<lists::ReaderDirectory> readers_;
  Dispatcher dispatcher_;
  std::unique_ptr<Callers> callers_;
  Metrics metrics_;
  std::unique_ptr<RpcServer> server_;
};

struct Taken {
  double seconds = 0;
  double cpu_seconds = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  std::vector<std::string> messages;
};

// Reads a stream to its end; `keep`: its messages too.
Taken take(const std::string& address, const char* method, const GatherRequest& request,
           bool keep) {
  Taken taken;
  const auto channel = stream_channel(address);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10)))
    give_up("no connection");
  const double cpu = own_cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(5));
  context.AddMetadata("authorization", std::string("Bearer ") + kToken);
  const grpc::Slice slice(request.SerializeAsString());
  const grpc::internal::RpcMethod rpc(method, grpc::internal::RpcMethod::SERVER_STREAMING, channel);
  const std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
      grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create<grpc::ByteBuffer>(
          channel.get(), rpc, &context, grpc::ByteBuffer(&slice, 1)));
  std::string last;
  for (grpc::ByteBuffer message; reader->Read(&message);) {
    taken.bytes += static_cast<int64_t>(message.Length());
    grpc::Slice whole;
    if (!message.DumpToSingleSlice(&whole).ok()) give_up("a message cannot be read");
    last.assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
    if (keep) taken.messages.push_back(last);
  }
  const auto ended = reader->Finish();
  if (!ended.ok()) give_up(ended.error_message());
  taken.seconds = seconds_since(start);
  taken.cpu_seconds = own_cpu_seconds() - cpu;
  GatherResponse trailer;
  if (!trailer.ParseFromString(last) || trailer.trailer().failed_ledgers() > 0)
    give_up("a ledger did not answer");
  taken.rows = trailer.trailer().rows();
  return taken;
}

// The middle of some; by time.
Taken middle(const std::string& address, const char* method, const GatherRequest& request) {
  std::vector<Taken> all;
  for (int i = 0; i < kRepeats; ++i) all.push_back(take(address, method, request, false));
  std::sort(all.begin(), all.end(),
            [](const Taken& a, const Taken& b) { return a.seconds < b.seconds; });
  return std::move(all[kRepeats / 2]);
}

void tell(const char* what, const Taken& taken) {
  printf("%-44s %8lld rows %8.2f ms %10.0f rows/s %7.1f MB/s, %6.2f us processor a row\n", what,
         static_cast<long long>(taken.rows), taken.seconds * 1e3,
         static_cast<double>(taken.rows) / taken.seconds,
         static_cast<double>(taken.bytes) / taken.seconds / 1e6,
         taken.cpu_seconds * 1e6 / static_cast<double>(std::max<int64_t>(1, taken.rows)));
  fflush(stdout);
}

int run(int rows) {
  const std::string folder =
      std::filesystem::temp_directory_path() / ("taizhang-gather." + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  {
    GatherRequest by_ledger;
    by_ledger.mutable_query()->PackFrom(ledger::v1::ReadEventsRequest());
    GatherRequest by_row = by_ledger;
    by_row.set_order(lists::v1::GATHER_ORDER_BY_ROW);
    const Installation large(folder + "/large", 0, 1, rows * kLedgers, {});
    const Installation here(folder + "/here", 0, kLedgers, rows, {});
    const Installation north(folder + "/north", 0, kLedgers / 2, rows, {});
    const Installation south(folder + "/south", kLedgers / 2, kLedgers, rows, {});
    const Installation province(folder + "/province", kLedgers, kLedgers, 0,
                                {north.address(), south.address()});
    tell("one ledger", middle(large.address(), kGather, by_ledger));
    const Taken same = take(here.address(), kGather, by_ledger, true);
    tell("100 ledgers of one server, by ledger", middle(here.address(), kGather, by_ledger));
    tell("100 ledgers of one server, by row", middle(here.address(), kGather, by_row));
    tell("100 ledgers of two readers, by ledger", middle(province.address(), kGather, by_ledger));
    tell("100 ledgers of two readers, by row", middle(province.address(), kGather, by_row));
    const BareStreamServer bare(same.messages, static_cast<int64_t>(same.messages.size()));
    tell("bare gRPC stream of the same bytes", middle(bare.address(), kBareStream, by_ledger));
  }
  {
    GatherRequest one;
    one.mutable_query()->PackFrom(ledger::v1::ReadEventsRequest());
    const Installation here(folder + "/one", 0, kLedgers, 1, {});
    const Installation north(folder + "/one-north", 0, kLedgers / 2, 1, {});
    const Installation south(folder + "/one-south", kLedgers / 2, kLedgers, 1, {});
    const Installation province(folder + "/one-province", kLedgers, kLedgers, 0,
                                {north.address(), south.address()});
    tell("one row of each of 100 ledgers, here", middle(here.address(), kGather, one));
    tell("one row of each of 100 ledgers, two readers", middle(province.address(), kGather, one));
  }
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  const int rows = argc == 2 ? atoi(argv[1]) : 0;
  if (rows < 1 || rows > 100'000) {
    fprintf(stderr, "usage: gather_bench ROWS_PER_LEDGER\n");
    return 2;
  }
  taizhang::set_log_level(taizhang::LogLevel::kError);
  return taizhang::bench::run(rows);
}
