// Actors and errors of the writer.
#include "platform/writer/parts.h"

#include "platform/journal/record.h"
#include "taizhang/common/v1/request.pb.h"

namespace taizhang {

common::v1::Actor actor_of(const Caller& caller) {
  common::v1::Actor actor;
  actor.set_subject(caller.subject);
  actor.set_worker_id(caller.worker_id);
  actor.set_org_id(caller.org_id);
  for (const int role : caller.roles) actor.add_roles(static_cast<common::v1::Role>(role));
  for (const auto& region : caller.regions) actor.add_regions(region);
  for (const auto& right : caller.rights) actor.add_rights(right);
  return actor;
}

const common::v1::Actor& system_actor() {
  static const common::v1::Actor actor = [] {
    common::v1::Actor made;
    made.set_subject("taizhang");
    return made;
  }();
  return actor;
}

Error deadline_passed() {
  return failure(kDeadlineExceeded, "DEADLINE_EXCEEDED",
                 "the deadline passed before the command was decided", {{"outcome", "none"}});
}

Error damaged_state() {
  return failure(kDataLoss, "STATE_DAMAGED",
                 "the writer's state tables are damaged; they can be rebuilt from the journal",
                 {{"outcome", "none"}});
}

Error error_of_append(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    return failure(kResourceExhausted, "NO_ROOM", "no room in the journal now",
                   {{"outcome", "none"}}, kRetryAfterMs);
  }
  if (absl::IsDataLoss(status)) return damaged_state();
  if (absl::IsInvalidArgument(status)) {
    Error error = failure(
        kInvalidArgument, "COMMIT_TOO_LARGE", "the command's events exceed the bound of one commit",
        {{"limit", "journal_record_bytes_max"}, {"max", std::to_string(journal::kRecordBytesMax)}});
    error.zh = "内容过大，请分批提交";
    return error;
  }
  return failure(kUnavailable, "WRITER_UNAVAILABLE", "the ledger's writer cannot answer now",
                 {{"outcome", "none"}}, kRetryAfterMs);
}

}  // namespace taizhang
