// Random system ledgers: whatever is asked of subscriptions and views, what is remembered of them
// holds together, stays within its bounds, and is what the events say.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/subscription.h"
#include "taizhang/admin/state/v1/state.pb.h"
#include "taizhang/admin/v1/errors.pb.h"
#include "taizhang/admin/v1/events.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/options.pb.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"
#include "tests/properties/life.h"
#include "tests/properties/planted.h"
#include "tests/properties/system_commands.h"

namespace taizhang::test {
namespace {

using admin::state::v1::LiveView;
using admin::state::v1::SkippedViewEvent;
using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;
using Life = SystemCommands::Life;

constexpr const char* kSystem = "000001";
constexpr uint64_t kOrdinarySeeds = 20;
constexpr uint64_t kFullSeeds = 2;  // of each life that reaches a bound

std::string ranges_are_apart(MemoryBook& book) {
  return each<Subscription>(book, [](const Ledger&, const Subscription& row) -> std::string {
    int64_t before = row.position();
    for (const auto& range : row.done()) {
      if (range.first() <= before + 1) return "a range touches what is before it, of " + row.name();
      if (range.last() < range.first()) return "a range ends before it begins, of " + row.name();
      before = range.last();
    }
    return "";
  });
}

std::string skipped_are_remembered_once(MemoryBook& book) {
  return each<Subscription>(book, [](const Ledger&, const Subscription& row) -> std::string {
    int64_t before = 0;
    for (const int64_t seq : row.skipped()) {
      if (seq <= before) return "not ascending, of " + row.name();
      if (!is_handled(row, seq)) return "not handled, of " + row.name();
      if (seq <= row.position() && row.parked_subjects() == 0)
        return "remembered for nothing, of " + row.name();
      before = seq;
    }
    return "";
  });
}

std::string parked_are_counted(MemoryBook& book) {
  return each<Subscription>(book, [](const Ledger& ledger, const Subscription& row) -> std::string {
    int64_t count = 0;
    ledger.scan<Parked>([&](const Parked&) { ++count; }, row.ledger(), row.name());
    return count == row.parked_subjects() ? "" : row.name();
  });
}

std::string parked_have_a_subscription(MemoryBook& book) {
  return each<Parked>(book, [](const Ledger& ledger, const Parked& parked) -> std::string {
    return ledger.has<Subscription>(parked.ledger(), parked.name()) ? "" : parked.name();
  });
}

std::string bounds_hold(MemoryBook& book) {
  int64_t subscriptions = 0;
  const std::string wrong =
      each<Subscription>(book, [&](const Ledger&, const Subscription& row) -> std::string {
        ++subscriptions;
        if (row.parked_subjects() > kParkedSubjectsMax) return "parked of " + row.name();
        if (row.done_size() > kDoneRangesMax) return "ranges of " + row.name();
        if (row.skipped_size() > kSkippedMax) return "skipped of " + row.name();
        return "";
      });
  if (wrong.empty() && subscriptions > kSubscriptionsMax) return "subscriptions";
  return wrong;
}

std::string nothing_is_beyond_the_end(MemoryBook& book) {
  const int64_t end = book.occasion().named_seq;
  const std::string wrong =
      each<Subscription>(book, [&](const Ledger&, const Subscription& row) -> std::string {
        const bool beyond = row.position() > end ||
                            (!row.done().empty() && row.done().rbegin()->last() > end) ||
                            (!row.skipped().empty() && *row.skipped().rbegin() > end);
        return beyond ? row.name() : "";
      });
  if (!wrong.empty()) return wrong;
  return each<Parked>(book, [&](const Ledger&, const Parked& parked) -> std::string {
    return std::max(parked.seq(), parked.after_seq()) > end ? parked.subject() : "";
  });
}

// A subscription as its events alone tell, without any evolve: nothing handled is ever forgotten.
struct Followed {
  int64_t generation = 0;
  std::vector<bool> handled;  // by seq

