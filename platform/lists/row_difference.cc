// Messages by reflection.
#include "platform/lists/row_difference.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/message_differencer.h>

#include <charconv>
#include <optional>

namespace taizhang::lists {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// Views name at most so many events of a row, newest first.
constexpr int kEventIdsPerRow = 20;

bool is_one_message(const FieldDescriptor& field) {
  return !field.is_repeated() && field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

// Compares one field that is no single message.
bool same(const Message& before, const Message& after, const FieldDescriptor& field) {
  MessageDifferencer differencer;
  return differencer.CompareWithFields(before, after, {&field}, {&field});
}

void add_changes(const Message& before, const Message& after, const std::string& prefix,
                 std::vector<std::string>& out) {
  const auto& type = *before.GetDescriptor();
  const auto& reflection = *before.GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    if (!is_one_message(field)) {
      if (!same(before, after, field)) out.push_back(prefix + field.name());
      continue;
    }
    const bool was = reflection.HasField(before, &field);
    const bool is = reflection.HasField(after, &field);
    if (was && is) {
      add_changes(reflection.GetMessage(before, &field), reflection.GetMessage(after, &field),
                  prefix + field.name() + ".", out);
    } else if (was != is) {
      out.push_back(prefix + field.name());
    }
  }
}

// Of "<ledger>/<seq>".
std::optional<int64_t> seq_of(std::string_view event_id, std::string_view ledger) {
  if (!event_id.starts_with(ledger)) return std::nullopt;
  event_id.remove_prefix(ledger.size());
  if (!event_id.starts_with('/')) return std::nullopt;
  int64_t seq = 0;
  const auto read = std::from_chars(event_id.data() + 1, event_id.data() + event_id.size(), seq);
  if (read.ec != std::errc() || read.ptr != event_id.data() + event_id.size()) return std::nullopt;
  return seq;
}

class EventFinder {
 public:
  EventFinder(std::string_view ledger, int64_t from_seq, int64_t to_seq)
      : ledger_(ledger), from_seq_(from_seq), to_seq_(to_seq) {}

  void visit(const Message& message) {
    const auto& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const auto* field : fields) {
      if (field->is_map()) continue;
      const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        for (int i = 0; i < count; ++i) {
          visit(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                     : reflection.GetMessage(message, field));
        }
      } else if (field->name() == "event_id" && !field->is_repeated()) {
        take(reflection.GetString(message, field));
      } else if (field->name() == "event_ids" && field->is_repeated()) {
        bool all_behind = true;
        for (int i = 0; i < count; ++i)
          all_behind = take(reflection.GetRepeatedString(message, field, i)) && all_behind;
        found.cut = found.cut || (count >= kEventIdsPerRow && all_behind);
      }
    }
  }

  NamedEvents found;

 private:
  // Whether it is behind from_seq.
  bool take(const std::string& event_id) {
    const auto seq = seq_of(event_id, ledger_);
    if (!seq || *seq <= from_seq_) return false;
    if (*seq <= to_seq_) found.seqs.insert(*seq);
    return true;
  }

  const std::string_view ledger_;
  const int64_t from_seq_;
  const int64_t to_seq_;
};

}  // namespace

std::vector<std::string> changed_fields(const Message& before, const Message& after) {
  std::vector<std::string> paths;
  // Most rows are the same; what their bytes do not tell (maps have no order) the fields do.
  if (before.SerializeAsString() == after.SerializeAsString()) return paths;
  add_changes(before, after, "", paths);
  return paths;
}

NamedEvents events_named(const Message& row, std::string_view ledger, int64_t from_seq,
                         int64_t to_seq) {
  EventFinder finder(ledger, from_seq, to_seq);
  finder.visit(row);
  return std::move(finder.found);
}

}  // namespace taizhang::lists
