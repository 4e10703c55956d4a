// ListService: opens its streams, as many as may run, and answers what other servers ask of this
// one.
#include "platform/lists/list_service.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "platform/lists/diff_stream.h"
#include "platform/lists/export_stream.h"
#include "platform/lists/gather_stream.h"
#include "platform/lists/ledger_pages.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang {
namespace {

using lists::PulledStream;
using lists::StreamWork;

constexpr int64_t kRetryMs = 1'000;

// Streams that run. Lives as long as the last of them.
struct Slots {
  explicit Slots(int32_t limit) : max(limit) {}
  const int32_t max;
  std::atomic<int32_t> taken{0};
};

// Null: all are taken.
std::shared_ptr<void> take_slot(const std::shared_ptr<Slots>& slots) {
  if (slots->taken.fetch_add(1) >= slots->max) {
    slots->taken.fetch_sub(1);
    return nullptr;
  }
  return {slots.get(), [slots](void*) { slots->taken.fetch_sub(1); }};
}

std::string full_name(const char* method) {
  return std::string("taizhang.lists.v1.ListService.") + method;
}

// `open`: (const Call&, const Request&) -> std::variant<std::shared_ptr<StreamWork>, Error>.
template <class Request, class Open>
void serve(const char* method, const std::shared_ptr<Slots>& slots, Dispatcher& dispatcher,
           Open open) {
  dispatcher.handle_stream(
      full_name(method),
      [slots, open](const Call& call,
                    auto request) -> std::variant<std::unique_ptr<ServerStream>, Error> {
        auto slot = take_slot(slots);
        if (!slot) {
          Error error = failure(kResourceExhausted, "LISTS_BUSY",
                                "lists_open_max streams of lists are running", {}, kRetryMs);
          error.zh = "正在进行的导出过多，请稍后重试";
          return error;
        }
        auto opened = open(call, static_cast<const Request&>(*request));
        if (auto* error = std::get_if<Error>(&opened)) return std::move(*error);
        return std::make_unique<PulledStream>(std::move(std::get<0>(opened)), std::move(slot));
      });
}

Answer list_ledgers(const Views& views, const Call& call,
                    const lists::v1::ListLedgersRequest& request) {
  auto held = lists::held_ledgers(views, request.view(), *call.caller, request.ledger_prefix());
  if (auto* error = std::get_if<Error>(&held)) return std::move(*error);
  auto& codes = std::get<0>(held);
  if (codes.size() > lists::kLedgersListedMax) {
    return failure(kFailedPrecondition, "LEDGERS_TOO_MANY",
                   "there are " + std::to_string(codes.size()) + " ledgers, more than " +
                       std::to_string(lists::kLedgersListedMax) + ": ask by ledger_prefix");
  }
  auto response = std::make_unique<lists::v1::ListLedgersResponse>();
  for (auto& code : codes) response->add_ledgers(std::move(code));
  return response;
}

}  // namespace

void serve_lists(Views& views, int32_t open_max, lists::ReaderDirectory* readers,
                 Dispatcher& dispatcher) {
  const auto slots = std::make_shared<Slots>(open_max);
  serve<lists::v1::ExportRequest>("Export", slots, dispatcher,
                                  [&views](const Call& call, const auto& request) {
                                    return lists::open_export(views, call, request);
                                  });
  serve<lists::v1::DiffRequest>("Diff", slots, dispatcher,
                                [&views](const Call& call, const auto& request) {
                                  return lists::open_diff(views, call, request);
                                });
  serve<lists::v1::GatherRequest>(
      "Gather", slots, dispatcher, [&views, readers](const Call& call, const auto& request) {
        return lists::open_gather(views, readers, call, request);
      });
  dispatcher.handle(full_name("ListLedgers"), [&views](const Call& call, auto request,
                                                       const Done& done) {
    done(list_ledgers(views, call, static_cast<const lists::v1::ListLedgersRequest&>(*request)));
  });
  dispatcher.handle(full_name("ReadPages"), [&views](const Call& call, auto request, Done done) {
    lists::read_pages(views, call, static_cast<const lists::v1::ReadPagesRequest&>(*request),
                      std::move(done));
  });
}

}  // namespace taizhang
