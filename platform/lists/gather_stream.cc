// Pages of many ledgers, one after the other or merged by the places of their rows.
#include "platform/lists/gather_stream.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "platform/command/error_status.h"
#include "platform/lists/export_stream.h"
#include "platform/lists/gather_sources.h"
#include "platform/lists/ledger_pages.h"
#include "taizhang/common/v1/request.pb.h"

namespace taizhang::lists {
namespace {

using google::protobuf::Message;

constexpr int32_t kRowsPerMessageMax = 1'000;
constexpr size_t kLedgersMax = 1'000;

class Gather : public StreamWork {
 public:
  // What was asked, checked.
  struct Asked {
    explicit Asked(ListQuery named) : query(std::move(named)) {}

    ListQuery query;
    bool all = false;                  // every ledger with the prefix
    std::vector<std::string> ledgers;  // ascending; without `all`
    std::string prefix;
    bool merged = false;
    int32_t rows_per_message = 0;
    google::protobuf::Any packed;
  };

  Gather(Views& views, ReaderDirectory* readers, const Call& call, Asked asked)
      : views_(views), readers_(readers), call_(call), asked_(std::move(asked)) {}

 private:
  void go_on() override {
    switch (step_) {
      case Step::kLedgers: return find_ledgers();
      case Step::kRows: return run();
      case Step::kTrailer: return tell_trailer();
      case Step::kEnd: return tell(std::unique_ptr<Message>());
    }
  }

  // Readers are asked what they hold unless everything that was named is here.
  void find_ledgers() {
    // What was named is asked without knowing; it fails one by one.
    if (!readers_ && !asked_.all) return begin({});
    auto held = held_ledgers(views_, asked_.query.view_name(), *call_.caller, asked_.prefix);
    if (auto* error = std::get_if<Error>(&held)) return tell(std::move(*error));
    here_ = std::move(std::get<0>(held));
    const bool all_here =
        !asked_.all &&
        std::includes(here_.begin(), here_.end(), asked_.ledgers.begin(), asked_.ledgers.end());
    if (!readers_ || all_here) return begin({});
    readers_->list(asked_.query.view_name(), asked_.prefix, call_,
                   [self = std::static_pointer_cast<Gather>(shared_from_this())](auto listings) {
                     self->begin(std::move(listings));
                   });
  }

  void begin(std::vector<ReaderDirectory::Listing> listings) {
    if (!is_wanted()) return;
    std::vector<std::string> codes = asked_.ledgers;
    if (asked_.all) {
      codes = here_;
      for (size_t i = 0; i < listings.size(); ++i) {
        const auto& listing = listings[i];
        codes.insert(codes.end(), listing.ledgers.begin(), listing.ledgers.end());
        if (!listing.error) continue;
        auto& failed = failed_readers_.emplace_back();
        failed.set_reader(readers_->reader(i).name());
        fill_status(*listing.error, *failed.mutable_failure());
      }
      std::sort(codes.begin(), codes.end());
      codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    }
    if (codes.size() > kLedgersMax) {
      return tell(invalid_field("ledger_prefix", "leaves " + std::to_string(codes.size()) +
                                                     " ledgers, more than " +
                                                     std::to_string(kLedgersMax)));
    }
    sources_ = std::make_unique<GatherSources>(
        views_, readers_, call_,
        GatherSources::Wish{asked_.packed, asked_.merged,
                            page_size(static_cast<int32_t>(codes.size()))});
    for (const auto& code : codes) {
      if (auto error = add_source(code, listings)) return tell(std::move(*error));
    }
    tell_header();
  }

  int32_t page_size(int32_t ledgers) const {
    if (!asked_.query.is_list()) return 1;
    if (!asked_.merged) return asked_.rows_per_message;
    return std::clamp(kRowsHeldMax / std::max(1, ledgers), 1, asked_.rows_per_message);
  }

