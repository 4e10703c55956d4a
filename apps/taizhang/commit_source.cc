// Commits from ReadCommits, or from an export.
#include "apps/taizhang/commit_source.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "platform/replay/export_file.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang::cli {
namespace {

using ledger::v1::ExportedCommit;
using ledger::v1::ReadCommitsRequest;
using ledger::v1::ReadCommitsResponse;

constexpr int64_t kStreamDeadlineMs = 24 * 3'600'000;

}  // namespace

int64_t stream_deadline_ms(const Session& session) {
  return session.arguments().has("--timeout") ? session.deadline_ms() : kStreamDeadlineMs;
}

int exit_code_of(const absl::Status& status) {
  if (absl::IsDataLoss(status)) return kExitDamaged;
  if (absl::IsNotFound(status)) return kExitNotFound;
  if (absl::IsAlreadyExists(status) || absl::IsInvalidArgument(status)) return kExitUsage;
  return kExitFailed;
}

int look_at_server(Session& session, const ReadCommitsRequest& request,
                   ReadCommitsResponse::Range& range) {
  std::string token;
  if (const int code = session.token("", token)) return code;
  const auto error =
      session.server().stream(*client::find_method("ledger.ReadCommits"), request, token,
                              session.deadline_ms(), [&](const google::protobuf::Message& message) {
                                range = static_cast<const ReadCommitsResponse&>(message).range();
                                return false;
                              });
  return error.ok() ? kExitOk : session.fail(error);
}

int ask_skipped(Session& session, const std::string& ledger, const std::string& view,
                std::vector<ledger::v1::SkippedEvent>& skipped, std::string* unknown) {
  views::v1::ListSkippedRequest request;
  request.set_ledger(ledger);
  request.set_view(view);
  std::string token;
  if (const int code = session.token("", token)) return code;
  views::v1::ListSkippedResponse said;
  const auto error = session.server().call(*client::find_method("views.ListSkipped"), request, said,
                                           token, session.deadline_ms());
  if (error.reason == "VIEW_NOT_FOUND") return kExitOk;
  if (unknown && (error.reason == "VIEW_BUILDING" || error.reason == "VIEW_STOPPED")) {
    *unknown = error.reason;
    return kExitOk;
  }
  if (!error.ok()) return session.fail(error);
  for (auto& one : *said.mutable_skipped()) skipped.push_back(std::move(one));
  return kExitOk;
}

int from_server(Session& session, const std::string& ledger, const Moment& until, Source& source,
                const TakeCommit& take) {
  ReadCommitsRequest request;
  request.set_ledger(ledger);
  if (until.seq != 0) request.set_to_seq(until.seq);
  if (until.time) *request.mutable_to_time() = *until.time;
  std::string token;
  if (const int code = session.token("", token)) return code;
  absl::Status taken;
  source.ledger = ledger;
  const auto error = session.server().stream(
      *client::find_method("ledger.ReadCommits"), request, token, stream_deadline_ms(session),
      [&](const google::protobuf::Message& message) {
        const auto& said = static_cast<const ReadCommitsResponse&>(message);
        if (said.has_range()) {
          source.to_seq = said.range().to_seq();
          source.personal_withheld = said.range().personal_withheld();
        }
        for (const auto& commit : said.commits()) {
          if (taken.ok()) taken = take(commit);
        }
        return taken.ok();
      });
  if (!taken.ok()) return session.fail(exit_code_of(taken), std::string(taken.message()));
  return error.ok() ? kExitOk : session.fail(error);
}

int from_file(Session& session, const std::string& path, Source& source, const TakeCommit& take) {
  const auto fail = [&](const absl::Status& status) {
    return session.fail(exit_code_of(status), path + ": " + std::string(status.message()));
  };
  auto opened = replay::ExportReader::open(system_files(), path);
  if (!opened.ok()) return fail(opened.status());
  auto& reader = **opened;
  source.ledger = reader.header().ledger();
  source.personal_withheld = reader.header().personal_withheld();
  for (const auto& skipped : reader.header().skipped()) source.skipped.push_back(skipped);
  ExportedCommit commit;
  for (;;) {
    const auto next = reader.next(commit);
    if (!next.ok()) return fail(next.status());
    if (!*next) break;
    if (const auto taken = take(commit); !taken.ok()) return fail(taken);
  }
  source.to_seq = reader.trailer().last_seq();
  return kExitOk;
}

}  // namespace taizhang::cli
