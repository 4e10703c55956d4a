// Moment, page and freshness of a query.
#include "platform/projection/query_plan.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>

#include <algorithm>

#include "platform/base/log.h"
#include "platform/base/sha256.h"
#include "platform/projection/row_reader.h"
#include "taizhang/common/v1/request.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int32_t kPageSizeDefault = 100;
constexpr int32_t kPageSizeMax = 1'000;

const FieldDescriptor* message_field(const Descriptor& type, const char* name,
                                     const Descriptor& of) {
  const auto* member = type.FindFieldByName(name);
  const bool fits = member && !member->is_repeated() && member->message_type() == &of;
  return fits ? member : nullptr;
}

const FieldDescriptor* string_field(const Descriptor& type, const char* name) {
  const auto* member = type.FindFieldByName(name);
  const bool fits =
      member && !member->is_repeated() && member->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  return fits ? member : nullptr;
}

int64_t microseconds(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000 + time.nanos() / 1'000;
}

int32_t day_of(const common::v1::Date& date) {
  return date.year() * 10'000 + date.month() * 100 + date.day();
}

std::string deterministic_bytes(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

Error data_loss(const View& view, std::string_view ledger, int64_t seq, std::string message) {
  Error error = failure(
      kDataLoss, "VIEW_STOPPED", std::move(message),
      {{"view", view.name()}, {"ledger", std::string(ledger)}, {"seq", std::to_string(seq)}});
  error.zh = "该视图已停止更新，请联系运维人员";
  return error;
}

QueryPlan::QueryPlan(const View& view, const View::Method& method) : view_(view), method_(method) {
  const auto& request = *method.descriptor->input_type();
  const auto& response = *method.descriptor->output_type();
  ledger_ = string_field(request, "ledger");
  read_ = message_field(request, "read", *common::v1::ReadOptions::descriptor());
  page_ = message_field(request, "page", *common::v1::PageRequest::descriptor());
  freshness_ = message_field(response, "freshness", *common::v1::Freshness::descriptor());
  next_page_token_ = string_field(response, "next_page_token");
  if (!ledger_) broken_invariant(request.full_name() + " has no field `string ledger`");
  if (page_ && !next_page_token_)
    broken_invariant(response.full_name() + " has no field `string next_page_token`");
}

const std::string& QueryPlan::name() const { return method_.descriptor->full_name(); }

std::string QueryPlan::binding(const Message& request, std::string_view build_id) const {
  const std::unique_ptr<Message> rest(request.New());
  rest->CopyFrom(request);
  if (page_) rest->GetReflection()->ClearField(rest.get(), page_);
  // Waiting does not change what a page holds.
  if (read_ && rest->GetReflection()->HasField(*rest, read_)) {
    static_cast<common::v1::ReadOptions*>(rest->GetReflection()->MutableMessage(rest.get(), read_))
        ->clear_at_least_seq();
  }
  std::string bound = view_.name() + "/" + std::to_string(view_.version()) + "/" + name() + "/";
  bound += build_id;
  bound += bytes_of(sha256(deterministic_bytes(*rest)));
  return bound;
}

std::variant<Wish, Error> QueryPlan::wish(const Message& request, std::string_view build_id,
                                          std::string_view token_key, int32_t today) const {
  const auto& reflection = *request.GetReflection();
  Wish wish;
  wish.ledger = reflection.GetString(request, ledger_);
  wish.today = wish.effective_day = today;
  if (read_ && reflection.HasField(request, read_)) {
    const auto& read =
        static_cast<const common::v1::ReadOptions&>(reflection.GetMessage(request, read_));
    wish.at_least_seq = read.at_least_seq();
    if (read.as_of_case() == common::v1::ReadOptions::kSeq) wish.as_of_seq = read.seq();
    if (read.as_of_case() == common::v1::ReadOptions::kRecordedTime) {
      wish.as_of_time_us = microseconds(read.recorded_time());
    }
    if (read.has_effective_date()) wish.effective_day = day_of(read.effective_date());
  }
  if (page_) {
    wish.page_size = kPageSizeDefault;
    if (reflection.HasField(request, page_)) {
      const auto& page =
          static_cast<const common::v1::PageRequest&>(reflection.GetMessage(request, page_));
      if (page.page_size() > 0) wish.page_size = std::min(page.page_size(), kPageSizeMax);
      if (!page.page_token().empty()) {
        const auto token = open_token(token_key, binding(request, build_id), page.page_token());
        if (!token) {
          Error error = invalid_field(
              "page.page_token", "is not a token of this list, or the view was built anew since");
          error.reason = "PAGE_TOKEN_INVALID";
          error.zh = "翻页凭据无效，请从第一页重新查询";
          return error;
        }
        wish.as_of_seq = token->seq;
        wish.effective_day = token->effective_day;
        wish.today = token->today;
        wish.after = token->after;
      }
    }
  }
  // A moment that the view has not reached is waited for: whoever asks for it knows of it.
  if (wish.as_of_seq) wish.at_least_seq = std::max(wish.at_least_seq, *wish.as_of_seq);
  return wish;
}

Answer QueryPlan::answer(const Message& request, const Wish& wish, const Known& known,
                         std::shared_ptr<const Store> store, const Caller& caller,
                         const EventSource* events,
                         const std::function<std::string(std::string_view)>* blind_index,
                         std::string_view token_key, RowPlaces* places) const {
  RowReader index(store, wish.ledger, known.seq);
  Snapshot::Moment moment{wish.ledger, known.seq, known.recorded_time_us, wish.effective_day,
                          wish.today};
  bool final = false;
  if (wish.as_of_seq) {
    moment.seq = *wish.as_of_seq;
    final = true;
  } else if (wish.as_of_time_us) {
    moment.seq = index.seq_at(*wish.as_of_time_us);
    final = known.closed_time_us >= *wish.as_of_time_us;
  }
  if (moment.seq != known.seq)
    moment.recorded_time_us = moment.seq > 0 ? index.time_of(moment.seq) : 0;
  // The page of a list as of a time is pinned by seq; it stays as final as the time is.
  if (wish.as_of_time_us && wish.as_of_seq) final = known.closed_time_us >= *wish.as_of_time_us;

  RowReader rows(store, wish.ledger, moment.seq);
  Snapshot snapshot(rows, moment, caller, Page(wish.page_size, wish.after, places), events,
                    blind_index);
  Answer answer = method_.query(snapshot, request);
  for (const auto* reader : {&index, &rows}) {
    if (reader->status().ok()) continue;
    log(LogLevel::kError, "view_damaged",
        {{"view", view_.name()}, {"why", std::string(reader->status().message())}});
    return data_loss(view_, wish.ledger, moment.seq, "the view's files are damaged; build it anew");
  }
  auto* response = std::get_if<std::unique_ptr<Message>>(&answer);
  if (!response) return answer;
  auto& message = **response;
  if (freshness_) {
    auto& fresh = static_cast<common::v1::Freshness&>(
        *message.GetReflection()->MutableMessage(&message, freshness_));
    fresh.set_ledger(wish.ledger);
    fresh.set_seq(moment.seq);
    if (moment.recorded_time_us != 0) {
      fresh.mutable_recorded_time()->set_seconds(moment.recorded_time_us / 1'000'000);
      fresh.mutable_recorded_time()->set_nanos(
          static_cast<int32_t>(moment.recorded_time_us % 1'000'000 * 1'000));
    }
    fresh.set_journal_seq(std::max(known.journal_seq, known.seq));
    fresh.set_lag_ms(known.lag_ms);
    fresh.set_view(view_.name());
    fresh.set_view_version(view_.version());
    fresh.set_final(final);
    if (known.skipped) {
      const auto& seqs = *known.skipped;
      fresh.set_skipped_events(std::upper_bound(seqs.begin(), seqs.end(), moment.seq) -
                               seqs.begin());
    }
  }
  const std::string& next = snapshot.page().next();
  if (page_ && !next.empty()) {
    const PageToken token{moment.seq, moment.effective_day, moment.today, next};
    message.GetReflection()->SetString(
        &message, next_page_token_,
        seal_token(token_key, binding(request, store->build_id()), token));
  }
  return answer;
}

}  // namespace taizhang::projection
