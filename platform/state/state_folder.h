// The state tables of a process: <directory>/<p> for partition p.
//
// Those that are there are opened at once, side by side: each may have a WAL to read that a killed
// process left, and the journal is opened meanwhile. One thread at a time.
#pragma once

#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "platform/state/state.h"

namespace taizhang {

class StateFolder {
 public:
  // Begins to open what is in the directory, which need not exist.
  StateFolder(std::string directory, StateSettings settings);
  // Waits for those that nobody took, and closes them.
  ~StateFolder() = default;

  // As State::open(), which it waits for or does.
  absl::StatusOr<std::unique_ptr<State>> open(uint32_t partition);

  const std::string& directory() const { return directory_; }

 private:
  std::string path_of(uint32_t partition) const;

  const std::string directory_;
  const StateSettings settings_;
  std::map<uint32_t, std::future<absl::StatusOr<std::unique_ptr<State>>>> opening_;
};

}  // namespace taizhang
