// One cursor that goes on where it can.
#include "platform/writer/commit_reader.h"

#include "platform/journal/record.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang {
namespace {

// Records that are read over rather than sought past.
constexpr int64_t kSkippedMax = 256;

}  // namespace

absl::StatusOr<std::unique_ptr<journal::v1::Commit>> CommitReader::read(int64_t offset,
                                                                        std::string_view ledger,
                                                                        int64_t first_seq) {
  if (!cursor_ || offset < next_offset_ || offset - next_offset_ > kSkippedMax) {
    cursor_ = log_.read(offset);
    next_offset_ = offset;
  }
  const absl::Status missing = absl::DataLossError("no commit of ledger " + std::string(ledger) +
                                                   " at offset " + std::to_string(offset));
  for (;;) {
    const auto record = cursor_->next();
    if (!record.ok() || !*record) {
      cursor_.reset();
      if (!record.ok()) return record.status();
      if (offset >= log_.end()) return missing;
      return absl::UnavailableError("offset " + std::to_string(offset) + " cannot be read now");
    }
    next_offset_ = (*record)->offset + 1;
    if ((*record)->offset < offset) continue;
    if ((*record)->offset > offset || (*record)->bytes.size() < journal::kRecordHeaderBytes) {
      return missing;
    }
    auto commit = std::make_unique<journal::v1::Commit>();
    const auto body = (*record)->bytes.substr(journal::kRecordHeaderBytes);
    if (!commit->ParseFromArray(body.data(), static_cast<int>(body.size())) ||
        commit->ledger() != ledger || commit->first_seq() != first_seq) {
      return missing;
    }
    return commit;
  }
}

}  // namespace taizhang
