// Fingerprints of requests.
#include "platform/command/fingerprint.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>

#include "platform/state/wire.h"
#include "taizhang/common/v1/request.pb.h"

namespace taizhang {

using google::protobuf::Message;
using google::protobuf::internal::WireFormatLite;

namespace {

constexpr size_t kFingerprintBytes = 16;
constexpr size_t kHashBlockBytes = 64;
constexpr int kContextField = 1;  // of every command
constexpr int kLedgerField = 2;

void append_part(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

// The key as one block of the hash, as HMAC mixes it in.
Sha256 hash_of_key(std::string_view key, char pad) {
  std::array<char, kHashBlockBytes> block{};
  if (key.size() > block.size()) {
    const auto digest = sha256(key);
    std::copy(digest.begin(), digest.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  for (char& byte : block) byte = static_cast<char>(byte ^ pad);
  Sha256 hash;
  hash.add({block.data(), block.size()});
  return hash;
}

// visit(number, whole field with its tag, content of a length-delimited field) for each top-level
// field of a message that we serialised ourselves.
template <class Visit>
void each_field(std::string_view wire, const Visit& visit) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(wire.data()),
                                            static_cast<int>(wire.size()));
  size_t start = 0;
  while (const uint32_t tag = in.ReadTag()) {
    std::string_view content;
    if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      uint32_t size = 0;
      in.ReadVarint32(&size);
      content = wire.substr(static_cast<size_t>(in.CurrentPosition()), size);
      in.Skip(static_cast<int>(size));
    } else {
      WireFormatLite::SkipField(&in, tag);
    }
    const auto end = static_cast<size_t>(in.CurrentPosition());
    visit(WireFormatLite::GetTagFieldNumber(tag), wire.substr(start, end - start), content);
    start = end;
  }
}

// The context's bytes without what a caller may change when it asks again.
std::string lasting_context(std::string_view context) {
  std::string out;
  out.reserve(context.size());
  each_field(context, [&](int number, std::string_view whole, std::string_view) {
    if (number == common::v1::RequestContext::kRequestIdFieldNumber ||
        number == common::v1::RequestContext::kValidateOnlyFieldNumber) {
      return;
    }
    out += whole;
  });
  return out;
}

}  // namespace

HmacKey::HmacKey(std::string_view key)
    : inner_(hash_of_key(key, '\x36')), outer_(hash_of_key(key, '\x5c')) {}

Sha256Digest HmacKey::mac(std::string_view text) const {
  Sha256 inner = inner_;
  inner.add(text);
  Sha256 outer = outer_;
  outer.add(bytes_of(inner.digest()));
  return outer.digest();
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  return std::string(bytes_of(HmacKey(key).mac(text)));
}

std::string blind_index_of(std::string_view key, std::string_view normalised_number) {
  return hex(bytes_of(HmacKey(key).mac(normalised_number)).substr(0, kFingerprintBytes));
}

// Made from the request's bytes as they are serialised deterministically, so that a body encoded in
// another way is the same; taken apart by field, because cutting bytes is cheaper than clearing
// fields of a copy.
Fingerprints Fingerprinter::of(const CommandType& type, const Message& request) const {
  std::string wire;
  serialise_deterministic(request, wire);
  std::string_view context;
  std::string_view ledger;
  // Everything behind context and ledger, which have the lowest numbers.
  std::string_view content = wire;
  each_field(wire, [&](int number, std::string_view whole, std::string_view inside) {
    if (number == kContextField) context = inside;
    if (number == kLedgerField) ledger = inside;
    if (number == kContextField || number == kLedgerField) content.remove_prefix(whole.size());
  });

  const auto print = [&](const std::string& text) {
    return std::string(bytes_of(key_.mac(text)).substr(0, kFingerprintBytes));
  };
  Fingerprints prints;
  std::string text = "request\n";
  text.reserve(text.size() + type.name.size() + wire.size() + 32);
  append_part(text, type.name);
  append_part(text, ledger);
  append_part(text, lasting_context(context));
  append_part(text, content);
  prints.request = print(text);
  if (type.creates.empty()) return prints;
  text = "creating\n";
  append_part(text, type.name);
  append_part(text, std::to_string(type.effective_day(request)));
  append_part(text, content);
  prints.creating = print(text);
  return prints;
}

}  // namespace taizhang
