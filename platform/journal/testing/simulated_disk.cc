// A disk in memory that fails as disks do.
#include "platform/journal/testing/simulated_disk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace taizhang::journal::testing {
namespace {

absl::Status power_is_off() { return absl::InternalError("simulated: the power is off"); }

}  // namespace

class SimulatedDisk::SimulatedFile : public File {
 public:
  SimulatedFile(SimulatedDisk& disk, std::shared_ptr<Inode> inode, std::string path)
      : disk_(disk),
        inode_(std::move(inode)),
        path_(std::move(path)),
        generation_(disk.generation_) {}

  absl::StatusOr<size_t> read(int64_t at, char* out, size_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    if (dead()) return power_is_off();
    return disk_.read(*inode_, path_, at, out, size);
  }
  absl::Status write(int64_t at, std::string_view bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    return dead() ? power_is_off() : disk_.write(*inode_, at, bytes);
  }
  absl::Status sync() override {
    const std::lock_guard lock(disk_.mutex_);
    return dead() ? power_is_off() : disk_.sync(*inode_);
  }
  absl::StatusOr<int64_t> size() override {
    const std::lock_guard lock(disk_.mutex_);
    if (dead()) return power_is_off();
    return static_cast<int64_t>(inode_->seen.size());
  }

 private:
  bool dead() const { return generation_ != disk_.generation_; }

  SimulatedDisk& disk_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  uint64_t generation_;
};

class SimulatedDisk::Lock : public DirectoryLock {
 public:
  Lock(SimulatedDisk& disk, std::string directory)
      : disk_(disk), directory_(std::move(directory)), generation_(disk.generation_) {}
  ~Lock() override {
    const std::lock_guard lock(disk_.mutex_);
    if (generation_ == disk_.generation_) disk_.locked_[directory_] = false;
  }

 private:
  SimulatedDisk& disk_;
  std::string directory_;
  uint64_t generation_;
};

// Every operation that changes something passes here; the one at which the power goes is done in
// part by its caller.
absl::Status SimulatedDisk::begin_change() {
  if (power_left_ == 0) return power_is_off();
  if (power_left_ > 0) --power_left_;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<File>> SimulatedDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  if (!powered()) return power_is_off();
  auto at = names_.find(path);
  if (mode == OpenMode::kCreate) {
    if (at != names_.end()) return absl::InternalError("create " + path + ": it exists");
    if (absl::Status status = begin_change(); !status.ok()) return status;
    unsynced_names_.push_back(names_);
    at = names_.emplace(path, std::make_shared<Inode>()).first;
  }
  if (at == names_.end()) return absl::NotFoundError("open " + path + ": no such file");
  return std::make_unique<SimulatedFile>(*this, at->second, path);
}

absl::StatusOr<std::vector<std::string>> SimulatedDisk::list(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (!powered()) return power_is_off();
  std::vector<std::string> names;
  for (const auto& [path, inode] : names_) {
    if (path.starts_with(directory + "/")) names.push_back(path.substr(directory.size() + 1));
  }
  return names;
}

absl::Status SimulatedDisk::make_directory(const std::string& /*directory*/) {
  const std::lock_guard lock(mutex_);
  return powered() ? absl::OkStatus() : power_is_off();
}

absl::Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (absl::Status status = begin_change(); !status.ok()) return status;
  const auto at = names_.find(from);
  if (at == names_.end()) return absl::NotFoundError("rename " + from + ": no such file");
  unsynced_names_.push_back(names_);
  const std::shared_ptr<Inode> inode = at->second;
  names_.erase(at);
  names_[to] = inode;
  return absl::OkStatus();
}

absl::Status SimulatedDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!names_.contains(path)) return absl::NotFoundError("remove " + path + ": no such file");
  if (absl::Status status = begin_change(); !status.ok()) return status;
  unsynced_names_.push_back(names_);
  names_.erase(path);
  return absl::OkStatus();
}

absl::Status SimulatedDisk::sync_directory(const std::string& /*directory*/) {
  const std::lock_guard lock(mutex_);
  if (absl::Status status = begin_change(); !status.ok()) return status;
  unsynced_names_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> SimulatedDisk::lock_directory(
    const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(locked_[directory], true)) {
    return absl::FailedPreconditionError(directory + " is in use: another process holds its lock");
  }
  return std::make_unique<Lock>(*this, directory);
}

absl::Status SimulatedDisk::check_durable_kind(const std::string& directory) {
  return remote_ ? absl::FailedPreconditionError(directory + " is on nfs") : absl::OkStatus();
}

absl::StatusOr<int64_t> SimulatedDisk::free_bytes(const std::string& /*directory*/) {
  const std::lock_guard lock(mutex_);
  return capacity_bytes_ < 0 ? int64_t{1} << 40 : capacity_bytes_ - used_bytes();
}

int64_t SimulatedDisk::used_bytes() const {
  int64_t used = 0;
  for (const auto& [path, inode] : names_) used += static_cast<int64_t>(inode->seen.size());
  return used;
}

std::string SimulatedDisk::sector_of(const std::string& content, int64_t sector) {
  const auto at = static_cast<size_t>(sector * kSectorBytes);
  return at < content.size() ? content.substr(at, kSectorBytes) : std::string();
}

