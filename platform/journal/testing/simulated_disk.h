// A disk in memory that fails as disks do: power cuts that keep any subset of unsynced sectors, in
// any order, syncs that fail and leave pages that only look written, a full disk, reads that fail,
// bits that flip. Deterministic from a seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "platform/base/file.h"
#include "platform/journal/testing/history.h"

namespace taizhang::journal::testing {

inline constexpr int64_t kSectorBytes = 512;

// Thread-safe as the seam asks.
class SimulatedDisk : public FileSystem {
 public:
  explicit SimulatedDisk(uint64_t seed) : random_(seed) {}

  absl::StatusOr<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  absl::StatusOr<std::vector<std::string>> list(const std::string& directory) override;
  absl::Status make_directory(const std::string& directory) override;
  absl::Status rename(const std::string& from, const std::string& to) override;
  absl::Status remove(const std::string& path) override;
  absl::Status sync_directory(const std::string& directory) override;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock_directory(
      const std::string& directory) override;
  absl::Status check_durable_kind(const std::string& directory) override;
  absl::StatusOr<int64_t> free_bytes(const std::string& directory) override;

  // Contents as a process sees them; setting them makes them durable as well.
  using Image = std::map<std::string, std::string>;
  Image image() const;
  void load(const Image& image);

  // After so many more operations that change something the power is off: this one happens in part,
  // later ones fail.
  void power_off_after(int64_t operations);
  // The power comes back: every unsynced sector holds one of the contents it had since the last
  // sync, every unsynced change of names happened or did not, in order. Files open before are dead.
  void power_cut();
  // The process died, the machine did not: what was written is still seen. Files open before are
  // dead.
  void process_killed();

  // The next sync but `skip` fails; an unknown part of the sectors got through, none is tried
  // again.
  void fail_sync(int64_t skip = 0);
  void set_capacity_bytes(int64_t bytes);
  void set_unreadable(const std::string& path, int64_t at);
  void set_readable();
  void set_remote(bool remote) { remote_ = remote; }
  int64_t syncs() const;

 private:
  struct Inode {
    std::string seen;     // what reads give
    std::string durable;  // what survives a power cut for sure
    // Contents since the last sync, oldest first, by sector.
    std::map<int64_t, std::vector<std::string>> unsynced;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  class SimulatedFile;
  class Lock;

  absl::Status begin_change();
  bool powered() const { return power_left_ != 0; }
  absl::StatusOr<size_t> read(const Inode& inode, const std::string& path, int64_t at, char* out,
                              size_t size);
  absl::Status write(Inode& inode, int64_t at, std::string_view bytes);
  absl::Status sync(Inode& inode);
  static std::string sector_of(const std::string& content, int64_t sector);
  static void put_sector(std::string& content, int64_t sector, std::string_view bytes);
  int64_t used_bytes() const;

  mutable std::mutex mutex_;
  SeededRandom random_;
  Names names_;
  std::vector<Names> unsynced_names_;  // earlier states since the last directory sync
  std::map<std::string, bool> locked_;
  uint64_t generation_ = 0;  // of open files and locks
  int64_t power_left_ = -1;  // -1: no cut is planned
  int64_t fail_sync_in_ = -1;
  int64_t capacity_bytes_ = -1;
  int64_t syncs_ = 0;
  bool remote_ = false;
  std::map<std::string, int64_t> unreadable_;
};

}  // namespace taizhang::journal::testing
