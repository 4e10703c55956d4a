// Opens the streams of ListService, as many as may run.
#include "platform/lists/list_service.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "platform/lists/diff_stream.h"
#include "platform/lists/export_stream.h"
#include "platform/lists/gather_stream.h"
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

template <class Request>
void serve(const char* method, const std::shared_ptr<Slots>& slots, Dispatcher& dispatcher,
           Views& views,
           std::variant<std::shared_ptr<StreamWork>, Error> (*open)(Views&, const Call&,
                                                                    const Request&)) {
  dispatcher.handle_stream(
      std::string("taizhang.lists.v1.ListService.") + method,
      [slots, &views, open](const Call& call,
                            auto request) -> std::variant<std::unique_ptr<ServerStream>, Error> {
        auto slot = take_slot(slots);
        if (!slot) {
          Error error = failure(kResourceExhausted, "LISTS_BUSY",
                                "lists_open_max streams of lists are running", {}, kRetryMs);
          error.zh = "正在进行的导出过多，请稍后重试";
          return error;
        }
        auto opened = open(views, call, static_cast<const Request&>(*request));
        if (auto* error = std::get_if<Error>(&opened)) return std::move(*error);
        return std::make_unique<PulledStream>(std::move(std::get<0>(opened)), std::move(slot));
      });
}

}  // namespace

void serve_lists(Views& views, int32_t open_max, Dispatcher& dispatcher) {
  const auto slots = std::make_shared<Slots>(open_max);
  serve<lists::v1::ExportRequest>("Export", slots, dispatcher, views, lists::open_export);
  serve<lists::v1::DiffRequest>("Diff", slots, dispatcher, views, lists::open_diff);
  serve<lists::v1::GatherRequest>("Gather", slots, dispatcher, views, lists::open_gather);
}

}  // namespace taizhang
