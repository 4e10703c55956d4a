// From an Error to the google.rpc.Status that a caller gets.
#pragma once

#include <string>
#include <string_view>

#include "platform/command/answer.h"

namespace google::rpc {
class Status;
}

namespace taizhang {

// Bytes of a serialised Status, at most. It travels in the trailing metadata, for which clients
// take 8 KiB in all, as base64: a larger one would reach them as "metadata too large" instead of as
// the reason. Violations beyond it are left out and counted in ErrorInfo.metadata
// "violations_omitted".
inline constexpr size_t kStatusBytesMax = 4096;

// ErrorInfo always; BadRequest, PreconditionFailure, ResourceInfo, RetryInfo, LocalizedMessage as
// the error has them.
void fill_status(const Error& error, google::rpc::Status& status);

// "FAILED_PRECONDITION"; "OK" for 0.
std::string_view status_name(int code);

}  // namespace taizhang
