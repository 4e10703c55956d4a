// What differs between two versions of a message, and which events a row names.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace taizhang::lists {

// Paths of the fields that differ between two messages of one type, in the order of the fields:
// "figures.paid_fen". Lists and maps are compared as a whole; a message that stands on one side
// only is named itself.
std::vector<std::string> changed_fields(const google::protobuf::Message& before,
                                        const google::protobuf::Message& after);

// Seqs of the events that a row names in fields `event_id` and `event_ids`, also of its parts.
struct NamedEvents {
  std::set<int64_t> seqs;
  // A list of events was as long as lists of them get and did not reach down to `from_seq`.
  bool cut = false;
};

// Those behind `from_seq` and up to `to_seq`.
NamedEvents events_named(const google::protobuf::Message& row, std::string_view ledger,
                         int64_t from_seq, int64_t to_seq);

}  // namespace taizhang::lists
