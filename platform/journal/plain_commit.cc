// Walks a commit's bytes by a table made of its descriptor.
#include "platform/journal/plain_commit.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <map>
#include <vector>

#include "platform/base/varint.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using v1::Commit;

// Far above what a commit nests.
constexpr int kDepthMax = 16;

struct MessageShape;

struct FieldShape {
  enum class Kind : uint8_t { kOther, kVarint, kBytes, kText, kPackedVarints, kMessage };
  Kind kind = Kind::kOther;
  const MessageShape* below = nullptr;
};

struct MessageShape {
  std::vector<FieldShape> fields;  // by number
};

class Shapes {
 public:
  const MessageShape& of(const Descriptor* type) {
    const auto [place, is_new] = shapes_.try_emplace(type);
    MessageShape& shape = place->second;
    for (int i = 0; is_new && i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      const auto number = static_cast<size_t>(field.number());
      if (number >= shape.fields.size()) shape.fields.resize(number + 1);
      shape.fields[number] = shape_of(field);
    }
    return shape;
  }

 private:
  FieldShape shape_of(const FieldDescriptor& field) {
    using Kind = FieldShape::Kind;
    if (field.is_map()) return {};
    switch (field.type()) {
      case FieldDescriptor::TYPE_STRING: return {Kind::kText};
      case FieldDescriptor::TYPE_BYTES: return {Kind::kBytes};
      case FieldDescriptor::TYPE_MESSAGE: return {Kind::kMessage, &of(field.message_type())};
      case FieldDescriptor::TYPE_BOOL:
      case FieldDescriptor::TYPE_ENUM:
      case FieldDescriptor::TYPE_INT32:
      case FieldDescriptor::TYPE_INT64:
      case FieldDescriptor::TYPE_UINT32:
      case FieldDescriptor::TYPE_UINT64:
        if (!field.is_repeated()) return {Kind::kVarint};
        return {field.is_packed() ? Kind::kPackedVarints : Kind::kOther};
      default: return {};
    }
  }

  std::map<const Descriptor*, MessageShape> shapes_;
};

const MessageShape& commit_shape() {
  static auto& shapes = *new Shapes;
  static const MessageShape& shape = shapes.of(Commit::descriptor());
  return shape;
}

// The parser takes five bytes of a tag or length; so many are enough for those of a record.
constexpr size_t kTagBytesMax = 2;
constexpr size_t kLengthBytesMax = 4;

bool are_varints(std::string_view bytes) {
  uint64_t value = 0;
  while (!bytes.empty()) {
    if (!take_varint(bytes, value)) return false;
  }
  return true;
}

bool is_text(std::string_view bytes) {
  return google::protobuf::internal::IsStructurallyValidUTF8(bytes.data(),
                                                             static_cast<int>(bytes.size()));
}

bool is_plain(std::string_view message, const MessageShape& shape, int depth);

bool is_plain_part(std::string_view part, const FieldShape& field, int depth) {
  switch (field.kind) {
    case FieldShape::Kind::kBytes: return true;
    case FieldShape::Kind::kText: return is_text(part);
    case FieldShape::Kind::kPackedVarints: return are_varints(part);
    case FieldShape::Kind::kMessage: return is_plain(part, *field.below, depth + 1);
    default: return false;
  }
}

// on_varint(number, value) and on_part(number, bytes) for each field. False: not plain.
template <class OnVarint, class OnPart>
bool walk(std::string_view message, const MessageShape& shape, int depth, const OnVarint& on_varint,
          const OnPart& on_part) {
  while (!message.empty()) {
    uint64_t tag = 0;
    if (!take_varint(message, tag, kTagBytesMax)) return false;
    const uint64_t number = tag >> 3;
    if (number >= shape.fields.size()) return false;
    const FieldShape& field = shape.fields[number];
    const bool is_varint = field.kind == FieldShape::Kind::kVarint;
    const auto wire_type = static_cast<int>(tag & 7);
    if (wire_type !=
        (is_varint ? WireFormatLite::WIRETYPE_VARINT : WireFormatLite::WIRETYPE_LENGTH_DELIMITED)) {
      return false;
    }
    uint64_t value = 0;
    if (!take_varint(message, value, is_varint ? kVarintBytesMax : kLengthBytesMax)) return false;
    if (is_varint) {
      on_varint(static_cast<int>(number), value);
      continue;
    }
    if (value > message.size()) return false;
    const std::string_view part = message.substr(0, value);
    if (!is_plain_part(part, field, depth)) return false;
    on_part(static_cast<int>(number), part);
    message.remove_prefix(value);
  }
  return true;
}

bool is_plain(std::string_view message, const MessageShape& shape, int depth) {
  return depth <= kDepthMax &&
         walk(
             message, shape, depth, [](int, uint64_t) {}, [](int, std::string_view) {});
}

}  // namespace

std::optional<Effect> effect_of_plain_commit(std::string_view body) {
  Effect effect;
  effect.kind = Kind::kCommit;
  const bool plain = walk(
      body, commit_shape(), 0,
      [&](int number, uint64_t value) {
        if (number == Commit::kFirstSeqFieldNumber) effect.first_seq = static_cast<int64_t>(value);
        if (number == Commit::kRecordedTimeUsFieldNumber)
          effect.recorded_time_us = static_cast<int64_t>(value);
      },
      [&](int number, std::string_view part) {
        if (number == Commit::kLedgerFieldNumber) effect.ledger = part;
        if (number == Commit::kEventsFieldNumber) ++effect.event_count;
      });
  if (!plain) return std::nullopt;
  return effect;
}

}  // namespace taizhang::journal
