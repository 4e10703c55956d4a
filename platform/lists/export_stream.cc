// Rows as a stream: a page of the query for each message.
#include "platform/lists/export_stream.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "platform/base/bytes.h"
#include "platform/lists/list_query.h"
#include "platform/lists/rows_digest.h"
#include "platform/projection/page_token.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::lists {
namespace {

using projection::open_token;
using projection::PageToken;
using projection::seal_token;

constexpr int32_t kRowsPerMessageMax = 1'000;
constexpr size_t kSeqBytes = 8;

// Where an export goes on.
struct Position {
  int64_t seq = 0;         // the moment; 0: not known before the first page
  int64_t rows = 0;        // told so far
  RowsDigest digest;       // of them
  std::string page_token;  // of the next page; empty behind the last row, and at the start
};

std::string seal(const std::string& key, const std::string& binding, const Position& position) {
  std::string rest;
  append_le(rest, position.seq);
  rest += position.digest.value();
  rest += position.page_token;
  return seal_token(key, binding, PageToken{position.rows, 0, 0, std::move(rest)});
}

std::optional<Position> open(const std::string& key, const std::string& binding,
                             const std::string& text) {
  const auto token = open_token(key, binding, text);
  if (!token || token->after.size() < kSeqBytes + kSha256Bytes) return std::nullopt;
  const std::string_view rest = token->after;
  return Position{load_le<int64_t>(rest.data()), token->seq,
                  RowsDigest(rest.substr(kSeqBytes, kSha256Bytes)),
                  std::string(rest.substr(kSeqBytes + kSha256Bytes))};
}

Error invalid_token(std::string why) {
  Error error = invalid_field("resume_token", std::move(why));
  error.reason = "RESUME_TOKEN_INVALID";
  error.zh = "续传凭据无效，请重新导出";
  return error;
}

class Export : public StreamWork {
 public:
  Export(Views& views, const Call& call, ListQuery query, int32_t rows_per_message,
         std::string binding, std::optional<Position> from)
      : views_(views),
        call_(call),
        query_(std::move(query)),
        rows_per_message_(rows_per_message),
        page_size_(rows_per_message),
        binding_(std::move(binding)) {
    if (!from) return;
    position_ = std::move(*from);
    // Behind the last row there is nothing to ask for but of which moment it was.
    if (position_.page_token.empty()) {
      query_.set_seq(position_.seq);
      page_size_ = 1;
      is_last_ = true;
    }
  }

 private:
  void go_on() override {
    switch (step_) {
      case Step::kHeader: return fetch();
      case Step::kRows: return page_ ? tell_rows() : fetch();
      case Step::kTrailer: return tell_trailer();
      case Step::kEnd: return tell(std::unique_ptr<google::protobuf::Message>());
    }
  }

  void fetch() {
    query_.ask(views_, call_, page_size_, position_.page_token,
               [self = std::static_pointer_cast<Export>(shared_from_this())](auto answer) {
                 if (auto* error = std::get_if<Error>(&answer))
                   return self->tell(self->why(std::move(*error)));
                 self->take(std::move(std::get<ListPage>(answer)));
               });
  }

  // A token that was resumed with is the caller's, one of a page behind is ours.
  Error why(Error error) const {
    if (position_.page_token.empty()) return error;
    error = of_later_page(std::move(error), query_.view_name());
    if (error.reason != "VIEW_REBUILT") return error;
    if (step_ == Step::kHeader) {
      return invalid_token(
          "is of files of the view that are no more: it was built anew, or "
          "another version of it answers now; export again from the first row");
    }
    error.metadata.emplace_back("seq", std::to_string(position_.seq));
    return error;
  }

  void take(ListPage page) {
    if (is_last_) {
      step_ = Step::kTrailer;
      return tell_header(page);
    }
    auto rows = std::make_unique<v1::ExportResponse>();
    rows->mutable_rows();  // also when no row is on the page
    for (const auto* row : page.rows) pack(*row, *rows->mutable_rows()->add_rows());
    const size_t bytes = rows->ByteSizeLong();
    const int count = rows->rows().rows_size();
    if (bytes > kMessageBytesMax && count > 1) {
      page_size_ = count / 2;
      return fetch();
    }
    // The next page fills about half a message, so that few are asked for twice.
    if (count > 0) {
      const auto fitting = static_cast<int64_t>(kMessageBytesMax) * count /
                           static_cast<int64_t>(std::max<size_t>(bytes, 1)) / 2;
      page_size_ = static_cast<int32_t>(std::clamp<int64_t>(fitting, 1, rows_per_message_));
    }
    page_ = std::move(rows);
    next_token_ = std::move(page.next_token);
    if (step_ == Step::kHeader) {
      position_.seq = query_.freshness_of(*page.response).seq();
      step_ = Step::kRows;
      return tell_header(page);
    }
    tell_rows();
  }

  void tell_header(const ListPage& page) {
    auto message = std::make_unique<v1::ExportResponse>();
    auto& header = *message->mutable_header();
    header.set_method(query_.method().full_name());
    header.set_row_type(query_.row_type().full_name());
    *header.mutable_freshness() = query_.freshness_of(*page.response);
    header.set_rows_before(position_.rows);
    tell(std::move(message));
  }

  void tell_rows() {
    auto message = std::move(page_);
    for (const auto& row : message->rows().rows()) position_.digest.add(row.value());
    position_.rows += message->rows().rows_size();
    position_.page_token = std::move(next_token_);
    if (position_.page_token.empty()) step_ = Step::kTrailer;
    message->mutable_rows()->set_resume_token(seal(views_.page_token_key(), binding_, position_));
    tell(std::move(message));
  }

  void tell_trailer() {
    step_ = Step::kEnd;
    auto message = std::make_unique<v1::ExportResponse>();
    auto& trailer = *message->mutable_trailer();
    trailer.set_rows(position_.rows);
    trailer.set_digest(position_.digest.text());
    trailer.set_seq(position_.seq);
    tell(std::move(message));
  }

  enum class Step { kHeader, kRows, kTrailer, kEnd };

  Views& views_;
  const Call call_;
  ListQuery query_;
  const int32_t rows_per_message_;
  int32_t page_size_;
  const std::string binding_;
  bool is_last_ = false;  // resumed behind the last row
  Step step_ = Step::kHeader;
  Position position_;
  std::unique_ptr<v1::ExportResponse> page_;  // read and not told yet
  std::string next_token_;                    // of the page behind it
};

}  // namespace

std::variant<std::shared_ptr<StreamWork>, Error> open_export(Views& views, const Call& call,
                                                             const v1::ExportRequest& request) {
  auto named = ListQuery::of(views, request.query());
  if (auto* error = std::get_if<Error>(&named)) return std::move(*error);
  auto& query = std::get<ListQuery>(named);
  if (!query.is_list())
    return invalid_field("query", "is not of a list: " + query.method().full_name());
  if (auto error = query.check(call)) return std::move(*error);
  std::string binding = "export/" + query.identity();
  std::optional<Position> from;
  if (!request.resume_token().empty()) {
    from = open(views.page_token_key(), binding, request.resume_token());
    if (!from) {
      return invalid_token("is not a token of an export of this very query");
    }
  }
  const int32_t rows =
      request.rows_per_message() == 0 ? kRowsPerMessageMax : request.rows_per_message();
  return std::make_shared<Export>(views, call, std::move(query), rows, std::move(binding),
                                  std::move(from));
}

}  // namespace taizhang::lists
