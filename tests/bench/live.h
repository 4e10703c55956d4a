// Subscribers that have caught up: how soon 1, 10 and 1,000 have what is written, and how much.
#pragma once

#include <filesystem>
#include <string>

namespace taizhang::bench {

// Writes a book of its own below `folder`.
void run_live(const std::filesystem::path& folder, const std::string& reference);

}  // namespace taizhang::bench
