// One view of one ledger at one moment: what a query reads.
//
// Every row is versioned by the seq of the event that wrote it, so reading at a past moment costs
// the same as reading the newest. A Snapshot is made by the engine for one call, is used by one
// thread and dies after the answer. Rows that are found live as long as it does; those found while
// a row is visited live until that visit ends, so that a query over a whole county takes no more
// memory than one over a village.
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "platform/command/caller.h"
#include "platform/projection/event_meta.h"
#include "platform/projection/row_cursor.h"
#include "platform/state/key.h"
#include "platform/state/row_type.h"

namespace taizhang {

// Who may be asked for the events that made a row: the ledger view.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Calls `visit` with the event and answers true; false: not (yet) known here. Thread-safe.
  virtual bool event(std::string_view ledger, int64_t seq,
                     const std::function<void(const EventMeta&)>& visit) const = 0;
};

// Where a row of a page stands in its list. Rows of one list compare by (key, part), the same row
// at every moment by the same place.
struct RowPlace {
  const RowType* type = nullptr;  // of the row whose versions made it; null: not known
  std::string key;
  std::string part;  // of several rows under one key; a make_key()
};

// The places of a page's rows, one for each of them; fewer: the query does not tell.
struct RowPlaces {
  std::vector<RowPlace> rows;
  bool descending = false;
};

// One page of a list, from the request's PageRequest. The engine checks the token before the query
// runs and pins the moment in it: all pages of one list are of one moment.
class Page {
 public:
  // `places`: filled when not null.
  Page(int32_t size, std::string after, RowPlaces* places = nullptr)
      : size_(size), after_(std::move(after)), places_(places) {}

  // Rows to return at most, 1 to 1,000.
  int32_t size() const { return size_; }
  // What next_after() was given on the page before; empty: this is the first page.
  const std::string& after() const { return after_; }
  // There is more. The engine makes the response's `next_page_token` of it. `key` must not be
  // empty.
  void next_after(std::string key) { next_ = std::move(key); }
  const std::string& next() const { return next_; }

  // For lists that are no page_scan() or page_history(): where the row that was just put on the
  // page stands, so that two moments of the list can be compared.
  void place(const RowType* type, std::string_view key, std::string part = {}) {
    if (places_) places_->rows.push_back({type, std::string(key), std::move(part)});
  }
  void descend() {
    if (places_) places_->descending = true;
  }

 private:
  int32_t size_;
  std::string after_;
  RowPlaces* places_;
  std::string next_;
};

// One version of a row.
struct RowVersion {
  int64_t seq = 0;  // of the event that wrote it
  bool erased = false;
};

// Where a Snapshot reads; made by the engine.
class SnapshotRows {
 public:
  using VisitRow = std::function<bool(std::string_view key, const google::protobuf::Message& row)>;
  using VisitVersion = std::function<bool(const RowVersion&, const google::protobuf::Message& row)>;
  using VisitNumber = std::function<bool(int64_t seq, int64_t value)>;
  using VisitRowVersion = std::function<bool(std::string_view key, const RowVersion&,
                                             const google::protobuf::Message& row)>;

  virtual ~SnapshotRows() = default;
  // Into `row`; false: absent at that moment.
  virtual bool read(const RowType& type, std::string_view key, google::protobuf::Message& row) = 0;
  // Rows whose key starts with `prefix` and is above `after` (empty: from the first), in key order.
  // The row is overwritten by the next one.
  virtual void scan(const RowType& type, std::string_view prefix, std::string_view after,
                    const VisitRow& visit) = 0;
  // The same from the last one down, below `before` (empty: from the last).
  virtual void scan_back(const RowType& type, std::string_view prefix, std::string_view before,
                         const VisitRow& visit) = 0;
  // Versions of one row at or below `from_seq`, newest first. The row is overwritten by the next
  // one.
  virtual void history(const RowType& type, std::string_view key, int64_t from_seq,
                       const VisitVersion& visit) = 0;
  // One field of each version of a row, newest first; 0 of an erased one. `number`: of a field that
  // is stored as a plain varint (int, uint, bool, enum) and is no part of the key. The rows are not
  // parsed. `visit` reads nothing here.
  virtual void number_history(const RowType& type, std::string_view key, int number,
                              const VisitNumber& visit) = 0;
  // Versions of every row whose key starts with `prefix`, also of rows that are erased by now: row
  // after row in key order, of each the newest first. An erased version has an empty row but for
  // its key. The row is overwritten by the next one.
  virtual void versions(const RowType& type, std::string_view prefix,
                        const VisitRowVersion& visit) = 0;
  // All rows of a table as they are stored.
  virtual std::unique_ptr<RowCursor> cursor(const RowType& type) = 0;
  // Seq the ledger had at that recorded time; 0: none.
  virtual int64_t seq_at(int64_t recorded_time_us) = 0;
};

