// Paging over rows and versions.
#include "platform/projection/snapshot.h"

#include "taizhang/common/v1/enums.pb.h"

namespace taizhang {

bool Snapshot::may_see_personal() const {
  return caller_.has_role(common::v1::ROLE_MAKER) || caller_.has_role(common::v1::ROLE_CHECKER);
}

bool Snapshot::event(int64_t seq, const std::function<void(const EventMeta&)>& visit) const {
  return events_ && events_->event(moment_.ledger, seq, visit);
}

void Snapshot::page_rows(const RowType& type, std::string_view prefix, bool backward,
                         const std::function<bool(const google::protobuf::Message&)>& visit) const {
  // A page ends with the row after which the next one goes on; whether that one exists is known
  // only when it is met.
  int taken = 0;
  int read = 0;
  std::string last;
  Visiting visiting(*this);
  const SnapshotRows::VisitRow each = [&](std::string_view key,
                                          const google::protobuf::Message& row) {
    if (taken == page_.size() || read == kPageRowsReadMax) {
      page_.next_after(last);
      return false;
    }
    ++read;
    last = key;
    visiting.one([&] {
      if (!visit(row)) return;
      page_.place(&type, key);
      ++taken;
    });
    return true;
  };
  if (backward) {
    page_.descend();
    rows_.scan_back(type, prefix, page_.after(), each);
  } else {
    rows_.scan(type, prefix, page_.after(), each);
  }
}

void Snapshot::page_versions(
    const RowType& type, std::string_view key,
    const std::function<void(const RowVersion&, const google::protobuf::Message&)>& visit) const {
  int64_t from = moment_.seq;
  if (!page_.after().empty()) {
    std::string_view after = page_.after();
    if (!take_key_number(after, from)) return;
    --from;
  }
  page_.descend();
  int taken = 0;
  int64_t last = 0;
  Visiting visiting(*this);
  rows_.history(type, key, from,
                [&](const RowVersion& version, const google::protobuf::Message& row) {
                  if (taken == page_.size()) {
                    page_.next_after(make_key(last));
                    return false;
                  }
                  ++taken;
                  last = version.seq;
                  visiting.one([&] { visit(version, row); });
                  page_.place(nullptr, make_key(version.seq));
                  return true;
                });
}

}  // namespace taizhang
