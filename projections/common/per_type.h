// What is made of a message type once, when it is first asked for.
#pragma once

#include <google/protobuf/descriptor.h>

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace taizhang {

// Thread-safe. What it answers lives as long as it does.
template <class Made>
class PerType {
 public:
  // make(descriptor) -> Made.
  template <class Make>
  const Made& of(const google::protobuf::Descriptor* type, const Make& make) {
    {
      const std::shared_lock lock(mutex_);
      const auto found = made_.find(type);
      if (found != made_.end()) return *found->second;
    }
    const std::unique_lock lock(mutex_);
    auto& made = made_[type];
    if (!made) made = std::make_unique<Made>(make(type));
    return *made;
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<const google::protobuf::Descriptor*, std::unique_ptr<Made>> made_;
};

}  // namespace taizhang
