// Delivery over the view of events and the view of subscriptions.
#include "apps/taizhangd/subscriptions.h"

#include "platform/base/clock.h"
#include "platform/delivery/delivery.h"
#include "platform/projection/views.h"
#include "platform/writer/writers.h"
#include "projections/ledger/event_walker.h"
#include "projections/ledger/filter.h"

namespace taizhang {
namespace {

int64_t walk(SnapshotRows& rows, const ledger::v1::EventFilter& wanted, int64_t low, int64_t high,
             int64_t looks_max, const delivery::Parts::Visit& visit) {
  const auto filter = ledger_view::Filter::of(wanted);
  ledger_view::EventWalker events(rows, filter);
  return events.walk({low, high, false}, looks_max, [&](CommitEnvelopes&, int64_t seq) {
    bool more = false;
    events.at(seq, [&](const EventMeta& event) { more = visit(event); });
    return more;
  });
}

void read(SnapshotRows& rows, const std::vector<int64_t>& seqs,
          const std::function<void(const EventMeta&)>& visit) {
  const ledger_view::Filter all;
  ledger_view::EventWalker events(rows, all);
  for (const int64_t seq : seqs) events.at(seq, visit);
}

Error reads_only(const Views& views) {
  Error error = failure(kUnavailable, "WRITER_UNAVAILABLE", "this process does not decide",
                        {{"outcome", "none"}}, 1'000);
  for (const auto& partition : views.partitions()) {
    if (partition.owner_address.empty()) continue;
    error.message = "another process is the journal's writer";
    error.metadata.emplace_back("owner", partition.owner_address);
    break;
  }
  return error;
}

}  // namespace

std::unique_ptr<delivery::Delivery> make_delivery(Dispatcher& dispatcher, Views* views,
                                                  const Writers* writers, uint32_t partitions,
                                                  bool readings, size_t held_bytes_max) {
  if (!views) {
    delivery::refuse_delivery(dispatcher);
    return nullptr;
  }
  if (!views->live("subscriptions")) return nullptr;
  delivery::Parts parts{.events = [views] { return views->live("ledger"); },
                        .rows = [views] { return views->live("subscriptions"); },
                        .walk = walk,
                        .read = read,
                        .not_leading = [views, writers]() -> std::optional<Error> {
                          return writers ? writers->not_leading() : reads_only(*views);
                        },
                        .dispatcher = dispatcher,
                        .clock = system_clock(),
                        .random = system_random(),
                        .partitions = partitions,
                        .readings = readings,
                        .held_bytes_max = held_bytes_max};
  auto made = std::make_unique<delivery::Delivery>(std::move(parts));
  made->serve(dispatcher);
  return made;
}

}  // namespace taizhang
