// UUIDs made from a name.
#include "domain/uuid.h"

#include <openssl/evp.h>

#include <array>

namespace taizhang {
namespace {

constexpr size_t kBytes = 16;
constexpr size_t kSha1Bytes = 20;
constexpr std::string_view kHex = "0123456789abcdef";

bool is_dash_position(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

std::string uuid_v5(std::string_view space, std::string_view name) {
  std::string input;
  for (size_t i = 0; i < space.size(); ++i) {
    if (space[i] == '-') continue;
    input += static_cast<char>(kHex.find(space[i]) * 16 + kHex.find(space[i + 1]));
    ++i;
  }
  input += name;
  std::array<unsigned char, kSha1Bytes> digest;
  EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);
  std::string text;
  for (size_t i = 0; i < kBytes; ++i) {
    if (is_dash_position(text.size())) text += '-';
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace taizhang
