// The file system as a seam: what the journal does to a disk, so that tests can put a failing one
// in its place.
//
// Thread-safe: files may be read and written from several threads at once, at different places.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace taizhang {

// Errors of all calls: RESOURCE_EXHAUSTED: no space left. NOT_FOUND: no such file. INTERNAL:
// anything else the system said, by name.
class File {
 public:
  virtual ~File() = default;
  // Reads up to `size` bytes; fewer only at the end of the file.
  virtual absl::StatusOr<size_t> read(int64_t at, char* out, size_t size) = 0;
  // Writes all of it or fails; after a failure any part may have been written.
  virtual absl::Status write(int64_t at, std::string_view bytes) = 0;
  // fdatasync. After a failure nobody knows what is on the disk, and asking again would lie.
  virtual absl::Status sync() = 0;
  virtual absl::StatusOr<int64_t> size() = 0;
};

// Held while it lives.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

enum class OpenMode { kRead, kReadWrite, kCreate /* must not exist */ };

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual absl::StatusOr<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Names in a directory, without "." and "..", ascending.
  virtual absl::StatusOr<std::vector<std::string>> list(const std::string& directory) = 0;
  // Makes the directory if it is missing (not its parents); mode 0700.
  virtual absl::Status make_directory(const std::string& directory) = 0;
  // Replaces `to`.
  virtual absl::Status rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status remove(const std::string& path) = 0;
  // Makes creations, renames and removals in it durable.
  virtual absl::Status sync_directory(const std::string& directory) = 0;
  // flock on the directory itself, O_CLOEXEC: there is no lock file that somebody could delete, and
  // the kernel drops the lock with the process. FAILED_PRECONDITION: somebody else holds it.
  virtual absl::StatusOr<std::unique_ptr<DirectoryLock>> lock_directory(
      const std::string& directory) = 0;
  // FAILED_PRECONDITION: a network, FUSE, 9p or virtiofs file system, whose locks and syncs cannot
  // be relied on.
  virtual absl::Status check_durable_kind(const std::string& directory) = 0;
  virtual absl::StatusOr<int64_t> free_bytes(const std::string& directory) = 0;
};

// The machine's own. Lives for ever.
FileSystem& system_files();

}  // namespace taizhang
