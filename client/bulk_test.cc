// Commands as rows of the bulk stream.
#include "client/bulk.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/funds/v1/service.pb.h"
#include "taizhang/ledger/v1/bulk.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang::client {
namespace {

TEST(AddCommand, PutsACommandIntoItsPlace) {
  funds::v1::SpendDirectlyRequest spend;
  spend.set_amount_fen(7);
  ledger::v1::ExecuteRequest message;
  add_command(spend, message);
  add_command(spend, message);
  ASSERT_EQ(message.commands_size(), 2);
  EXPECT_EQ(message.commands(1).funds().spend_directly().amount_fen(), 7);
}

TEST(InBulk, HoldsForEveryCommandButThoseOfOperatorsAndSystemLedgers) {
  int found = 0;
  for (const auto& name : method_names()) {
    const auto& method = *find_method(name);
    if (!method.options().HasExtension(command)) continue;
    const bool meant =
        !name.starts_with("admin.") && !method.options().GetExtension(command).system();
    EXPECT_EQ(in_bulk(*method.input_type()), meant) << name;
    ++found;
  }
  EXPECT_GT(found, 20);
  EXPECT_FALSE(in_bulk(*funds::v1::Command::descriptor()));
}

TEST(ErrorOf, ReadsTheDetailsOfARefusal) {
  google::rpc::Status status;
  status.set_code(9);
  status.set_message("no money");
  google::rpc::ErrorInfo info;
  info.set_reason("LINE_NOT_FUNDED");
  (*info.mutable_metadata())["left"] = "3";
  status.add_details()->PackFrom(info);
  const auto error = error_of(status);
  EXPECT_EQ(error.code_name, "FAILED_PRECONDITION");
  EXPECT_EQ(error.reason, "LINE_NOT_FUNDED");
  EXPECT_EQ(error.message, "no money");
  ASSERT_EQ(error.metadata.size(), 1u);
  EXPECT_EQ(error.metadata[0].second, "3");
}

}  // namespace
}  // namespace taizhang::client
