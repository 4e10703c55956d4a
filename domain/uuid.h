// UUIDs made from a name (RFC 4122 version 5): 36 lower-case characters.
#pragma once

#include <string>
#include <string_view>

namespace taizhang {

// SHA-1 of the namespace's 16 bytes and the name: equal inputs give the equal id for ever. `space`
// is a UUID.
std::string uuid_v5(std::string_view space, std::string_view name);

}  // namespace taizhang
