// Rows in a plain map.
#include "platform/state/memory_rows.h"

#include <vector>

namespace taizhang {

using google::protobuf::Message;

namespace {
std::string full_key(const RowType& type, std::string_view key) {
  return type.prefix + std::string(key);
}
}  // namespace

const Message* MemoryRows::find(const RowType& type, std::string_view key) const {
  const auto found = rows_.find(full_key(type, key));
  return found == rows_.end() ? nullptr : found->second.get();
}

Message& MemoryRows::edit(const RowType& type, std::string_view key) {
  auto& row = rows_[full_key(type, key)];
  if (!row) {
    row.reset(type.prototype->New());
    type.fill_key(*row, key);
  }
  return *row;
}

void MemoryRows::erase(const RowType& type, std::string_view key) {
  rows_.erase(full_key(type, key));
}

void MemoryRows::scan(const RowType& type, std::string_view prefix,
                      const std::function<bool(const Message&)>& visit) const {
  const std::string start = full_key(type, prefix);
  for (auto row = rows_.lower_bound(start); row != rows_.end() && row->first.starts_with(start);
       ++row) {
    if (!visit(*row->second)) return;
  }
}

std::map<std::string, std::string> MemoryRows::dump() const {
  std::map<std::string, std::string> out;
  for (const auto& [key, row] : rows_) out[key] = row->SerializeAsString();
  return out;
}

}  // namespace taizhang
