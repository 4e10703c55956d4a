// Counters of journal, writer, views and disk as metrics.
#include "apps/taizhangd/observe.h"

#include <optional>

#include "apps/taizhangd/process_journal.h"
#include "platform/base/file.h"
#include "platform/delivery/delivery.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/projection/views.h"
#include "platform/rpc/metrics.h"
#include "platform/writer/writers.h"

namespace taizhang {
namespace {

constexpr double kMicrosPerSecond = 1e6;

template <class Read>
std::function<double()> number(Read read) {
  return [read = std::move(read)] { return static_cast<double>(read()); };
}

void observe_segments(Metrics& metrics, const journal::segments::SegmentLog& log) {
  metrics.total("taizhang_journal_groups_total",
                "Groups of records that were made durable by one sync.", {},
                number([&log] { return log.stats().groups; }));
  metrics.total("taizhang_journal_records_total",
                "Records made durable; over groups: the mean group size.", {},
                number([&log] { return log.stats().records; }));
  metrics.total("taizhang_journal_bytes_total", "Bytes written, frame headers included.", {},
                number([&log] { return log.stats().bytes; }));
  metrics.gauge("taizhang_journal_segments", "Segment files.", {},
                number([&log] { return log.stats().segments; }));
  metrics.gauge("taizhang_journal_disk_full", "1: no next segment could be made.", {},
                number([&log] { return log.stats().disk_full ? 1 : 0; }));
  metrics.distribution("taizhang_journal_sync_seconds", "Time of one fdatasync.", {}, [&log] {
    const auto stats = log.stats();
    Metrics::Reading reading;
    for (const int64_t bound_us : journal::segments::kSyncBucketsUs) {
      reading.bounds.push_back(static_cast<double>(bound_us) / kMicrosPerSecond);
    }
    reading.counts.assign(stats.syncs.begin(), stats.syncs.end());
    reading.sum = static_cast<double>(stats.sync_us_sum) / kMicrosPerSecond;
    return reading;
  });
}

}  // namespace

void observe_journal(Metrics& metrics, ProcessJournal& journal) {
  metrics.gauge("taizhang_journal_reachable", "0: the brokers do not answer, alarm.", {},
                number([&journal] { return journal.reachable() ? 1 : 0; }));
  metrics.gauge("taizhang_journal_unsafe",
                "1: the topic is not as it must be (admin GetStatus says why), alarm.", {},
                number([&journal] { return journal.unsafe_why().empty() ? 0 : 1; }));
  if (journal.segments()) observe_segments(metrics, *journal.segments());
}

void observe_writer(Metrics& metrics, const Writers& writer) {
  metrics.gauge("taizhang_writer_serving", "1: this process holds the claim and decides commands.",
                {}, number([&writer] { return writer.stats().serving ? 1 : 0; }));
  metrics.gauge("taizhang_writer_standing_by", "1: another process decides, this one follows.", {},
                number([&writer] { return writer.standing_by() ? 1 : 0; }));
  metrics.gauge("taizhang_writer_queue", "Commands waiting to be decided.", {},
                number([&writer] { return writer.stats().queued; }));
  metrics.gauge("taizhang_writer_in_flight", "Records appended and not confirmed yet.", {},
                number([&writer] { return writer.stats().in_flight; }));
  metrics.total("taizhang_writer_commits_total", "Commits confirmed.", {},
                number([&writer] { return writer.stats().commits; }));
  metrics.total("taizhang_writer_refusals_total", "Commands refused.", {},
                number([&writer] { return writer.stats().refusals; }));
  metrics.total("taizhang_writer_duplicates_total",
                "Repeated requests answered with the first receipt.", {},
                number([&writer] { return writer.stats().duplicates; }));
  metrics.total("taizhang_writer_epochs_total", "Claims of this process that became valid.", {},
                number([&writer] { return writer.stats().epochs; }));
  metrics.total("taizhang_journal_void_records_total", "Records of lost races or zombies, skipped.",
                {}, number([&writer] { return writer.stats().void_records; }));
  metrics.total("taizhang_journal_foreign_records_total",
                "Records that are not of this journal, skipped; alarm.", {},
                number([&writer] { return writer.stats().foreign_records; }));
}

void observe_views(Metrics& metrics, const Views& views) {
  for (const auto& view : views.status()) {
    const Metrics::Labels labels = {{"view", view.name}, {"version", std::to_string(view.version)}};
    const auto read = [&views, name = view.name, version = view.version] {
      return *views.status(name, version);
    };
    metrics.gauge("taizhang_view_live", "1: this version answers the view's queries.", labels,
                  number([read] { return read().live ? 1 : 0; }));
    metrics.gauge("taizhang_view_lag_seconds",
                  "Age of the oldest event the view does not hold; 0: none.", labels,
                  [read] { return static_cast<double>(read().lag_us) / kMicrosPerSecond; });
    metrics.gauge("taizhang_view_lag_events",
                  "Events the reader knows of and the view does not hold.", labels,
                  number([read] { return read().lag_events; }));
    metrics.gauge("taizhang_view_lagging_ledgers", "Ledgers the view is behind with.", labels,
                  number([read] { return read().lagging_ledgers; }));
    metrics.gauge(
        "taizhang_view_ledger_lag_seconds_max",
        "Of the ledger that is behind for the longest; GetStatus names it.", labels, [read] {
          const auto lagging = read().lagging;
          return lagging.empty() ? 0.0 : static_cast<double>(lagging.front().us) / kMicrosPerSecond;
        });
    metrics.gauge("taizhang_view_skipped_events",
                  "Events the view passes over as operators decided.", labels,
                  number([read] { return read().skipped_total; }));
    metrics.gauge("taizhang_view_damage_rebuilt",
                  "1: built anew by itself since the start (GetStatus says why), alarm.", labels,
                  number([read] { return read().rebuilt_why.empty() ? 0 : 1; }));
    metrics.total("taizhang_view_events_total", "Events folded since the start.", labels,
                  number([read] { return read().events_folded; }));
    metrics.gauge("taizhang_view_stopped_ledgers",
                  "Ledgers with an event the view cannot understand; alarm.", labels,
                  number([read] { return read().stopped.size(); }));
    metrics.gauge("taizhang_view_up", "1: the view folds; 0: it stands still, alarm.", labels,
                  number([read] { return read().status.ok() ? 1 : 0; }));
    metrics.gauge("taizhang_view_building",
                  "1: the view is folded from nothing and not answering yet.", labels,
                  number([read] { return read().building ? 1 : 0; }));
    metrics.gauge("taizhang_view_build_seconds_left",
                  "While building, at the pace of the last seconds; 0: not building or not moving.",
                  labels, [read] { return read().build_seconds_left.value_or(0); });
    metrics.gauge("taizhang_view_position", "Records of all partitions that the view has folded.",
                  labels, number([read] { return read().position; }));
    metrics.gauge("taizhang_view_journal_end", "Records that all partitions hold.", labels,
                  number([read] { return read().journal_end; }));
  }
  for (size_t partition = 0; partition < views.partitions().size(); ++partition) {
    const Metrics::Labels labels = {{"partition", std::to_string(partition)}};
    const auto read = [&views, partition] { return views.partitions()[partition]; };
    metrics.gauge("taizhang_reader_partition_position", "Next offset that the views' reader takes.",
                  labels, number([read] { return read().position; }));
    metrics.gauge("taizhang_reader_partition_end", "Offset after the partition's last record.",
                  labels, number([read] { return read().journal_end; }));
    metrics.total("taizhang_reader_void_records_total",
                  "Records of lost races or zombies before the position, skipped.", labels,
                  number([read] { return read().void_records; }));
    metrics.total("taizhang_reader_foreign_records_total",
                  "Records before the position that are not of this journal, skipped; alarm.",
                  labels, number([read] { return read().foreign_records; }));
  }
}

void observe_subscriptions(Metrics& metrics, const delivery::Delivery& delivery) {
  const auto each = [&delivery](auto value) {
    return [&delivery, value] {
      std::vector<Metrics::Sample> samples;
      for (const auto& reading : delivery.readings()) {
        const std::optional<double> told(value(reading));
        if (told) samples.push_back({{{"subscription", reading.subscription}}, *told});
      }
      return samples;
    };
  };
  metrics.gauge("taizhang_delivery_held_bytes",
                "Bytes of events that all named subscriptions hold until they are handed out.", {},
                number([&delivery] { return delivery.room().bytes.load(); }));
  metrics.total("taizhang_delivery_not_held_total",
                "Events for which there was no room: read again when it was their turn.", {},
                number([&delivery] { return delivery.room().refused.load(); }));
  using delivery::Reading;
  metrics.gauges("taizhang_subscription_position", "Seq up to which everything is handled.",
                 each([](const Reading& one) { return one.position; }));
  metrics.gauges("taizhang_subscription_lag_events",
                 "Events of the ledger behind the position, selected or not.",
                 each([](const Reading& one) { return one.lag_events; }));
  metrics.gauges("taizhang_subscription_lag_seconds",
                 "Age of the oldest selected event that is not handled; 0: none.",
                 each([](const Reading& one) -> std::optional<double> {
                   if (!one.lag_ms) return std::nullopt;
                   return static_cast<double>(*one.lag_ms) / 1e3;
                 }));
  metrics.gauges("taizhang_subscription_in_flight", "Events delivered and not acknowledged.",
                 each([](const Reading& one) { return one.in_flight; }));
  metrics.gauges("taizhang_subscription_consumers", "Open Receive streams.",
                 each([](const Reading& one) { return one.consumers; }));
  metrics.gauges("taizhang_subscription_parked_subjects",
                 "Subjects whose events are kept back; somebody has to look.",
                 each([](const Reading& one) { return one.parked_subjects; }));
  metrics.totals("taizhang_subscription_redeliveries_total",
                 "Deliveries of events that had been delivered before.",
                 each([](const Reading& one) { return one.redeliveries; }));
}

void observe_disk(Metrics& metrics, const std::string& data_dir) {
  metrics.gauge("taizhang_disk_free_bytes", "Room left where the data stands; -1: unknown.", {},
                [data_dir] {
                  const auto left = system_files().free_bytes(data_dir);
                  return left.ok() ? static_cast<double>(*left) : -1.0;
                });
}

}  // namespace taizhang
