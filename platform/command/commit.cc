// Between requests, events, commits and answers.
#include "platform/command/commit.h"

#include <google/protobuf/descriptor.h>

#include "platform/base/log.h"
#include "platform/command/field_copy.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

constexpr char kHex[] = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

void fill_receipt(const ReceiptFields& fields, common::v1::Receipt& receipt) {
  receipt.set_ledger(std::string(fields.ledger));
  receipt.set_duplicate(fields.duplicate);
  receipt.set_unchanged(fields.unchanged);
  receipt.set_decided_on_seq(fields.decided_on_seq);
  if (fields.first_seq == 0) return;
  receipt.set_first_seq(fields.first_seq);
  receipt.set_last_seq(fields.last_seq);
  receipt.mutable_recorded_time()->set_seconds(fields.recorded_time_us / 1'000'000);
  receipt.mutable_recorded_time()->set_nanos(
      static_cast<int32_t>(fields.recorded_time_us % 1'000'000 * 1'000));
  for (int64_t seq = fields.first_seq; seq <= fields.last_seq; ++seq) {
    receipt.add_event_ids(std::string(fields.ledger) + "/" + std::to_string(seq));
  }
}

bool same_type(const FieldDescriptor& a, const FieldDescriptor& b) {
  return a.cpp_type() == b.cpp_type() && a.is_repeated() == b.is_repeated() && !a.is_map() &&
         (a.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
          a.message_type() == b.message_type()) &&
         (a.cpp_type() != FieldDescriptor::CPPTYPE_ENUM || a.enum_type() == b.enum_type());
}

// A response's fields besides the receipt are filled from events of the same field; which of them
// are done is kept in one word.
constexpr int kResponseFieldsMax = 64;

// What every response has.
struct ResponseShape {
  explicit ResponseShape(const Descriptor& response)
      : reflection(reflection_of(response)),
        receipt(response.FindFieldByName("receipt")),
        version(response.FindFieldByName("version")) {
    if (response.field_count() > kResponseFieldsMax)
      broken_invariant("more fields than a response may have: " + response.full_name());
  }

  const Reflection& reflection;
  const FieldDescriptor* receipt;
  const FieldDescriptor* version;  // null: none
};

// The fields that a response has in common with one type of event.
struct SharedFields {
  SharedFields(const Descriptor& event, const Descriptor& response)
      : reflection(reflection_of(event)) {
    for (int i = 0; i < response.field_count(); ++i) {
      const auto* to = response.field(i);
      if (to->name() == "receipt" || to->name() == "version") continue;
      const auto* from = event.FindFieldByName(to->name());
      if (from && same_type(*from, *to))
        fields.emplace_back(uint64_t{1} << i, FieldCopy(*from, *to));
    }
  }

  const Reflection& reflection;
  std::vector<std::pair<uint64_t, FieldCopy>> fields;  // bit of the response's field
};

}  // namespace

std::string uuid_text(std::string_view bytes) {
  if (bytes.size() != 16) return "";
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[static_cast<unsigned char>(bytes[i]) >> 4];
    text += kHex[static_cast<unsigned char>(bytes[i]) & 15];
  }
  return text;
}

std::string uuid_bytes(std::string_view text) {
  std::string bytes;
  if (text.size() != 36) return bytes;
  for (size_t i = 0; i + 1 < text.size();) {
    if (text[i] == '-') {
      ++i;
      continue;
    }
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return "";
    bytes += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return bytes.size() == 16 ? bytes : "";
}

void add_events(const std::vector<Emitted>& events, int32_t effective_day,
                journal::v1::Commit& commit) {
  for (const auto& emitted : events) {
    auto& stored = *commit.add_events();
    stored.set_type(std::string(stored_type(emitted.event->GetDescriptor()->full_name())));
    emitted.event->SerializeToString(stored.mutable_payload());
    stored.set_effective_date(emitted.effective_day != 0 ? emitted.effective_day : effective_day);
  }
}

absl::StatusOr<std::vector<std::unique_ptr<Message>>> parse_events(
    const Registry& registry, const journal::v1::Commit& commit) {
  std::vector<std::unique_ptr<Message>> events;
  events.reserve(static_cast<size_t>(commit.events_size()));
  for (const auto& stored : commit.events()) {
    const auto* type = registry.find_event(stored.type());
    if (!type)
      return absl::UnimplementedError("event type " + stored.type() +
                                      " is not known to this version");
    std::unique_ptr<Message> event(type->prototype->New());
    if (!event->ParseFromString(stored.payload())) {
      return absl::DataLossError("payload is not of its type " + stored.type());
    }
    events.push_back(std::move(event));
  }
  return events;
}

std::unique_ptr<Message> make_response(const Message& prototype, const ReceiptFields& receipt,
                                       const std::vector<const Message*>& events) {
  std::unique_ptr<Message> response(prototype.New());
  const auto& type = *prototype.GetDescriptor();
  const auto& shape = plan_of<ResponseShape>(type);
  if (shape.receipt) {
    fill_receipt(receipt, static_cast<common::v1::Receipt&>(
                              *shape.reflection.MutableMessage(response.get(), shape.receipt)));
  }
  if (shape.version) shape.reflection.SetInt64(response.get(), shape.version, receipt.last_seq);
  uint64_t done = 0;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    const auto& shared = plan_of<SharedFields>(*(*event)->GetDescriptor(), type);
    for (const auto& [bit, field] : shared.fields) {
      if (done & bit) continue;
      field.copy(**event, shared.reflection, *response, shape.reflection);
      done |= bit;
    }
  }
  return response;
}

}  // namespace taizhang
