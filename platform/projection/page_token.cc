// Page tokens: fields, then the first 16 bytes of an HMAC over binding and fields, in base64url.
#include "platform/projection/page_token.h"

#include "absl/strings/escaping.h"
#include "platform/base/bytes.h"
#include "platform/command/fingerprint.h"

namespace taizhang::projection {
namespace {

constexpr size_t kMacBytes = 16;
constexpr size_t kFixedBytes = 16;

std::string mac_of(std::string_view key, std::string_view binding, std::string_view fields) {
  std::string text;
  append_le(text, static_cast<uint64_t>(binding.size()));
  text += binding;
  text += fields;
  return hmac_sha256(key, text).substr(0, kMacBytes);
}

// Takes as long for a wrong first byte as for a wrong last one.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace

std::string seal_token(std::string_view key, std::string_view binding, const PageToken& token) {
  std::string fields;
  append_le(fields, token.seq);
  append_le(fields, token.effective_day);
  append_le(fields, token.today);
  fields += token.after;
  fields += mac_of(key, binding, fields);
  return absl::WebSafeBase64Escape(fields);
}

std::optional<PageToken> open_token(std::string_view key, std::string_view binding,
                                    std::string_view text) {
  std::string bytes;
  const std::string copy(text);
  // Several texts decode to the same bytes; only the one that was given out counts.
  if (!absl::WebSafeBase64Unescape(copy, &bytes) || absl::WebSafeBase64Escape(bytes) != copy)
    return std::nullopt;
  if (bytes.size() < kFixedBytes + kMacBytes) return std::nullopt;
  const std::string_view fields = std::string_view(bytes).substr(0, bytes.size() - kMacBytes);
  if (!same(mac_of(key, binding, fields), std::string_view(bytes).substr(fields.size())))
    return std::nullopt;
  PageToken token;
  token.seq = load_le<int64_t>(fields.data());
  token.effective_day = load_le<int32_t>(fields.data() + 8);
  token.today = load_le<int32_t>(fields.data() + 12);
  token.after = fields.substr(kFixedBytes);
  return token;
}

}  // namespace taizhang::projection
