// An event taken apart into its figures and states: paths and texts.
#pragma once

#include <google/protobuf/message.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace taizhang::history {

// Views hold as long as the event and the Leaves.
struct Leaf {
  // "balances.paid_fen".
  std::string_view path;
  // Dates as 2017-08-15, codes by their names, lists as one text. Long texts are cut and end with a
  // checksum, so that different ones stay different. Empty: the field, and all below it, is not
  // there.
  std::string_view text;
  // A number or flag that is 0 or false, and may as well not have been said.
  bool is_default = false;
  // Personal: the text is not taken.
  bool withheld = false;
};

struct Leaves {
  Leaves() = default;
  Leaves(const Leaves&) = delete;

  // Of the thing the event is about.
  std::vector<Leaf> own;
  // Of the fund line it names: what stands in Balances.
  std::vector<Leaf> of_line;
  // Texts that do not stand in the event itself.
  std::deque<std::string> made;
};

// Into `leaves`, which is empty. Documents and rules consulted are no states and left out; so are
// blind indexes, which would stand for personal data. Thread-safe.
void take_apart(const google::protobuf::Message& event, Leaves& leaves);

}  // namespace taizhang::history
