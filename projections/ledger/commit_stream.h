// One ReadCommits call: stored commits from a position to a moment, then the end.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <variant>

#include "platform/projection/view.h"

namespace taizhang::ledger_view {

// Pulled message by message, so that a slow reader holds nothing but its position.
std::variant<std::unique_ptr<ServerStream>, Error> open_commits(
    std::shared_ptr<LiveView> view, const Call& call,
    std::shared_ptr<const google::protobuf::Message> request);

}  // namespace taizhang::ledger_view
