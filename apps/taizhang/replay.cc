// A view folded again on this machine, and what the server says of its own.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "apps/taizhang/local_replay.h"
#include "apps/taizhang/text.h"
#include "client/strict_json.h"
#include "platform/projection/row_digests.h"
#include "platform/projection/view_tables.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang::cli {
namespace {

using projection::RowComparison;
using projection::RowDifference;
using projection::RowDigest;
using views::v1::RowDigestsRequest;
using views::v1::RowDigestsResponse;

constexpr size_t kSkippedToldMax = 20;

// What a comparison found.
struct Found {
  std::string trouble;  // it could not be made, in words
  RowDifference difference;
};

// False: not what the server may say.
bool read_digest(const views::v1::RowDigest& said, RowDigest& out) {
  out.last_key = said.last_key();
  out.versions = said.versions();
  return out.digest.parse(said.digest());
}

// Calls each(digest) for what the server says, until it answers false; 0, or the exit code.
int ask_digests(Session& session, const RowDigestsRequest& request, int32_t version, Found& found,
                const std::function<bool(const RowDigest&)>& each) {
  std::string token;
  if (const int code = session.token("", token)) return code;
  const auto error = session.server().stream(
      *client::find_method("views.RowDigests"), request, token, stream_deadline_ms(session),
      [&](const google::protobuf::Message& message) {
        const auto& said = static_cast<const RowDigestsResponse&>(message);
        if (said.view_version() != version) {
          found.trouble = "the server has version " + std::to_string(said.view_version()) +
                          " of the view, this program version " + std::to_string(version);
          return false;
        }
        for (const auto& one : said.digests()) {
          RowDigest digest;
          if (!read_digest(one, digest)) {
            found.trouble = "the server's answer cannot be read";
            return false;
          }
          if (!each(digest)) return false;
        }
        return true;
      });
  return error.ok() ? kExitOk : session.fail(error);
}

// Stretch by stretch, and the first that differs version by version.
int compare(Session& session, const LocalReplay& local, RowComparison& rows,
            const replay::Replay& here, Found& found) {
  RowDigestsRequest request;
  request.set_ledger(local.source().ledger);
  request.set_view(here.view().name());
  request.set_seq(local.to_seq());
  const int32_t version = here.view().version();
  std::string differs;
  if (const int code = ask_digests(session, request, version, found, [&](const RowDigest& there) {
        if (rows.same(there)) return true;
        differs = there.last_key;
        return false;
      }))
    return code;
  if (!found.trouble.empty()) return kExitOk;
  if (differs.empty()) {
    found.difference = rows.end({});
    return kExitOk;
  }
  request.set_after_key(rows.same_up_to());
  request.set_up_to_key(differs);
  request.set_versions_per_digest(1);
  const auto one_by_one = [&](const RowDigest& there) {
    found.difference = rows.compare(there);
    return found.difference.kind == RowDifference::Kind::kNone;
  };
  if (const int code = ask_digests(session, request, version, found, one_by_one)) return code;
  if (found.trouble.empty() && found.difference.kind == RowDifference::Kind::kNone)
    found.difference = rows.end(differs);
  return kExitOk;
}

std::string words_of(const RowDifference& difference, const std::string& view) {
  const char* kind = difference.kind == RowDifference::Kind::kOnlyHere    ? "only in the replay: "
                     : difference.kind == RowDifference::Kind::kOnlyThere ? "only on the server: "
                                                                          : "not the same: ";
  return kind + projection::place_of(view, difference.key);
}

std::string unseen_words(const replay::Replay& view) {
  std::string seqs;
  for (const int64_t seq : view.first_unseen())
    seqs += (seqs.empty() ? "" : ", ") + std::to_string(seq);
  if (view.unseen() > static_cast<int64_t>(view.first_unseen().size())) seqs += ", …";
  return std::to_string(view.unseen()) + " events that view " + view.view().name() +
         " is made of hold personal data that whoever read them may not see (seq " + seqs +
         "): it cannot be made of them";
}

// "seq 17 (000001/3: cannot be read), …"; empty: none.
std::string skipped_words(const replay::Replay& view, int64_t to_seq) {
  const auto skipped = view.skipped(to_seq);
  std::string words;
  for (size_t i = 0; i < std::min(skipped.size(), kSkippedToldMax); ++i) {
    const auto& [seq, skip] = skipped[i];
    words += (i == 0 ? "seq " : ", ") + std::to_string(seq) + " (" + skip.decided_by +
             (skip.reason.empty() ? "" : ": " + skip.reason) + ")";
  }
  if (skipped.size() > kSkippedToldMax)
    words += ", … " + std::to_string(skipped.size()) + " in all";
  return words;
}

int show_rows(Session& session, const LocalReplay& local, const replay::Replay& view) {
  const auto name = row_name(session.arguments().get("--show"));
  const auto* table = projection::find_table(view.view().name(), name.table);
  if (!table) {
    return session.usage("--show: view " + view.view().name() + " has no table " + name.table +
                         "; `taizhang explain " + view.view().name() + "` lists them");
  }
  const auto prefix = projection::key_of_text(*table, name.key);
  if (!prefix.ok()) return session.usage("--show: " + std::string(prefix.status().message()));
  const auto read = view.rows(*table, *prefix, local.to_seq(),
                              [](std::string_view, const google::protobuf::Message& row) {
                                say(client::write_json(row, false) + "\n");
                                return true;
                              });
  return read.ok() ? kExitOk : session.fail(exit_code_of(read), std::string(read.message()));
}

}  // namespace

