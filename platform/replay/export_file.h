// The file of an export: commits of a ledger in order, their schemas, and a chain of digests.
//
// Whatever is changed in it is found: a byte, a frame taken out, put in or moved, an end cut off. A
// file that somebody wrote anew as a whole is found by nobody who has only the file: keep the head
// that the export told, or compare with the ledger (replay.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/file.h"
#include "platform/base/sha256.h"

namespace taizhang {
namespace ledger::v1 {
class ExportedCommit;
class ExportHeader;
class ExportTrailer;
}  // namespace ledger::v1

namespace replay {

// Writes PATH.part, which becomes PATH at the end; memory does not grow with the file. Not
// thread-safe.
class ExportWriter {
 public:
  // Begins anew, or goes on behind the last whole commit of a PATH.part that an earlier run of the
  // same export left behind: same ledger, program, withholding and skipped events. ALREADY_EXISTS:
  // PATH is there. Other errors: of the file system.
  static absl::StatusOr<std::unique_ptr<ExportWriter>> open(FileSystem& files,
                                                            const std::string& path,
                                                            const ledger::v1::ExportHeader& header);
  ~ExportWriter();

  // Of the last commit written; 0: none. What a resumed export goes on behind.
  int64_t first_seq_of_last() const;
  int64_t last_seq() const;
  int64_t events() const;
  // FAILED_PRECONDITION: `commit` is not the last one written, so the part is of another history.
  absl::Status check_last(const ledger::v1::ExportedCommit& commit) const;
  // Drops what was written and begins anew.
  absl::Status restart();

  // INVALID_ARGUMENT: not a commit of the ledger, or not the one behind the last.
  absl::Status add(const ledger::v1::ExportedCommit& commit);

  struct Finished {
    int64_t commits = 0;
    int64_t events = 0;
    int64_t withheld_events = 0;
    int64_t last_seq = 0;
    std::string head;  // 64 hexadecimal digits: digest of the last frame
  };
  // Writes the trailer, makes everything durable and gives the file its name.
  absl::StatusOr<Finished> finish();

 private:
  struct State;
  explicit ExportWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Reads a file and checks all of it on the way. Not thread-safe.
class ExportReader {
 public:
  // Reads schemas and header. NOT_FOUND: no such file. DATA_LOSS: names frame and byte.
  // UNIMPLEMENTED: of a newer format.
  static absl::StatusOr<std::unique_ptr<ExportReader>> open(FileSystem& files,
                                                            const std::string& path);
  ~ExportReader();

  const ledger::v1::ExportHeader& header() const;
  // Serialised google.protobuf.FileDescriptorSet.
  const std::string& schemas() const;
  // The next commit; false: there is no more, and the file is whole to its last byte. DATA_LOSS:
  // names frame and byte; what was read before it is good.
  absl::StatusOr<bool> next(ledger::v1::ExportedCommit& commit);
  // After next() was false.
  const ledger::v1::ExportTrailer& trailer() const;
  // Digest of the last frame read, and where it ends.
  const Sha256Digest& head() const;
  int64_t position() const;
  uint64_t frames() const;

 private:
  struct State;
  explicit ExportReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What the commits of a file add up to, while they are written and while they are read.
class ExportCount {
 public:
  explicit ExportCount(std::string ledger) : ledger_(std::move(ledger)) {}
  // INVALID_ARGUMENT: not a commit of the ledger, or not the one behind the last.
  absl::Status add(const ledger::v1::ExportedCommit& commit);
  void fill(ledger::v1::ExportTrailer& trailer) const;

  int64_t first_seq_of_last() const { return first_seq_of_last_; }
  int64_t last_seq() const { return last_seq_; }
  int64_t commits() const { return commits_; }
  int64_t events() const { return events_; }
  int64_t withheld_events() const { return withheld_events_; }

 private:
  std::string ledger_;
  int64_t first_seq_of_last_ = 0;
  int64_t last_seq_ = 0;
  int64_t recorded_time_us_ = 0;
  int64_t commits_ = 0;
  int64_t events_ = 0;
  int64_t withheld_events_ = 0;
};

}  // namespace replay
}  // namespace taizhang
