// Which of the other servers hold which ledgers.
//
// They are asked each time, with the caller's own token, so that everybody sees what he may enter
// and nothing is stale. What they said before is kept to name the ledgers of one that does not
// answer. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "platform/command/caller.h"
#include "platform/lists/remote_reader.h"

namespace taizhang::lists {

class ReaderDirectory {
 public:
  // `readers` in the order in which they are preferred. Of each at most `ledgers_known_max` ledgers
  // are remembered.
  ReaderDirectory(std::vector<std::unique_ptr<RemoteReader>> readers, size_t ledgers_known_max);
  // Stops the readers while everything that their answers come to is still there.
  ~ReaderDirectory();

  size_t size() const { return readers_.size(); }
  RemoteReader& reader(size_t i) const { return *readers_[i]; }

  // What one reader says.
  struct Listing {
    // Ascending; with an error those that it named before and the caller may enter.
    std::vector<std::string> ledgers;
    std::optional<Error> error;

    bool has(const std::string& ledger) const;
  };
  // Asks all of them at once which ledgers of a view they hold. `done` is called once, on any
  // thread, with one listing for each.
  void list(const std::string& view, const std::string& prefix, const Call& call,
            std::function<void(std::vector<Listing>)> done);

 private:
  Listing take(size_t reader, Answer answer, const std::string& prefix, const Caller& caller);

  const std::vector<std::unique_ptr<RemoteReader>> readers_;
  const size_t ledgers_known_max_;
  std::mutex mutex_;
  std::vector<std::set<std::string>> known_;  // by reader; guarded by mutex_
};

}  // namespace taizhang::lists
