// Secret keys beside the data: 32 random bytes as 64 hexadecimal digits and a line end.
#include "platform/config/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "platform/base/clock.h"
#include "platform/base/sha256.h"

namespace taizhang {
namespace {

constexpr size_t kKeyBytes = 32;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status system_error(const std::string& path, const char* what) {
  return absl::InternalError(path + ": " + what + ": " + std::strerror(errno));
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Empty: not a key.
std::string from_hex(const std::string& text) {
  std::string bytes;
  if (text.size() != 2 * kKeyBytes + 1 || text.back() != '\n') return bytes;
  for (size_t i = 0; i < 2 * kKeyBytes; i += 2) {
    const int high = digit_of(text[i]);
    const int low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) return "";
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

Key key_of(std::string bytes) {
  std::string id = hex(bytes_of(sha256(bytes))).substr(0, 8);
  return {std::move(bytes), std::move(id)};
}

// Written beside, synced, renamed: a crash leaves a whole key or none.
absl::Status write_durably(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  unlink(part.c_str());
  {
    const Descriptor file(open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return system_error(part, "cannot be made");
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      return system_error(part, "cannot be written");
    }
    if (fsync(file.get()) != 0) return system_error(part, "cannot be synced");
  }
  if (rename(part.c_str(), path.c_str()) != 0) return system_error(path, "cannot be put in place");
  const std::string folder = std::filesystem::path(path).parent_path();
  const Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0)
    return system_error(folder, "cannot be synced");
  return absl::OkStatus();
}

absl::StatusOr<std::string> read_whole(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error(path, "cannot be opened");
  std::string text(4 * kKeyBytes, '\0');
  const ssize_t got = read(file.get(), text.data(), text.size());
  if (got < 0) return system_error(path, "cannot be read");
  text.resize(static_cast<size_t>(got));
  return text;
}

}  // namespace

absl::Status check_private_file(const std::string& path) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    return absl::FailedPreconditionError(path + ": cannot be read: " + std::strerror(errno));
  }
  if (!S_ISREG(facts.st_mode))
    return absl::FailedPreconditionError(path + ": is not a regular file");
  if (facts.st_uid != geteuid())
    return absl::FailedPreconditionError(path + ": belongs to another user");
  if ((facts.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        path + ": others may read or write it; expected mode 0600 (chmod 600)");
  }
  return absl::OkStatus();
}

absl::StatusOr<Key> load_or_make_key(const std::string& path, bool may_make, Random& random) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT) return system_error(path, "cannot be read");
    if (!may_make) {
      return absl::FailedPreconditionError(
          path + ": the key is missing, but data made with it exists; put it back");
    }
    std::string bytes = random.bytes(kKeyBytes);
    if (auto written = write_durably(path, hex(bytes) + "\n"); !written.ok()) return written;
    return key_of(std::move(bytes));
  }
  if (auto safe = check_private_file(path); !safe.ok()) return safe;
  const auto text = read_whole(path);
  if (!text.ok()) return text.status();
  std::string bytes = from_hex(*text);
  if (bytes.empty())
    return absl::FailedPreconditionError(path + ": is not a key of 64 hexadecimal digits");
  return key_of(std::move(bytes));
}

}  // namespace taizhang
