// Pages of many ledgers, one after the other or merged by the places of their rows.
#include "platform/lists/gather_stream.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "google/rpc/status.pb.h"
#include "platform/command/error_status.h"
#include "platform/lists/export_stream.h"
#include "platform/lists/list_query.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::lists {
namespace {

using google::protobuf::Message;

constexpr int32_t kRowsPerMessageMax = 1'000;
constexpr size_t kLedgersMax = 1'000;
constexpr int64_t kGatherRetryMs = 1'000;
// System ledgers and the directory: not a region's.
constexpr std::string_view kNoRegion = "00";

// One ledger.
struct Source {
  explicit Source(ListQuery asked) : query(std::move(asked)) {}

  bool at_row() const { return at < page.rows.size(); }
  bool needs_page() const { return !at_row() && !is_read; }
  const RowPlace& place() const { return page.places.rows[at]; }

  ListQuery query;
  bool is_read = false;  // there is no page behind this one
  ListPage page;
  size_t at = 0;  // of the page's rows
  v1::LedgerAnswer answer;
};

class Gather : public StreamWork {
 public:
  Gather(Views& views, const Call& call, std::vector<Source> sources, bool merged,
         int32_t rows_per_message)
      : views_(views),
        call_(call),
        sources_(std::move(sources)),
        merged_(merged),
        rows_per_message_(rows_per_message),
        page_size_(merged
                       ? std::clamp(kRowsHeldMax / std::max<int32_t>(1, int32_t(sources_.size())),
                                    1, rows_per_message)
                       : rows_per_message) {}

 private:
  void go_on() override {
    switch (step_) {
      case Step::kHeader: return tell_header();
      case Step::kRows: return run();
      case Step::kTrailer: return tell_trailer();
      case Step::kEnd: return tell(std::unique_ptr<Message>());
    }
  }

  // Gathers rows until a message is full or nothing is left; goes on here when a view that had to
  // wait has answered.
  void run() {
    if (!message_) {
      message_ = std::make_unique<v1::GatherResponse>();
      message_->mutable_rows();
      bytes_ = 0;
    }
    for (;;) {
      if (Source* empty = source_without_page()) {
        if (ask(*empty)) continue;
        return;
      }
      Source* source = next_source();
      if (!source) step_ = Step::kTrailer;
      if (!source || !add_row(*source)) return tell(std::move(message_));
    }
  }

  // In the order of ledgers only the one whose turn it is.
  Source* source_without_page() {
    for (; first_ < sources_.size(); ++first_) {
      if (sources_[first_].needs_page()) return &sources_[first_];
      if (sources_[first_].at_row()) break;
    }
    if (!merged_) return nullptr;
    const auto found = std::find_if(sources_.begin() + static_cast<std::ptrdiff_t>(first_),
                                    sources_.end(), [](const Source& s) { return s.needs_page(); });
    return found == sources_.end() ? nullptr : &*found;
  }

  Source* next_source() {
    if (first_ == sources_.size()) return nullptr;
    if (!merged_) return &sources_[first_];
    Source* best = nullptr;
    for (size_t i = first_; i < sources_.size(); ++i) {
      Source& source = sources_[i];
      if (source.at_row() && (!best || is_before(source.place(), best->place()))) best = &source;
    }
    return best;
  }

  bool is_before(const RowPlace& a, const RowPlace& b) const {
    const int order = a.key != b.key ? a.key.compare(b.key) : a.part.compare(b.part);
    return descending_ ? order > 0 : order < 0;
  }

  // True: answered already. Otherwise the answer runs on.
  bool ask(Source& source) {
    // Whoever of asker and answer is second goes on.
    auto is_second = std::make_shared<std::atomic<bool>>(false);
    source.query.ask(views_, call_, page_size_, source.page.next_token,
                     [self = std::static_pointer_cast<Gather>(shared_from_this()), &source,
                      is_second](auto answer) {
                       self->take(source, std::move(answer));
                       if (is_second->exchange(true)) self->run();
                     });
    return is_second->exchange(true);
  }

  void take(Source& source, std::variant<ListPage, Error> answer) {
    source.page = {};
    source.at = 0;
    source.is_read = true;
    if (auto* error = std::get_if<Error>(&answer)) {
      fill_status(*error, *source.answer.mutable_failure());
      return;
    }
    source.page = std::move(std::get<ListPage>(answer));
    if (merged_ && source.page.places.rows.size() != source.page.rows.size()) {
      fill_status(invalid_field("order", "rows of " + source.query.method().full_name() +
                                             " have no place by which they could be merged"),
                  *source.answer.mutable_failure());
      source.page = {};
      return;
    }
    source.is_read = source.page.next_token.empty();
    if (!source.answer.has_freshness())
      *source.answer.mutable_freshness() = source.query.freshness_of(*source.page.response);
    if (!source.query.is_list()) source.query.clear_freshness(*source.page.response);
    descending_ = descending_ || source.page.places.descending;
  }

