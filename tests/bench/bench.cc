// Figures of the product beside their ceilings, measured in one run: a table and JSON.
//
//   bench [--quick] [--role all|writer] [--json FILE] --daemon TAIZHANGD --reference FILE
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/bench/child.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/load.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

constexpr int kCallers[] = {1, 16, 64, 256};
constexpr int kBulkCommands = 100;  // a message
constexpr int kBulkMessages = 8;    // in flight

struct Settings {
  std::string self;
  std::string daemon;
  std::string reference;
  std::string role = "all";
  std::string json;
  std::string folder;
  double seconds = 5;
  int64_t start_events = 1'000'000;
};

// Appends of one group on preallocated space: what the disk allows.
double fdatasyncs_per_second(const std::string& folder) {
  const std::string path = folder + "/fdatasync.bin";
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  const std::string zeros(8 << 20, '\0');
  if (file < 0 || write(file, zeros.data(), zeros.size()) < 0) return 0;
  fsync(file);
  const std::string group(512, 'x');
  int64_t count = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  while (elapsed() < 2) {
    if (pwrite(file, group.data(), group.size(), count % 16'000 * 512) < 0) break;
    fdatasync(file);
    ++count;
  }
  const double seconds = elapsed();
  close(file);
  unlink(path.c_str());
  return double(count) / seconds;
}

nlohmann::json json_of(const LoadResult& result) {
  return {{"per_second", result.per_second},
          {"p50_us", result.p50_us},
          {"p99_us", result.p99_us},
          {"calls", result.calls},
          {"errors", result.errors}};
}

void print_row(const char* name, int callers, const LoadResult& result) {
  printf("%-22s %4d callers  %9.0f/s  p50 %8.0f us  p99 %8.0f us%s%s\n", name, callers,
         result.per_second, result.p50_us, result.p99_us, result.errors ? "  ERRORS: " : "",
         result.first_error.c_str());
  fflush(stdout);
}

void print_ratio(const char* name, double value, const char* aim) {
  printf("  -> %s: %.2f (aim %s)\n", name, value, aim);
}

LoadOptions to(const std::string& address, const std::string& method, int callers, double seconds) {
  LoadOptions options;
  options.address = address;
  options.method = method;
  options.token = Daemon::token("maker");
  options.callers = callers;
  options.seconds = seconds;
  return options;
}

bool set_up(const std::string& address, const std::string& admin_address,
            const std::string& reference) {
  for (const auto& step : setting_up(reference)) {
    const bool admin = step.method.starts_with("/taizhang.admin.");
    auto options = to(admin ? admin_address : address, step.method, 1, 0);
    options.token = Daemon::token(step.profile);
    if (const auto error = call_once(options, step.bytes); !error.empty()) {
      fprintf(stderr, "setting up: %s: %s\n", step.method.c_str(), error.c_str());
      return false;
    }
  }
  const int per_message = 500;
  auto options = to(address, "/taizhang.ledger.v1.CommandService/Execute", 4, 600);
  options.messages = kHouseholds / per_message;
  const auto result = bulk_load(
      options, per_message,
      [&](int64_t index) { return household_bulk(index * per_message, per_message); }, refused_in);
  printf("set up: %lld households, %.0f/s\n", static_cast<long long>(result.calls),
         result.per_second);
  return result.calls == kHouseholds;
}

// The mix goes to three methods: a caller's method follows from the index of its request.
LoadResult mixed_unary(const std::string& address, int callers, double seconds, int64_t run) {
  auto options = to(address, "", callers, seconds);
  options.method_of = [](int64_t index) { return mixed_command(0, index).method; };
  return unary_load(options, [run](int64_t index) { return mixed_command(run, index).bytes; });
}

void write_side(const Settings& settings, nlohmann::json& out) {
  const double syncs = fdatasyncs_per_second(settings.folder);
  printf("fdatasync of one 512 B append: %.0f/s (%.0f us)\n", syncs, 1e6 / syncs);
  out["fdatasync_per_second"] = syncs;

  const std::string echo_address_file = settings.folder + "/echo.address";
  std::filesystem::remove(echo_address_file);
  Child echo({settings.self, "--echo-server", echo_address_file});
  const std::string echo_address = echo.wait_for_line(echo_address_file, 20);

  Daemon daemon{settings.daemon, settings.folder + "/daemon", settings.role};
  daemon.prepare();
  Child server(daemon.command());
  const std::string address = server.wait_for_line(daemon.address_file(), 30);
  const std::string admin_address = server.wait_for_line(daemon.admin_address_file(), 1);
  if (echo_address.empty() || address.empty() ||
      !set_up(address, admin_address, settings.reference)) {
    fprintf(stderr, "the servers did not start\n");
    exit(1);
  }

  int64_t run = 0;
  for (const int callers : kCallers) {
    const auto bare = unary_load(to(echo_address, kEchoUnary, callers, settings.seconds),
                                 [](int64_t index) { return mixed_command(0, index).bytes; });
    const double cpu = server.cpu_seconds();
    const auto durable = mixed_unary(address, callers, settings.seconds, run++);
    print_row("echo unary", callers, bare);
    print_row("commands unary", callers, durable);
    printf("  server CPU %.1f us a command\n",
           (server.cpu_seconds() - cpu) / double(durable.calls) * 1e6);
    const std::string key = std::to_string(callers);
    out["unary"][key] = {{"echo", json_of(bare)},
                         {"commands", json_of(durable)},
                         {"ratio", durable.per_second / bare.per_second}};
    print_ratio("commands / echo", durable.per_second / bare.per_second,
                callers == 64 ? ">= 0.55" : "-");
    if (callers == 1) {
      print_ratio("p50 - echo - fdatasync, ms",
                  (durable.p50_us - bare.p50_us - 1e6 / syncs) / 1'000, "<= 0.20");
    }
  }

  const auto bulk_request = [&](int64_t index) {
    return mixed_bulk(run, index * kBulkCommands, kBulkCommands);
  };
  const auto bare =
      bulk_load(to(echo_address, kEchoBulk, kBulkMessages, settings.seconds), kBulkCommands,
                bulk_request, [](const std::string&) { return int64_t{0}; });
  const auto durable = bulk_load(
      to(address, "/taizhang.ledger.v1.CommandService/Execute", kBulkMessages, settings.seconds),
      kBulkCommands, bulk_request, refused_in);
  print_row("echo bulk", kBulkMessages, bare);
  print_row("commands bulk", kBulkMessages, durable);
  print_ratio("commands / echo", durable.per_second / bare.per_second, ">= 0.40");
  out["bulk"] = {{"echo", json_of(bare)},
                 {"commands", json_of(durable)},
                 {"ratio", durable.per_second / bare.per_second}};
  out["peak_mib"] = double(server.peak_kib()) / 1'024;
  printf("server VmHWM %.0f MiB (aim <= 400)\n", double(server.peak_kib()) / 1'024);

  // More of the mix, until the book has the events that a start is judged by.
  const double rate = std::max(durable.per_second, 1'000.0);
  auto filling = to(address, "/taizhang.ledger.v1.CommandService/Execute", kBulkMessages, 600);
  filling.messages = settings.start_events / kBulkCommands;
  ++run;
  bulk_load(filling, kBulkCommands, bulk_request, refused_in);
  printf("filled with %lld more commands at about %.0f/s\n",
         static_cast<long long>(settings.start_events), rate);
  for (const auto& [name, signal] : {std::pair("SIGTERM", SIGTERM), {"kill -9", SIGKILL}}) {
    server.end(signal);
    std::filesystem::remove(daemon.address_file());
    const auto start = std::chrono::steady_clock::now();
    server.start(daemon.command());
    const bool up = !server.wait_for_line(daemon.address_file(), 120).empty();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    printf("start after %-8s %.2f s%s (aim <= 3)\n", name, seconds, up ? "" : " NOT UP");
    out["start_seconds"][name] = seconds;
  }
  server.end(SIGTERM);
}

int main_of(int argc, char** argv) {
  Settings settings;
  settings.self = std::filesystem::read_symlink("/proc/self/exe");
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : ""; };
    if (word == "--echo-server") return run_echo_server(value().c_str());
    if (word == "--quick") {
      settings.seconds = 1.5;
      settings.start_events = 100'000;
    } else if (word == "--role")
      settings.role = value();
    else if (word == "--daemon")
      settings.daemon = value();
    else if (word == "--reference")
      settings.reference = value();
    else if (word == "--json")
      settings.json = value();
    else {
      fprintf(stderr, "unknown argument %s; the file's head says what there is\n", word.c_str());
      return 2;
    }
  }
  settings.folder = std::filesystem::temp_directory_path() / "taizhang-bench.XXXXXX";
  if (!mkdtemp(settings.folder.data())) {
    perror("mkdtemp");
    return 1;
  }
  nlohmann::json out;
  out["role"] = settings.role;
  write_side(settings, out);
  if (!settings.json.empty()) std::ofstream(settings.json) << out.dump(2) << "\n";
  std::filesystem::remove_all(settings.folder);
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) { return taizhang::bench::main_of(argc, argv); }
