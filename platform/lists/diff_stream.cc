// Two moments of a list side by side: both come in the same order, so one row of each is enough to
// tell what was added, removed and changed.
#include "platform/lists/diff_stream.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>

#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "platform/lists/export_stream.h"
#include "platform/lists/list_query.h"
#include "platform/lists/row_difference.h"
#include "platform/projection/row_change.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::lists {
namespace {

using google::protobuf::Message;

constexpr int32_t kRowsPerPage = 500;

// One of the two moments.
struct Side {
  explicit Side(ListQuery asked) : query(std::move(asked)) {}

  bool at_row() const { return at < page.rows.size(); }
  bool needs_page() const { return !at_row() && !is_read; }
  const Message& row() const { return *page.rows[at]; }
  const RowPlace& place() const { return page.places.rows[at]; }

  ListQuery query;
  bool is_begun = false;
  bool is_read = false;  // there is no page behind this one
  common::v1::Freshness freshness;
  ListPage page;
  size_t at = 0;  // of the page's rows
};

class Diff : public StreamWork {
 public:
  Diff(Views& views, const Call& call, ListQuery from, ListQuery to)
      : views_(views), call_(call), sides_{Side(std::move(from)), Side(std::move(to))} {}

 private:
  void go_on() override {
    if (is_ended_) return tell(std::unique_ptr<Message>());
    // A moment is asked for at most one page in one message: its caller hears how far the list is
    // even when filters leave nothing of it.
    asked_ = {false, false};
    fill();
  }

  void fill() {
    for (size_t i = 0; i < sides_.size(); ++i) {
      Side& side = sides_[i];
      if (!side.needs_page() || std::exchange(asked_[i], true)) continue;
      return side.query.ask(
          views_, call_, kRowsPerPage, side.page.next_token,
          [self = std::static_pointer_cast<Diff>(shared_from_this()), &side](auto answer) {
            if (auto error = self->take(side, std::move(answer))) return self->tell(*error);
            self->fill();
          });
    }
    if (!is_header_told_) return tell_header();
    tell_rows();
  }

  std::optional<Error> take(Side& side, std::variant<ListPage, Error> answer) {
    if (auto* error = std::get_if<Error>(&answer)) {
      // One thing that is not there at a moment was added or removed.
      if (error->code != kNotFound || side.query.is_list())
        return of_later_page(std::move(*error), side.query.view_name());
      side.is_begun = side.is_read = true;
      return find_moment(side);
    }
    side.page = std::move(std::get<ListPage>(answer));
    side.at = 0;
    side.is_read = side.page.next_token.empty();
    if (side.page.places.rows.size() != side.page.rows.size()) {
      return invalid_field("query", "rows of " + side.query.method().full_name() +
                                        " have no place by which two moments could be compared");
    }
    if (!std::exchange(side.is_begun, true))
      side.freshness = side.query.freshness_of(*side.page.response);
    if (!side.query.is_list()) side.query.clear_freshness(*side.page.response);
    descending_ = descending_ || side.page.places.descending;
    return std::nullopt;
  }

