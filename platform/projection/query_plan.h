// What every query has in common, by the names and types of its fields: moment, waiting, page,
// freshness.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/command/answer.h"
#include "platform/projection/page_token.h"
#include "platform/projection/snapshot.h"
#include "platform/projection/store.h"
#include "platform/projection/view.h"

namespace google::protobuf {
class FieldDescriptor;
}

namespace taizhang::projection {

// A request as far as the platform reads it.
struct Wish {
  std::string ledger;
  int64_t at_least_seq = 0;  // what the view must hold before it answers
  std::optional<int64_t> as_of_seq;
  std::optional<int64_t> as_of_time_us;
  int32_t effective_day = 0;
  int32_t today = 0;
  int32_t page_size = 0;
  std::string after;
};

// What the view and the reader know of the ledger when a query is answered.
struct Known {
  int64_t seq = 0;               // the view holds
  int64_t recorded_time_us = 0;  // of that one
  int64_t journal_seq = 0;
  int64_t lag_ms = 0;
  int64_t closed_time_us =
      0;  // no later record of the partition, as far as the view has folded, is at or before it
  // Events passed over as decided, ascending. Null: none.
  std::shared_ptr<const std::vector<int64_t>> skipped = nullptr;
};

class QueryPlan {
 public:
  // `view` and `method` must outlive it.
  QueryPlan(const View& view, const View::Method& method);

  const std::string& name() const;
  // INVALID_ARGUMENT: a page token that is not ours for this very request.
  std::variant<Wish, Error> wish(const google::protobuf::Message& request,
                                 std::string_view build_id, std::string_view token_key,
                                 int32_t today) const;
  // Runs the query; fills `places` when it is not null. DATA_LOSS: the view's files are damaged.
  Answer answer(const google::protobuf::Message& request, const Wish& wish, const Known& known,
                std::shared_ptr<const Store> store, const Caller& caller, const EventSource* events,
                const std::function<std::string(std::string_view)>* blind_index,
                std::string_view token_key, RowPlaces* places = nullptr) const;

 private:
  std::string binding(const google::protobuf::Message& request, std::string_view build_id) const;

  const View& view_;
  const View::Method& method_;
  // Null: the message has no such field.
  const google::protobuf::FieldDescriptor* ledger_ = nullptr;
  const google::protobuf::FieldDescriptor* read_ = nullptr;
  const google::protobuf::FieldDescriptor* page_ = nullptr;
  const google::protobuf::FieldDescriptor* freshness_ = nullptr;
  const google::protobuf::FieldDescriptor* next_page_token_ = nullptr;
};

Error data_loss(const View& view, std::string_view ledger, int64_t seq, std::string message);

}  // namespace taizhang::projection
