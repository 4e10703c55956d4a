// Reads and writes the fields of a serialised message in place, for those who copy what is stored
// instead of parsing it.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace taizhang::projection {

// on_bytes(number, view) for each length-delimited field: false ends the walk; on_varint(number,
// value) for each varint. False: ended, or not well-formed.
template <class OnBytes, class OnVarint>
bool walk_fields(std::string_view message, const OnBytes& on_bytes, const OnVarint& on_varint) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()),
                                            static_cast<int>(message.size()));
  while (const uint32_t tag = in.ReadTag()) {
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
        uint32_t length = 0;
        if (!in.ReadVarint32(&length)) return false;
        const auto at = static_cast<size_t>(in.CurrentPosition());
        if (length > message.size() - at || !in.Skip(static_cast<int>(length))) return false;
        if (!on_bytes(number, message.substr(at, length))) return false;
        break;
      }
      case WireFormatLite::WIRETYPE_VARINT: {
        uint64_t value = 0;
        if (!in.ReadVarint64(&value)) return false;
        on_varint(number, value);
        break;
      }
      default:
        if (!WireFormatLite::SkipField(&in, tag)) return false;
    }
  }
  return in.ConsumedEntireMessage();
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
