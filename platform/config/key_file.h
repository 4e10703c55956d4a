// Secret keys beside the data: made once, never replaced.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace taizhang {

class Random;

struct Key {
  std::string bytes;  // 32
  std::string
      id;  // first 8 hexadecimal digits of the key's SHA-256: says which key without giving it away
};

// Reads the key, or makes it when `may_make`: durable before it returns, so that nothing is ever
// written under a key that a crash takes away. FAILED_PRECONDITION: it is missing though data made
// with it exists, others may read it, or it is not a key. INTERNAL: the system said no.
absl::StatusOr<Key> load_or_make_key(const std::string& path, bool may_make, Random& random);

// FAILED_PRECONDITION unless `path` is a regular file of this user that nobody else may read or
// write.
absl::Status check_private_file(const std::string& path);

}  // namespace taizhang