  void handle(int64_t first, int64_t last) {
    for (int64_t seq = std::max<int64_t>(first, 1); seq <= last; ++seq)
      handled[static_cast<size_t>(seq)] = true;
  }
};

template <class Event>
Event event_of(const MemoryBook::Stored& stored) {
  Event event;
  event.ParseFromString(stored.bytes);
  return event;
}

std::map<std::string, Followed> as_told(MemoryBook& book) {
  using namespace subscriptions::v1;
  // The one behind the end is handled by nobody.
  const auto size = static_cast<size_t>(book.occasion().named_seq + 2);
  std::map<std::string, Followed> all;
  for (const auto& commit : book.commits()) {
    for (const auto& stored : commit.events) {
      if (stored.type == "subscriptions.v1.SubscriptionCreated") {
        const auto event = event_of<SubscriptionCreated>(stored);
        auto& made = all[event.subscription()] = Followed();
        made.handled.resize(size);
        made.handle(1, event.after_seq());
      } else if (stored.type == "subscriptions.v1.SubscriptionDeleted") {
        all.erase(event_of<SubscriptionDeleted>(stored).subscription());
      } else if (stored.type == "subscriptions.v1.DeliveryStarted") {
        ++all[event_of<DeliveryStarted>(stored).subscription()].generation;
      } else if (stored.type == "subscriptions.v1.ProgressRecorded") {
        const auto event = event_of<ProgressRecorded>(stored);
        auto& one = all[event.subscription()];
        one.handle(1, event.position());
        for (const auto& range : event.done()) one.handle(range.first(), range.last());
      } else if (stored.type == "subscriptions.v1.EventSkipped") {
        const auto event = event_of<EventSkipped>(stored);
        all[event.subscription()].handle(event.seq(), event.seq());
      }
    }
  }
  return all;
}

std::string handled_is_what_the_events_say(MemoryBook& book) {
  const auto told = as_told(book);
  size_t rows = 0;
  const std::string wrong =
      each<Subscription>(book, [&](const Ledger&, const Subscription& row) -> std::string {
        ++rows;
        const auto found = told.find(subscription_id(row.ledger(), row.name()));
        if (found == told.end()) return row.name() + " was not created";
        const auto& handled = found->second.handled;
        if (row.generation() != found->second.generation) return "generation of " + row.name();
        for (size_t seq = 1; seq < handled.size(); ++seq) {
          if (is_handled(row, static_cast<int64_t>(seq)) != handled[seq])
            return std::to_string(seq) + " of " + row.name();
        }
        return "";
      });
  if (wrong.empty() && rows != told.size()) return "a subscription is missing";
  return wrong;
}

std::string views_are_as_decided(MemoryBook& book) {
  const Occasion now = book.occasion();
  const Ledger ledger(book.rows(), now);
  std::map<std::string, int32_t> live;
  for (const auto& commit : book.commits()) {
    for (const auto& stored : commit.events) {
      if (stored.type == "admin.v1.ViewSwitched") {
        const auto event = event_of<admin::v1::ViewSwitched>(stored);
        live[event.view()] = event.view_version();
      } else if (stored.type == "admin.v1.ViewEventSkipped") {
        const auto event = event_of<admin::v1::ViewEventSkipped>(stored);
        if (!ledger.has<SkippedViewEvent>(event.view(), event.view_version(), event.ledger(),
                                          event.seq()))
          return "a skipped event is forgotten";
      }
    }
  }
  for (const auto& [view, version] : live) {
    if (ledger.get<LiveView>(view).view_version() != version) return view;
  }
  return "";
}

const std::vector<Invariant>& system_invariants() {
  static const std::vector<Invariant> all = {
      {"ranges_are_apart", ranges_are_apart},
      {"skipped_are_remembered_once", skipped_are_remembered_once},
      {"parked_are_counted", parked_are_counted},
      {"parked_have_a_subscription", parked_have_a_subscription},
      {"bounds_hold", bounds_hold},
      {"nothing_is_beyond_the_end", nothing_is_beyond_the_end},
      {"handled_is_what_the_events_say", handled_is_what_the_events_say},
      {"views_are_as_decided", views_are_as_decided},
  };
  return all;
}

std::string live_followed(MemoryBook& book, uint64_t seed, Life life, Tally& tally) {
  SystemCommands commands(seed, life);
  return live(
      book, [&](MemoryBook& so_far) { return commands.next(so_far); }, system_invariants(), tally);
}

std::string live_switched(MemoryBook& book, uint64_t seed, Tally& tally) {
  SystemCommands commands(seed, Life::kOrdinary);
  return live(
      book, [&](MemoryBook&) { return commands.next_switch(); }, system_invariants(), tally);
}

void expect_every_refusal(const std::map<std::string, int>& seen) {
  const auto& refusals = *subscriptions::v1::SubscriptionsRefusal_descriptor();
  for (int i = 1; i < refusals.value_count(); ++i)
    EXPECT_TRUE(seen.contains(refusals.value(i)->name())) << refusals.value(i)->name();
  EXPECT_TRUE(seen.contains("ADMIN_REFUSAL_SEQ_NOT_REACHED"));
}

// Kinds are those of the ledger that a command names.
TEST(RandomSystemLedgers, HoldTogetherWhateverIsAsked) {
  Tally tally;
  for (uint64_t seed = 1; seed <= kOrdinarySeeds; ++seed) {
    MemoryBook book(kSystem, common::v1::LEDGER_KIND_COUNTY);
    ASSERT_EQ(live_followed(book, seed, Life::kOrdinary, tally), "") << "seed " << seed;
    MemoryBook views(kSystem, common::v1::LEDGER_KIND_DIRECTORY);
    ASSERT_EQ(live_switched(views, seed, tally), "") << "switches, seed " << seed;
  }
  const std::vector<std::pair<Life, std::string>> full = {
      {Life::kNames, "SUBSCRIPTIONS_REFUSAL_TOO_MANY_SUBSCRIPTIONS"},
      {Life::kParked, "SUBSCRIPTIONS_REFUSAL_TOO_MANY_PARKED"},
      {Life::kRanges, "SUBSCRIPTIONS_REFUSAL_TOO_MANY_RANGES"},
      {Life::kSkipped, "SUBSCRIPTIONS_REFUSAL_TOO_MANY_RANGES"}};
  for (const auto& [life, reached] : full) {
    for (uint64_t seed = 1; seed <= kFullSeeds; ++seed) {
      MemoryBook book(kSystem, common::v1::LEDGER_KIND_COUNTY);
      Tally own;
      ASSERT_EQ(live_followed(book, seed, life, own), "") << reached << ", seed " << seed;
      EXPECT_GE(own.refusals[reached], kTimesAtLeast) << reached << ", seed " << seed;
      for (const auto& [reason, times] : own.refusals) tally.refusals[reason] += times;
    }
  }
  expect_often(tally, [](const CommandType& type) { return type.options->system(); });
  EXPECT_GE(tally.unchanged, 1'000);
  expect_every_refusal(tally.refusals);
}

std::vector<Bug> bugs() {
  using namespace subscriptions::v1;
  return {
      {"ranges_are_apart",
       [](auto& book) {
         then<EventSkipped>(book, [](Ledger& ledger, const auto& event) {
           const auto name = subscription_name(event.subscription());
           auto& row = ledger.edit<Subscription>(name.ledger, name.name);
           if (!row.done().empty()) *row.add_done() = *row.done().rbegin();
         });
       }},
      {"skipped_are_remembered_once",
       [](auto& book) {
         // Remembered though nothing is parked.
         then<ProgressRecorded>(book, [](Ledger& ledger, const auto& event) {
           const auto name = subscription_name(event.subscription());
           auto& row = ledger.edit<Subscription>(name.ledger, name.name);
           if (row.skipped().empty() && row.position() > 0) row.add_skipped(row.position());
         });
       }},
      {"parked_are_counted",
       [](auto& book) {
         // One that is parked again is counted again.
         then<SubjectParked>(book, [](Ledger& ledger, const auto& event) {
           const auto name = subscription_name(event.subscription());
           auto& row = ledger.edit<Subscription>(name.ledger, name.name);
           row.set_parked_subjects(row.parked_subjects() + 1);
         });
       }},
      {"parked_have_a_subscription",
       [](auto& book) {
         // What is kept back is remembered under another name.
         then<SubjectParked>(book, [](Ledger& ledger, const auto& event) {
           const auto name = subscription_name(event.subscription());
           ledger.edit<Parked>(name.ledger, name.name + ".", event.subject());
         });
       }},
      {"bounds_hold",
       [](auto& book) {
         then<SubscriptionCreated>(book, [](Ledger& ledger, const auto& event) {
           const auto name = subscription_name(event.subscription());
           for (int64_t i = 0; i < kSubscriptionsMax; ++i)
             ledger.edit<Subscription>(name.ledger, name.name + "." + std::to_string(i));
         });
       }},
      {"nothing_is_beyond_the_end",
       [](auto& book) {
         then<SubscriptionCreated>(book, [](Ledger& ledger, const auto& event) {
           const auto name = subscription_name(event.subscription());
           ledger.edit<Subscription>(name.ledger, name.name).set_position(1'000'000);
         });
       }},
      {"handled_is_what_the_events_say",
       [](auto& book) {
         // The newest report counts, not the highest.
         then<ProgressRecorded>(book, [](Ledger& ledger, const auto& event) {
           const auto name = subscription_name(event.subscription());
           auto& row = ledger.edit<Subscription>(name.ledger, name.name);
           if (row.skipped().empty()) row.set_position(event.position());
         });
       }},
      {"views_are_as_decided", [](auto& book) { do_nothing<admin::v1::ViewEventSkipped>(book); }},
  };
}

TEST(RandomSystemLedgers, FindABugPlantedForEachCheck) {
  expect_found(bugs(), system_invariants(), [](const Bug& bug, uint64_t seed) {
    MemoryBook book(kSystem, common::v1::LEDGER_KIND_COUNTY);
    bug.plant(book);
    Tally tally;
    return live_followed(book, seed, Life::kOrdinary, tally);
  });
}

// The decision about views is the last one, also when nobody skipped anything.
TEST(RandomSystemLedgers, FindASwitchThatIsForgotten) {
  MemoryBook book(kSystem, common::v1::LEDGER_KIND_DIRECTORY);
  do_nothing<admin::v1::ViewSwitched>(book);
  Tally tally;
  EXPECT_NE(live_switched(book, 1, tally).find("views_are_as_decided"), std::string::npos);
}

}  // namespace
}  // namespace taizhang::test
