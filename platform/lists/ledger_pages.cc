// Pages of ledgers that this server holds, as messages.
#include "platform/lists/ledger_pages.h"

#include <google/protobuf/any.pb.h>

#include <atomic>
#include <memory>
#include <utility>

#include "google/rpc/status.pb.h"
#include "platform/base/clock.h"
#include "platform/command/error_status.h"
#include "platform/lists/export_stream.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::lists {
namespace {

constexpr int64_t kRetryMs = 1'000;
// System ledgers and the directory: not a region's.
constexpr std::string_view kNoRegion = "00";

// The answer to a ReadPages while it grows. One thread at a time.
class Pages : public std::enable_shared_from_this<Pages> {
 public:
  Pages(Views& views, const Call& call, ListQuery query, const v1::ReadPagesRequest& request,
        Done done)
      : views_(views),
        call_(call),
        query_(std::move(query)),
        request_(request),
        done_(std::move(done)),
        enough_boot_us_(half_way(call.deadline_boot_us)),
        response_(std::make_unique<v1::ReadPagesResponse>()) {}

  void run() {
    for (; at_ < request_.pages_size(); ++at_) {
      if (bytes_ >= kMessageBytesMax) break;
      if (at_ > 0 && system_clock().boot_us() >= enough_boot_us_) break;
      const auto& page = request_.pages(at_);
      const ListQuery query = query_.of_ledger(page.ledger());
      if (const auto error = query.check(call_)) {
        if (error->code == kInvalidArgument) return done_(*error);
        v1::LedgerRows refused;
        fill_status(*error, *refused.mutable_failure());
        take(std::move(refused));
        continue;
      }
      // Whoever of asker and answer is second goes on.
      auto is_second = std::make_shared<std::atomic<bool>>(false);
      read_page(views_, call_, query, request_.page_size(), page.page_token(),
                request_.with_places(),
                [self = shared_from_this(), is_second](v1::LedgerRows rows) {
                  self->take(std::move(rows));
                  if (!is_second->exchange(true)) return;
                  ++self->at_;
                  self->run();
                });
      if (!is_second->exchange(true)) return;
    }
    done_(std::move(response_));
  }

 private:
  static int64_t half_way(int64_t deadline_boot_us) {
    const int64_t now_us = system_clock().boot_us();
    return now_us + (deadline_boot_us - now_us) / 2;
  }

  // Of the ledger at hand. A page that has no room any more is asked again.
  void take(v1::LedgerRows rows) {
    rows.set_ledger(request_.pages(at_).ledger());
    const size_t bytes = rows.ByteSizeLong();
    if (bytes_ > 0 && bytes_ + bytes > kMessageBytesMax) {
      bytes_ = kMessageBytesMax;
      return;
    }
    bytes_ += bytes;
    *response_->add_ledgers() = std::move(rows);
  }

  Views& views_;
  const Call call_;
  const ListQuery query_;
  const v1::ReadPagesRequest request_;
  const Done done_;
  // What is there then is answered: the rest is asked again, instead of all of it being too late.
  const int64_t enough_boot_us_;
  std::unique_ptr<v1::ReadPagesResponse> response_;
  int at_ = 0;  // of the request's pages
  size_t bytes_ = 0;
};

}  // namespace

std::variant<std::vector<std::string>, Error> held_ledgers(const Views& views,
                                                           const std::string& view,
                                                           const Caller& caller,
                                                           std::string_view prefix) {
  const auto held = views.digests(view, "", std::nullopt);
  if (held.status().code() == absl::StatusCode::kNotFound)
    return failure(kNotFound, "VIEW_NOT_FOUND", "this process keeps no such view",
                   {{"view", view}});
  if (!held.ok()) {
    return failure(kUnavailable, "VIEW_BUILDING", "the view is being built", {{"view", view}},
                   kRetryMs);
  }
  std::vector<std::string> codes;
  for (const auto& one : *held) {
    if (!one.ledger.starts_with(kNoRegion) && one.ledger.starts_with(prefix) &&
        caller.may_enter(one.ledger))
      codes.push_back(one.ledger);
  }
  return codes;
}

void read_page(Views& views, const Call& call, const ListQuery& query, int32_t page_size,
               const std::string& page_token, bool with_places,
               std::function<void(v1::LedgerRows)> done) {
  query.ask(views, call, page_size, page_token,
            [query, with_places, done = std::move(done)](std::variant<ListPage, Error> answer) {
              v1::LedgerRows rows;
              if (const auto* error = std::get_if<Error>(&answer)) {
                fill_status(*error, *rows.mutable_failure());
                return done(std::move(rows));
              }
              auto& page = std::get<ListPage>(answer);
              *rows.mutable_freshness() = query.freshness_of(*page.response);
              if (!query.is_list()) query.clear_freshness(*page.response);
              for (const auto* row : page.rows) pack(*row, *rows.add_rows());
              rows.set_next_page_token(std::move(page.next_token));
              if (with_places) {
                rows.set_descending(page.places.descending);
                for (auto& place : page.places.rows) {
                  auto& position = *rows.add_places();
                  position.set_key(std::move(place.key));
                  position.set_part(std::move(place.part));
                }
              }
              done(std::move(rows));
            });
}

void read_pages(Views& views, const Call& call, const v1::ReadPagesRequest& request, Done done) {
  auto named = ListQuery::of(views, request.query());
  if (auto* error = std::get_if<Error>(&named)) return done(std::move(*error));
  auto& query = std::get<ListQuery>(named);
  if (!query.ledger().empty())
    return done(invalid_field("query.ledger", "must not be set: `pages` says which"));
  std::make_shared<Pages>(views, call, std::move(query), request, std::move(done))->run();
}

}  // namespace taizhang::lists
