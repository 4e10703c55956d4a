// How fast views are built.
#include "tests/bench/rebuild.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "platform/base/clock.h"
#include "platform/command/fingerprint.h"
#include "projections/asset_register/asset_register.h"
#include "projections/duties/duties.h"
#include "projections/fund_execution/fund_execution.h"
#include "projections/history/history.h"
#include "projections/household_file/household_file.h"
#include "projections/ledger/ledger_view.h"

namespace taizhang::bench {
namespace {

constexpr int64_t kBuildUsMax = 3'600'000'000;

}  // namespace

std::unique_ptr<Views> make_views(const std::vector<journal::Log*>& logs, const std::string& folder,
                                  bool all) {
  ViewsSettings settings;
  settings.directory = folder;
  auto views = std::make_unique<Views>(logs, system_clock(), settings, [](std::string_view number) {
    return blind_index_of("key", number);
  });
  views->add(duties_view());
  if (all) {
    views->add(ledger_view::ledger_view());
    views->add(household_file_view());
    views->add(fund_execution_view());
    views->add(asset_register_view());
    views->add(history_view());
  }
  return views;
}

Built build_views(const std::vector<journal::Log*>& logs, const std::string& folder, bool all) {
  std::filesystem::remove_all(folder);
  auto views = make_views(logs, folder, all);
  const auto start = std::chrono::steady_clock::now();
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
  }
  views->stop();
  return built;
}

}  // namespace taizhang::bench
