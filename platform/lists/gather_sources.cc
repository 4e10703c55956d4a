// Rounds of asking: everybody's answers are looked at when the last one is there.
#include "platform/lists/gather_sources.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "platform/command/error_status.h"
#include "platform/lists/gather_stream.h"
#include "platform/lists/ledger_pages.h"

namespace taizhang::lists {
namespace {

// Of page tokens in one request, so that it stays below request_bytes_max.
constexpr size_t kTokenBytesMax = 200'000;

Error malformed(const RemoteReader& reader) {
  return failure(kInternal, "READER_ANSWER_MALFORMED",
                 "the reader's answer is not of the ledgers it was asked for",
                 {{"reader", reader.name()}});
}

}  // namespace

// What is asked at once, and what was answered.
struct GatherSources::Round {
  struct Here {
    GatherSource* source;
    v1::LedgerRows rows;
  };
  struct There {
    size_t reader;
    std::vector<GatherSource*> sources;
    v1::ReadPagesRequest request;
    Answer answer;
  };
  std::vector<Here> here;
  std::vector<There> there;
  std::function<void()> go_on;
  std::atomic<size_t> left{1};

  // True: this was the last one.
  bool answered() { return left.fetch_sub(1) == 1; }
};

GatherSources::GatherSources(Views& views, ReaderDirectory* readers, const Call& call, Wish wish)
    : views_(views),
      readers_(readers),
      call_(call),
      wish_(std::move(wish)),
      out_(readers ? readers->size() : 0) {}

bool GatherSources::needs_round(size_t first) const {
  if (!wish_.merged) return first < list_.size() && list_[first].needs_page();
  return std::any_of(list_.begin() + static_cast<std::ptrdiff_t>(first), list_.end(),
                     [](const GatherSource& source) { return source.needs_page(); });
}

bool GatherSources::ask_round(size_t first, std::function<void()> go_on) {
  static const auto& method = *v1::ReadPagesRequest::descriptor()
                                   ->file()
                                   ->FindServiceByName("ListService")
                                   ->FindMethodByName("ReadPages");
  const auto round = std::make_shared<Round>();
  round->go_on = std::move(go_on);
  find_here(first, *round);
  for (size_t reader = 0; reader < out_.size(); ++reader) {
    // In the order of ledgers the readers behind the present one are a page ahead, not more.
    if (wish_.merged || !asked_ || list_[first].holder() == reader)
      find_at_reader(reader, first, *round);
  }
  asked_ = true;
  round->left += round->here.size() + round->there.size();
  const auto answered = [this, round] {
    if (!round->answered()) return;
    finish(*round);
    round->go_on();
  };
  for (auto& there : round->there) {
    readers_->reader(there.reader)
        .call(method, there.request, call_, [&there, answered](Answer answer) {
          there.answer = std::move(answer);
          answered();
        });
  }
  for (auto& here : round->here) {
    read_page(views_, call_, here.source->query, wish_.page_size,
              here.source->page.next_page_token(), wish_.merged,
              [&here, answered](v1::LedgerRows rows) {
                here.rows = std::move(rows);
                answered();
              });
  }
  if (!round->answered()) return false;
  finish(*round);
  return true;
}

void GatherSources::find_here(size_t first, Round& round) {
  const size_t end = wish_.merged ? list_.size() : first + 1;
  for (size_t i = first; i < end; ++i) {
    if (list_[i].needs_page() && list_[i].holder() == GatherSource::kHere)
      round.here.push_back({&list_[i], {}});
  }
}

void GatherSources::find_at_reader(size_t reader, size_t first, Round& round) {
  Round::There there{reader, {}, {}, Error()};
  int64_t rows = 0;
  size_t token_bytes = 0;
  for (size_t i = first; i < list_.size(); ++i) {
    GatherSource& source = list_[i];
    if (source.holders.empty() || source.holder() != reader) continue;
    rows += source.page.rows_size() - source.at;
    if (!source.needs_page()) continue;
    rows += wish_.page_size;
    token_bytes += source.page.next_page_token().size();
    if (!there.sources.empty() && (rows > kRowsHeldMax || token_bytes > kTokenBytesMax)) break;
    there.sources.push_back(&source);
    auto& page = *there.request.add_pages();
    page.set_ledger(source.answer.ledger());
    page.set_page_token(source.page.next_page_token());
  }
  if (there.sources.empty()) return;
  *there.request.mutable_query() = wish_.query;
  there.request.set_page_size(wish_.page_size);
  there.request.set_with_places(wish_.merged);
  round.there.push_back(std::move(there));
}

void GatherSources::finish(Round& round) {
  for (auto& here : round.here) take(*here.source, std::move(here.rows));
  for (auto& there : round.there) {
    if (const auto* error = std::get_if<Error>(&there.answer)) {
      fail_reader(there.reader, *error);
      continue;
    }
    auto& said = static_cast<v1::ReadPagesResponse&>(*std::get<0>(there.answer));
    const auto count = static_cast<size_t>(said.ledgers_size());
    bool fits = count > 0 && count <= there.sources.size();
    for (size_t i = 0; fits && i < count; ++i) {
      fits = said.ledgers(static_cast<int>(i)).ledger() == there.sources[i]->answer.ledger();
    }
    if (!fits) {
      fail_reader(there.reader, malformed(readers_->reader(there.reader)));
      continue;
    }
    for (size_t i = 0; i < count; ++i)
      take(*there.sources[i], std::move(*said.mutable_ledgers(static_cast<int>(i))));
  }
}

void GatherSources::take(GatherSource& source, v1::LedgerRows rows) {
  source.answer.set_reader(
      source.holder() == GatherSource::kHere ? "" : readers_->reader(source.holder()).name());
  source.at = 0;
  source.page = std::move(rows);
  if (source.page.has_failure()) {
    // Of a later page only the token is not the caller's.
    if (source.answer.has_freshness() && source.page.failure().code() == kInvalidArgument) {
      source.page.mutable_failure()->Clear();
      fill_status(view_rebuilt(source.query.view_name()), *source.page.mutable_failure());
    }
    return fail(source, source.page.failure());
  }
  if (wish_.merged && source.page.places_size() != source.page.rows_size()) {
    google::rpc::Status failure;
    fill_status(invalid_field("order", "rows of " + source.query.method().full_name() +
                                           " have no place by which they could be merged"),
                failure);
    return fail(source, failure);
  }
  source.is_read = source.page.next_page_token().empty();
  if (!source.answer.has_freshness())
    source.answer.mutable_freshness()->Swap(source.page.mutable_freshness());
  descending_ = descending_ || source.page.descending();
}

// Another one that holds the ledger is asked when it told nothing yet: rows of two servers may be
// of two moments.
void GatherSources::fail(GatherSource& source, const google::rpc::Status& failure) {
  google::rpc::Status why = failure;  // may be the page's
  source.page.Clear();
  source.at = 0;
  const bool elsewhere = !source.answer.has_freshness() && why.code() != kInvalidArgument &&
                         why.code() != kPermissionDenied;
  while (elsewhere && ++source.turn < source.holders.size()) {
    if (source.holder() == GatherSource::kHere || !out_[source.holder()]) return;
  }
  source.turn = std::min(source.turn, source.holders.size() - 1);
  source.is_read = true;
  source.answer.mutable_failure()->Swap(&why);
}

void GatherSources::fail_reader(size_t reader, const Error& error) {
  auto& why = out_[reader].emplace();
  fill_status(error, why);
  for (auto& source : list_) {
    if (source.is_read || source.holder() != reader) continue;
    source.answer.set_reader(readers_->reader(reader).name());
    if (!source.at_row()) {
      fail(source, why);
      continue;
    }
    source.is_read = true;  // what is here is told, no more is asked
    *source.answer.mutable_failure() = why;
  }
}

}  // namespace taizhang::lists
