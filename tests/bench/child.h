// Processes that the benchmark starts and ends by their id.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace taizhang::bench {

class Child {
 public:
  Child() = default;
  explicit Child(std::vector<std::string> command) { start(std::move(command)); }
  ~Child();  // SIGKILL when it still runs
  Child(const Child&) = delete;

  // The first one, or after end() another process in its place.
  void start(std::vector<std::string> command);
  // Waits for the first line of a file that the process writes; empty: it ended or took longer than
  // `seconds`.
  std::string wait_for_line(const std::string& file, double seconds) const;
  // Sends the signal and waits for the end.
  void end(int signal);
  // Peak resident memory so far.
  int64_t peak_kib() const;
  // Processor time used so far, seconds.
  double cpu_seconds() const;

 private:
  pid_t pid_ = -1;
};

// The same of this process, and of the whole machine since it started, idle time left out.
double own_cpu_seconds();
double machine_cpu_seconds();

// A taizhangd with tokens, settings and data below `folder`.
struct Daemon {
  std::string binary;
  std::string folder;
  std::string role = "all";
  // Added to the settings file; empty: everything by default, the journal in segments.
  std::string settings = {};

  // Writes configuration and tokens; existing data stays.
  void prepare() const;
  std::vector<std::string> command() const;
  // Written last: who sees it finds the other.
  std::string address_file() const { return folder + "/data/address"; }
  std::string admin_address_file() const { return folder + "/data/admin_address"; }
  static std::string token(const std::string& profile) { return "bench-token-of-" + profile; }
};

}  // namespace taizhang::bench
