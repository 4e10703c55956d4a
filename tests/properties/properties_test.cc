// Random books of every context: whatever is asked, the invariants hold, a repeat appends nothing,
// only what is accepted writes, and the events alone give the state again.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/funds/v1/errors.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/options.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/registry/v1/errors.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "taizhang/rules/v1/events.pb.h"
#include "tests/properties/invariants.h"
#include "tests/properties/life.h"
#include "tests/properties/memory_book.h"
#include "tests/properties/planted.h"
#include "tests/support/random_book.h"

namespace taizhang::test {
namespace {

// Of a prefecture, where little is allowed.
constexpr uint64_t kPrefectureSeeds = 2;

std::string live_at_random(MemoryBook& book, RandomBook& random, Tally& tally) {
  return live(
      book, [&](MemoryBook& so_far) { return random.next(so_far.rows(), so_far.today()); },
      invariants(), tally);
}

// No command of this slice can be refused so here, and who could.
const std::set<std::string>& unreachable() {
  static const std::set<std::string> all = {
      "RULES_REFUSAL_REGION_CODE_REUSED",      // ReorganiseRegions
      "COMMON_REFUSAL_REGION_RETIRED",         // ReorganiseRegions
      "REGISTRY_REFUSAL_DUPLICATE_UNDECIDED",  // SuspectDuplicate
      "FUNDS_REFUSAL_LINE_CLOSED",             // CloseFundLine
      "FUNDS_REFUSAL_PROJECT_ON_HOLD",         // HoldProject
      "ASSETS_REFUSAL_PROJECT_NOT_ACCEPTED",   // DeclareProject
      "ASSETS_REFUSAL_VALUE_EXCEEDS_SETTLED",  // SettleProject
      "ASSETS_REFUSAL_ASSET_DISPOSED",         // CompleteDisposal
      "COMMON_REFUSAL_REQUEST_CANCELLED",      // said by the writer; tests/simulation
      "COMMON_REFUSAL_LEDGER_NOT_FOUND",       // said by the writer
  };
  return all;
}

void expect_every_refusal(const std::map<std::string, int>& seen) {
  for (const auto* refusals :
       {common::v1::CommonRefusal_descriptor(), rules::v1::RulesRefusal_descriptor(),
        registry::v1::RegistryRefusal_descriptor(), assistance::v1::AssistanceRefusal_descriptor(),
        funds::v1::FundsRefusal_descriptor(), assets::v1::AssetsRefusal_descriptor()}) {
    for (int i = 1; i < refusals->value_count(); ++i) {
      const std::string& name = refusals->value(i)->name();
      EXPECT_EQ(seen.contains(name), !unreachable().contains(name)) << name;
    }
  }
}

TEST(RandomBooks, HoldTogetherWhateverIsAsked) {
  Tally tally;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    MemoryBook book("990101", common::v1::LEDGER_KIND_COUNTY);
    RandomBook random(seed, "990101");
    ASSERT_EQ(live_at_random(book, random, tally), "") << "seed " << seed;
  }
  for (uint64_t seed = 1; seed <= kPrefectureSeeds; ++seed) {
    MemoryBook book("990100", common::v1::LEDGER_KIND_PREFECTURE);
    RandomBook random(seed, "990100");
    ASSERT_EQ(live_at_random(book, random, tally), "") << "prefecture, seed " << seed;
  }
  expect_often(tally, [](const CommandType& type) { return !type.options->system(); });
  EXPECT_GE(tally.duplicates, 1'000);
  EXPECT_GE(tally.unchanged, 1'000);
  expect_every_refusal(tally.refusals);
}

// --- Each check finds a bug planted for it
// --------------------------------------------------------------------------

std::vector<Bug> bugs() {
  using assets::state::v1::Asset;
  using funds::state::v1::FundLine;
  return {
      {"money_floors",
       [](auto& book) {
         then<funds::v1::FundsDisbursed>(book, [](Ledger& ledger, const auto& event) {
           auto& line = ledger.edit<FundLine>(event.fund_line_id());
           line.set_paid_fen(line.paid_fen() + event.amount_fen());
         });
       }},
      {"lines_equal_villages",
       [](auto& book) {
         then<funds::v1::FundsAllocated>(book, [](Ledger& ledger, const auto& event) {
           const std::string owner = ledger.get<FundLine>(event.fund_line_id()).owner_org_id();
           auto& village =
               ledger.edit<funds::state::v1::BalanceByUnitVillage>(owner, event.village());
           village.set_allocated_fen(village.allocated_fen() - 1);
         });
       }},
      {"counters_equal_events",
       [](auto& book) {
         then<funds::v1::FundsArrived>(book, [](Ledger& ledger, const auto& event) {
           auto& line = ledger.edit<FundLine>(event.fund_line_id());
           line.set_arrived_fen(line.arrived_fen() - 1);
         });
       }},
      {"households_have_one_head",
       [](auto& book) {
         then<registry::v1::MemberAdded>(book, [](Ledger& ledger, const auto& event) {
           ledger.edit<registry::state::v1::Household>(event.household_id())
               .set_head_person_id(event.household_id());
         });
       }},
      {"citizens_live_in_one_household",
       [](auto& book) {
         then<registry::v1::PersonRegistered>(book, [](Ledger& ledger, const auto& event) {
           ledger.erase<registry::state::v1::PersonByCitizen>(event.citizen_index());
         });
       }},
      {"pairings_are_disjoint",
       [](auto& book) {
         then<assistance::v1::PairingStarted>(book, [](Ledger& ledger, const auto& event) {
           ledger.erase<assistance::state::v1::PairingByHelped>(
               event.helped().kind(), event.helped().id(), event.pairing_id());
         });
       }},
      {"statuses_are_disjoint",
       [](auto& book) {
         then<registry::v1::HouseholdStatusLoaded>(book, [](Ledger& ledger, const auto& event) {
           auto& row = ledger.edit<registry::state::v1::HouseholdStatus>(event.household_id());
           for (auto& period : *row.mutable_periods()) period.set_to_day(0);
         });
       }},
      {"parameter_versions_are_disjoint",
       [](auto& book) {
         // A superseded version goes on.
         then<rules::v1::ParameterSet>(book, [](Ledger& ledger, const auto& event) {
           auto& row = ledger.edit<rules::state::v1::Parameter>(event.key());
           for (auto& setting : *row.mutable_settings()) {
             if (setting.number() == event.supersedes_version()) setting.set_to_day(0);
           }
         });
       }},
      {"exact_parts_sum",
       [](auto& book) {
         then<assets::v1::AssetFormed>(book, [](Ledger& ledger, const auto& event) {
           auto& asset = ledger.edit<Asset>(event.asset_id());
           if (!asset.parts().empty()) asset.mutable_parts()->RemoveLast();
         });
       }},
      {"titled_assets_were_checked",
       [](auto& book) {
         then<assets::v1::AssetTitled>(book, [](Ledger& ledger, const auto& event) {
           ledger.edit<Asset>(event.asset_id()).clear_checks();
         });
       }},
      {"handed_over_assets_are_held",
       [](auto& book) { do_nothing<assets::v1::ManagerAppointed>(book); }},
      {"assets_have_one_open_offer",
       [](auto& book) {
         then<assets::v1::AssetOffered>(book, [](Ledger& ledger, const auto& event) {
           for (const auto& asset_id : event.asset_ids())
             ledger.edit<Asset>(asset_id).clear_open_offer_id();
         });
       }},
      {"visit_keys_are_unique",
       [](auto& book) {
         // A voided visit keeps its key.
         book.plant("assistance.v1.RecordVoided",
                    [](Ledger& ledger, const auto& event, const EvolveFn&) {
                      ledger
                          .edit<assistance::state::v1::Visit>(
                              static_cast<const assistance::v1::RecordVoided&>(event).record().id())
                          .set_voided(true);
                    });
       }},
      {"open_issues_are_counted",
       [](auto& book) {
         then<assistance::v1::IssueResolved>(book, [](Ledger& ledger, const auto& event) {
           const auto subject =
               ledger.get<assistance::state::v1::Issue>(event.issue_id()).subject();
           auto& open = ledger.edit<assistance::state::v1::IssueOpen>(subject.kind(), subject.id());
           open.set_count(open.count() + 1);
         });
       }},
      {"a repeat ", [](auto& book) { book.forget_requests(); }},
      {"a write of a command that was not accepted",
       [](auto& book) { book.keep_unchanged_requests(); }},
      {"the events do not give the state",
       [](auto& book) {
         // An evolve that knows something the event does not say.
         then<rules::v1::RegionCreated>(book, [calls = std::make_shared<int>(0)](
                                                  Ledger& ledger, const auto& event) {
           ledger.edit<rules::state::v1::Region>(event.region()).set_name(std::to_string(++*calls));
         });
       }},
  };
}

TEST(RandomBooks, FindABugPlantedForEachCheck) {
  expect_found(bugs(), invariants(), [](const Bug& bug, uint64_t seed) {
    MemoryBook book("990101", common::v1::LEDGER_KIND_COUNTY);
    bug.plant(book);
    RandomBook random(seed, "990101");
    Tally tally;
    return live_at_random(book, random, tally);
  });
}

}  // namespace
}  // namespace taizhang::test
