// What a caller gets: a response or an error, independent of the transport.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "platform/command/registry.h"

namespace taizhang {

// Everything of api.md "Errors". The transport turns it into a status with google.rpc details.
struct Error {
  struct FieldViolation {
    std::string field;
    std::string description;
    std::string reason;
  };

  int code = 0;         // gRPC status code
  std::string reason;   // ErrorInfo.reason: a refusal's short name, or an upper-case word of ours
  std::string message;  // English; never personal data, a path, or a library's text
  std::string zh;
  std::vector<std::pair<std::string, std::string>> metadata;  // ErrorInfo.metadata
  std::vector<FieldViolation> violations;                     // BadRequest
  std::string
      precondition_subject;  // PreconditionFailure: the field or thing a business refusal speaks of
  std::string resource_type;  // ResourceInfo, for NOT_FOUND
  std::string resource_name;
  int64_t retry_after_ms = 0;  // RetryInfo; 0: none
};

// gRPC status codes by number (grpcpp stays out of here).
enum StatusCode : int {
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// Short name of a refusal value without its enum's prefix: "HOUSEHOLD_NOT_FOUND".
std::string short_name(const google::protobuf::EnumValueDescriptor& value);

Error error_of(const Refusal& refusal);
// All violations at once; `reason` is the first in field order.
Error error_of(const Violations& violations);
// A failure of ours or of the machine.
Error failure(StatusCode code, std::string reason, std::string message,
              std::vector<std::pair<std::string, std::string>> metadata = {},
              int64_t retry_after_ms = 0);

using Answer = std::variant<std::unique_ptr<google::protobuf::Message>, Error>;
// Called exactly once, on any thread.
using Done = std::function<void(Answer)>;

}  // namespace taizhang