  // An error that is of every ledger alike.
  std::optional<Error> add_source(const std::string& code,
                                  const std::vector<ReaderDirectory::Listing>& listings) {
    GatherSource source(asked_.query.of_ledger(code));
    source.answer.set_ledger(code);
    const auto refused = source.query.check(call_);
    // What is malformed is so for every ledger; what is not allowed here may be so at a reader.
    if (refused && refused->code == kInvalidArgument) return refused;
    const bool here = std::binary_search(here_.begin(), here_.end(), code);
    if (here && !refused) source.holders.push_back(GatherSource::kHere);
    for (size_t i = 0; i < listings.size(); ++i) {
      if (!listings[i].error && listings[i].has(code)) source.holders.push_back(i);
    }
    if (source.holders.empty()) find_failure(source, refused, listings);
    sources_->list().push_back(std::move(source));
    return std::nullopt;
  }

  // Of a ledger that nobody who answered holds: of the reader that held it, of one that may, or
  // what this server says of it.
  void find_failure(GatherSource& source, const std::optional<Error>& refused,
                    const std::vector<ReaderDirectory::Listing>& listings) {
    const std::string& code = source.answer.ledger();
    const auto failed = [](const auto& listing) { return listing.error.has_value(); };
    auto blamed = std::find_if(listings.begin(), listings.end(), [&](const auto& listing) {
      return failed(listing) && listing.has(code);
    });
    if (blamed == listings.end()) blamed = std::find_if(listings.begin(), listings.end(), failed);
    if (blamed == listings.end() && !refused) {
      source.holders.push_back(GatherSource::kHere);
      return;
    }
    source.is_read = true;
    fill_status(blamed == listings.end() ? *refused : *blamed->error,
                *source.answer.mutable_failure());
    if (blamed == listings.end()) return;
    const auto reader = static_cast<size_t>(blamed - listings.begin());
    source.answer.set_reader(readers_->reader(reader).name());
  }

  // Gathers rows until a message is full or nothing is left; goes on here when somebody who had to
  // be waited for has answered.
  void run() {
    if (!message_) {
      message_ = std::make_unique<v1::GatherResponse>();
      message_->mutable_rows();
      bytes_ = 0;
    }
    const auto go_on = [self = std::static_pointer_cast<Gather>(shared_from_this())] {
      self->run();
    };
    for (;;) {
      if (ran_out_) {
        if (!is_wanted()) return;
        auto& list = sources_->list();
        while (first_ < list.size() && !list[first_].at_row() && list[first_].is_read) ++first_;
        if (sources_->needs_round(first_)) {
          if (sources_->ask_round(first_, go_on)) continue;
          return;
        }
        order_sources();
        ran_out_ = false;
      }
      GatherSource* source = next_source();
      if (!source) step_ = Step::kTrailer;
      if (!source || !add_row(*source)) return tell(std::move(message_));
      step_over(*source);
    }
  }

  GatherSource* next_source() {
    if (asked_.merged) return by_place_.empty() ? nullptr : by_place_.front();
    auto& list = sources_->list();
    return first_ == list.size() ? nullptr : &list[first_];
  }

  // Equal places stand in the order of the ledgers, which is that of the sources in memory.
  auto later() const {
    return [this](const GatherSource* a, const GatherSource* b) {
      if (is_before(a->place(), b->place())) return false;
      return is_before(b->place(), a->place()) || b < a;
    };
  }

  void order_sources() {
    if (!asked_.merged) return;
    by_place_.clear();
    for (auto& source : sources_->list()) {
      if (source.at_row()) by_place_.push_back(&source);
    }
    std::make_heap(by_place_.begin(), by_place_.end(), later());
  }

  // To the source's next row, behind the one that was told.
  void step_over(GatherSource& source) {
    ++source.at;
    ran_out_ = !source.at_row();
    if (ran_out_ || !asked_.merged) return;
    std::pop_heap(by_place_.begin(), by_place_.end(), later());
    std::push_heap(by_place_.begin(), by_place_.end(), later());
  }

