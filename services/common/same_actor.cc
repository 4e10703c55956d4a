// Maker and checker.
#include "services/common/same_actor.h"

#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

bool same_person(const common::v1::Actor& a, const common::v1::Actor& b) {
  if (!a.worker_id().empty() && !b.worker_id().empty()) return a.worker_id() == b.worker_id();
  return a.subject() == b.subject();
}

bool acts_as_worker(const Ledger& ledger, std::string_view worker_id) {
  return !worker_id.empty() && ledger.actor().worker_id() == worker_id;
}

std::optional<Refusal> same_actor(const Ledger& ledger, bool same, std::string_view field) {
  if (!same || ledger.may_self_approve()) return std::nullopt;
  return refuse(common::v1::COMMON_REFUSAL_SAME_ACTOR, field);
}

}  // namespace taizhang