class Snapshot {
 public:
  struct Moment {
    std::string ledger;
    int64_t seq = 0;
    int64_t recorded_time_us = 0;  // of `seq`; 0 when the ledger is empty
    int32_t effective_day = 0;
    int32_t today = 0;
  };
  Snapshot(SnapshotRows& rows, Moment moment, const Caller& caller, Page page,
           const EventSource* events,
           const std::function<std::string(std::string_view)>* blind_index)
      : rows_(rows),
        moment_(std::move(moment)),
        caller_(caller),
        page_(std::move(page)),
        events_(events),
        blind_index_(blind_index) {}
  Snapshot(const Snapshot&) = delete;

  const std::string& ledger() const { return moment_.ledger; }
  // The answer reflects events up to and including this one.
  int64_t seq() const { return moment_.seq; }
  // Recorded time of seq(), microseconds since 1970.
  int64_t recorded_time_us() const { return moment_.recorded_time_us; }
  // yyyymmdd: read.effective_date, or today.
  int32_t effective_day() const { return moment_.effective_day; }
  // Day of the call in +08:00, yyyymmdd.
  int32_t today() const { return moment_.today; }
  const Caller& caller() const { return caller_; }
  // Personal… content is for makers and checkers; answer `withheld` to others.
  bool may_see_personal() const;

  // Null: absent.
  template <class Row, class... Key>
  const Row* find(const Key&... key) const {
    auto* row = google::protobuf::Arena::CreateMessage<Row>(found_);
    return rows_.read(row_type<Row>(), make_key(key...), *row) ? row : nullptr;
  }
  // An empty row when absent.
  template <class Row, class... Key>
  const Row& get(const Key&... key) const {
    const Row* row = find<Row>(key...);
    return row ? *row : Row::default_instance();
  }
  template <class Row, class... Key>
  bool has(const Key&... key) const {
    return find<Row>(key...) != nullptr;
  }

  // visit(const Row&) -> void, or bool (false stops), for each row whose key starts with `prefix`,
  // in key order. The row lives for that visit only.
  template <class Row, class Visit, class... Prefix>
  void scan(const Visit& visit, const Prefix&... prefix) const {
    Visiting visiting(*this);
    rows_.scan(row_type<Row>(), make_key(prefix...), {}, visiting.each<Row>(visit));
  }
  // The same in falling key order: newest first where the last key field is a seq or a date.
  template <class Row, class Visit, class... Prefix>
  void scan_back(const Visit& visit, const Prefix&... prefix) const {
    Visiting visiting(*this);
    rows_.scan_back(row_type<Row>(), make_key(prefix...), {}, visiting.each<Row>(visit));
  }
  // Rows of a key range: from the first whose key is above `after` (a make_key() of all key parts;
  // empty: the first).
  template <class Row, class Visit, class... Prefix>
  void scan_after(std::string_view after, const Visit& visit, const Prefix&... prefix) const {
    Visiting visiting(*this);
    rows_.scan(row_type<Row>(), make_key(prefix...), after, visiting.each<Row>(visit));
  }

  // The page that was asked for. Queries whose list is rows of one table use page_scan().
  Page& page() const { return page_; }

  // visit(const Row&) -> bool: true when the row stands on the page (a filter returns false). Goes
  // on behind the page before, stops when the page is full or kPageRowsReadMax rows were looked at,
  // and sets the token when more follows.
  template <class Row, class Visit, class... Prefix>
  void page_scan(const Visit& visit, const Prefix&... prefix) const {
    page_rows(
        row_type<Row>(), make_key(prefix...), false,
        [&](const google::protobuf::Message& row) { return visit(static_cast<const Row&>(row)); });
  }
  template <class Row, class Visit, class... Prefix>
  void page_scan_back(const Visit& visit, const Prefix&... prefix) const {
    page_rows(
        row_type<Row>(), make_key(prefix...), true,
        [&](const google::protobuf::Message& row) { return visit(static_cast<const Row&>(row)); });
  }
  static constexpr int kPageRowsReadMax = 100'000;

