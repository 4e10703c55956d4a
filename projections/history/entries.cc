// Events by the request that recorded them and by their documents.
#include "projections/common/documents.h"
#include "projections/common/row_change.h"
#include "projections/history/parts.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/history/state/v1/state.pb.h"

namespace taizhang::history {

void fill_entry(const Snapshot& snapshot, int64_t seq, v1::Entry& entry) {
  entry.set_version(seq);
  *entry.mutable_change() = change_of(snapshot, seq);
  snapshot.event(seq, [&](const EventMeta& meta) {
    for (auto& id : documents_of(meta)) entry.add_document_ids(std::move(id));
    for (auto& subject : subjects_of(*meta.event)) {
      auto& out = *entry.add_subjects();
      out.set_kind(static_cast<common::v1::SubjectKind>(subject.kind));
      out.set_id(std::move(subject.id));
    }
    entry.set_days_late(days_late(meta));
  });
}

Result<v1::ByRequestResponse> by_request(const Snapshot& snapshot,
                                         const v1::ByRequestRequest& request) {
  const auto* row = snapshot.find<state::v1::ByRequest>(request.request_id());
  if (!row) {
    return not_found("REQUEST_NOT_FOUND", "没有这个请求编号的记录", "REQUEST",
                     request.request_id());
  }
  v1::ByRequestResponse response;
  int64_t seq = row->first_seq();
  std::string_view after = snapshot.page().after();
  if (!after.empty()) take_key_number(after, seq);
  for (; seq <= row->last_seq(); ++seq) {
    if (response.entries_size() == snapshot.page().size()) {
      snapshot.page().next_after(make_key(seq));
      break;
    }
    fill_entry(snapshot, seq, *response.add_entries());
    snapshot.page().place(nullptr, make_key(seq));
  }
  return response;
}

Result<v1::ByDocumentResponse> by_document(const Snapshot& snapshot,
                                           const v1::ByDocumentRequest& request) {
  v1::ByDocumentResponse response;
  snapshot.page_scan_back<state::v1::ByDocument>(
      [&](const state::v1::ByDocument& row) {
        fill_entry(snapshot, row.seq(), *response.add_entries());
        return true;
      },
      request.document_id());
  if (response.entries().empty() && snapshot.page().after().empty()) {
    return not_found("DOCUMENT_NOT_FOUND", "没有依据此文件的记录", "DOCUMENT",
                     request.document_id());
  }
  return response;
}

}  // namespace taizhang::history
