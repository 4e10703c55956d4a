// Frames read one behind the other, each checked against the one before.
#include <google/protobuf/message.h>

#include "platform/replay/export_file.h"
#include "platform/replay/export_frame.h"
#include "taizhang/ledger/v1/commits.pb.h"

namespace taizhang::replay {

struct ExportReader::State {
  State(std::unique_ptr<File> opened, int64_t bytes) : file(std::move(opened)), size(bytes) {}

  absl::Status damaged(const std::string& what) const {
    return absl::DataLossError("frame " + std::to_string(ordinal) + " at byte " +
                               std::to_string(position) + ": " + what);
  }

  absl::StatusOr<std::string> read(int64_t at, size_t bytes) {
    std::string out(bytes, '\0');
    const auto got = file->read(at, out.data(), bytes);
    if (!got.ok()) return got.status();
    if (*got < bytes) return damaged("the file ends inside it: its end is cut off");
    return out;
  }

  absl::Status begin() {
    auto magic = read(0, kExportMagic.size());
    if (!magic.ok() || *magic != kExportMagic)
      return absl::DataLossError("it does not begin like an export of events");
    digest = sha256(kExportMagic);
    position = static_cast<int64_t>(kExportMagic.size());
    if (auto schemas_read = frame(FrameKind::kSchemas, schemas); !schemas_read.ok())
      return schemas_read;
    std::string body;
    if (auto header_read = frame(FrameKind::kHeader, body); !header_read.ok()) return header_read;
    if (!header.ParseFromString(body)) return damaged("it is no header");
    if (header.format() != kExportFormat && header.format() != kExportFormatSkipped) {
      return absl::UnimplementedError("the file has format " + std::to_string(header.format()) +
                                      ", this program reads formats " +
                                      std::to_string(kExportFormat) + " and " +
                                      std::to_string(kExportFormatSkipped));
    }
    count = ExportCount(header.ledger());
    return absl::OkStatus();
  }

  // Reads the next frame, whose kind is `wanted` or the trailer where a commit is wanted.
  absl::Status frame(FrameKind wanted, std::string& body) {
    if (position == size) return damaged("the file ends in front of it: its end is cut off");
    const auto head = read(position, kFrameBytes);
    if (!head.ok()) return head.status();
    const auto body_bytes = load_le<uint32_t>(head->data());
    if (body_bytes > kFrameBodyBytesMax) return damaged("its length cannot be true");
    auto content = read(position + static_cast<int64_t>(kFrameBytes), body_bytes);
    if (!content.ok()) return content.status();
    const auto stands = load_le<uint64_t>(head->data() + 8);
    const auto made = frame_digest(digest, head->substr(0, kFrameHeadBytes), *content);
    if (bytes_of(made) != std::string_view(*head).substr(kFrameHeadBytes)) {
      return damaged(stands == ordinal
                         ? "its digest does not continue the frame before: bytes were changed"
                         : "frame " + std::to_string(stands) +
                               " stands here: frames were moved, put in or taken out");
    }
    kind = static_cast<FrameKind>((*head)[4]);
    if (stands != ordinal ||
        (kind != wanted && !(wanted == FrameKind::kCommit && kind == FrameKind::kTrailer))) {
      return damaged("it is not the frame that belongs here");
    }
    digest = made;
    position += static_cast<int64_t>(kFrameBytes + body_bytes);
    ++ordinal;
    body = std::move(*content);
    return absl::OkStatus();
  }

  absl::Status end(const std::string& body) {
    ledger::v1::ExportTrailer expected;
    count.fill(expected);
    if (!trailer.ParseFromString(body) ||
        trailer.SerializeAsString() != expected.SerializeAsString())
      return damaged("its trailer does not say what stands before it");
    if (position != size) return damaged("something stands behind the trailer");
    return absl::OkStatus();
  }

  const std::unique_ptr<File> file;
  const int64_t size;
  int64_t position = 0;
  uint64_t ordinal = 0;
  Sha256Digest digest{};
  FrameKind kind = FrameKind::kSchemas;
  std::string schemas;
  ledger::v1::ExportHeader header;
  ledger::v1::ExportTrailer trailer;
  ExportCount count{""};
};

ExportReader::ExportReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ExportReader::~ExportReader() = default;

absl::StatusOr<std::unique_ptr<ExportReader>> ExportReader::open(FileSystem& files,
                                                                 const std::string& path) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const auto size = (*file)->size();
  if (!size.ok()) return size.status();
  auto state = std::make_unique<State>(std::move(*file), *size);
  if (auto begun = state->begin(); !begun.ok()) return begun;
  return std::unique_ptr<ExportReader>(new ExportReader(std::move(state)));
}

const ledger::v1::ExportHeader& ExportReader::header() const { return state_->header; }
const std::string& ExportReader::schemas() const { return state_->schemas; }
const ledger::v1::ExportTrailer& ExportReader::trailer() const { return state_->trailer; }
const Sha256Digest& ExportReader::head() const { return state_->digest; }
int64_t ExportReader::position() const { return state_->position; }
uint64_t ExportReader::frames() const { return state_->ordinal; }

absl::StatusOr<bool> ExportReader::next(ledger::v1::ExportedCommit& commit) {
  State& state = *state_;
  std::string body;
  if (auto read = state.frame(FrameKind::kCommit, body); !read.ok()) return read;
  if (state.kind == FrameKind::kTrailer) {
    if (auto ended = state.end(body); !ended.ok()) return ended;
    return false;
  }
  if (!commit.ParseFromString(body)) return state.damaged("its commit cannot be read");
  if (auto counted = state.count.add(commit); !counted.ok())
    return state.damaged(std::string(counted.message()));
  return true;
}

}  // namespace taizhang::replay
