// Views in the operators' messages.
#include "apps/taizhangd/view_answers.h"

#include "platform/projection/view.h"
#include "platform/projection/views.h"
#include "taizhang/admin/v1/queries.pb.h"

namespace taizhang {

void fill(const ViewStatus& view, admin::v1::ViewStatus& out) {
  out.set_name(view.name);
  out.set_version(view.version);
  out.set_building(view.building);
  if (!view.status.ok()) out.set_stopped_why(std::string(view.status.message()));
  out.set_position(view.position);
  out.set_journal_end(view.journal_end);
  out.set_events_folded(view.events_folded);
  out.set_rows_written(view.rows_written);
  out.set_lag_events(view.lag_events);
  out.set_lag_ms(view.lag_us / 1'000);
  for (const auto& ledger : view.stopped) {
    auto& stopped = *out.add_stopped_ledgers();
    stopped.set_ledger(ledger.ledger);
    stopped.set_seq(ledger.seq);
    stopped.set_why(ledger.why);
  }
  for (const auto& place : view.partitions) {
    auto& partition = *out.add_partitions();
    partition.set_position(place.position);
    partition.set_journal_end(place.journal_end);
  }
  out.set_events_per_second(view.events_per_second);
  if (view.build_seconds_left) out.set_build_seconds_left(*view.build_seconds_left);
  out.set_live(view.live);
  out.set_dropped(view.dropped);
  out.set_disk_full(view.disk_full);
  out.set_rebuilt_why(view.rebuilt_why);
  for (const auto& lag : view.lagging) {
    auto& ledger = *out.add_lagging_ledgers();
    ledger.set_ledger(lag.ledger);
    ledger.set_seq(lag.seq);
    ledger.set_lag_events(lag.events);
    ledger.set_lag_ms(lag.us / 1'000);
  }
  out.set_lagging_ledgers_total(view.lagging_ledgers);
  for (const auto& skipped : view.skipped) {
    auto& event = *out.add_skipped_events();
    event.set_ledger(skipped.ledger);
    event.set_seq(skipped.seq);
    event.set_decided_by(skipped.decided_by);
    event.set_reason(skipped.reason);
  }
  out.set_skipped_events_total(view.skipped_total);
}

void fill_partitions(const Views& views, bool reads_alone, admin::v1::JournalStatus& out) {
  int number = 0;
  for (const auto& read : views.partitions()) {
    auto& partition =
        number < out.partitions_size() ? *out.mutable_partitions(number) : *out.add_partitions();
    partition.set_partition(static_cast<uint32_t>(number++));
    partition.set_void_records(read.void_records);
    partition.set_foreign_records(read.foreign_records);
    if (!reads_alone) continue;
    partition.set_position(read.position);
    partition.set_epoch(read.epoch);
    partition.set_owner_address(read.owner_address);
  }
}

Error view_error(const absl::Status& status, const std::string& view) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound: {
      auto error = failure(kNotFound, "VIEW_NOT_FOUND", message);
      error.zh = "没有这个视图，或该视图中没有这个台账";
      error.resource_type = "view";
      error.resource_name = view;
      return error;
    }
    case absl::StatusCode::kOutOfRange: {
      auto error = failure(kFailedPrecondition, "SEQ_NOT_REACHED", message, {{"view", view}});
      error.zh = "视图尚未更新到所要求的位置，请稍后重试";
      return error;
    }
    case absl::StatusCode::kFailedPrecondition: {
      auto error = failure(kFailedPrecondition, "VIEW_ANSWERS", message, {{"view", view}});
      error.zh = "该版本正在提供查询服务，不能删除";
      return error;
    }
    case absl::StatusCode::kDataLoss:
      return failure(kDataLoss, "JOURNAL_DAMAGED",
                     "it met damage; the server's log names the place", {{"view", view}});
    case absl::StatusCode::kResourceExhausted: {
      auto error = failure(kResourceExhausted, "NO_ROOM", "no room on the disk of the views now",
                           {{"view", view}}, 1'000);
      error.zh = "存储空间不足，请稍后重试";
      return error;
    }
    default:
      return failure(kUnavailable, "VIEW_BUSY", "it cannot be done now; the server's log says why",
                     {{"view", view}}, 1'000);
  }
}

namespace {

// A seq is of one ledger. Nothing: it is well formed.
std::optional<Error> scope_of(const auto& request, VerifyScope& scope) {
  if (request.seq() != 0 && request.ledger().empty())
    return invalid_field("seq", "is of one ledger, and no ledger is named");
  scope.ledger = request.ledger();
  if (request.seq() != 0) scope.seq = request.seq();
  return std::nullopt;
}

void fill(const ViewComparison::Figures& figures, admin::v1::TableFigures& out) {
  out.set_rows(figures.rows);
  out.set_versions(figures.versions);
  out.set_digest(figures.digest);
}

}  // namespace

Answer verify_view(Views& views, const admin::v1::VerifyViewRequest& request) {
  VerifyScope scope;
  if (auto malformed = scope_of(request, scope)) return std::move(*malformed);
  const auto report = views.verify(request.view(), request.version(), scope);
  if (!report.ok()) return view_error(report.status(), request.view());
  auto response = std::make_unique<admin::v1::VerifyViewResponse>();
  response->set_equal(report->equal);
  response->set_ledgers(report->ledgers);
  response->set_versions(report->versions);
  response->set_events(report->events);
  response->set_digest(report->digest);
  response->set_difference(report->difference);
  response->set_differing_versions(report->differing_versions);
  response->set_difference_ledger(report->difference_ledger);
  response->set_difference_seq(report->difference_seq);
  response->set_skipped_events(report->skipped_events);
  return response;
}

Answer compare_views(Views& views, const admin::v1::CompareViewsRequest& request) {
  if (request.version() == request.other_version())
    return invalid_field("other_version", "must differ from version");
  VerifyScope scope;
  if (auto malformed = scope_of(request, scope)) return std::move(*malformed);
  const auto found =
      views.compare(request.view(), request.version(), request.other_version(), scope);
  if (!found.ok()) return view_error(found.status(), request.view());
  auto response = std::make_unique<admin::v1::CompareViewsResponse>();
  response->set_equal(true);
  response->set_ledgers(found->ledgers);
  for (const auto& table : found->tables) {
    auto& out = *response->add_tables();
    out.set_table(table.name);
    fill(table.figures, *out.mutable_figures());
    fill(table.other, *out.mutable_other_figures());
    out.set_differing_rows(table.differing_rows);
    out.set_difference(table.difference);
    if (table.differing_rows != 0) response->set_equal(false);
  }
  return response;
}

Answer view_digest(const Views& views, const admin::v1::GetViewDigestRequest& request) {
  if (request.seq() != 0 && request.ledger().empty()) {
    return invalid_field("seq", "is of one ledger, and no ledger is named");
  }
  const auto digests = views.digests(
      request.view(), request.ledger(),
      request.seq() == 0 ? std::nullopt : std::optional<int64_t>(request.seq()), request.version());
  if (!digests.ok()) return view_error(digests.status(), request.view());
  auto response = std::make_unique<admin::v1::GetViewDigestResponse>();
  response->set_version(views.status(request.view(), request.version())->version);
  for (const auto& digest : *digests) {
    auto& ledger = *response->add_ledgers();
    ledger.set_ledger(digest.ledger);
    ledger.set_seq(digest.seq);
    ledger.set_versions(digest.versions);
    ledger.set_digest(digest.digest);
  }
  return response;
}

}  // namespace taizhang
