// Commands of system ledgers at random: named subscriptions of one ledger, and decisions about
// views.
//
// It looks at the book it writes in, so that most commands are acceptable; about one in four is
// spoilt in one place. The same seed and the same book give the same commands.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "tests/properties/memory_book.h"
#include "tests/support/random_book.h"

namespace taizhang::subscriptions::state::v1 {
class Subscription;
}

namespace taizhang::test {

class SystemCommands {
 public:
  // What a book has much of.
  enum class Life {
    kOrdinary,
    kNames,    // up to what a ledger may have
    kParked,   // subjects of one subscription
    kRanges,   // handled out of order
    kSkipped,  // given up behind the position
  };

  SystemCommands(uint64_t seed, Life life) : random_(seed), life_(life) {}

  // The next command on subscriptions of `kFollowed`, whose last seq it moves on, or SkipViewEvent.
  RandomBook::Asked next(MemoryBook& book);
  // SwitchView.
  RandomBook::Asked next_switch();

 private:
  using MessagePtr = std::unique_ptr<google::protobuf::Message>;
  using Subscription = subscriptions::state::v1::Subscription;

  int64_t below(int64_t bound) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(bound));
  }
  bool chance(int percent) { return below(100) < percent; }

  // Of the name that the next command is about; empty when there is none.
  const Subscription& row() const;
  bool there() const;
  std::string some_name();
  std::string some_subject();
  // Of an event of the followed ledger; mostly near the position of row().
  int64_t some_seq();

  MessagePtr create();
  MessagePtr remove();
  MessagePtr park();
  MessagePtr replay();
  MessagePtr skip();
  MessagePtr start();
  MessagePtr progress();
  MessagePtr skip_for_view();
  // By its number in the life's mixture.
  MessagePtr some_command();
  // Wrong in one place, or asked by somebody who may not.
  RandomBook::Asked spoilt(MessagePtr request);
  // With ledger and context.
  void complete(google::protobuf::Message& request, const char* ledger);

  std::mt19937_64 random_;
  Life life_;
  MemoryBook* book_ = nullptr;  // of the present next()
  std::string name_;
  int64_t end_ = 0;  // last seq of the followed ledger
  int64_t requests_ = 0;
};

}  // namespace taizhang::test
