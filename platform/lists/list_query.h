// A query that an export or a difference is about: named by its packed request, checked as if the
// caller had sent it, asked page by page.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/command/caller.h"
#include "platform/projection/views.h"

namespace google::protobuf {
class Any;
class FieldDescriptor;
}  // namespace google::protobuf

namespace taizhang {

namespace common::v1 {
class Freshness;
class ReadOptions;
}  // namespace common::v1

namespace lists {

// One answer of a query.
struct ListPage {
  std::unique_ptr<google::protobuf::Message> response;
  std::vector<const google::protobuf::Message*> rows;  // of `response`; of no list: the response
  RowPlaces places;
  std::string next_token;  // empty: the last page
};

class ListQuery {
 public:
  // INVALID_ARGUMENT naming `query`: of no query that this process answers, or not well formed, or
  // its page is set, which is ours to say.
  static std::variant<ListQuery, Error> of(const Views& views, const google::protobuf::Any& packed);

  const google::protobuf::MethodDescriptor& method() const { return *method_; }
  LiveView& view() const { return *view_; }
  const std::string& view_name() const { return view_name_; }
  std::string ledger() const;
  // Its answers come in pages of rows.
  bool is_list() const { return page_ != nullptr; }
  bool has_read() const;
  // Of the moment it is asked of; empty when it was not said.
  const common::v1::ReadOptions& read() const;
  // What every row is; of no list: the response.
  const google::protobuf::Descriptor& row_type() const;
  // Of method and request: what a token is bound to.
  std::string identity() const;

  // The same of another ledger.
  ListQuery of_ledger(const std::string& code) const;
  // The moment it is asked of, instead of what the request says.
  void set_read(const common::v1::ReadOptions& read);
  // At this seq, with the rest of what the request says of the moment.
  void set_seq(int64_t seq);

  // Who may ask, and whether the request is well formed.
  std::optional<Error> check(const Call& call) const;
  // `size` and `token` are of no meaning when it is no list. `done` is called once, on any thread.
  void ask(Views& views, const Call& call, int32_t size, const std::string& token,
           std::function<void(std::variant<ListPage, Error>)> done) const;
  common::v1::Freshness freshness_of(const google::protobuf::Message& response) const;
  // The response as a row of its own: what says of which moment it is is left out.
  void clear_freshness(google::protobuf::Message& response) const;

 private:
  const google::protobuf::MethodDescriptor* method_ = nullptr;
  std::shared_ptr<LiveView> view_;
  std::string view_name_;
  std::shared_ptr<google::protobuf::Message> request_;
  const google::protobuf::FieldDescriptor* read_ = nullptr;
  // Null: there is none.
  const google::protobuf::FieldDescriptor* page_ = nullptr;
  const google::protobuf::FieldDescriptor* rows_ = nullptr;
  const google::protobuf::FieldDescriptor* token_ = nullptr;
  const google::protobuf::FieldDescriptor* freshness_ = nullptr;
};

// Why a list that was begun cannot go on: the view's files are no longer those that made it.
Error view_rebuilt(const std::string& view);
// Of an error of a later page: view_rebuilt() when it was refused for its token, which is the
// list's own. Other errors as they are.
Error of_later_page(Error error, const std::string& view);

// A row as google.protobuf.Any, with bytes that are the same whenever the row is.
void pack(const google::protobuf::Message& row, google::protobuf::Any& out);

}  // namespace lists
}  // namespace taizhang
