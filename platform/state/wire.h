// Bytes of a message that are the same whenever the message is.
#pragma once

#include <string>

namespace google::protobuf {
class MessageLite;
}

namespace taizhang {

// Fields in the order of their numbers, entries of maps sorted: what digests and fingerprints are
// made of. Replaces what `out` held, whose memory is used again.
void serialise_deterministic(const google::protobuf::MessageLite& message, std::string& out);

}  // namespace taizhang
