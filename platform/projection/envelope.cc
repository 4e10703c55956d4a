// EventEnvelope from stored facts.
#include "platform/projection/envelope.h"

#include "platform/projection/subjects.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang {

void fill_envelope(const EventMeta& meta, ledger::v1::EventEnvelope& envelope) {
  const std::string ledger(meta.ledger);
  envelope.set_id(meta.id());
  envelope.set_source("/ledgers/" + ledger);
  envelope.set_type("taizhang." + std::string(meta.type));
  if (meta.event) {
    const Subject subject = primary_subject(*meta.event);
    if (subject.kind != 0 && !subject.id.empty()) {
      envelope.set_subject(subject_kind_name(subject.kind) + "/" + subject.id);
    }
  }
  envelope.mutable_time()->set_seconds(meta.recorded_time_us / 1'000'000);
  envelope.mutable_time()->set_nanos(
      static_cast<int32_t>(meta.recorded_time_us % 1'000'000 * 1'000));
  std::string schema = envelope.type();
  for (char& c : schema) {
    if (c == '.') c = '/';
  }
  envelope.set_dataschema(std::move(schema));
  envelope.set_ledger(ledger);
  envelope.set_seq(meta.seq);
  envelope.set_commit_first_seq(meta.commit_first_seq);
  envelope.set_commit_last_seq(meta.commit_last_seq);
  envelope.set_request_id(meta.request_id_text());
  envelope.set_correlation_id(std::string(meta.correlation_id));
  if (meta.cause_seq != 0) envelope.set_causation(event_id(meta.ledger, meta.cause_seq));
  if (meta.effective_day != 0) {
    auto& date = *envelope.mutable_effective_date();
    date.set_year(meta.effective_day / 10'000);
    date.set_month(meta.effective_day / 100 % 100);
    date.set_day(meta.effective_day % 100);
  }
  *envelope.mutable_actor() = *meta.actor;
  *envelope.mutable_source_document() = *meta.source;
  envelope.set_reason(std::string(meta.reason));
  envelope.set_command(std::string(meta.command));
  envelope.set_self_approved(meta.self_approved);
}

void fill_payload(const EventMeta& meta, bool may_see_personal,
                  ledger::v1::EventEnvelope& envelope) {
  if (!may_see_personal && (!meta.event || holds_personal_data(*meta.event))) {
    envelope.set_payload_withheld(true);
  } else {
    envelope.set_payload(meta.payload.data(), meta.payload.size());
  }
}

}  // namespace taizhang
