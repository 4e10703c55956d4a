// What is asked of assistance stands in its events.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "taizhang/assistance/v1/commands.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/assistance/v1/service.pb.h"
#include "tests/support/inputs_in_events.h"

namespace taizhang::test {
namespace {

TEST(AssistanceInputs, StandInTheEvents) {
  // The requests of a visit are events of their own.
  EXPECT_EQ(
      inputs_missing_in_events(
          *assistance::v1::Command::descriptor()->file()->FindServiceByName("AssistanceService")),
      std::vector<std::string>{"RecordVisit.requests"});
  const auto& row = *assistance::v1::NotedIssue::descriptor();
  for (int i = 0; i < row.field_count(); ++i) {
    EXPECT_TRUE(carries(*assistance::v1::IssueRaised::descriptor(), *row.field(i)))
        << row.field(i)->name();
  }
}

}  // namespace
}  // namespace taizhang::test
