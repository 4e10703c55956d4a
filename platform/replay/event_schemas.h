// The schemas that an export carries, so that whoever has only the file can read it.
#pragma once

#include <string>

namespace taizhang::replay {

// A serialised google.protobuf.FileDescriptorSet: every file of an event type, of the commit and of
// the export's own frames, with what they import, each behind its imports.
std::string event_schemas();

}  // namespace taizhang::replay
