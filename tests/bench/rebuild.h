// How fast views are built from what a journal holds, in this process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/journal/log.h"
#include "platform/projection/views.h"

namespace taizhang::bench {

// The views of the product, by name.
const std::vector<std::string>& view_names();

// Those of `names`; their files live in `folder`. Not started.
std::unique_ptr<Views> make_views(const std::vector<journal::Log*>& logs, const std::string& folder,
                                  const std::vector<std::string>& names);

struct Built {
  int64_t events = 0;
  double seconds = 0;            // from nothing to everything that the logs held at the start
  double processor_seconds = 0;  // of all threads of this process meanwhile
  // The same of what follows while the views serve: files that the builds left are merged.
  double merging_processor_seconds = 0;
  int64_t versions = 0;          // row versions of all views
  int64_t disk_bytes = 0;        // of the files afterwards
  int64_t peak_bytes = 0;        // VmHWM meanwhile
  double per_second() const { return double(events) / seconds; }
};

// Whatever is in the folder goes first; what was built stays. Views that fail end the process.
Built build_views(const std::vector<journal::Log*>& logs, const std::string& folder,
                  const std::vector<std::string>& names);

// Of every file below it.
int64_t bytes_of_folder(const std::string& folder);

// User and system time of this process so far.
double processor_seconds();

}  // namespace taizhang::bench
