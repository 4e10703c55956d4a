// Copies of single fields, by reflection.
#include "platform/command/field_copy.h"

namespace taizhang {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

FieldCopy::FieldCopy(const FieldDescriptor& from, const FieldDescriptor& to)
    : from_(&from),
      to_(&to),
      type_(from.cpp_type()),
      repeated_(from.is_repeated()),
      presence_(from.has_presence()),
      same_message_(type_ == FieldDescriptor::CPPTYPE_MESSAGE &&
                    from.message_type() == to.message_type()) {}

void FieldCopy::copy(const Message& in, const Reflection& source, Message& out,
                     const Reflection& target) const {
  if (repeated_) return copy_list(in, source, out, target);
  if (presence_ && !source.HasField(in, from_)) return;
  std::string scratch;
  switch (type_) {
    case FieldDescriptor::CPPTYPE_STRING:
      target.SetString(&out, to_, source.GetStringReference(in, from_, &scratch));
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      target.SetInt32(&out, to_, source.GetInt32(in, from_));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      target.SetInt64(&out, to_, source.GetInt64(in, from_));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      target.SetUInt32(&out, to_, source.GetUInt32(in, from_));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      target.SetUInt64(&out, to_, source.GetUInt64(in, from_));
      break;
    case FieldDescriptor::CPPTYPE_BOOL: target.SetBool(&out, to_, source.GetBool(in, from_)); break;
    case FieldDescriptor::CPPTYPE_ENUM:
      target.SetEnumValue(&out, to_, source.GetEnumValue(in, from_));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      target.SetDouble(&out, to_, source.GetDouble(in, from_));
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      target.SetFloat(&out, to_, source.GetFloat(in, from_));
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      target.MutableMessage(&out, to_)->CopyFrom(source.GetMessage(in, from_));
      break;
  }
}

void FieldCopy::copy_list(const Message& in, const Reflection& source, Message& out,
                          const Reflection& target) const {
  const int size = source.FieldSize(in, from_);
  for (int i = 0; i < size; ++i) {
    switch (type_) {
      case FieldDescriptor::CPPTYPE_STRING:
        target.AddString(&out, to_, source.GetRepeatedString(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        target.AddInt32(&out, to_, source.GetRepeatedInt32(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        target.AddInt64(&out, to_, source.GetRepeatedInt64(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        target.AddUInt32(&out, to_, source.GetRepeatedUInt32(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        target.AddUInt64(&out, to_, source.GetRepeatedUInt64(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        target.AddBool(&out, to_, source.GetRepeatedBool(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        target.AddEnumValue(&out, to_, source.GetRepeatedEnumValue(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        target.AddDouble(&out, to_, source.GetRepeatedDouble(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        target.AddFloat(&out, to_, source.GetRepeatedFloat(in, from_, i));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (same_message_) {
          target.AddMessage(&out, to_)->CopyFrom(source.GetRepeatedMessage(in, from_, i));
        } else {
          // Entries of maps, whose types differ: through bytes.
          target.AddMessage(&out, to_)->ParseFromString(
              source.GetRepeatedMessage(in, from_, i).SerializeAsString());
        }
        break;
    }
  }
}

const Reflection& reflection_of(const Descriptor& type) {
  return *google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(&type)
              ->GetReflection();
}

}  // namespace taizhang
