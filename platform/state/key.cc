// Order-preserving encoding of key parts.
#include "platform/state/key.h"

#include <array>

#include "platform/base/log.h"

namespace taizhang {
namespace {

constexpr char kUuidMark = '\x01';
constexpr size_t kUuidChars = 36;
constexpr size_t kUuidBytes = 16;

constexpr std::array<int8_t, 256> kHexValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = static_cast<int8_t>(i);
  for (int i = 0; i < 6; ++i) values[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
  return values;
}();

bool is_dash(size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

// Appends mark and bytes; false, and nothing, when the text is no UUID.
bool append_uuid(std::string& key, std::string_view text) {
  if (text.size() != kUuidChars) return false;
  char bytes[1 + kUuidBytes] = {kUuidMark};
  size_t made = 1;
  for (size_t i = 0; i < kUuidChars;) {
    if (is_dash(i)) {
      if (text[i++] != '-') return false;
      continue;
    }
    const int high = kHexValues[static_cast<unsigned char>(text[i])];
    const int low = kHexValues[static_cast<unsigned char>(text[i + 1])];
    if (high < 0 || low < 0) return false;
    bytes[made++] = static_cast<char>(high << 4 | low);
    i += 2;
  }
  key.append(bytes, sizeof bytes);
  return true;
}

void take_uuid(std::string_view bytes, std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  char chars[kUuidChars];
  size_t made = 0;
  for (const char byte : bytes) {
    if (is_dash(made)) chars[made++] = '-';
    chars[made++] = kHex[static_cast<unsigned char>(byte) >> 4];
    chars[made++] = kHex[static_cast<unsigned char>(byte) & 15];
  }
  text.assign(chars, made);
}

}  // namespace

void append_key_text(std::string& key, std::string_view text) {
  if (append_uuid(key, text)) return;
  if (!text.empty() && text.front() == kUuidMark)
    broken_invariant("key text starts with a control character");
  for (size_t zero; (zero = text.find('\0')) != std::string_view::npos;) {
    key += text.substr(0, zero + 1);
    key += '\xff';
    text.remove_prefix(zero + 1);
  }
  key += text;
  key += '\0';
  key += '\x01';
}

void append_key_number(std::string& key, int64_t number) {
  const uint64_t ordered = static_cast<uint64_t>(number) ^ (uint64_t{1} << 63);
  char bytes[sizeof ordered];
  for (size_t i = 0; i < sizeof ordered; ++i)
    bytes[i] = static_cast<char>(ordered >> (8 * (sizeof ordered - 1 - i)));
  key.append(bytes, sizeof bytes);
}

bool take_key_text(std::string_view& key, std::string& text) {
  text.clear();
  if (!key.empty() && key.front() == kUuidMark) {
    if (key.size() < 1 + kUuidBytes) return false;
    take_uuid(key.substr(1, kUuidBytes), text);
    key.remove_prefix(1 + kUuidBytes);
    return true;
  }
  for (std::string_view rest = key;;) {
    const size_t zero = rest.find('\0');
    if (zero == std::string_view::npos || zero + 1 == rest.size()) return false;
    text += rest.substr(0, zero);
    const char behind = rest[zero + 1];
    rest.remove_prefix(zero + 2);
    if (behind == '\x01') {
      key = rest;
      return true;
    }
    if (behind != '\xff') return false;
    text += '\0';
  }
}

bool take_key_number(std::string_view& key, int64_t& number) {
  if (key.size() < 8) return false;
  uint64_t ordered = 0;
  for (int i = 0; i < 8; ++i) ordered = ordered << 8 | static_cast<unsigned char>(key[i]);
  number = static_cast<int64_t>(ordered ^ (uint64_t{1} << 63));
  key.remove_prefix(8);
  return true;
}

}  // namespace taizhang
