// The versions of one view that the program has: which of them answers.
//
// The others are folded as well, so that one can be built and compared beside the one that answers,
// and gone back to. Every version has files of its own. Thread-safe after begin().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/projection/view_runner.h"

namespace taizhang::projection {

class ViewVersions {
 public:
  explicit ViewVersions(std::string name) : name_(std::move(name)) {}

  // Before begin(). Each version once.
  void add(std::shared_ptr<ViewRunner> version);
  // Chooses among opened versions: the one decided last when it is built here, else the highest that
  // is built. When none is, the one decided or else the highest answers as soon as it is.
  void begin();
  // Follows a decision as soon as its version is built here and has itself read the decision, so
  // that no answer is of an earlier moment than the one before. To be called when a version was
  // built or has read a decision.
  void settle();
  // The version is about to be dropped: from here on it is not switched to. False: it answers.
  bool give_up(ViewRunner& version);

  const std::string& name() const { return name_; }
  // Ascending.
  const std::vector<std::shared_ptr<ViewRunner>>& all() const { return all_; }
  std::shared_ptr<ViewRunner> live() const { return all_[live_.load()]; }
  size_t live_place() const { return live_.load(); }  // in all()
  // 0: the live one. Null: the program does not have it.
  std::shared_ptr<ViewRunner> find(int32_t version) const;

 private:
  std::optional<size_t> at(int32_t version) const;

  const std::string name_;
  std::vector<std::shared_ptr<ViewRunner>> all_;
  std::mutex settling_;
  std::atomic<size_t> live_{0};
};

}  // namespace taizhang::projection
