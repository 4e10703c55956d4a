// What holds of all reference data, whatever happens to it.
#include "services/rules/rules.h"

#include <map>
#include <random>

#include "domain/dates.h"
#include "domain/region.h"
#include "services/common/references.h"
#include "taizhang/options.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "taizhang/rules/v1/service.pb.h"
#include "tests/support/inputs_in_events.h"
#include "tests/support/reference_data.h"
#include "tests/support/scenario.h"

namespace taizhang::rules {
namespace {

using state::v1::Code;
using state::v1::Parameter;
using state::v1::Region;
using test::Scenario;

TEST(Rules, EventsCarryEveryInput) {
  const auto& service = *v1::CreateRegionRequest::descriptor()->file()->pool()->FindServiceByName(
      "taizhang.rules.v1.RulesService");
  // A map's entries are a type of their own in each message:
  // SetParameter.KeepsEveryInputInItsEvent.
  EXPECT_EQ(test::inputs_missing_in_events(service),
            std::vector<std::string>{"SetParameter.scope"});
}

TEST(Rules, EveryRefusalHasACodeAndATextForClerks) {
  const auto& refusals = *google::protobuf::GetEnumDescriptor<v1::RulesRefusal>();
  for (int i = 1; i < refusals.value_count(); ++i) {
    EXPECT_NE(refusals.value(i)->options().GetExtension(code),
              common::v1::REFUSAL_CODE_UNSPECIFIED);
    EXPECT_NE(refusals.value(i)->options().GetExtension(zh), "") << refusals.value(i)->name();
  }
}

class History {
 public:
  explicit History(uint32_t seed) : random_(seed) {
    book_.given(test::code_list("document_kind", {"RULE"}));
  }

  // One random command, sent twice: the second time it appends nothing.
  void step() {
    switch (pick(0, 9)) {
      case 0:
      case 1: send("CreateRegion", create_region()); break;
      case 2:
      case 3: send("PublishCodeList", publish()); break;
      case 4: send("DefineParameter", define()); break;
      default: send("SetParameter", set());
    }
  }

  void expect_sound() {
    book_.scan<Region>([&](const Region& region) {
      if (region.region() == test::kLedger) return;
      const auto& parent = book_.row<Region>(parent_region(region.region()));
      EXPECT_FALSE(parent.name().empty()) << region.region();
      EXPECT_LE(parent.from_day(), region.from_day());
    });
    book_.scan<Code>([&](const Code& row) {
      int32_t last = 0;
      for (const auto& validity : row.validities()) {
        EXPECT_LT(last, validity.from_day());
        last = validity.to_day() == 0 ? kOpenDay : validity.to_day();
        EXPECT_LE(validity.from_day(), last);
      }
    });
    book_.scan<Parameter>([&](const Parameter& parameter) { expect_disjoint(parameter); });
  }

  const std::map<std::string, std::pair<int, int>>& outcomes() const { return outcomes_; }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
  int32_t day() { return add_days(20150101, pick(0, 40)); }

  void send(const std::string& name, const google::protobuf::Message& command) {
    const auto before = book_.state();
    book_.when(command);
    auto& [accepted, refused] = outcomes_[name];
    if (book_.event_count() == 0) {
      ++refused;
      EXPECT_EQ(book_.state(), before);
      return;
    }
    ++accepted;
    book_.when(command).unchanged();
  }

  v1::CreateRegionRequest create_region() {
    std::string code(test::kLedger);
    if (pick(0, 7) != 0) code += std::to_string(100 + pick(0, 2));
    if (code.size() > test::kLedger.size() && pick(0, 2) != 0)
      code += "20" + std::to_string(pick(0, 3));
    const auto event = test::region_created(code, day());
    v1::CreateRegionRequest command;
    command.set_region(event.region());
    command.set_name(event.name());
    command.set_level(event.level());
    *command.mutable_valid_from_date() = event.valid_from_date();
    return command;
  }

  v1::PublishCodeListRequest publish() {
    std::vector<test::CodeOf> codes;
    for (const auto* one : {"A", "B", "C", "D"}) {
      if (pick(0, 1) == 1) codes.emplace_back(one);
    }
    codes.emplace_back("E");
    const auto event = test::code_list(pick(0, 1) == 0 ? "sector" : "fund_purpose", codes, day());
    v1::PublishCodeListRequest command;
    command.set_list_id(event.list_id());
    command.set_version(event.version());
    *command.mutable_valid_from_date() = event.valid_from_date();
    command.set_standard(event.standard());
    *command.mutable_entries() = event.entries();
    return command;
  }

  std::string key() { return "key." + std::to_string(pick(0, 5)); }

  v1::DefineParameterRequest define() {
    v1::DefineParameterRequest command;
    command.set_key(key());
    command.set_type(v1::PARAMETER_TYPE_DAYS);
    command.mutable_bounds()->set_max(pick(2, 9));
    command.add_scope_dims("kind");
    command.set_resolution(v1::RESOLUTION_MOST_SPECIFIC);
    command.set_when_missing(v1::WHEN_MISSING_CANNOT_DECIDE);
    command.set_text("test");
    return command;
  }

  v1::SetParameterRequest set() {
    v1::SetParameterRequest command;
    command.set_key(key());
    if (pick(0, 1) == 0) (*command.mutable_scope())["kind"] = pick(0, 1) == 0 ? "A" : "B";
    command.mutable_value()->set_days(pick(0, 4));
    const int32_t from = day();
    *command.mutable_valid_from_date() = date_of(from);
    if (pick(0, 3) != 0) *command.mutable_valid_to_date() = date_of(add_days(from, pick(0, 4)));
    if (pick(0, 2) == 0) command.set_supersedes_version(pick(1, 6));
    auto& document = *command.mutable_document();
    document.set_document_id("9f2d7a30-0000-5000-8000-000000000001");
    document.set_kind("RULE");
    document.set_title("规定");
    return command;
  }

  static void expect_disjoint(const Parameter& parameter) {
    std::map<std::string, std::map<int32_t, int32_t>> by_scope;
    for (const auto& setting : parameter.settings()) {
      const int32_t to_day = setting.to_day() == 0 ? kOpenDay : setting.to_day();
      if (to_day < setting.from_day()) continue;  // superseded from its first day on
      std::string scope;
      for (const auto& one : setting.scope()) scope += one.dimension() + "=" + one.code() + ",";
      const bool fresh = by_scope[scope].emplace(setting.from_day(), to_day).second;
      EXPECT_TRUE(fresh) << parameter.key() << " has two versions from one day";
    }
    for (const auto& [scope, periods] : by_scope) {
      int32_t last = 0;
      for (const auto& [from_day, to_day] : periods) {
        EXPECT_LT(last, from_day) << parameter.key() << " " << scope;
        last = to_day;
      }
    }
  }

  std::mt19937 random_;
  Scenario book_{register_rules, register_reference_checks};
  std::map<std::string, std::pair<int, int>> outcomes_;
};

TEST(Rules, StaySoundOverRandomHistories) {
  std::map<std::string, std::pair<int, int>> outcomes;
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    for (int i = 0; i < 200; ++i) {
      history.step();
      history.expect_sound();
      if (testing::Test::HasFailure()) return;
    }
    for (const auto& [name, counts] : history.outcomes()) {
      outcomes[name].first += counts.first;
      outcomes[name].second += counts.second;
    }
  }
  ASSERT_EQ(outcomes.size(), 4u);
  for (const auto& [name, counts] : outcomes) {
    EXPECT_GE(counts.first, 20) << name;
    EXPECT_GE(counts.second, 20) << name;
  }
}

}  // namespace
}  // namespace taizhang::rules