  bool is_before(const v1::RowPosition& a, const v1::RowPosition& b) const {
    const int order = a.key() != b.key() ? a.key().compare(b.key()) : a.part().compare(b.part());
    return sources_->descending() ? order > 0 : order < 0;
  }

  // False: the message is full, and the row has its turn in the next one.
  bool add_row(GatherSource& source) {
    auto& rows = *message_->mutable_rows();
    if (rows.rows_size() == asked_.rows_per_message) return false;
    auto& row = *source.page.mutable_rows(source.at);
    const size_t bytes = row.ByteSizeLong() + source.answer.ledger().size();
    if (bytes_ + bytes > kMessageBytesMax && rows.rows_size() > 0) return false;
    auto& told = *rows.add_rows();
    told.set_ledger(source.answer.ledger());
    told.mutable_row()->Swap(&row);
    bytes_ += bytes;
    source.answer.set_rows(source.answer.rows() + 1);
    return true;
  }

  void tell_header() {
    step_ = Step::kRows;
    auto message = std::make_unique<v1::GatherResponse>();
    auto& header = *message->mutable_header();
    header.set_method(asked_.query.method().full_name());
    header.set_row_type(asked_.query.row_type().full_name());
    for (const auto& source : sources_->list()) header.add_ledgers(source.answer.ledger());
    tell(std::move(message));
  }

  void tell_trailer() {
    step_ = Step::kEnd;
    auto message = std::make_unique<v1::GatherResponse>();
    auto& trailer = *message->mutable_trailer();
    for (auto& source : sources_->list()) {
      trailer.set_rows(trailer.rows() + source.answer.rows());
      if (source.answer.has_failure()) trailer.set_failed_ledgers(trailer.failed_ledgers() + 1);
      *trailer.add_ledgers() = std::move(source.answer);
    }
    for (auto& failed : failed_readers_) *trailer.add_failed_readers() = std::move(failed);
    tell(std::move(message));
  }

  enum class Step { kLedgers, kRows, kTrailer, kEnd };

  Views& views_;
  ReaderDirectory* const readers_;
  const Call call_;
  const Asked asked_;
  std::vector<std::string> here_;  // ledgers of this server, ascending
  std::vector<v1::ReaderFailure> failed_readers_;
  std::unique_ptr<GatherSources> sources_;
  Step step_ = Step::kLedgers;
  size_t first_ = 0;  // those before it have told everything
  // A source has told its page, or nothing was asked yet: who has rows must be looked at.
  bool ran_out_ = true;
  std::vector<GatherSource*> by_place_;          // of the order by row: a heap of those at a row
  std::unique_ptr<v1::GatherResponse> message_;  // not full yet
  size_t bytes_ = 0;                             // of its rows
};

}  // namespace

std::variant<std::shared_ptr<StreamWork>, Error> open_gather(Views& views, ReaderDirectory* readers,
                                                             const Call& call,
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

  std::vector<std::string> ledgers(request.ledgers().begin(), request.ledgers().end());
  std::sort(ledgers.begin(), ledgers.end());
  if (const auto twice = std::adjacent_find(ledgers.begin(), ledgers.end()); twice != ledgers.end())
    return invalid_field("ledgers", "names " + *twice + " twice");
  std::erase_if(ledgers,
                [&](const auto& code) { return !code.starts_with(request.ledger_prefix()); });

  Gather::Asked asked(query);
  asked.all = request.ledgers().empty();
  asked.ledgers = std::move(ledgers);
  asked.prefix = request.ledger_prefix();
  asked.merged = merged;
  asked.rows_per_message =
      request.rows_per_message() == 0 ? kRowsPerMessageMax : request.rows_per_message();
  asked.packed = request.query();
  return std::make_shared<Gather>(views, readers, call, std::move(asked));
}

}  // namespace taizhang::lists
