// The machine's file system.
#include "platform/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace taizhang {
namespace {

absl::Status system_error(const std::string& what, const std::string& path) {
  const int error = errno;
  const std::string message = what + " " + path + ": " + strerror(error);
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  if (error == ENOENT) return absl::NotFoundError(message);
  return absl::InternalError(message);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class SystemFile : public File {
 public:
  SystemFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  absl::StatusOr<size_t> read(int64_t at, char* out, size_t size) override {
    size_t done = 0;
    while (done < size) {
      const ssize_t got =
          pread(fd_.get(), out + done, size - done, at + static_cast<int64_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  absl::Status write(int64_t at, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = pwrite(fd_.get(), bytes.data(), bytes.size(), at);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return system_error("write", path_);
      bytes.remove_prefix(static_cast<size_t>(put));
      at += put;
    }
    return absl::OkStatus();
  }

  absl::Status sync() override {
    // Not repeated on EINTR either: Linux does not return it here, and a second call could hide the
    // first one's failure.
    return fdatasync(fd_.get()) == 0 ? absl::OkStatus() : system_error("fdatasync", path_);
  }

  absl::StatusOr<int64_t> size() override {
    struct stat info {};
    if (fstat(fd_.get(), &info) != 0) return system_error("fstat", path_);
    return static_cast<int64_t>(info.st_size);
  }

 private:
  Descriptor fd_;
  std::string path_;
};

class SystemLock : public DirectoryLock {
 public:
  explicit SystemLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

struct Untrusted {
  int64_t magic;
  const char* name;
};

// linux/magic.h and fs/*/: not all of them are exported there.
constexpr std::array<Untrusted, 12> kUntrusted = {{
    {0x6969, "nfs"},
    {0x517B, "smb"},
    {0xFF534D42, "cifs"},
    {0xFE534D42, "smb2"},
    {0x65735546, "fuse"},
    {0x01021997, "9p"},
    {0x6A656A63, "virtiofs"},
    {0x00C36400, "ceph"},
    {0x5346414F, "afs"},
    {0x73757245, "coda"},
    {0x0BD00BD0, "lustre"},
    {0x01161970, "gfs2"},
}};

class SystemFiles : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead: flags |= O_RDONLY; break;
      case OpenMode::kReadWrite: flags |= O_RDWR; break;
      case OpenMode::kCreate: flags |= O_RDWR | O_CREAT | O_EXCL; break;
    }
    Descriptor fd(::open(path.c_str(), flags, 0600));
    if (fd.get() < 0) return system_error("open", path);
    return std::make_unique<SystemFile>(std::move(fd), path);
  }

  absl::StatusOr<std::vector<std::string>> list(const std::string& directory) override {
    DIR* stream = opendir(directory.c_str());
    if (!stream) return system_error("list", directory);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
      errno = 0;
    }
    const bool failed = errno != 0;
    absl::Status status = failed ? system_error("list", directory) : absl::OkStatus();
    closedir(stream);
    if (failed) return status;
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status make_directory(const std::string& directory) override {
    if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
    return system_error("mkdir", directory);
  }

  absl::Status rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                   : system_error("rename", from);
  }

  absl::Status remove(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? absl::OkStatus() : system_error("unlink", path);
  }

  absl::Status sync_directory(const std::string& directory) override {
    const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return system_error("open", directory);
    return fsync(fd.get()) == 0 ? absl::OkStatus() : system_error("fsync", directory);
  }

  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock_directory(
      const std::string& directory) override {
    Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return system_error("open", directory);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        return absl::FailedPreconditionError(directory +
                                             " is in use: another process holds its lock");
      }
      return system_error("flock", directory);
    }
    return std::make_unique<SystemLock>(std::move(fd));
  }

  absl::Status check_durable_kind(const std::string& directory) override {
    struct statfs info {};
    if (statfs(directory.c_str(), &info) != 0) return system_error("statfs", directory);
    const auto magic = static_cast<int64_t>(static_cast<uint32_t>(info.f_type));
    for (const Untrusted& kind : kUntrusted) {
      if (magic == kind.magic) {
        return absl::FailedPreconditionError(
            directory + " is on " + kind.name +
            ", whose locks and syncs cannot be relied on; use a local disk");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> free_bytes(const std::string& directory) override {
    struct statvfs info {};
    if (statvfs(directory.c_str(), &info) != 0) return system_error("statvfs", directory);
    return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
  }
};

}  // namespace

FileSystem& system_files() {
  static SystemFiles files;
  return files;
}

}  // namespace taizhang
