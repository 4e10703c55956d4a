// Versions of rows, told by their events.
#include "platform/projection/row_change.h"

#include "taizhang/common/v1/change.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

common::v1::RowChange row_change(std::string_view ledger, int64_t seq, const FindEvent& find) {
  constexpr int64_t kMicros = 1'000'000;
  constexpr int64_t kNanosPerMicro = 1'000;
  common::v1::RowChange change;
  change.set_seq(seq);
  change.set_event_id(event_id(ledger, seq));
  const bool known = find([&](const EventMeta& meta) {
    change.set_event_type(std::string(meta.type));
    auto& time = *change.mutable_recorded_time();
    time.set_seconds(meta.recorded_time_us / kMicros);
    time.set_nanos(static_cast<int32_t>(meta.recorded_time_us % kMicros * kNanosPerMicro));
    auto& date = *change.mutable_effective_date();
    date.set_year(meta.effective_day / 10'000);
    date.set_month(meta.effective_day / 100 % 100);
    date.set_day(meta.effective_day % 100);
    *change.mutable_actor() = *meta.actor;
    change.set_reason(std::string(meta.reason));
    *change.mutable_source() = *meta.source;
    change.set_request_id(meta.request_id_text());
    change.set_command(std::string(meta.command));
  });
  change.set_pending(!known);
  return change;
}

}  // namespace taizhang
