// A county's life at random: a seeded source of commands over every context of slice 1.
//
// It looks at the book it writes in, so that most commands are acceptable; about as many are spoilt
// in one place, each in a way that some refusal is there for. The opening and the reference data
// come first. The same seed and the same book give the same commands. Things are named by short
// words; id() makes their ids.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "platform/command/caller.h"
#include "platform/state/ledger.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/rules/v1/values.pb.h"

namespace taizhang::test {

class RandomBook {
 public:
  struct Asked {
    std::shared_ptr<const google::protobuf::Message> request;
    const Caller* caller = nullptr;  // lives for ever
  };

  explicit RandomBook(uint64_t seed, std::string ledger = "990101");

  // The next command. `rows`: the book as decided so far; `today`: the recorded day, yyyymmdd.
  Asked next(Rows& rows, int32_t today);

  const std::string& ledger() const { return ledger_; }
  static const Caller& caller(std::string_view profile);

 private:
  using MessagePtr = std::unique_ptr<google::protobuf::Message>;
  struct Kind {
    int weight;
    MessagePtr (RandomBook::*make)();
    const char* caller;
  };

  // Dice.
  uint64_t below(uint64_t bound) { return random_() % bound; }
  int between(int least, int most) {
    return least + static_cast<int>(below(static_cast<uint64_t>(most - least + 1)));
  }
  bool chance(int percent) { return below(100) < static_cast<uint64_t>(percent); }
  template <class Value>
  Value one_of(std::initializer_list<Value> values) {
    return *(values.begin() + below(values.size()));
  }
  // A day not after today; mostly of this year and the last.
  int32_t some_day();
  int32_t day_from(int32_t first);
  // Since when somebody is there: mostly long ago.
  int32_t first_day();

  // Names.
  std::string fresh(const char* kind) { return name_of(kind, made_[kind]++); }
  static std::string name_of(const char* kind, int number) {
    return std::string(kind) + " " + std::to_string(number);
  }
  // One that was asked for before, mostly one that is there; about one in fifty was not.
  std::string any(const char* kind);
  bool is_there(std::string_view kind, std::string_view an_id) const;
  // One whose row satisfies `good`, when a few tries find it.
  template <class Row, class Good>
  std::string where(const char* kind, const Good& good);
  template <class Row>
  std::string known(const char* kind);
  std::string any_village();
  std::string some_number();
  common::v1::SubjectRef any_subject(common::v1::SubjectKind kind);
  common::v1::DocumentRef paper(const char* kind);

  // Reference data.
  void plan_opening();
  void plan(const google::protobuf::Message& request);
  rules::v1::ParameterValue value_of_type(rules::v1::ParameterType type);

  // One of each command: acceptable, or spoilt in its own way.
  MessagePtr open_ledger();
  MessagePtr create_region();
  MessagePtr publish_code_list();
  MessagePtr define_parameter();
  MessagePtr set_parameter();
  MessagePtr register_organisation();
  MessagePtr register_worker();
  MessagePtr register_household();
  MessagePtr load_household_status();
  MessagePtr start_pairing();
  MessagePtr end_pairing();
  MessagePtr record_visit();
  MessagePtr assign_issue();
  MessagePtr resolve_issue();
  MessagePtr reopen_issue();
  MessagePtr void_visit();
  MessagePtr open_fund_line();
  MessagePtr record_budget();
  MessagePtr record_arrival();
  MessagePtr spend_directly();
  MessagePtr form_asset();
  MessagePtr check_asset();
  MessagePtr confirm_title();
  MessagePtr offer_asset();
  MessagePtr answer_offer();
  MessagePtr void_check();
  static const std::vector<Kind>& kinds();

  // What the contexts do not spoil themselves.
  void fill(google::protobuf::Message& request);
  void spoil(google::protobuf::Message& request);
  void state_version(google::protobuf::Message& request, int64_t version);

  std::string ledger_;
  std::mt19937_64 random_;
  std::map<std::string, int> made_;
  std::deque<MessagePtr> opening_;
  std::vector<Asked> sent_;
  int requests_ = 0;
  // Of the present next().
  const Ledger* book_ = nullptr;
  int32_t today_ = 0;
};

}  // namespace taizhang::test
