// What happened to one thing, with the values it changed.
#include "projections/history/parts.h"
#include "taizhang/history/state/v1/state.pb.h"

namespace taizhang::history {

Result<v1::SubjectHistoryResponse> subject_history(const Snapshot& snapshot,
                                                   const v1::SubjectHistoryRequest& request) {
  const Subject subject = key_subject({request.subject().kind(), request.subject().id()});
  if (!snapshot.has<state::v1::Subject>(subject.kind, subject.id)) {
    return not_found("SUBJECT_NOT_FOUND", "当时没有这个对象的任何记录",
                     subject_kind_name(request.subject().kind()), request.subject().id());
  }
  v1::SubjectHistoryResponse response;
  snapshot.page_history<state::v1::Subject>(
      [&](const RowVersion& version, const state::v1::Subject& row) {
        auto& out = *response.add_entries();
        fill_entry(snapshot, version.seq, *out.mutable_entry());
        for (const auto& made : row.changes()) {
          auto& change = *out.add_changes();
          change.set_field(made.path());
          change.set_before(made.before());
          if (made.before_seq() != 0)
            change.set_before_event_id(event_id(snapshot.ledger(), made.before_seq()));
          change.set_after(made.after());
          change.set_withheld(made.withheld());
        }
      },
      subject.kind, subject.id);
  return response;
}

}  // namespace taizhang::history
