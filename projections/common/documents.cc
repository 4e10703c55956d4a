// Documents behind an event.
#include "projections/common/documents.h"

#include <algorithm>

#include "platform/projection/subjects.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

std::vector<std::string> documents_of(const EventMeta& meta) {
  auto ids = document_ids(*meta.event);
  const auto& recorded_from = meta.source->document().document_id();
  if (!recorded_from.empty() && std::find(ids.begin(), ids.end(), recorded_from) == ids.end()) {
    ids.push_back(recorded_from);
  }
  return ids;
}

std::vector<std::string> documents_of(const Snapshot& snapshot, int64_t seq) {
  std::vector<std::string> ids;
  snapshot.event(seq, [&](const EventMeta& meta) { ids = documents_of(meta); });
  return ids;
}

}  // namespace taizhang
