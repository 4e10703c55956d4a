// Every event into the histories of what it names.
#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "domain/dates.h"
#include "projections/common/documents.h"
#include "projections/history/parts.h"
#include "projections/history/values.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/history/state/v1/state.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang::history {
namespace {

using google::protobuf::Message;

// What the event brought into being, by its (event).creates; kind 0: nothing with a kind.
Subject created_subject(const Message& event, const EventOptions& options) {
  const auto* member = event.GetDescriptor()->FindFieldByName(options.creates());
  if (!member || member->is_repeated() ||
      member->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    return {};
  }
  const int kind = member->options().GetExtension(taizhang::field).subject();
  return {kind, event.GetReflection()->GetString(event, member)};
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
  const auto& options = meta.event->GetDescriptor()->options().GetExtension(taizhang::event);
  const Subject primary = key_subject(primary_subject(*meta.event));
  const Subject created = key_subject(created_subject(*meta.event, options));
  const Leaves leaves = leaves_of(*meta.event);
  for (const auto& subject : key_subjects(*meta.event)) {
    const bool is_new = !rows.has<state::v1::Subject>(subject.kind, subject.id);
    auto& changes = *rows.edit<state::v1::Subject>(subject.kind, subject.id).mutable_changes();
    changes.Clear();
    const auto speak = [&](const std::vector<Leaf>& of_it, const std::string& prefix) {
      take(rows.edit<state::v1::SubjectValues>(subject.kind, subject.id), of_it, prefix, meta.seq,
           changes);
    };
    if (subject == created || (subject == primary && (created.kind == 0 || is_new))) {
      speak(leaves.own, {});
    } else if (subject == primary) {
      speak(leaves.own, options.creates_kind() + ".");
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
