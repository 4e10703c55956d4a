// Errors as google.rpc.Status with details, bounded so that they fit into trailing metadata.
#include "platform/command/error_status.h"

#include <array>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace taizhang {
namespace {

constexpr std::string_view kDomain = "taizhang";
// Room for what follows the violations: LocalizedMessage, RetryInfo, the omitted count.
constexpr size_t kReservedBytes = 768;
constexpr size_t kMessageBytesMax = 512;

// Cuts at a character's first byte, so that the text stays UTF-8.
std::string cut(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

// How many violations were left out.
size_t fill_bad_request(const Error& error, size_t room, google::rpc::BadRequest& out) {
  size_t used = 0;
  for (size_t i = 0; i < error.violations.size(); ++i) {
    const auto& violation = error.violations[i];
    google::rpc::BadRequest::FieldViolation row;
    row.set_field(cut(violation.field, 256));
    row.set_description(cut(violation.description, 256));
    row.set_reason(violation.reason);
    used += row.ByteSizeLong() + 4;
    if (used > room) return error.violations.size() - i;
    *out.add_field_violations() = std::move(row);
  }
  return 0;
}

}  // namespace

void fill_status(const Error& error, google::rpc::Status& status) {
  status.set_code(error.code);
  status.set_message(cut(error.message, kMessageBytesMax));

  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain(std::string(kDomain));
  for (const auto& [key, value] : error.metadata) (*info.mutable_metadata())[key] = cut(value, 256);

  google::rpc::BadRequest bad_request;
  const size_t taken = status.ByteSizeLong() + info.ByteSizeLong() + kReservedBytes;
  const size_t omitted =
      fill_bad_request(error, taken < kStatusBytesMax ? kStatusBytesMax - taken : 0, bad_request);
  if (omitted > 0) (*info.mutable_metadata())["violations_omitted"] = std::to_string(omitted);

  status.add_details()->PackFrom(info);
  if (bad_request.field_violations_size() > 0) status.add_details()->PackFrom(bad_request);
  if (!error.precondition_subject.empty()) {
    google::rpc::PreconditionFailure failure;
    auto& row = *failure.add_violations();
    row.set_type(error.reason);
    row.set_subject(cut(error.precondition_subject, 256));
    row.set_description(cut(error.message, 256));
    status.add_details()->PackFrom(failure);
  }
  if (!error.resource_type.empty()) {
    google::rpc::ResourceInfo resource;
    resource.set_resource_type(error.resource_type);
    resource.set_resource_name(cut(error.resource_name, 256));
    status.add_details()->PackFrom(resource);
  }
  if (error.retry_after_ms > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(error.retry_after_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(error.retry_after_ms % 1000) *
                                           1'000'000);
    status.add_details()->PackFrom(retry);
  }
  if (!error.zh.empty()) {
    google::rpc::LocalizedMessage text;
    text.set_locale("zh-CN");
    text.set_message(cut(error.zh, 300));
    status.add_details()->PackFrom(text);
  }
}

std::string_view status_name(int code) {
  constexpr std::array<std::string_view, 17> kNames = {"OK",
                                                       "CANCELLED",
                                                       "UNKNOWN",
                                                       "INVALID_ARGUMENT",
                                                       "DEADLINE_EXCEEDED",
                                                       "NOT_FOUND",
                                                       "ALREADY_EXISTS",
                                                       "PERMISSION_DENIED",
                                                       "RESOURCE_EXHAUSTED",
                                                       "FAILED_PRECONDITION",
                                                       "ABORTED",
                                                       "OUT_OF_RANGE",
                                                       "UNIMPLEMENTED",
                                                       "INTERNAL",
                                                       "UNAVAILABLE",
                                                       "DATA_LOSS",
                                                       "UNAUTHENTICATED"};
  return code >= 0 && code < static_cast<int>(kNames.size()) ? kNames[static_cast<size_t>(code)]
                                                             : "UNKNOWN";
}

}  // namespace taizhang
