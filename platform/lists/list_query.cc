// Requests by reflection: the fields that every query has by name and type.
#include "platform/lists/list_query.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>

#include "platform/base/sha256.h"
#include "platform/state/wire.h"
#include "taizhang/common/v1/request.pb.h"

namespace taizhang::lists {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kTypePrefix = "type.googleapis.com/";
// AIP-158: the rows of a list are field 1 of its response.
constexpr int kRowsField = 1;

const FieldDescriptor* message_field(const Descriptor& type, const char* name,
                                     const Descriptor& of) {
  const auto* member = type.FindFieldByName(name);
  return member && !member->is_repeated() && member->message_type() == &of ? member : nullptr;
}

}  // namespace

void pack(const Message& row, Any& out) {
  out.set_type_url(std::string(kTypePrefix) + row.GetDescriptor()->full_name());
  serialise_deterministic(row, *out.mutable_value());
}

Error view_rebuilt(const std::string& view) {
  Error rebuilt = failure(kAborted, "VIEW_REBUILT",
                          "the view was built anew, or another version of it answers now: begin "
                          "again from the first row",
                          {{"view", view}});
  rebuilt.zh = "视图已重建，列表无法继续，请从头开始";
  return rebuilt;
}

Error of_later_page(Error error, const std::string& view) {
  return error.reason == "PAGE_TOKEN_INVALID" ? view_rebuilt(view) : error;
}

std::variant<ListQuery, Error> ListQuery::of(const Views& views, const Any& packed) {
  const std::string_view url = packed.type_url();
  const auto found = views.query_of(url.substr(url.rfind('/') + 1));
  if (!found) {
    return invalid_field("query", "is not the request of a query that this server answers: \"" +
                                      packed.type_url() + "\"");
  }
  ListQuery query;
  query.method_ = found->method;
  query.view_ = found->view;
  query.view_name_ = found->view_name;
  const auto& type = *query.method_->input_type();
  query.request_.reset(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
  if (!query.request_->ParseFromString(packed.value()))
    return invalid_field("query", "does not hold a " + type.full_name());
  query.read_ = message_field(type, "read", *common::v1::ReadOptions::descriptor());
  if (!query.read_) return invalid_field("query", "is of a query that knows no moments");
  query.page_ = message_field(type, "page", *common::v1::PageRequest::descriptor());
  const auto& response = *query.method_->output_type();
  query.freshness_ = message_field(response, "freshness", *common::v1::Freshness::descriptor());
  if (!query.page_) return query;
  if (query.request_->GetReflection()->HasField(*query.request_, query.page_))
    return invalid_field("query.page", "must not be set: all rows are answered");
  query.token_ = response.FindFieldByName("next_page_token");
  query.rows_ = response.FindFieldByNumber(kRowsField);
  if (!query.rows_ || !query.rows_->is_repeated() || !query.rows_->message_type()) {
    return invalid_field("query", "is of a list whose rows are not field 1 of its response");
  }
  return query;
}

std::string ListQuery::ledger() const {
  return request_->GetReflection()->GetString(*request_,
                                              request_->GetDescriptor()->FindFieldByName("ledger"));
}

bool ListQuery::has_read() const { return request_->GetReflection()->HasField(*request_, read_); }

const common::v1::ReadOptions& ListQuery::read() const {
  return static_cast<const common::v1::ReadOptions&>(
      request_->GetReflection()->GetMessage(*request_, read_));
}

const Descriptor& ListQuery::row_type() const {
  return rows_ ? *rows_->message_type() : *method_->output_type();
}

std::string ListQuery::identity() const {
  std::string bytes;
  serialise_deterministic(*request_, bytes);
  return method_->full_name() + "/" + std::string(bytes_of(sha256(bytes)));
}

ListQuery ListQuery::of_ledger(const std::string& code) const {
  ListQuery other = *this;
  other.request_.reset(request_->New());
  other.request_->CopyFrom(*request_);
  other.request_->GetReflection()->SetString(
      other.request_.get(), request_->GetDescriptor()->FindFieldByName("ledger"), code);
  return other;
}

void ListQuery::set_read(const common::v1::ReadOptions& read) {
  request_->GetReflection()->MutableMessage(request_.get(), read_)->CopyFrom(read);
}

void ListQuery::set_seq(int64_t seq) {
  static_cast<common::v1::ReadOptions&>(
      *request_->GetReflection()->MutableMessage(request_.get(), read_))
      .set_seq(seq);
}

std::optional<Error> ListQuery::check(const Call& call) const {
  return Dispatcher::check_query(*method_, call, *request_);
}

void ListQuery::ask(Views& views, const Call& call, int32_t size, const std::string& token,
                    std::function<void(std::variant<ListPage, Error>)> done) const {
  const std::shared_ptr<Message> request(request_->New());
  request->CopyFrom(*request_);
  if (page_) {
    auto& page = static_cast<common::v1::PageRequest&>(
        *request->GetReflection()->MutableMessage(request.get(), page_));
    page.set_page_size(size);
    page.set_page_token(token);
  }
  auto places = std::make_shared<RowPlaces>();
  views.ask(
      method_->full_name(), call, request,
      [rows = rows_, token_field = token_, places, done = std::move(done)](Answer answer) {
        if (auto* error = std::get_if<Error>(&answer)) return done(std::move(*error));
        ListPage page;
        page.response = std::move(std::get<std::unique_ptr<Message>>(answer));
        page.places = std::move(*places);
        const auto& reflection = *page.response->GetReflection();
        if (rows) {
          const int count = reflection.FieldSize(*page.response, rows);
          page.rows.reserve(static_cast<size_t>(count));
          for (int i = 0; i < count; ++i)
            page.rows.push_back(&reflection.GetRepeatedMessage(*page.response, rows, i));
          page.next_token = reflection.GetString(*page.response, token_field);
        } else {
          page.rows.push_back(page.response.get());
          page.places.rows.resize(1);
        }
        done(std::move(page));
      },
      places);
}

common::v1::Freshness ListQuery::freshness_of(const Message& response) const {
  if (!freshness_) return {};
  return static_cast<const common::v1::Freshness&>(
      response.GetReflection()->GetMessage(response, freshness_));
}

void ListQuery::clear_freshness(Message& response) const {
  if (freshness_) response.GetReflection()->ClearField(&response, freshness_);
}

}  // namespace taizhang::lists
