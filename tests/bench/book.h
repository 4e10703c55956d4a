// A book in process: writer over a given journal, one thread, for benchmarks of what lies behind
// the transport.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/writer/command_front.h"
#include "platform/writer/writer.h"

namespace taizhang::bench {

class Book {
 public:
  // Opens the ledger and the reference data of workload.h.
  Book(journal::Log& log, const std::string& state_folder, const std::string& reference_file);
  ~Book();

  // Decided at the next step(); an error is counted and the first one printed.
  void send(const std::string& method, const std::string& bytes);
  void step() { writer_->step(); }
  // Until everything is answered.
  void settle();
  int64_t refused() const { return refused_; }
  // Of the bench ledger, as the last answer said.
  int64_t last_seq() const { return last_seq_; }
  // How long the writer took to fold what the journal held, seconds.
  double start_seconds() const { return start_seconds_; }

 private:
  const std::string folder_;
  Registry registry_;
  std::unique_ptr<CommandCatalogue> catalogue_;
  BlindIndex blind_index_;
  Fingerprinter fingerprinter_{std::string(32, 'k'), "k"};
  std::unique_ptr<State> state_;
  std::unique_ptr<Writer> writer_;
  Dispatcher dispatcher_;
  Caller caller_;
  int64_t sent_ = 0;
  int64_t answered_ = 0;
  int64_t refused_ = 0;
  int64_t last_seq_ = 0;
  double start_seconds_ = 0;
};

}  // namespace taizhang::bench
