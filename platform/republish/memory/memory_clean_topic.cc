// Clean records as bytes of a journal topic in memory.
#include "platform/republish/memory/memory_clean_topic.h"

#include <utility>

#include "platform/base/bytes.h"

namespace taizhang::republish {
namespace {

void put(std::string& out, std::string_view text) {
  append_le(out, static_cast<uint32_t>(text.size()));
  out += text;
}

std::string take(std::string_view& bytes) {
  const auto size = load_le<uint32_t>(bytes.data());
  std::string text(bytes.substr(sizeof size, size));
  bytes.remove_prefix(sizeof size + size);
  return text;
}

class MemoryCleanCursor : public CleanCursor {
 public:
  explicit MemoryCleanCursor(std::unique_ptr<journal::Cursor> cursor)
      : cursor_(std::move(cursor)) {}
  absl::StatusOr<std::optional<StoredCleanRecord>> next() override {
    const auto record = cursor_->next();
    if (!record.ok()) return record.status();
    if (!*record) return std::nullopt;
    return StoredCleanRecord{(*record)->offset, decode((*record)->bytes)};
  }

 private:
  std::unique_ptr<journal::Cursor> cursor_;
};

}  // namespace

std::string encode(const CleanRecord& record) {
  std::string bytes;
  put(bytes, record.key);
  put(bytes, record.value);
  for (const Header& header : record.headers) {
    put(bytes, header.name);
    put(bytes, header.value);
  }
  return bytes;
}

CleanRecord decode(std::string_view bytes) {
  CleanRecord record;
  record.key = take(bytes);
  record.value = take(bytes);
  while (!bytes.empty()) {
    std::string name = take(bytes);
    record.headers.push_back({std::move(name), take(bytes)});
  }
  return record;
}

MemoryCleanPartition::MemoryCleanPartition(std::shared_ptr<journal::MemoryTopic> topic)
    : topic_(std::move(topic)), log_(topic_) {}

absl::Status MemoryCleanPartition::produce(const CleanRecord& record, uint64_t tag) {
  if (auto queued = log_.produce(encode(record), tag); !queued.ok()) return queued;
  log_.flush(true);
  return absl::OkStatus();
}

void MemoryCleanPartition::set_report_sink(journal::ReportSink sink) {
  if (!sink) sink = [](const journal::AppendReport&) {};
  log_.set_report_sink(std::move(sink));
}

absl::StatusOr<CleanPartition::Extent> MemoryCleanPartition::extent() {
  return Extent{first_, topic_->end() + empty_offsets_};
}

std::unique_ptr<CleanCursor> MemoryCleanPartition::read(int64_t offset) {
  return std::make_unique<MemoryCleanCursor>(log_.read(offset));
}

MemoryCleanTopic::MemoryCleanTopic(
    const std::vector<std::shared_ptr<journal::MemoryTopic>>& topics) {
  for (const auto& topic : topics) {
    partitions_.push_back(std::make_unique<MemoryCleanPartition>(topic));
  }
}

}  // namespace taizhang::republish
