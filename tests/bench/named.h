// Named subscriptions: how many events 1 and 4 consumers receive and acknowledge, beside a bare
// stream of the same messages.
#pragma once

#include <string>

namespace taizhang::bench {

// Starts a `daemon` of its own below `folder`, with the book of BookServer.
void run_named(const std::string& daemon, const std::string& folder, const std::string& reference);

}  // namespace taizhang::bench
