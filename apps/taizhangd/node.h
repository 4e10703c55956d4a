// One process: journal, writer, views and transport, put together and taken apart in the right
// order.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace taizhang {

namespace config::v1 {
class Config;
}

struct NodeOptions {
  // Folder of the settings file, which the paths in it start from.
  std::string config_folder;
  // The operator's word that the machine's clock is right although it is behind, or far ahead of,
  // the last recorded time. For one start.
  bool clock_behind_confirmed = false;
  bool clock_ahead_confirmed = false;
  // The operator's word that the journal's present writer is dead. For one start.
  bool takeover = false;
};

class Node {
 public:
  // Serves when it returns. The message of an error says what to do; it may name files.
  static absl::StatusOr<std::unique_ptr<Node>> start(const config::v1::Config& config,
                                                     const NodeOptions& options);
  // stop()
  ~Node();

  // "127.0.0.1:7610", with the true port.
  const std::string& address() const;
  // Carries the state of writer and views into the health service; every half second or so.
  void tick();
  // Answers every call that was taken, then closes everything. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace taizhang
