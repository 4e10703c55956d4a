// One ledger's book in memory: every command goes through the platform's own order of checks, as in
// the writer, without journal or transport. A test may put a wrong evolve in the place of a right
// one, to show that somebody notices.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/command/decide.h"
#include "platform/command/fingerprint.h"
#include "platform/command/registry.h"
#include "platform/state/memory_rows.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::test {

// Rows that count how often they were written.
class CountingRows : public MemoryRows {
 public:
  google::protobuf::Message& edit(const RowType& type, std::string_view key) override {
    ++writes;
    return MemoryRows::edit(type, key);
  }
  void erase(const RowType& type, std::string_view key) override {
    ++writes;
    MemoryRows::erase(type, key);
  }
  int64_t writes = 0;
};

// Instead of an evolve; `right` is the one it stands for.
using WrongEvolve =
    std::function<void(Ledger&, const google::protobuf::Message&, const EvolveFn& right)>;

class MemoryBook {
 public:
  enum class Outcome { kAccepted, kUnchanged, kDuplicate, kRefused };
  struct Answer {
    Outcome outcome = Outcome::kRefused;
    std::string reason;  // of a refusal: full name of its enum value
  };
  // An event as it is stored.
  struct Stored {
    std::string type;
    std::string bytes;
    int32_t effective_day = 0;
  };
  struct Commit {
    int64_t first_seq = 0;
    int64_t recorded_time_us = 0;
    common::v1::Actor actor;
    std::string request_id;
    Fingerprints fingerprints;
    std::vector<Stored> events;
  };

  explicit MemoryBook(std::string ledger, int kind);

  Answer send(const google::protobuf::Message& request, const Caller& caller);

  // By stored type.
  void plant(std::string_view type, WrongEvolve wrong) {
    wrong_[std::string(type)] = std::move(wrong);
  }
  // Of a system ledger: last seq of the ledger that commands name.
  void named_seq(int64_t seq) { named_seq_ = seq; }
  // Request ids are not kept: a repeat is decided like a new command.
  void forget_requests() { forgetful_ = true; }
  // An unchanged answer keeps its request id, as only a commit may.
  void keep_unchanged_requests() { eager_ = true; }

  CountingRows& rows() { return rows_; }
  // For reading what is there now.
  Occasion occasion() const;
  int32_t today() const;
  const std::vector<Commit>& commits() const { return commits_; }
  int64_t last_seq() const { return last_seq_; }
  // The state that the stored events alone give.
  std::map<std::string, std::string> replayed() const;

  static const Registry& registry();
  static const CommandCatalogue& catalogue();

 private:
  Answer refused(const google::protobuf::EnumValueDescriptor& value) const;
  void commit(const CommandType& type, const google::protobuf::Message& request,
              const Occasion& occasion, Events& events);
  void apply(Rows& rows, const Occasion& occasion, std::string_view type,
             const google::protobuf::Message& event) const;

  std::string ledger_;
  int kind_;
  CountingRows rows_;
  std::vector<Commit> commits_;
  std::map<std::string, WrongEvolve, std::less<>> wrong_;
  bool forgetful_ = false;
  bool eager_ = false;
  int64_t last_seq_ = 0;
  int64_t named_seq_ = 0;
  int64_t commands_ = 0;
};

}  // namespace taizhang::test