  // Versions of a row as of this moment, newest first: visit(const RowVersion&, const Row&) ->
  // void, or bool (false stops). An erased version has an empty row. `version.seq` names the event
  // that wrote it; event() says who and why.
  template <class Row, class Visit, class... Key>
  void history(const Visit& visit, const Key&... key) const {
    Visiting visiting(*this);
    rows_.history(row_type<Row>(), make_key(key...), moment_.seq,
                  [&](const RowVersion& version, const google::protobuf::Message& row) {
                    return visiting.one(
                        [&] { return visit(version, static_cast<const Row&>(row)); });
                  });
  }
  // Of these versions one field alone (see SnapshotRows): visit(seq, value) -> bool, false stops.
  // For those who look at many versions: it costs a tenth. `visit` reads nothing here.
  template <class Row, class Visit, class... Key>
  void number_history(int field_number, const Visit& visit, const Key&... key) const {
    rows_.number_history(row_type<Row>(), make_key(key...), field_number, visit);
  }
  // The same as history(), paged: visit(const RowVersion&, const Row&).
  template <class Row, class Visit, class... Key>
  void page_history(const Visit& visit, const Key&... key) const {
    page_versions(row_type<Row>(), make_key(key...),
                  [&](const RowVersion& version, const google::protobuf::Message& row) {
                    visit(version, static_cast<const Row&>(row));
                  });
  }

  // The event of that seq, with who, when and why. False: the ledger view does not hold it yet.
  bool event(int64_t seq, const std::function<void(const EventMeta&)>& visit) const;

  // Last seq the ledger had at that recorded time; 0: none.
  int64_t seq_at(int64_t recorded_time_us) const { return rows_.seq_at(recorded_time_us); }

  // For code that serves queries and streams alike.
  SnapshotRows& rows() const { return rows_; }

  // 32 lower-case hexadecimal digits, equal to what decide made of the same number.
  std::string blind_index(std::string_view normalised_number) const {
    return (*blind_index_)(normalised_number);
  }

 private:
  // While it lives, rows are found into memory that is used again after each visit.
  class Visiting {
   public:
    explicit Visiting(const Snapshot& snapshot)
        : snapshot_(snapshot), outer_(std::exchange(snapshot.found_, &arena_)) {}
    Visiting(const Visiting&) = delete;
    ~Visiting() { snapshot_.found_ = outer_; }

    // `visit() -> void`, or bool (false stops): whether to go on.
    template <class Visit>
    bool one(const Visit& visit) {
      bool more = true;
      if constexpr (std::is_void_v<decltype(visit())>) {
        visit();
      } else {
        more = visit();
      }
      arena_.Reset();
      return more;
    }
    template <class Row, class Visit>
    auto each(const Visit& visit) {
      return [this, &visit](std::string_view, const google::protobuf::Message& row) {
        return one([&] { return visit(static_cast<const Row&>(row)); });
      };
    }

   private:
    static constexpr size_t kFirstBytes = 1024;  // more is allocated for each visit that needs it

    alignas(8) char first_[kFirstBytes];
    google::protobuf::Arena arena_{first_, kFirstBytes};
    const Snapshot& snapshot_;
    google::protobuf::Arena* const outer_;
  };
  void page_rows(const RowType& type, std::string_view prefix, bool backward,
                 const std::function<bool(const google::protobuf::Message&)>& visit) const;
  void page_versions(
      const RowType& type, std::string_view key,
      const std::function<void(const RowVersion&, const google::protobuf::Message&)>& visit) const;

  SnapshotRows& rows_;
  const Moment moment_;
  const Caller& caller_;
  mutable Page page_;
  const EventSource* events_;
  const std::function<std::string(std::string_view)>* blind_index_;
  mutable google::protobuf::Arena arena_;
  mutable google::protobuf::Arena* found_ = &arena_;  // where rows are found now
};

}  // namespace taizhang
