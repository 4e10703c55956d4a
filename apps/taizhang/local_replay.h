// Views folded here, from a server's commits or from the file of an export.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/taizhang/commit_source.h"
#include "apps/taizhang/session.h"
#include "platform/replay/replay.h"

namespace taizhang::cli {

// A folder for files that are thrown away; under $TMPDIR.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  // Empty: it could not be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// "line_months/6a13…": a table, and the text of the key fields that are named.
struct RowName {
  std::string table;
  std::vector<std::string> key;
};
RowName row_name(const std::string& text);

// The views, folded from what --from names or from the server, which is asked for the ledger's
// events up to --to. 0, or the exit code of what was said.
class LocalReplay {
 public:
  // `with_events`: the view of the events themselves as well, so that answers can say who and why.
  // `with_server`: the session is connected, and the server is asked what it passes over.
  int run(Session& session, const std::string& view, bool with_events, bool with_server);

  replay::Replay& view() { return *view_; }
  // Null: not asked for.
  const replay::Replay* events() const { return events_.get(); }
  const Source& source() const { return source_; }
  // The seq that --to means here.
  int64_t to_seq() const { return to_seq_; }

 private:
  ScratchFolder scratch_;
  std::unique_ptr<replay::Replay> view_;
  std::unique_ptr<replay::Replay> events_;
  Source source_;
  int64_t to_seq_ = 0;
};

}  // namespace taizhang::cli
