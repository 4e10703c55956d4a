// Reads and writes the fields of a serialised message in place, for those who copy what is stored
// instead of parsing it.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "platform/base/varint.h"

namespace taizhang::projection {

// on_bytes(number, view) for each length-delimited field: false ends the walk; on_varint(number,
// value) for each varint. False: ended, or not well-formed. Groups, which proto3 has not, are not.
template <class OnBytes, class OnVarint>
bool walk_fields(std::string_view message, const OnBytes& on_bytes, const OnVarint& on_varint) {
  using google::protobuf::internal::WireFormatLite;
  while (!message.empty()) {
    uint64_t tag = 0;
    if (!take_varint(message, tag) || tag > std::numeric_limits<uint32_t>::max()) return false;
    const int number = WireFormatLite::GetTagFieldNumber(static_cast<uint32_t>(tag));
    if (number == 0) return false;
    uint64_t value = 0;
    switch (WireFormatLite::GetTagWireType(static_cast<uint32_t>(tag))) {
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        if (!take_varint(message, value) || value > message.size()) return false;
        if (!on_bytes(number, message.substr(0, value))) return false;
        message.remove_prefix(value);
        break;
      case WireFormatLite::WIRETYPE_VARINT:
        if (!take_varint(message, value)) return false;
        on_varint(number, value);
        break;
      case WireFormatLite::WIRETYPE_FIXED64:
      case WireFormatLite::WIRETYPE_FIXED32: {
        const size_t size = (tag & 7) == WireFormatLite::WIRETYPE_FIXED64 ? 8 : 4;
        if (message.size() < size) return false;
        message.remove_prefix(size);
        break;
      }
      default: return false;
    }
  }
  return true;
}

inline void append_varint(uint64_t value, std::string& out) {
  uint8_t bytes[10];
  const auto* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

inline void append_tag(int number, google::protobuf::internal::WireFormatLite::WireType type,
                       std::string& out) {
  append_varint(static_cast<uint64_t>(number) << 3 | static_cast<uint64_t>(type), out);
}

inline void append_bytes_field(int number, std::string_view value, std::string& out) {
  append_tag(number, google::protobuf::internal::WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
  append_varint(value.size(), out);
  out += value;
}

}  // namespace taizhang::projection
