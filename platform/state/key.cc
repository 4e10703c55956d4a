// Order-preserving encoding of key parts.
#include "platform/state/key.h"

namespace taizhang {

void append_key_text(std::string& key, std::string_view text) {
  for (const char c : text) {
    key += c;
    if (c == '\0') key += '\xff';
  }
  key += '\0';
  key += '\x01';
}

void append_key_number(std::string& key, int64_t number) {
  const uint64_t ordered = static_cast<uint64_t>(number) ^ (uint64_t{1} << 63);
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(ordered >> shift);
}

bool take_key_text(std::string_view& key, std::string& text) {
  text.clear();
  for (size_t i = 0; i + 1 < key.size(); ++i) {
    if (key[i] != '\0') {
      text += key[i];
    } else if (key[i + 1] == '\x01') {
      key.remove_prefix(i + 2);
      return true;
    } else if (key[i + 1] == '\xff') {
      text += '\0';
      ++i;
    } else {
      return false;
    }
  }
  return false;
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