  // False: the message is full, and the row has its turn in the next one.
  bool add_row(Source& source) {
    auto& rows = *message_->mutable_rows();
    if (rows.rows_size() == rows_per_message_) return false;
    auto& row = *rows.add_rows();
    row.set_ledger(source.answer.ledger());
    pack(*source.page.rows[source.at], *row.mutable_row());
    const size_t bytes = row.ByteSizeLong();
    if (bytes_ + bytes > kMessageBytesMax && rows.rows_size() > 1) {
      rows.mutable_rows()->RemoveLast();
      return false;
    }
    bytes_ += bytes;
    ++source.at;
    source.answer.set_rows(source.answer.rows() + 1);
    return true;
  }

  void tell_header() {
    step_ = Step::kRows;
    auto message = std::make_unique<v1::GatherResponse>();
    auto& header = *message->mutable_header();
    if (!sources_.empty()) {
      header.set_method(sources_.front().query.method().full_name());
      header.set_row_type(sources_.front().query.row_type().full_name());
    }
    for (const Source& source : sources_) header.add_ledgers(source.answer.ledger());
    tell(std::move(message));
  }

  void tell_trailer() {
    step_ = Step::kEnd;
    auto message = std::make_unique<v1::GatherResponse>();
    auto& trailer = *message->mutable_trailer();
    for (Source& source : sources_) {
      trailer.set_rows(trailer.rows() + source.answer.rows());
      if (source.answer.has_failure()) trailer.set_failed_ledgers(trailer.failed_ledgers() + 1);
      *trailer.add_ledgers() = std::move(source.answer);
    }
    tell(std::move(message));
  }

  enum class Step { kHeader, kRows, kTrailer, kEnd };

  Views& views_;
  const Call call_;
  std::vector<Source> sources_;  // by ledger
  const bool merged_;
  const int32_t rows_per_message_;
  const int32_t page_size_;
  Step step_ = Step::kHeader;
  size_t first_ = 0;  // those before it have told everything
  bool descending_ = false;
  std::unique_ptr<v1::GatherResponse> message_;  // not full yet
  size_t bytes_ = 0;                             // of its rows
};

// Which ledgers are asked, ascending.
std::variant<std::vector<std::string>, Error> ledgers_of(const Views& views, const Call& call,
                                                         const ListQuery& query,
                                                         const v1::GatherRequest& request) {
  std::vector<std::string> codes(request.ledgers().begin(), request.ledgers().end());
  if (codes.empty()) {
    const auto held = views.digests(query.view_name(), "", std::nullopt);
    if (!held.ok()) {
      return failure(kUnavailable, "VIEW_BUILDING", "the view is being built",
                     {{"view", query.view_name()}}, kGatherRetryMs);
    }
    for (const auto& one : *held) {
      if (!one.ledger.starts_with(kNoRegion) && call.caller->may_enter(one.ledger))
        codes.push_back(one.ledger);
    }
  }
  std::sort(codes.begin(), codes.end());
  if (const auto twice = std::adjacent_find(codes.begin(), codes.end()); twice != codes.end())
    return invalid_field("ledgers", "names " + *twice + " twice");
  std::erase_if(
      codes, [&](const std::string& code) { return !code.starts_with(request.ledger_prefix()); });
  if (codes.size() > kLedgersMax) {
    return invalid_field("ledger_prefix", "leaves " + std::to_string(codes.size()) +
                                              " ledgers, more than " + std::to_string(kLedgersMax));
  }
  return codes;
}

}  // namespace

std::variant<std::shared_ptr<StreamWork>, Error> open_gather(Views& views, const Call& call,
                                                             const v1::GatherRequest& request) {
  auto named = ListQuery::of(views, request.query());
  if (auto* error = std::get_if<Error>(&named)) return std::move(*error);
  auto& query = std::get<ListQuery>(named);
  if (!query.ledger().empty())
    return invalid_field("query.ledger", "must not be set: `ledgers` says which");
  if (query.read().at_least_seq() != 0 ||
      query.read().as_of_case() == common::v1::ReadOptions::kSeq) {
    return invalid_field("query.read", "must not name a seq, which is of one ledger");
  }
  const bool merged = request.order() == v1::GATHER_ORDER_BY_ROW;
  if (merged && !query.is_list())
    return invalid_field("order", "is of rows, which " + query.method().full_name() + " has not");
  auto codes = ledgers_of(views, call, query, request);
  if (auto* error = std::get_if<Error>(&codes)) return std::move(*error);

  std::vector<Source> sources;
  for (const std::string& code : std::get<0>(codes)) {
    Source& source = sources.emplace_back(query.of_ledger(code));
    source.answer.set_ledger(code);
    auto error = source.query.check(call);
    if (!error) continue;
    // What is malformed is so for every ledger; what is not allowed may be so for this one.
    if (error->code == kInvalidArgument) return std::move(*error);
    source.is_read = true;
    fill_status(*error, *source.answer.mutable_failure());
  }
  return std::make_shared<Gather>(
      views, call, std::move(sources), merged,
      request.rows_per_message() == 0 ? kRowsPerMessageMax : request.rows_per_message());
}

}  // namespace taizhang::lists
