// Opening the state tables of all partitions.
#include "platform/state/state_folder.h"

#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

namespace taizhang {
namespace {

// Nothing: not the folder of a partition.
std::optional<uint32_t> partition_of(const std::string& name) {
  uint32_t partition = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), partition);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return partition;
}

}  // namespace

StateFolder::StateFolder(std::string directory, StateSettings settings)
    : directory_(std::move(directory)), settings_(settings) {
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, missing)) {
    std::error_code gone;
    const auto partition = partition_of(entry.path().filename());
    if (!partition || !entry.is_directory(gone)) continue;
    opening_[*partition] = std::async(std::launch::async, [path = path_of(*partition), this] {
      return State::open(path, settings_);
    });
  }
}

std::string StateFolder::path_of(uint32_t partition) const {
  return directory_ + "/" + std::to_string(partition);
}

absl::StatusOr<std::unique_ptr<State>> StateFolder::open(uint32_t partition) {
  if (auto begun = opening_.extract(partition)) {
    auto opened = begun.mapped().get();
    // What was in the way a moment ago, such as a process that was still ending, may be gone.
    if (opened.ok()) return opened;
  }
  return State::open(path_of(partition), settings_);
}

}  // namespace taizhang
