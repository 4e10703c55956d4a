// Maker and checker are different people, unless the right SELF_APPROVE says otherwise.
#pragma once

#include <optional>
#include <string_view>

#include "platform/command/decision.h"

namespace taizhang {
namespace common::v1 {
class Actor;
}

inline constexpr std::string_view kSelfApprove = "SELF_APPROVE";

// By worker id where both have one, else by subject.
bool same_person(const common::v1::Actor& a, const common::v1::Actor& b);
// The actor acts as this worker.
bool acts_as_worker(const Ledger& ledger, std::string_view worker_id);

// SAME_ACTOR for `field` when `same` and the actor has no right to approve what is his own. When
// this passes although `same`, the events must say so: events.used_right(kSelfApprove).
std::optional<Refusal> same_actor(const Ledger& ledger, bool same, std::string_view field);

}  // namespace taizhang
