// Fingerprints of requests: what makes two requests the same (design §3.3).
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "platform/base/sha256.h"
#include "platform/command/decide.h"

namespace taizhang {

struct Fingerprints {
  std::string request;   // 16 bytes: everything but request_id and validate_only
  std::string creating;  // 16 bytes: without context and ledger, with the effective date; empty:
                         // creates nothing
};

// HMAC-SHA256 (RFC 2104) under one key, whose part of the hash is made once. Thread-safe.
class HmacKey {
 public:
  explicit HmacKey(std::string_view key);
  Sha256Digest mac(std::string_view text) const;

 private:
  Sha256 inner_;  // stands behind the key's block
  Sha256 outer_;
};

// Keyed HMAC-SHA256 over the parsed request, so that a re-encoded body is the same and a plain
// personal field cannot be guessed from it. Thread-safe.
class Fingerprinter {
 public:
  // `key`: 32 random bytes, made once per installation; `key_id` names it in every commit.
  Fingerprinter(std::string_view key, std::string key_id) : key_(key), key_id_(std::move(key_id)) {}
  Fingerprints of(const CommandType& type, const google::protobuf::Message& request) const;
  const std::string& key_id() const { return key_id_; }

 private:
  HmacKey key_;
  std::string key_id_;
};

// HMAC-SHA256, 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

// 32 lower-case hexadecimal digits; `key` is the blind-index key.
std::string blind_index_of(std::string_view key, std::string_view normalised_number);

}  // namespace taizhang
