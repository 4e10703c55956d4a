// What comes to the deciding loop, and who takes it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/command/answer.h"
#include "platform/command/caller.h"
#include "platform/command/decide.h"
#include "platform/command/fingerprint.h"

namespace taizhang {

// A command on its way: validated, authorised and fingerprinted.
struct Submission {
  const CommandType* type = nullptr;
  std::shared_ptr<const google::protobuf::Message> request;
  const Caller* caller = nullptr;
  int64_t deadline_boot_us = 0;
  std::string ledger;
  std::string request_id;
  Fingerprints fingerprints;
  std::vector<Reference> references;  // views into `request`
  bool validate_only = false;
  bool bulk = false;
  Done done;
};

// GetOutcome.
struct OutcomeQuestion {
  std::string ledger;
  std::string request_id;
  bool settle = false;
  int64_t deadline_boot_us = 0;
  Done done;
};

// The way into a writer. Any thread; every submission and question is answered exactly once.
class CommandIntake {
 public:
  virtual ~CommandIntake() = default;
  virtual void submit(Submission submission) = 0;
  virtual void ask(OutcomeQuestion question) = 0;
};

}  // namespace taizhang
