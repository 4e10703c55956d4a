// Messages as slices.
#include "platform/rpc/take_bytes.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <string>

#include "platform/rpc/gate.h"

namespace taizhang {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Below that a copy costs less than a slice of its own.
constexpr size_t kCopiedBytesMax = 4'096;

}  // namespace

grpc::ByteBuffer take_bytes(std::unique_ptr<Message> message) {
  using google::protobuf::internal::WireFormatLite;
  using google::protobuf::io::CodedOutputStream;
  const auto& type = *message->GetDescriptor();
  const auto* field = type.field_count() == 1 ? type.field(0) : nullptr;
  if (!field || field->type() != FieldDescriptor::TYPE_BYTES || field->is_repeated())
    return serialised(*message);
  std::string unused;
  const std::string& bytes = message->GetReflection()->GetStringReference(*message, field, &unused);
  if (bytes.size() <= kCopiedBytesMax) return serialised(*message);
  std::array<uint8_t, 15> head;  // tag and length
  auto* end = CodedOutputStream::WriteVarint32ToArray(
      WireFormatLite::MakeTag(field->number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED),
      head.data());
  end = CodedOutputStream::WriteVarint64ToArray(bytes.size(), end);
  // A slice takes memory that may be written, and leaves it as it is.
  void* at = const_cast<char*>(bytes.data());
  const size_t size = bytes.size();
  const std::array<grpc::Slice, 2> slices = {
      grpc::Slice(head.data(), static_cast<size_t>(end - head.data())),
      grpc::Slice(
          at, size, [](void* owner) { delete static_cast<Message*>(owner); }, message.release())};
  return {slices.data(), slices.size()};
}

}  // namespace taizhang
