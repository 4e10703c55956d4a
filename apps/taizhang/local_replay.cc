// Commits handed to the folds of views.
#include "apps/taizhang/local_replay.h"

#include <google/protobuf/util/time_util.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>

#include "apps/taizhangd/product_views.h"
#include "platform/replay/export_file.h"

namespace taizhang::cli {
namespace {

constexpr int64_t kTellEveryEvents = 500'000;

std::optional<View> product_view(const std::string& name, std::string& known) {
  for (auto& view : product_views()) {
    if (view.name() == name) return std::move(view);
    known += (known.empty() ? "" : ", ") + view.name();
  }
  return std::nullopt;
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::error_code none;
  const auto folder = std::filesystem::temp_directory_path(none);
  std::string pattern = (folder / "taizhang-replay-XXXXXX").string();
  if (!none && mkdtemp(pattern.data())) path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

RowName row_name(const std::string& text) {
  RowName name;
  std::istringstream parts(text);
  std::getline(parts, name.table, '/');
  for (std::string part; std::getline(parts, part, '/');) name.key.push_back(part);
  return name;
}

int LocalReplay::run(Session& session, const std::string& name, bool with_events,
                     bool with_server) {
  const std::string path = session.arguments().get("--from");
  Moment until;
  if (const int code = session.moment("--to", until)) return code;
  std::string known;
  auto view = product_view(name, known);
  if (!view) return session.usage("no view " + name + "; the views are " + known);
  if (scratch_.path().empty())
    return session.fail(kExitFailed, "no folder can be made for temporary files ($TMPDIR)");

  const bool terminal = isatty(STDERR_FILENO) != 0 && !session.json();
  if (with_server) {
    // Also of a file: the server may know of more than was decided when it was made.
    std::string ledger = session.ledger();
    if (!path.empty()) {
      const auto opened = replay::ExportReader::open(system_files(), path);
      if (!opened.ok())
        return session.fail(exit_code_of(opened.status()),
                            path + ": " + std::string(opened.status().message()));
      ledger = (*opened)->header().ledger();
    }
    if (const int code = ask_skipped(session, ledger, name, source_.skipped)) return code;
  }
  const auto begin = [&](const std::string& ledger) {
    auto made = replay::Replay::begin(std::move(*view), ledger, scratch_.path() + "/view");
    if (!made.ok()) return made.status();
    view_ = std::move(*made);
    for (const auto& skipped : source_.skipped) view_->skip(skipped);
    if (!with_events) return absl::OkStatus();
    made = replay::Replay::begin(*product_view("ledger", known), ledger,
                                 scratch_.path() + "/events", replay::Withheld::kEmpty);
    if (!made.ok()) return made.status();
    events_ = std::move(*made);
    for (const auto& skipped : source_.skipped) events_->skip(skipped);
    return absl::OkStatus();
  };
  // The ledger of a file is known when its first commit comes.
  const auto take = [&](const ledger::v1::ExportedCommit& commit) {
    if (!view_) {
      if (auto begun = begin(source_.ledger); !begun.ok()) return begun;
    }
    if (auto added = view_->add(commit); !added.ok()) return added;
    if (terminal && view_->events() % kTellEveryEvents == 0)
      fprintf(stderr, "%lld events folded …\n", static_cast<long long>(view_->events()));
    return events_ ? events_->add(commit) : absl::OkStatus();
  };
  const int code = path.empty() ? from_server(session, session.ledger(), until, source_, take)
                                : from_file(session, path, source_, take);
  if (code != kExitOk) return code;
  if (!view_) return session.fail(kExitNotFound, "not found: there is no event at that moment");
  for (auto* one : {view_.get(), events_.get()}) {
    if (!one) continue;
    if (const auto finished = one->finish(); !finished.ok())
      return session.fail(exit_code_of(finished), std::string(finished.message()));
  }
  to_seq_ = source_.to_seq;
  if (!path.empty() && until.seq != 0) to_seq_ = until.seq;
  if (!path.empty() && until.time) {
    to_seq_ = view_->seq_at(google::protobuf::util::TimeUtil::TimestampToMicroseconds(*until.time));
  }
  if (to_seq_ > view_->seq()) {
    return session.usage("--to: the file ends with seq " + std::to_string(view_->seq()));
  }
  if (to_seq_ == 0)
    return session.fail(kExitNotFound, "not found: there is no event at that moment");
  return kExitOk;
}

}  // namespace taizhang::cli
