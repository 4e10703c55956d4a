// Errors as statuses: every detail, and never more than a client takes.
#include "platform/command/error_status.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace taizhang {
namespace {

template <class Detail>
Detail detail_of(const google::rpc::Status& status) {
  Detail detail;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name();
  return detail;
}

TEST(ErrorStatus, CarriesEveryDetail) {
  Error error;
  error.code = kFailedPrecondition;
  error.reason = "LINE_NOT_FUNDED";
  error.message = "line not funded (amount_fen)";
  error.zh = "资金不足";
  error.metadata = {{"field", "amount_fen"}};
  error.violations = {{"amount_fen", "too much", "LINE_NOT_FUNDED"}};
  error.precondition_subject = "amount_fen";
  error.resource_type = "fund_line";
  error.resource_name = "F1";
  error.retry_after_ms = 1500;
  google::rpc::Status status;
  fill_status(error, status);

  EXPECT_EQ(status.code(), 9);
  EXPECT_EQ(status.message(), error.message);
  const auto info = detail_of<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "LINE_NOT_FUNDED");
  EXPECT_EQ(info.domain(), "taizhang");
  EXPECT_EQ(info.metadata().at("field"), "amount_fen");
  EXPECT_EQ(detail_of<google::rpc::BadRequest>(status).field_violations(0).field(), "amount_fen");
  EXPECT_EQ(detail_of<google::rpc::PreconditionFailure>(status).violations(0).type(),
            "LINE_NOT_FUNDED");
  EXPECT_EQ(detail_of<google::rpc::ResourceInfo>(status).resource_name(), "F1");
  const auto retry = detail_of<google::rpc::RetryInfo>(status).retry_delay();
  EXPECT_EQ(retry.seconds() * 1000 + retry.nanos() / 1'000'000, 1500);
  const auto text = detail_of<google::rpc::LocalizedMessage>(status);
  EXPECT_EQ(text.locale(), "zh-CN");
  EXPECT_EQ(text.message(), "资金不足");
}

TEST(ErrorStatus, HasOnlyTheDetailsOfItsError) {
  google::rpc::Status status;
  fill_status(failure(kUnimplemented, "METHOD_NOT_SERVED", "no"), status);
  EXPECT_EQ(status.details_size(), 2);  // ErrorInfo, LocalizedMessage
}

TEST(ErrorStatus, FitsIntoTrailingMetadata) {
  Error error = failure(kInvalidArgument, "FIELD_REQUIRED", std::string(5000, 'x'));
  for (int i = 0; i < 1000; ++i) {
    error.violations.push_back(
        {"members[" + std::to_string(i) + "].relation", "must be there", "FIELD_REQUIRED"});
  }
  google::rpc::Status status;
  fill_status(error, status);
  EXPECT_LE(status.ByteSizeLong(), kStatusBytesMax);
  const auto rows = detail_of<google::rpc::BadRequest>(status).field_violations_size();
  EXPECT_GT(rows, 20);
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(status).metadata().at("violations_omitted"),
            std::to_string(1000 - rows));
}

TEST(ErrorStatus, CutsTextBetweenCharacters) {
  Error error = failure(kInvalidArgument, "FIELD_INVALID", "x");
  for (int i = 0; i < 200; ++i) error.message += "户";
  google::rpc::Status status;
  fill_status(error, status);
  EXPECT_TRUE(status.message().size() <= 512 && status.message().ends_with("户"));
}

}  // namespace
}  // namespace taizhang
