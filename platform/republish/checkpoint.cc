// The checkpoint's file: a CRC-32C and a message.
#include "platform/republish/checkpoint.h"

#include "platform/base/bytes.h"
#include "platform/base/crc32c.h"
#include "platform/base/file.h"
#include "platform/base/log.h"
#include "taizhang/platform/state/v1/republish.pb.h"

namespace taizhang::republish {
namespace {

constexpr size_t kCrcBytes = 4;

absl::StatusOr<std::string> content_of(const std::string& path) {
  auto file = system_files().open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const auto size = (*file)->size();
  if (!size.ok()) return size.status();
  std::string content(static_cast<size_t>(*size), '\0');
  const auto read = (*file)->read(0, content.data(), content.size());
  if (!read.ok()) return read.status();
  content.resize(*read);
  return content;
}

}  // namespace

absl::StatusOr<Checkpoint> load_checkpoint(const std::string& path) {
  const auto content = content_of(path);
  if (absl::IsNotFound(content.status())) return Checkpoint{};
  if (!content.ok()) return content.status();
  platform::state::v1::RepublishCheckpoint stored;
  const std::string_view bytes = *content;
  if (bytes.size() < kCrcBytes ||
      load_le<uint32_t>(bytes.data()) != crc32c(0, bytes.substr(kCrcBytes)) ||
      !stored.ParseFromArray(bytes.data() + kCrcBytes,
                             static_cast<int>(bytes.size() - kCrcBytes)) ||
      stored.clean_digest().size() != kSha256Bytes) {
    log(LogLevel::kWarning, "republish_checkpoint_dropped", {{"why", "the file is not whole"}});
    return Checkpoint{};
  }
  Checkpoint checkpoint;
  checkpoint.partition_row = stored.partition_row();
  checkpoint.ledger_rows.insert(stored.ledger_rows().begin(), stored.ledger_rows().end());
  checkpoint.journal_k = stored.journal_k();
  checkpoint.clean_offset = stored.clean_offset();
  checkpoint.clean_k = stored.clean_k();
  stored.clean_digest().copy(reinterpret_cast<char*>(checkpoint.clean_digest.data()), kSha256Bytes);
  return checkpoint;
}

absl::Status save_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  platform::state::v1::RepublishCheckpoint stored;
  stored.set_partition_row(checkpoint.partition_row);
  stored.mutable_ledger_rows()->insert(checkpoint.ledger_rows.begin(),
                                       checkpoint.ledger_rows.end());
  stored.set_journal_k(checkpoint.journal_k);
  stored.set_clean_offset(checkpoint.clean_offset);
  stored.set_clean_k(checkpoint.clean_k);
  stored.set_clean_digest(std::string(taizhang::bytes_of(checkpoint.clean_digest)));
  const std::string message = stored.SerializeAsString();
  std::string bytes;
  append_le(bytes, crc32c(0, message));
  bytes += message;

  FileSystem& files = system_files();
  const std::string making = path + ".making";
  auto left_over = files.remove(making);
  if (!left_over.ok() && !absl::IsNotFound(left_over)) return left_over;
  auto file = files.open(making, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  if (auto written = (*file)->write(0, bytes); !written.ok()) return written;
  return files.rename(making, path);
}

}  // namespace taizhang::republish
