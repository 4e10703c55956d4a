// What a Ledger adds to its rows: write access only for the owning context, version stamps, local
// days.
#include "platform/state/ledger.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>

#include "platform/base/days.h"
#include "platform/base/log.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

int32_t Ledger::today() const { return shanghai_day(occasion_.recorded_time_us); }

bool Ledger::actor_covers(std::string_view region) const {
  const auto& own = occasion_.actor->regions();
  return std::any_of(own.begin(), own.end(),
                     [&](const auto& prefix) { return region.starts_with(prefix); });
}

common::v1::Date Ledger::effective_date() const {
  common::v1::Date date;
  date.set_year(occasion_.effective_day / 10'000);
  date.set_month(occasion_.effective_day / 100 % 100);
  date.set_day(occasion_.effective_day % 100);
  return date;
}

google::protobuf::Message& Rows::replace(const RowType& type, std::string_view key) {
  auto& row = edit(type, key);
  row.Clear();
  type.fill_key(row, key);
  return row;
}

google::protobuf::Message& Ledger::edit_row(const RowType& type, std::string_view key,
                                            EditRow edit) {
  if (!occasion_.context.empty() && occasion_.context != type.context) {
    broken_invariant("table " + type.name + " of " + type.context + " written by " +
                     std::string(occasion_.context));
  }
  auto& row = (rows_.*edit)(type, key);
  if (type.version_field) type.reflection->SetInt64(&row, type.version_field, occasion_.seq);
  return row;
}

void Ledger::erase_row(const RowType& type, std::string_view key) {
  if (!occasion_.context.empty() && occasion_.context != type.context) {
    broken_invariant("table " + type.name + " of " + type.context + " erased by " +
                     std::string(occasion_.context));
  }
  rows_.erase(type, key);
}

}  // namespace taizhang
