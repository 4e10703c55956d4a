// The clean topic in memory, with the faults of the journal's twin. For tests.
#pragma once

#include <memory>
#include <vector>

#include "platform/journal/memory/memory_log.h"
#include "platform/republish/clean_topic.h"

namespace taizhang::republish {

// One republisher's handle on a partition; several may share the topic.
class MemoryCleanPartition : public CleanPartition {
 public:
  explicit MemoryCleanPartition(std::shared_ptr<journal::MemoryTopic> topic);

  absl::Status produce(const CleanRecord& record, uint64_t tag) override;
  void set_report_sink(journal::ReportSink sink) override;
  absl::StatusOr<Extent> extent() override;
  std::unique_ptr<CleanCursor> read(int64_t offset) override;

  // Faults, pauses and held records are those of this log.
  journal::MemoryLog& log() { return log_; }
  // As the operator's retention does: what stands before is no longer read.
  void set_first(int64_t first) { first_ = first; }
  // As a transaction's marker does: so many offsets at the end hold no record.
  void set_empty_offsets(int64_t count) { empty_offsets_ = count; }

 private:
  std::shared_ptr<journal::MemoryTopic> topic_;
  journal::MemoryLog log_;
  int64_t first_ = 0;
  int64_t empty_offsets_ = 0;
};

class MemoryCleanTopic : public CleanTopic {
 public:
  explicit MemoryCleanTopic(const std::vector<std::shared_ptr<journal::MemoryTopic>>& topics);
  int partitions() const override { return static_cast<int>(partitions_.size()); }
  MemoryCleanPartition& partition(int index) override {
    return *partitions_[static_cast<size_t>(index)];
  }

 private:
  std::vector<std::unique_ptr<MemoryCleanPartition>> partitions_;
};

// How the twin keeps a record.
std::string encode(const CleanRecord& record);
CleanRecord decode(std::string_view bytes);

}  // namespace taizhang::republish
