// Where commits come from that are exported or folded again here: a server, or the file of an
// export.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "apps/taizhang/session.h"
#include "taizhang/ledger/v1/commits.pb.h"

namespace taizhang::cli {

using TakeCommit = std::function<absl::Status(const ledger::v1::ExportedCommit&)>;

// What a source said of itself.
struct Source {
  std::string ledger;
  // As of the moment asked for. Of a file: what it holds; the moment is looked for in it
  // afterwards.
  int64_t to_seq = 0;
  bool personal_withheld = false;
  // Events that views pass over. A file adds those of its header.
  std::vector<ledger::v1::SkippedEvent> skipped;
};

// Hands the commits of the ledger up to the moment to `take`, in order; 0, or the exit code of what
// was said. The session is connected.
int from_server(Session& session, const std::string& ledger, const Moment& until, Source& source,
                const TakeCommit& take);
// The same of all commits of a file, whose every byte is checked on the way.
int from_file(Session& session, const std::string& path, Source& source, const TakeCommit& take);

// Opens ReadCommits and says what it would hold, without reading it.
int look_at_server(Session& session, const ledger::v1::ReadCommitsRequest& request,
                   ledger::v1::ReadCommitsResponse::Range& range);

// Adds what the server's view passes over, as decided, of a ledger. A view that it does not serve
// passes over nothing. 0, or the exit code of what was said. With `unknown` it is no error that the
// view is being built or stands still: its reason is there.
int ask_skipped(Session& session, const std::string& ledger, const std::string& view,
                std::vector<ledger::v1::SkippedEvent>& skipped, std::string* unknown = nullptr);

// How long a stream over a whole ledger may take: --timeout, or a day.
int64_t stream_deadline_ms(const Session& session);

// Exit code for what went wrong with files of ours.
int exit_code_of(const absl::Status& status);

}  // namespace taizhang::cli
