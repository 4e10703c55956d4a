// SHA-256 by OpenSSL's low-level functions.
//
// They are marked deprecated in OpenSSL 3, and used all the same: the EVP interface fetches the
// algorithm and allocates for each digest, which costs more than hashing the ~100 bytes a record's
// chain needs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "platform/base/sha256.h"

#include <openssl/sha.h>

#include <cstring>

namespace taizhang {
namespace {

SHA256_CTX start() {
  SHA256_CTX context;
  SHA256_Init(&context);
  return context;
}

Sha256Digest finish(SHA256_CTX& context) {
  Sha256Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

}  // namespace

Sha256Digest sha256(std::string_view part) {
  SHA256_CTX context = start();
  SHA256_Update(&context, part.data(), part.size());
  return finish(context);
}

Sha256Digest sha256(std::string_view part1, std::string_view part2) {
  SHA256_CTX context = start();
  SHA256_Update(&context, part1.data(), part1.size());
  SHA256_Update(&context, part2.data(), part2.size());
  return finish(context);
}

Sha256::Sha256() : context_{} {
  static_assert(sizeof(SHA256_CTX) <= sizeof context_);
  const SHA256_CTX context = start();
  std::memcpy(context_.data(), &context, sizeof context);
}

void Sha256::add(std::string_view bytes) {
  SHA256_CTX context;
  std::memcpy(&context, context_.data(), sizeof context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  std::memcpy(context_.data(), &context, sizeof context);
}

Sha256Digest Sha256::digest() const {
  SHA256_CTX context;
  std::memcpy(&context, context_.data(), sizeof context);
  return finish(context);
}

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

}  // namespace taizhang
