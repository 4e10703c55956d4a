// Fingerprints of requests.
#include "platform/command/fingerprint.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

#include "platform/base/log.h"
#include "taizhang/common/v1/request.pb.h"

namespace taizhang {

using google::protobuf::Message;

namespace {

constexpr size_t kFingerprintBytes = 16;

// Fields in order, entries of maps sorted: the same message gives the same bytes.
void append_deterministic(const Message& message, std::string& out) {
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
}

void append_part(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size)) {
    broken_invariant("HMAC-SHA256 is not available");
  }
  return {reinterpret_cast<const char*>(digest), size};
}

std::string blind_index_of(std::string_view key, std::string_view normalised_number) {
  constexpr char kHex[] = "0123456789abcdef";
  const std::string digest = hmac_sha256(key, normalised_number).substr(0, kFingerprintBytes);
  std::string text;
  for (const char c : digest) {
    text += kHex[static_cast<unsigned char>(c) >> 4];
    text += kHex[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

Fingerprints Fingerprinter::of(const CommandType& type, const Message& request) const {
  const auto& reflection = *request.GetReflection();
  const auto* context_field = request.GetDescriptor()->FindFieldByNumber(1);
  const auto* ledger_field = request.GetDescriptor()->FindFieldByNumber(2);
  const std::unique_ptr<Message> body(request.New());
  body->CopyFrom(request);
  common::v1::RequestContext context =
      static_cast<const common::v1::RequestContext&>(reflection.GetMessage(request, context_field));
  context.clear_request_id();
  context.clear_validate_only();
  body->GetReflection()->ClearField(body.get(), context_field);
  body->GetReflection()->ClearField(body.get(), ledger_field);
  std::string content;
  append_deterministic(*body, content);

  Fingerprints prints;
  std::string text = "request\n";
  append_part(text, type.name);
  append_part(text, reflection.GetString(request, ledger_field));
  std::string context_bytes;
  append_deterministic(context, context_bytes);
  append_part(text, context_bytes);
  append_part(text, content);
  prints.request = hmac_sha256(key_, text).substr(0, kFingerprintBytes);
  if (type.creates.empty()) return prints;
  text = "creating\n";
  append_part(text, type.name);
  append_part(text, std::to_string(type.effective_day(request)));
  append_part(text, content);
  prints.creating = hmac_sha256(key_, text).substr(0, kFingerprintBytes);
  return prints;
}

}  // namespace taizhang
