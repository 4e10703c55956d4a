// Every event into the histories of what it names.
#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "domain/dates.h"
#include "projections/common/documents.h"
#include "projections/common/per_type.h"
#include "projections/history/parts.h"
#include "projections/history/values.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/history/state/v1/state.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang::history {
namespace {

using google::protobuf::Message;

// What an event type says it brings into being, by its (event).creates.
struct Creation {
  const google::protobuf::FieldDescriptor* id = nullptr;  // null: nothing with a kind
  int kind = 0;
  std::string prefix;  // of what the event says, for the subject that has it made
};

Creation creation_of(const google::protobuf::Descriptor* event) {
  const auto& options = event->options().GetExtension(taizhang::event);
  Creation creation;
  creation.prefix = options.creates_kind() + ".";
  const auto* id = event->FindFieldByName(options.creates());
  if (!id || id->is_repeated() ||
      id->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    return creation;
  }
  creation.id = id;
  creation.kind = id->options().GetExtension(taizhang::field).subject();
  return creation;
}

Subject created_subject(const Message& event, const Creation& creation) {
  if (!creation.id) return {};
  return {creation.kind, event.GetReflection()->GetString(event, creation.id)};
}

std::vector<Subject> key_subjects(const Message& event) {
  std::vector<Subject> keys;
  for (auto& subject : subjects_of(event)) {
    Subject key = key_subject(std::move(subject));
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  }
  return keys;
}

// An event speaks of its subject. One that also makes another thing (a check of an asset) speaks of
// that thing: its subject has the values under that thing's name, unless it is new as well.
// Balances are the fund line's.
void record_subjects(Ledger& rows, const EventMeta& meta) {
  static auto& creations = *new PerType<Creation>;
  const Creation& creation = creations.of(meta.event->GetDescriptor(), creation_of);
  const Subject primary = key_subject(primary_subject(*meta.event));
  const Subject created = key_subject(created_subject(*meta.event, creation));
  Leaves leaves;
  take_apart(*meta.event, leaves);
  for (const auto& subject : key_subjects(*meta.event)) {
    const bool is_created = subject == created;
    const bool is_primary = subject == primary;
    // Asked before the row is made.
    const bool is_alone =
        is_primary && !is_created &&
        (created.kind == 0 || !rows.has<state::v1::Subject>(subject.kind, subject.id));
    auto& changes = *rows.replace<state::v1::Subject>(subject.kind, subject.id).mutable_changes();
    const auto speak = [&](const std::vector<Leaf>& of_it, const std::string& prefix) {
      take(rows.edit<state::v1::SubjectValues>(subject.kind, subject.id), of_it, prefix, meta.seq,
           changes);
    };
    if (is_created || is_alone) {
      speak(leaves.own, {});
    } else if (is_primary) {
      speak(leaves.own, creation.prefix);
    }
    if (subject.kind == common::v1::SUBJECT_KIND_FUND_LINE && !leaves.of_line.empty())
      speak(leaves.of_line, {});
  }
}

void record_request(Ledger& rows, const EventMeta& meta) {
  if (meta.request_id.empty()) return;
  auto& row = rows.edit<state::v1::ByRequest>(meta.request_id_text());
  if (row.first_seq() == 0) row.set_first_seq(meta.seq);
  row.set_last_seq(meta.seq);
}

void on_event(Ledger& rows, const EventMeta& meta) {
  record_subjects(rows, meta);
  record_request(rows, meta);
  for (const auto& document_id : documents_of(meta))
    rows.edit<state::v1::ByDocument>(document_id, meta.seq);
  if (const int32_t days = days_late(meta); days > 0)
    rows.edit<state::v1::LateEntry>(-days, -meta.seq);
}

}  // namespace

Subject key_subject(Subject subject) {
  if (subject.kind == common::v1::SUBJECT_KIND_VILLAGE)
    subject.kind = common::v1::SUBJECT_KIND_REGION;
  return subject;
}

int32_t days_late(const EventMeta& meta) {
  return is_day(meta.effective_day) ? days_between(meta.effective_day, meta.recorded_day()) : 0;
}

void add_folds(View& view) { view.on_any(on_event); }

}  // namespace taizhang::history