int run_replay(Session& session) {
  const auto& arguments = session.arguments();
  const bool alone = arguments.has("--offline");
  if (!arguments.has("--view")) return session.usage("--view is missing");
  if (alone && !arguments.has("--from"))
    return session.usage("--offline: without a server the events must come --from a file");
  if (!alone) {
    if (const int code = session.connect()) return code;
    if (!arguments.has("--from") && session.ledger().empty())
      return session.usage("--ledger is missing, and the settings name none");
  }
  LocalReplay local;
  if (const int code = local.run(session, arguments.get("--view"), false, !alone)) return code;
  const auto& view = local.view();
  if (arguments.has("--ledger") && arguments.get("--ledger") != local.source().ledger)
    return session.usage("--ledger: the file is of ledger " + local.source().ledger);
  if (view.unseen() > 0) return session.fail(kExitFailed, unseen_words(view));
  if (arguments.has("--show")) return show_rows(session, local, view);

  const auto digest = view.digest(local.to_seq());
  if (!digest.ok())
    return session.fail(exit_code_of(digest.status()), std::string(digest.status().message()));
  std::string result = "not compared";
  std::string difference;
  if (!alone) {
    RowComparison rows(view.store(), local.source().ledger, local.to_seq());
    Found found;
    if (const int code = compare(session, local, rows, view, found)) return code;
    if (!rows.status().ok())
      return session.fail(kExitDamaged, std::string(rows.status().message()));
    if (!found.trouble.empty()) return session.fail(kExitFailed, found.trouble);
    if (found.difference.kind != RowDifference::Kind::kNone)
      difference = words_of(found.difference, view.view().name());
    result = difference.empty() ? "equal" : "DIFFERENT";
  }
  const std::string seq = std::to_string(local.to_seq());
  const std::string versions = std::to_string(digest->versions);
  if (session.json()) {
    say("{\"ledger\":\"" + local.source().ledger + "\",\"view\":\"" + view.view().name() +
        "\",\"version\":" + std::to_string(view.view().version()) + ",\"seq\":\"" + seq +
        "\",\"events\":\"" + std::to_string(view.events()) + "\",\"versions\":\"" + versions +
        "\",\"skipped_events\":\"" + std::to_string(view.skipped(local.to_seq()).size()) +
        "\",\"digest\":\"" + digest->digest + "\",\"result\":\"" + result + "\",\"difference\":\"" +
        difference + "\"}\n");
  } else {
    say(listing(
        {{"ledger", local.source().ledger},
         {"view", view.view().name() + " v" + std::to_string(view.view().version())},
         {"as of seq", seq},
         {"folded", std::to_string(view.events()) + " events, " + versions + " row versions"},
         {"passed over", skipped_words(view, local.to_seq())},
         {"digest", digest->digest},
         {"server", result},
         {"first difference", difference}}));
  }
  return difference.empty() ? kExitOk : kExitDamaged;
}

}  // namespace taizhang::cli