void SimulatedDisk::put_sector(std::string& content, int64_t sector, std::string_view bytes) {
  const auto at = static_cast<size_t>(sector * kSectorBytes);
  if (content.size() < at + bytes.size()) content.resize(at + bytes.size(), '\0');
  std::memcpy(content.data() + at, bytes.data(), bytes.size());
}

absl::StatusOr<size_t> SimulatedDisk::read(const Inode& inode, const std::string& path, int64_t at,
                                           char* out, size_t size) {
  if (!powered()) return power_is_off();
  if (const auto bad = unreadable_.find(path); bad != unreadable_.end() && at <= bad->second &&
                                               bad->second < at + static_cast<int64_t>(size)) {
    return absl::InternalError("read " + path + ": Input/output error");
  }
  const auto from = static_cast<size_t>(at);
  if (from >= inode.seen.size()) return size_t{0};
  const size_t count = std::min(size, inode.seen.size() - from);
  std::memcpy(out, inode.seen.data() + from, count);
  return count;
}

absl::Status SimulatedDisk::write(Inode& inode, int64_t at, std::string_view bytes) {
  if (absl::Status status = begin_change(); !status.ok()) return status;
  const auto end = at + static_cast<int64_t>(bytes.size());
  const int64_t growth = std::max<int64_t>(0, end - static_cast<int64_t>(inode.seen.size()));
  if (capacity_bytes_ >= 0 && used_bytes() + growth > capacity_bytes_) {
    return absl::ResourceExhaustedError("simulated: No space left on device");
  }
  if (power_left_ == 0) {
    // The power goes while this is written: any part of it reached the cache, at any byte.
    bytes = bytes.substr(0, random_.below(bytes.size() + 1));
    if (bytes.empty()) return power_is_off();
  }
  const int64_t part_end = at + static_cast<int64_t>(bytes.size());
  if (static_cast<int64_t>(inode.seen.size()) < part_end)
    inode.seen.resize(static_cast<size_t>(part_end), '\0');
  std::memcpy(inode.seen.data() + at, bytes.data(), bytes.size());
  for (int64_t sector = at / kSectorBytes; sector * kSectorBytes < part_end; ++sector) {
    inode.unsynced[sector].push_back(sector_of(inode.seen, sector));
  }
  return power_left_ == 0 ? power_is_off() : absl::OkStatus();
}

absl::Status SimulatedDisk::sync(Inode& inode) {
  if (absl::Status status = begin_change(); !status.ok()) return status;
  if (power_left_ == 0) return power_is_off();  // power_cut() decides what got through
  ++syncs_;
  const bool fails = fail_sync_in_ == 0;
  if (fail_sync_in_ >= 0) --fail_sync_in_;
  for (const auto& [sector, versions] : inode.unsynced) {
    if (!fails || random_.one_in(2)) put_sector(inode.durable, sector, versions.back());
  }
  // Also after a failure: the kernel holds these pages for clean and never tries them again.
  inode.unsynced.clear();
  return fails ? absl::InternalError("simulated: fdatasync: Input/output error") : absl::OkStatus();
}

SimulatedDisk::Image SimulatedDisk::image() const {
  const std::lock_guard lock(mutex_);
  Image image;
  for (const auto& [path, inode] : names_) image[path] = inode->seen;
  return image;
}

void SimulatedDisk::load(const Image& image) {
  const std::lock_guard lock(mutex_);
  names_.clear();
  unsynced_names_.clear();
  locked_.clear();
  ++generation_;
  for (const auto& [path, content] : image) {
    auto inode = std::make_shared<Inode>();
    inode->seen = inode->durable = content;
    names_[path] = std::move(inode);
  }
}

void SimulatedDisk::power_off_after(int64_t operations) {
  const std::lock_guard lock(mutex_);
  power_left_ = operations;
}

void SimulatedDisk::power_cut() {
  const std::lock_guard lock(mutex_);
  if (!unsynced_names_.empty()) {
    unsynced_names_.push_back(names_);
    names_ = unsynced_names_[random_.below(unsynced_names_.size())];
    unsynced_names_.clear();
  }
  for (auto& [path, inode] : names_) {
    for (const auto& [sector, versions] : inode->unsynced) {
      const size_t choice = random_.below(versions.size() + 1);
      if (choice > 0) put_sector(inode->durable, sector, versions[choice - 1]);
    }
    inode->unsynced.clear();
    inode->seen = inode->durable;
  }
  locked_.clear();
  ++generation_;
  power_left_ = -1;
  fail_sync_in_ = -1;
}

void SimulatedDisk::process_killed() {
  const std::lock_guard lock(mutex_);
  locked_.clear();
  ++generation_;
  power_left_ = -1;
  fail_sync_in_ = -1;
}

void SimulatedDisk::fail_sync(int64_t skip) {
  const std::lock_guard lock(mutex_);
  fail_sync_in_ = skip;
}

void SimulatedDisk::set_capacity_bytes(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_bytes_ = bytes;
}

void SimulatedDisk::set_unreadable(const std::string& path, int64_t at) {
  const std::lock_guard lock(mutex_);
  unreadable_[path] = at;
}

void SimulatedDisk::set_readable() {
  const std::lock_guard lock(mutex_);
  unreadable_.clear();
}

int64_t SimulatedDisk::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

}  // namespace taizhang::journal::testing
