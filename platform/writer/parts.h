// What the files of the writer share: actors, and errors that speak of one append.
#pragma once

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "platform/command/answer.h"
#include "platform/command/caller.h"

namespace taizhang {
namespace common::v1 {
class Actor;
}  // namespace common::v1

inline constexpr int64_t kRetryAfterMs = 1'000;

common::v1::Actor actor_of(const Caller& caller);
// Who acts when nobody asked: the platform itself.
const common::v1::Actor& system_actor();

Error deadline_passed();
Error damaged_state();
// Why an append was not made. Nothing of it was written.
Error error_of_append(const absl::Status& status);

}  // namespace taizhang
