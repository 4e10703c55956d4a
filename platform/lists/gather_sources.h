// The ledgers of a gathering: who may be asked for each, the page at hand, and asking for the next
// ones. Private to platform/lists.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "platform/lists/list_query.h"
#include "platform/lists/reader_directory.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::lists {

// One ledger.
struct GatherSource {
  // Of `holders`: this server itself.
  static constexpr size_t kHere = static_cast<size_t>(-1);

  explicit GatherSource(ListQuery of_ledger) : query(std::move(of_ledger)) {}

  bool at_row() const { return at < page.rows_size(); }
  bool needs_page() const { return !at_row() && !is_read; }
  // Who is asked.
  size_t holder() const { return holders[turn]; }
  const v1::RowPosition& place() const { return page.places(at); }

  ListQuery query;
  std::vector<size_t> holders;  // kHere, or places in the directory; in the order of asking
  size_t turn = 0;              // of `holders`
  bool is_read = false;         // there is no page behind this one
  v1::LedgerRows page;
  int at = 0;  // of the page's rows
  v1::LedgerAnswer answer;
};

// Not thread-safe; while a round runs nobody touches it.
class GatherSources {
 public:
  struct Wish {
    google::protobuf::Any query;  // without a ledger
    bool merged = false;          // rows of all of them are told by their places
    int32_t page_size = 0;
  };
  // `views`, and `readers` when it is not null, must outlive it. Readers get the call's token.
  GatherSources(Views& views, ReaderDirectory* readers, const Call& call, Wish wish);

  // By ledger, filled before the first round. Those without holders are read already.
  std::vector<GatherSource>& list() { return list_; }

  // A page is missing before a row can be told: of source `first`, or of any behind it when merged.
  bool needs_round(size_t first) const;
  // Asks for the pages that are missing, everybody at once, each reader for pages of several
  // ledgers as far as these may be held. True: all have answered. Otherwise `go_on` is called when
  // they have, on the thread of the last.
  bool ask_round(size_t first, std::function<void()> go_on);
  // The places of the list descend.
  bool descending() const { return descending_; }

 private:
  struct Round;

  void find_here(size_t first, Round& round);
  void find_at_reader(size_t reader, size_t first, Round& round);
  void finish(Round& round);
  void take(GatherSource& source, v1::LedgerRows rows);
  void fail(GatherSource& source, const google::rpc::Status& failure);
  void fail_reader(size_t reader, const Error& error);

  Views& views_;
  ReaderDirectory* const readers_;
  const Call call_;
  const Wish wish_;
  std::vector<GatherSource> list_;
  bool asked_ = false;  // a round was
  bool descending_ = false;
  std::vector<std::optional<google::rpc::Status>> out_;  // readers that are not asked any more
};

}  // namespace taizhang::lists
