// What the files of this view are made of.
#pragma once

#include <cstdint>

#include "platform/projection/snapshot.h"
#include "platform/projection/subjects.h"
#include "platform/projection/view.h"
#include "taizhang/history/v1/service.pb.h"

namespace taizhang::history {

void add_folds(View& view);

Result<v1::SubjectHistoryResponse> subject_history(const Snapshot& snapshot,
                                                   const v1::SubjectHistoryRequest& request);
Result<v1::LateEntriesResponse> late_entries(const Snapshot& snapshot,
                                             const v1::LateEntriesRequest& request);
Result<v1::ByRequestResponse> by_request(const Snapshot& snapshot,
                                         const v1::ByRequestRequest& request);
Result<v1::ByDocumentResponse> by_document(const Snapshot& snapshot,
                                           const v1::ByDocumentRequest& request);

// How a subject stands in keys: a village as the region it is.
Subject key_subject(Subject subject);
// Recorded day less effective day; 0 when the event has no effective day.
int32_t days_late(const EventMeta& meta);
// The event of that seq in full.
void fill_entry(const Snapshot& snapshot, int64_t seq, v1::Entry& entry);

}  // namespace taizhang::history