  // Of an answer that said nothing but "not found".
  std::optional<Error> find_moment(Side& side) const {
    const std::string ledger = side.query.ledger();
    side.freshness.set_ledger(ledger);
    const auto progress = side.query.view().progress(ledger);
    if (const auto* error = std::get_if<Error>(&progress)) return *error;
    const int64_t newest = std::get<0>(progress).seq;
    const auto& read = side.query.read();
    if (read.as_of_case() == common::v1::ReadOptions::kSeq) {
      side.freshness.set_seq(read.seq());
    } else if (read.as_of_case() == common::v1::ReadOptions::kRecordedTime) {
      const auto& time = read.recorded_time();
      return side.query.view().read(ledger, newest, [&](SnapshotRows& rows) {
        side.freshness.set_seq(rows.seq_at(time.seconds() * 1'000'000 + time.nanos() / 1'000));
      });
    } else {
      side.freshness.set_seq(newest);
    }
    return std::nullopt;
  }

  void tell_header() {
    from_seq_ = sides_[0].freshness.seq();
    to_seq_ = sides_[1].freshness.seq();
    if (from_seq_ > to_seq_) return tell(invalid_field("to", "is a moment before `from`"));
    is_header_told_ = true;
    auto message = std::make_unique<v1::DiffResponse>();
    auto& header = *message->mutable_header();
    header.set_method(sides_[0].query.method().full_name());
    header.set_row_type(sides_[0].query.row_type().full_name());
    *header.mutable_from() = sides_[0].freshness;
    *header.mutable_to() = sides_[1].freshness;
    tell(std::move(message));
  }

  // Below 0: the row of `from` stands in front of that of `to`, which has none like it.
  int order() const {
    if (!sides_[0].at_row()) return 1;
    if (!sides_[1].at_row()) return -1;
    const RowPlace& before = sides_[0].place();
    const RowPlace& after = sides_[1].place();
    const auto from = std::tie(before.key, before.part);
    const auto to = std::tie(after.key, after.part);
    if (from == to) return 0;
    return (from < to) != descending_ ? -1 : 1;
  }

  void tell_rows() {
    auto message = std::make_unique<v1::DiffResponse>();
    auto& rows = *message->mutable_rows();
    size_t bytes = 0;
    while (bytes < kMessageBytesMax && !sides_[0].needs_page() && !sides_[1].needs_page() &&
           (sides_[0].at_row() || sides_[1].at_row())) {
      bytes += compare(order(), rows);
      ++compared_;
      if (error_) return tell(*error_);
    }
    const bool is_done =
        sides_[0].is_read && sides_[1].is_read && !sides_[0].at_row() && !sides_[1].at_row();
    if (is_done && rows.differences().empty()) return tell_trailer();
    rows.set_rows_compared(compared_);
    tell(std::move(message));
  }

  // Takes the row in front of one side, or of both; answers the bytes that were added.
  size_t compare(int order, v1::DiffRows& rows) {
    Side& from = sides_[0];
    Side& to = sides_[1];
    if (order == 0) {
      auto paths = changed_fields(from.row(), to.row());
      if (paths.empty()) {
        ++unchanged_;
        ++from.at;
        ++to.at;
        return 0;
      }
      auto& difference = *rows.add_differences();
      difference.mutable_changed_fields()->Assign(paths.begin(), paths.end());
      return take_row(order, difference);
    }
    return take_row(order, *rows.add_differences());
  }

  size_t take_row(int order, v1::Difference& difference) {
    Side& from = sides_[0];
    Side& to = sides_[1];
    difference.set_kind(order < 0   ? v1::DIFFERENCE_KIND_REMOVED
                        : order > 0 ? v1::DIFFERENCE_KIND_ADDED
                                    : v1::DIFFERENCE_KIND_CHANGED);
    ++(order < 0 ? removed_ : order > 0 ? added_ : changed_);
    add_changes(order < 0 ? from : to, difference);
    if (order <= 0) {
      pack(from.row(), *difference.mutable_before());
      ++from.at;
    }
    if (order >= 0) {
      pack(to.row(), *difference.mutable_after());
      ++to.at;
    }
    return difference.ByteSizeLong();
  }

  // Who, when and why: the events that the row names, and the versions of what it was made from.
  void add_changes(const Side& side, v1::Difference& difference) {
    const std::string ledger = side.query.ledger();
    auto named = events_named(side.row(), ledger, from_seq_, to_seq_);
    const RowPlace& place = side.place();
    if (place.type) {
      size_t versions = 0;
      const auto visit = [&](const RowVersion& version, const Message&) {
        if (version.seq <= from_seq_) return false;
        named.seqs.insert(version.seq);
        return ++versions <= kChangesMax;
      };
      error_ = side.query.view().read(ledger, to_seq_, [&](SnapshotRows& rows) {
        rows.history(*place.type, place.key, to_seq_, visit);
      });
    }
    difference.set_more_changes(named.cut || named.seqs.size() > kChangesMax);
    for (auto seq = named.seqs.rbegin();
         seq != named.seqs.rend() && difference.changes_size() < static_cast<int>(kChangesMax);
         ++seq) {
      *difference.add_changes() = row_change(ledger, *seq, [&](const auto& found) {
        return views_.events().event(ledger, *seq, found);
      });
    }
  }

  void tell_trailer() {
    is_ended_ = true;
    auto message = std::make_unique<v1::DiffResponse>();
    auto& trailer = *message->mutable_trailer();
    trailer.set_added(added_);
    trailer.set_removed(removed_);
    trailer.set_changed(changed_);
    trailer.set_unchanged(unchanged_);
    tell(std::move(message));
  }

  Views& views_;
  const Call call_;
  std::array<Side, 2> sides_;  // from, to
  std::array<bool, 2> asked_{};
  bool descending_ = false;
  bool is_header_told_ = false;
  bool is_ended_ = false;
  int64_t from_seq_ = 0;
  int64_t to_seq_ = 0;
  std::optional<Error> error_;  // ends the stream
  int64_t compared_ = 0;
  int64_t added_ = 0;
  int64_t removed_ = 0;
  int64_t changed_ = 0;
  int64_t unchanged_ = 0;
};

}  // namespace

std::variant<std::shared_ptr<StreamWork>, Error> open_diff(Views& views, const Call& call,
                                                           const v1::DiffRequest& request) {
  std::array<std::optional<ListQuery>, 2> sides;
  for (size_t i = 0; i < sides.size(); ++i) {
    // Each has a request of its own: they differ in the moment.
    auto named = ListQuery::of(views, request.query());
    if (auto* error = std::get_if<Error>(&named)) return std::move(*error);
    auto& query = std::get<ListQuery>(named);
    if (query.has_read())
      return invalid_field("query.read", "must not be set: `from` and `to` say of which moments");
    query.set_read(i == 0 ? request.from() : request.to());
    if (auto error = query.check(call)) return std::move(*error);
    sides[i] = std::move(query);
  }
  return std::make_shared<Diff>(views, call, std::move(*sides[0]), std::move(*sides[1]));
}

}  // namespace taizhang::lists
