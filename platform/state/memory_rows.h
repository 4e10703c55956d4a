// Rows in a plain map: for unit tests of contexts and views.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <string>

#include "platform/state/ledger.h"

namespace taizhang {

class MemoryRows : public Rows {
 public:
  const google::protobuf::Message* find(const RowType& type, std::string_view key) const override;
  google::protobuf::Message& edit(const RowType& type, std::string_view key) override;
  void erase(const RowType& type, std::string_view key) override;
  void scan(const RowType& type, std::string_view prefix,
            const std::function<bool(const google::protobuf::Message&)>& visit) const override;

  // Every row as (table prefix + key, bytes), for comparing two states.
  std::map<std::string, std::string> dump() const;

 private:
  std::map<std::string, std::unique_ptr<google::protobuf::Message>> rows_;
};

}  // namespace taizhang
