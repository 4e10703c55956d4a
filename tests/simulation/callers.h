// Callers of a simulated writer: what they send, what they were told, and the judge who compares
// that with the journal's bytes.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "platform/command/dispatcher.h"
#include "platform/command/fingerprint.h"
#include "platform/journal/log.h"
#include "platform/journal/testing/history.h"
#include "platform/state/state.h"
#include "tests/support/random_book.h"

namespace taizhang {

namespace journal::v1 {
class Commit;
}

namespace test {

// How many seeds to run: `in_ci`, or TAIZHANG_SEEDS of the environment for a long hunt.
uint64_t seeds(uint64_t in_ci);

const Registry& registry();
const CommandCatalogue& catalogue();
const Fingerprinter& fingerprinter();
const BlindIndex& blind_index();

// What a caller knows of one call.
struct Call {
  enum class Told {
    kNothing,       // in flight, or its process died
    kAcknowledged,  // at first_seq, last_seq
    kUnchanged,     // by what stands at first_seq, last_seq
    kNone,          // refused, or this call never takes effect
    kUnknown,       // nobody knows
    kCommitted,     // GetOutcome
    kAbsent,
    kCancelled,
  };
  RandomBook::Asked asked;  // null request: GetOutcome
  std::string ledger;
  std::string request_id;
  std::string fingerprint;
  Told told = Told::kNothing;
  std::string reason;
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  bool duplicate = false;
  int64_t begun = 0;  // steps of the simulation
  int64_t ended = 0;  // 0: not answered, and its process lives
  std::shared_ptr<bool> process;
};

// A commit as it stands in the journal.
struct Standing {
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  std::string fingerprint;
};

// What the journal says, read by somebody who knows only its bytes.
struct Book {
  std::map<std::string, std::map<std::string, Standing>> commits;  // ledger, request id
  std::map<std::string, std::set<std::string>> cancelled;
  std::map<std::string, int64_t> next_seq;
  std::string wrong;

  void add(const journal::v1::Commit& commit);
};

// Reads all records of one partition. Not OK: it cannot be read or folded.
absl::StatusOr<Book> read_book(journal::Log& log);

// Where a process takes calls; `alive` false: what it still says nobody hears.
struct Target {
  Dispatcher* dispatcher = nullptr;
  State* state = nullptr;
  std::shared_ptr<bool> alive;
};

class Callers {
 public:
  Callers(uint64_t seed, journal::testing::SeededRandom& random,
          journal::testing::ManualClock& clock);

  // Time of the simulation goes on.
  void tick() { ++now_; }
  void send_new(const Target& target);
  // The same request, mostly one that nobody answered.
  void send_again(const Target& target);
  void ask_outcome(const Target& target);
  // The process is gone: its open calls were never answered.
  void end(const Target& target);

  const std::vector<Call>& calls() const { return calls_; }
  // Empty: everything that was said is what the journal holds.
  std::string judge(const Book& book) const;

 private:
  size_t new_call(const Target& target, std::string ledger, std::string request_id);
  void send(const Target& target, RandomBook::Asked asked);
  void unary(const Target& target, const google::protobuf::MethodDescriptor& method,
             const Caller* caller, std::shared_ptr<const google::protobuf::Message> request,
             size_t index);
  void hear(Call& call, const Answer& answer);

  journal::testing::SeededRandom& random_;
  journal::testing::ManualClock& clock_;
  std::map<std::string, RandomBook> books_;
  std::vector<Call> calls_;
  int64_t now_ = 1;
  bool answered_twice_ = false;
};

}  // namespace test
}  // namespace taizhang
