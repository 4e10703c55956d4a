// What is asked of the registry stands in its events.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "taizhang/registry/v1/commands.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "taizhang/registry/v1/service.pb.h"
#include "tests/support/inputs_in_events.h"

namespace taizhang::test {
namespace {

TEST(RegistryInputs, StandInTheEvents) {
  // The members of a household are events of their own.
  EXPECT_EQ(inputs_missing_in_events(
                *registry::v1::Command::descriptor()->file()->FindServiceByName("RegistryService")),
            std::vector<std::string>{"RegisterHousehold.members"});
  const auto& row = *registry::v1::HouseholdMember::descriptor();
  for (int i = 0; i < row.field_count(); ++i) {
    EXPECT_TRUE(carries(*registry::v1::PersonRegistered::descriptor(), *row.field(i)) ||
                carries(*registry::v1::MemberAdded::descriptor(), *row.field(i)))
        << row.field(i)->name();
  }
}

}  // namespace
}  // namespace taizhang::test
