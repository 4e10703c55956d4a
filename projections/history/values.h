// The last values of a subject's figures and states.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <string>
#include <vector>

#include "projections/history/leaves.h"
#include "taizhang/history/state/v1/state.pb.h"

namespace taizhang::history {

using Changes = google::protobuf::RepeatedPtrField<state::v1::Subject::Change>;

// Takes over what the event of `seq` says, and adds what that changed. `prefix` stands in front of
// every path.
void take(state::v1::SubjectValues& values, const std::vector<Leaf>& leaves,
          const std::string& prefix, int64_t seq, Changes& changes);

}  // namespace taizhang::history
