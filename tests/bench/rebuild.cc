// How fast views are built.
#include "tests/bench/rebuild.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "platform/base/clock.h"
#include "platform/command/fingerprint.h"
#include "platform/projection/store.h"
#include "projections/asset_register/asset_register.h"
#include "projections/duties/duties.h"
#include "projections/fund_execution/fund_execution.h"
#include "projections/history/history.h"
#include "projections/household_file/household_file.h"
#include "projections/ledger/ledger_view.h"

namespace taizhang::bench {
namespace {

constexpr int64_t kBuildUsMax = 3'600'000'000;

View view_of(const std::string& name) {
  if (name == "duties") return duties_view();
  if (name == "ledger") return ledger_view::ledger_view();
  if (name == "household_file") return household_file_view();
  if (name == "fund_execution") return fund_execution_view();
  if (name == "asset_register") return asset_register_view();
  if (name == "history") return history_view();
  fprintf(stderr, "no view %s\n", name.c_str());
  exit(1);
}

// From now on VmHWM counts anew.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

int64_t peak_bytes() {
  constexpr std::string_view kName = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kName)) return atoll(line.c_str() + kName.size()) << 10;
  }
  return 0;
}

// Waits until what a stop interrupted is done: the files of a build are merged with each other.
void settle(const std::string& folder) {
  const auto resources = projection::make_store_resources(64 << 20, 16 << 20);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    const auto store = projection::Store::open(entry.path(), resources);
    if (!store.ok()) {
      fprintf(stderr, "%s\n", store.status().ToString().c_str());
      exit(1);
    }
    (*store)->settle();
  }
}

}  // namespace

const std::vector<std::string>& view_names() {
  static const auto& names = *new std::vector<std::string>{
      "duties", "ledger", "household_file", "fund_execution", "asset_register", "history"};
  return names;
}

int64_t bytes_of_folder(const std::string& folder) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
  }
  return bytes;
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::unique_ptr<Views> make_views(const std::vector<journal::Log*>& logs, const std::string& folder,
                                  const std::vector<std::string>& names) {
  ViewsSettings settings;
  settings.directory = folder;
  auto views = std::make_unique<Views>(logs, system_clock(), settings, [](std::string_view number) {
    return blind_index_of("key", number);
  });
  for (const auto& name : names) views->add(view_of(name));
  return views;
}

Built build_views(const std::vector<journal::Log*>& logs, const std::string& folder,
                  const std::vector<std::string>& names) {
  std::filesystem::remove_all(folder);
  forget_peak();
  auto views = make_views(logs, folder, names);
  const auto start = std::chrono::steady_clock::now();
  const double processor_start = processor_seconds();
  if (const auto started = views->start(); !started.ok()) {
    fprintf(stderr, "%s\n", started.ToString().c_str());
    exit(1);
  }
  if (!views->catch_up(kBuildUsMax)) exit(1);
  Built built;
  built.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const auto& view : views->status()) {
    if (!view.status.ok() || !view.stopped.empty()) {
      fprintf(stderr, "view %s stands still: %s\n", view.name.c_str(),
              view.status.ToString().c_str());
      exit(1);
    }
    built.events = view.events_folded;
    built.versions += view.rows_written;
  }
  views->stop();
  views.reset();
  built.processor_seconds = processor_seconds() - processor_start;
  settle(folder);
  built.merging_processor_seconds =
      processor_seconds() - processor_start - built.processor_seconds;
  built.peak_bytes = peak_bytes();
  built.disk_bytes = bytes_of_folder(folder);
  return built;
}

}  // namespace taizhang::bench
