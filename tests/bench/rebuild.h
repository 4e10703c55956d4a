// How fast views are built from what a journal holds, in this process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/journal/log.h"
#include "platform/projection/views.h"

namespace taizhang::bench {

// `duties`, or all views of the product; their files live in `folder`. Not started.
std::unique_ptr<Views> make_views(const std::vector<journal::Log*>& logs, const std::string& folder,
                                  bool all);

struct Built {
  int64_t events = 0;
  double seconds = 0;  // from nothing to everything that the logs held at the start
  double per_second() const { return double(events) / seconds; }
};

// Whatever is in the folder goes first; what was built stays. Views that fail end the process.
Built build_views(const std::vector<journal::Log*>& logs, const std::string& folder, bool all);

}  // namespace taizhang::bench
