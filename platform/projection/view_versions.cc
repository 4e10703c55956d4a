// Which version of a view answers.
#include "platform/projection/view_versions.h"

#include <algorithm>

#include "platform/base/log.h"

namespace taizhang::projection {

void ViewVersions::add(std::shared_ptr<ViewRunner> version) {
  const int32_t number = version->view().version();
  if (at(number)) broken_invariant("two views " + name_ + " of version " + std::to_string(number));
  all_.push_back(std::move(version));
  std::sort(all_.begin(), all_.end(),
            [](const auto& a, const auto& b) { return a->view().version() < b->view().version(); });
}

std::optional<size_t> ViewVersions::at(int32_t version) const {
  for (size_t i = 0; i < all_.size(); ++i) {
    if (all_[i]->view().version() == version) return i;
  }
  return std::nullopt;
}

std::shared_ptr<ViewRunner> ViewVersions::find(int32_t version) const {
  if (version == 0) return live();
  const auto found = at(version);
  return found ? all_[*found] : nullptr;
}

void ViewVersions::begin() {
  const std::lock_guard lock(settling_);
  std::optional<LiveDecision> decided;
  std::optional<size_t> highest_built;
  for (size_t i = 0; i < all_.size(); ++i) {
    const auto known = all_[i]->decision();
    if (known && (!decided || known->recorded_time_us > decided->recorded_time_us)) decided = known;
    if (all_[i]->answers()) highest_built = i;
  }
  const auto wanted = decided ? at(decided->version) : std::nullopt;
  if (decided && !wanted) {
    log(LogLevel::kWarning, "view_version_unknown",
        {{"view", name_},
         {"decided_version", decided->version},
         {"doing", "another version answers"}});
  }
  if (wanted && (all_[*wanted]->answers() || !highest_built)) {
    live_ = *wanted;
  } else {
    live_ = highest_built.value_or(all_.size() - 1);
  }
}

bool ViewVersions::give_up(ViewRunner& version) {
  const std::lock_guard lock(settling_);
  if (&version == all_[live_].get()) return false;
  version.begin_drop();
  return true;
}

void ViewVersions::settle() {
  const std::lock_guard lock(settling_);
  int64_t newest_us = 0;
  size_t chosen = live_;
  for (size_t i = 0; i < all_.size(); ++i) {
    const auto known = all_[i]->decision();
    if (!known || known->version != all_[i]->view().version() || !all_[i]->answers() ||
        known->recorded_time_us <= newest_us) {
      continue;
    }
    newest_us = known->recorded_time_us;
    chosen = i;
  }
  if (chosen == live_) return;
  log(LogLevel::kInfo, "view_switched",
      {{"view", name_},
       {"from_version", all_[live_]->view().version()},
       {"to_version", all_[chosen]->view().version()}});
  live_ = chosen;
}

}  // namespace taizhang::projection
