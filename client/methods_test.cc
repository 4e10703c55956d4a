// Methods by name.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "client/client.h"

namespace taizhang::client {
namespace {

TEST(FindMethod, TakesEverySpellingOfAName) {
  const auto* method = find_method("funds.SpendDirectly");
  ASSERT_NE(method, nullptr);
  EXPECT_EQ(method->full_name(), "taizhang.funds.v1.FundsService.SpendDirectly");
  for (const char* name :
       {"taizhang.funds.v1.FundsService/SpendDirectly", "taizhang.funds.v1.SpendDirectly",
        "/taizhang.funds.v1.FundsService/SpendDirectly"}) {
    EXPECT_EQ(find_method(name), method) << name;
  }
  EXPECT_EQ(short_name(*method), "funds.SpendDirectly");
}

TEST(FindMethod, KnowsNoOther) {
  for (const char* name :
       {"", "funds", "funds.", "funds.SpendDirectl", "SpendDirectly", "funds.v1.SpendDirectly"}) {
    EXPECT_EQ(find_method(name), nullptr) << name;
  }
}

TEST(FindMethod, KnowsEveryServiceOfTheProduct) {
  for (const char* name :
       {"admin.OpenLedger", "rules.SetParameter", "registry.RegisterHousehold",
        "assistance.VoidRecord", "assets.VoidRecord", "funds.RecordBudget", "ledger.Subscribe",
        "ledger.Execute", "household_file.Sheet", "duties.Due", "fund_execution.Progress",
        "asset_register.Card", "history.SubjectHistory"}) {
    EXPECT_NE(find_method(name), nullptr) << name;
  }
  const auto names = method_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST(NewMessage, IsOfTheNamedType) {
  EXPECT_EQ(new_message("taizhang.no.Such"), nullptr);
  const auto* method = find_method("duties.Due");
  EXPECT_EQ(new_request(*method)->GetTypeName(), "taizhang.duties.v1.DueRequest");
  EXPECT_EQ(new_response(*method)->GetTypeName(), "taizhang.duties.v1.DueResponse");
}

}  // namespace
}  // namespace taizhang::client
