// The events of a ledger into a file that anybody can read and check, and the check.
#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <cstdio>

#include "apps/taizhang/commit_source.h"
#include "apps/taizhang/text.h"
#include "apps/taizhangd/product_views.h"
#include "platform/projection/view.h"
#include "platform/replay/export_file.h"

namespace taizhang::cli {
namespace {

using ledger::v1::ExportedCommit;
using ledger::v1::ReadCommitsRequest;
using ledger::v1::ReadCommitsResponse;
using replay::ExportWriter;

// What a stream of commits made of the file.
struct Written {
  absl::Status status;
  bool other_history = false;  // the part that was there is not of this ledger as it is now
};

// One stream into the file, behind what stands in it.
client::CallError write_on(Session& session, ReadCommitsRequest request, const std::string& token,
                           ExportWriter& writer, Written& written) {
  request.set_from_seq(writer.first_seq_of_last());
  bool compare = writer.last_seq() > 0;
  return session.server().stream(
      *client::find_method("ledger.ReadCommits"), request, token, stream_deadline_ms(session),
      [&](const google::protobuf::Message& message) {
        for (const auto& commit : static_cast<const ReadCommitsResponse&>(message).commits()) {
          if (compare) {
            compare = false;
            written.other_history = !writer.check_last(commit).ok();
            if (written.other_history) return false;
            continue;
          }
          written.status = writer.add(commit);
          if (!written.status.ok()) return false;
        }
        return true;
      });
}

std::string lines_of(const ExportWriter::Finished& finished, const std::string& ledger,
                     const std::string& path, int skipped) {
  const std::string withheld = finished.withheld_events == 0
                                   ? ""
                                   : std::to_string(finished.withheld_events) +
                                         " events hold personal data and are without their content";
  return listing({{"ledger", ledger},
                  {"file", path},
                  {"events", std::to_string(finished.events) + " in " +
                                 std::to_string(finished.commits) + " commits"},
                  {"last seq", std::to_string(finished.last_seq)},
                  {"withheld", withheld},
                  {"passed over",
                   skipped == 0 ? "" : std::to_string(skipped) + " events by views, as decided"},
                  {"head", finished.head}});
}

void say_finished(const Session& session, const ExportWriter::Finished& finished,
                  const std::string& ledger, const std::string& path, int skipped) {
  if (!session.json()) return say(lines_of(finished, ledger, path, skipped));
  say("{\"ledger\":\"" + ledger + "\",\"commits\":\"" + std::to_string(finished.commits) +
      "\",\"events\":\"" + std::to_string(finished.events) + "\",\"withheld_events\":\"" +
      std::to_string(finished.withheld_events) + "\",\"skipped_events\":\"" +
      std::to_string(skipped) + "\",\"last_seq\":\"" + std::to_string(finished.last_seq) +
      "\",\"head\":\"" + finished.head + "\"}\n");
}

}  // namespace

int run_events_export(Session& session) {
  if (const int code = session.connect()) return code;
  const std::string path = session.arguments().get("--out");
  if (path.empty()) return session.usage("--out is missing");
  if (session.ledger().empty())
    return session.usage("--ledger is missing, and the settings name none");
  Moment until;
  if (const int code = session.moment("--to", until)) return code;

  ReadCommitsRequest request;
  request.set_ledger(session.ledger());
  if (until.seq != 0) request.set_to_seq(until.seq);
  if (until.time) *request.mutable_to_time() = *until.time;
  ReadCommitsResponse::Range range;
  if (const int code = look_at_server(session, request, range)) return code;
  if (range.to_seq() == 0)
    return session.fail(kExitNotFound,
                        "not found: ledger " + session.ledger() + " had no event at that moment");
  // The end stands still from here on, however the ledger goes on.
  request.set_to_seq(range.last_seq());

  ledger::v1::ExportHeader header;
  header.set_ledger(session.ledger());
  *header.mutable_exported_time() = google::protobuf::util::TimeUtil::GetCurrentTime();
  header.set_exported_by(session.profile());
  header.set_program("taizhang");
  header.set_personal_withheld(range.personal_withheld());
  // Whoever folds these commits elsewhere must know what the views pass over.
  std::vector<ledger::v1::SkippedEvent> skipped;
  for (const auto& view : product_views()) {
    std::string unknown;
    if (const int code = ask_skipped(session, session.ledger(), view.name(), skipped, &unknown))
      return code;
    if (!unknown.empty())
      fprintf(stderr, "taizhang: view %s: %s: what it passes over is not in the header\n",
              view.name().c_str(), unknown.c_str());
  }
  header.mutable_skipped()->Assign(skipped.begin(), skipped.end());
  auto opened = ExportWriter::open(system_files(), path, header);
  if (!opened.ok())
    return session.fail(exit_code_of(opened.status()), std::string(opened.status().message()));
  auto& writer = **opened;
  std::string token;
  if (const int code = session.token("", token)) return code;
  Written written;
  if (writer.last_seq() > range.last_seq()) {
    written.status = writer.restart();
  } else if (writer.last_seq() > 0) {
    fprintf(stderr, "taizhang: going on behind seq %lld of %s.part\n",
            static_cast<long long>(writer.last_seq()), path.c_str());
  }
  client::CallError error;
  if (written.status.ok()) error = write_on(session, request, token, writer, written);
  if (written.other_history) {
    written.status = writer.restart();
    if (written.status.ok()) error = write_on(session, request, token, writer, written);
  }
  if (!written.status.ok())
    return session.fail(exit_code_of(written.status), std::string(written.status.message()));
  if (!error.ok()) {
    fprintf(stderr, "taizhang: %s.part holds the events up to seq %lld; the same command goes on\n",
            path.c_str(), static_cast<long long>(writer.last_seq()));
    return session.fail(error);
  }
  if (writer.last_seq() != range.last_seq())
    return session.fail(
        kExitFailed, "the server ended the stream behind seq " + std::to_string(writer.last_seq()));
  const auto finished = writer.finish();
  if (!finished.ok())
    return session.fail(exit_code_of(finished.status()), std::string(finished.status().message()));
  say_finished(session, *finished, header.ledger(), path, header.skipped_size());
  return kExitOk;
}

int run_events_check(Session& session) {
  const std::string path = session.positional(0);
  auto opened = replay::ExportReader::open(system_files(), path);
  const auto fail = [&](const absl::Status& status) {
    return session.fail(exit_code_of(status), path + ": " + std::string(status.message()));
  };
  if (!opened.ok()) return fail(opened.status());
  auto& reader = **opened;
  ExportedCommit commit;
  for (;;) {
    const auto next = reader.next(commit);
    if (!next.ok()) return fail(next.status());
    if (!*next) break;
  }
  const auto& trailer = reader.trailer();
  const ExportWriter::Finished found{trailer.commits(), trailer.events(), trailer.withheld_events(),
                                     trailer.last_seq(), hex(bytes_of(reader.head()))};
  say_finished(session, found, reader.header().ledger(), path, reader.header().skipped_size());
  if (!session.json()) {
    say(listing({{"exported", text_of(reader.header().exported_time()) + " by " +
                                  reader.header().exported_by()},
                 {"result", "whole"}}));
  }
  return kExitOk;
}

}  // namespace taizhang::cli
