// A taizhangd with the benchmark's book, its load and its restarts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/child.h"
#include "tests/bench/load.h"

namespace taizhang::bench {

class BookServer {
 public:
  // Nothing runs yet; data of an earlier one below daemon.folder goes on.
  explicit BookServer(Daemon daemon) : daemon_(std::move(daemon)) {}

  // Starts it, opens the ledger and registers kHouseholds. False: the reason stands on stderr.
  bool set_up(const std::string& reference_file);

  // The mix, unary; `per_second` as in LoadOptions.
  LoadResult unary(int callers, double seconds, double per_second = 0);
  // The mix on one bulk stream.
  LoadResult bulk(double seconds);
  // So many more commands of the mix, by bulk; a multiple of kBulkCommands.
  void fill(int64_t commands);

  void end(int signal) { process_.end(signal); }
  // Starts it again; seconds from exec to the first acknowledged command. Negative: none came
  // within 10 minutes.
  double restart(const std::vector<std::string>& more_arguments = {});

  const std::string& address() const { return address_; }
  const Daemon& daemon() const { return daemon_; }
  const Child& process() const { return process_; }
  // A number for commands of one's own (workload.h).
  int64_t take_run() { return next_run_++; }

 private:
  bool wait_for_addresses(double seconds);

  const Daemon daemon_;
  Child process_;
  std::string address_;
  std::string admin_address_;
  int64_t next_run_ = 0;
};

inline constexpr int kBulkCommands = 100;  // a message
inline constexpr int kBulkMessages = 8;    // in flight

// Load with the maker's token.
LoadOptions load_on(const std::string& address, const std::string& method, int callers,
                    double seconds);

}  // namespace taizhang::bench
