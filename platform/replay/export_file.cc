// Frames written one behind the other, and what they add up to.
#include "platform/replay/export_file.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <filesystem>

#include "platform/replay/event_schemas.h"
#include "platform/replay/export_frame.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/commits.pb.h"

namespace taizhang::replay {
namespace {

// Written at once.
constexpr size_t kBufferBytes = 1 << 20;

bool same_skipped(const ledger::v1::ExportHeader& a, const ledger::v1::ExportHeader& b) {
  return std::equal(a.skipped().begin(), a.skipped().end(), b.skipped().begin(), b.skipped().end(),
                    [](const auto& left, const auto& right) {
                      return left.SerializeAsString() == right.SerializeAsString();
                    });
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

absl::Status ExportCount::add(const ledger::v1::ExportedCommit& exported) {
  journal::v1::Commit commit;
  if (!commit.ParseFromString(exported.commit()) || commit.events().empty())
    return absl::InvalidArgumentError("it is no commit");
  if (commit.ledger() != ledger_) {
    return absl::InvalidArgumentError("it is of ledger " + commit.ledger() + ", not of " + ledger_);
  }
  if (commit.first_seq() != last_seq_ + 1) {
    return absl::InvalidArgumentError("it begins with seq " + std::to_string(commit.first_seq()) +
                                      " behind seq " + std::to_string(last_seq_));
  }
  first_seq_of_last_ = commit.first_seq();
  last_seq_ += commit.events_size();
  recorded_time_us_ = commit.recorded_time_us();
  ++commits_;
  events_ += commit.events_size();
  withheld_events_ += exported.withheld_seqs_size();
  return absl::OkStatus();
}

void ExportCount::fill(ledger::v1::ExportTrailer& trailer) const {
  trailer.set_first_seq(1);
  trailer.set_last_seq(last_seq_);
  trailer.set_commits(commits_);
  trailer.set_events(events_);
  trailer.set_withheld_events(withheld_events_);
  if (commits_ == 0) return;
  auto& time = *trailer.mutable_last_recorded_time();
  time.set_seconds(recorded_time_us_ / 1'000'000);
  time.set_nanos(static_cast<int32_t>(recorded_time_us_ % 1'000'000 * 1'000));
}

struct ExportWriter::State {
  State(FileSystem& system, std::string named, ledger::v1::ExportHeader made)
      : files(system),
        path(std::move(named)),
        part(path + ".part"),
        header(std::move(made)),
        count(header.ledger()) {}

  absl::Status begin() {
    if (const auto gone = files.remove(part); !gone.ok() && !absl::IsNotFound(gone)) return gone;
    auto opened = files.open(part, OpenMode::kCreate);
    if (!opened.ok()) return opened.status();
    file = std::move(*opened);
    position = 0;
    ordinal = 0;
    buffer = kExportMagic;
    digest = sha256(kExportMagic);
    count = ExportCount(header.ledger());
    last_body.clear();
    header.set_format(header.skipped().empty() ? kExportFormat : kExportFormatSkipped);
    if (auto written = frame(FrameKind::kSchemas, event_schemas()); !written.ok()) return written;
    return frame(FrameKind::kHeader, header.SerializeAsString());
  }

  // False: there is nothing to go on with.
  absl::StatusOr<bool> resume() {
    auto read = ExportReader::open(files, part);
    if (!read.ok()) return false;
    auto& before = **read;
    const auto& theirs = before.header();
    if (theirs.ledger() != header.ledger() || theirs.program() != header.program() ||
        theirs.personal_withheld() != header.personal_withheld() ||
        before.schemas() != event_schemas() || !same_skipped(theirs, header))
      return false;
    ledger::v1::ExportedCommit commit;
    State kept(files, path, theirs);
    const auto stand_here = [&] {
      kept.digest = before.head();
      kept.position = before.position();
      kept.ordinal = before.frames();
    };
    stand_here();
    // Ends at the place where the earlier run was stopped, be it in the middle of a frame.
    for (;;) {
      const auto next = before.next(commit);
      if (!next.ok()) break;
      // Whole to its trailer, only without its name: the book may have gone on since.
      if (!*next) break;
      stand_here();
      kept.last_body = commit.SerializeAsString();
      if (auto counted = kept.count.add(commit); !counted.ok()) return false;
    }
    if (kept.count.commits() == 0) return false;
    std::error_code cut;
    std::filesystem::resize_file(part, static_cast<uintmax_t>(kept.position), cut);
    auto opened = files.open(part, OpenMode::kReadWrite);
    if (cut || !opened.ok()) return false;
    header = kept.header;
    count = kept.count;
    digest = kept.digest;
    position = kept.position;
    ordinal = kept.ordinal;
    last_body = std::move(kept.last_body);
    file = std::move(*opened);
    return true;
  }

  absl::Status frame(FrameKind kind, const std::string& body) {
    if (body.size() > kFrameBodyBytesMax)
      return absl::InvalidArgumentError("a frame is larger than " +
                                        std::to_string(kFrameBodyBytesMax) + " bytes");
    const std::string head = frame_head(kind, ordinal++, body.size());
    digest = frame_digest(digest, head, body);
    buffer += head;
    buffer += bytes_of(digest);
    buffer += body;
    return buffer.size() < kBufferBytes ? absl::OkStatus() : flush();
  }

  absl::Status flush() {
    const auto written = file->write(position, buffer);
    if (!written.ok()) return written;
    position += static_cast<int64_t>(buffer.size());
    buffer.clear();
    return absl::OkStatus();
  }

  FileSystem& files;
  const std::string path;
  const std::string part;
  ledger::v1::ExportHeader header;
  ExportCount count;
  std::unique_ptr<File> file;
  int64_t position = 0;  // of the buffer in the file
  std::string buffer;
  uint64_t ordinal = 0;
  Sha256Digest digest{};
  std::string last_body;
};

ExportWriter::ExportWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ExportWriter::~ExportWriter() = default;

absl::StatusOr<std::unique_ptr<ExportWriter>> ExportWriter::open(
    FileSystem& files, const std::string& path, const ledger::v1::ExportHeader& header) {
  if (files.open(path, OpenMode::kRead).ok())
    return absl::AlreadyExistsError("there is already a file " + path);
  auto state = std::make_unique<State>(files, path, header);
  const auto resumed = state->resume();
  if (!resumed.ok()) return resumed.status();
  if (!*resumed) {
    if (auto begun = state->begin(); !begun.ok()) return begun;
  }
  return std::unique_ptr<ExportWriter>(new ExportWriter(std::move(state)));
}

int64_t ExportWriter::first_seq_of_last() const { return state_->count.first_seq_of_last(); }
int64_t ExportWriter::last_seq() const { return state_->count.last_seq(); }
int64_t ExportWriter::events() const { return state_->count.events(); }

absl::Status ExportWriter::check_last(const ledger::v1::ExportedCommit& commit) const {
  if (commit.SerializeAsString() == state_->last_body) return absl::OkStatus();
  return absl::FailedPreconditionError(state_->part + " is of another history of the ledger");
}

absl::Status ExportWriter::restart() { return state_->begin(); }

absl::Status ExportWriter::add(const ledger::v1::ExportedCommit& commit) {
  if (auto counted = state_->count.add(commit); !counted.ok()) return counted;
  state_->last_body = commit.SerializeAsString();
  return state_->frame(FrameKind::kCommit, state_->last_body);
}

absl::StatusOr<ExportWriter::Finished> ExportWriter::finish() {
  State& state = *state_;
  ledger::v1::ExportTrailer trailer;
  state.count.fill(trailer);
  if (auto written = state.frame(FrameKind::kTrailer, trailer.SerializeAsString()); !written.ok())
    return written;
  if (auto written = state.flush(); !written.ok()) return written;
  if (auto synced = state.file->sync(); !synced.ok()) return synced;
  if (auto named = state.files.rename(state.part, state.path); !named.ok()) return named;
  if (auto synced = state.files.sync_directory(folder_of(state.path)); !synced.ok()) return synced;
  return Finished{state.count.commits(), state.count.events(), state.count.withheld_events(),
                  state.count.last_seq(), hex(bytes_of(state.digest))};
}

}  // namespace taizhang::replay
