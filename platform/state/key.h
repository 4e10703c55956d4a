// Order-preserving encoding of key parts: the only place where keys of state tables and views are
// made.
//
// text: its bytes, 0x00 as 0x00 0xFF, end 0x00 0x01; a UUID (36 lower-case characters) as 0x01 and
// its 16 bytes, which sort like the text; other text that starts with 0x01 does not occur (control
// characters are refused) and aborts · integers and enums: 8 bytes big-endian, sign bit flipped ·
// Date: year × 10,000 + month × 100 + day as an integer. A key of the first k parts is a prefix of
// every key that starts with the same k parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace taizhang {

void append_key_text(std::string& key, std::string_view text);
void append_key_number(std::string& key, int64_t number);

// Reads one part from the front of `key`; false: malformed.
bool take_key_text(std::string_view& key, std::string& text);
bool take_key_number(std::string_view& key, int64_t& number);

template <class Part>
void append_key_part(std::string& key, const Part& part) {
  if constexpr (std::is_convertible_v<const Part&, std::string_view>) {
    append_key_text(key, part);
  } else if constexpr (std::is_enum_v<Part> || std::is_integral_v<Part>) {
    append_key_number(key, static_cast<int64_t>(part));
  } else {  // a Date
    append_key_number(key, int64_t{part.year()} * 10'000 + part.month() * 100 + part.day());
  }
}

template <class... Parts>
std::string make_key(const Parts&... parts) {
  std::string key;
  (append_key_part(key, parts), ...);
  return key;
}

}  // namespace taizhang
