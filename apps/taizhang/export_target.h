// Where an export goes: a file that appears under its name only when it is complete, or the
// standard output.
//
// Until then FILE.part holds what has arrived and FILE.part.state, JSON, how far that is: `bytes`
// of the part, `rows`, `digest`, `resume_token`, and of which `export` it is. At the end
// FILE.meta.json says what the file holds.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "platform/base/file.h"

namespace taizhang::cli {

// How far an export has come.
struct ExportProgress {
  int64_t bytes = 0;
  int64_t rows = 0;
  std::string digest;        // 64 hexadecimal digits, of these rows
  std::string resume_token;  // empty: nothing has arrived
};

class ExportTarget {
 public:
  // `file` empty: the standard output. `identity`: what is exported and how; a part is gone on with
  // only when it is the same.
  ExportTarget(std::string file, std::string identity)
      : file_(std::move(file)), identity_(std::move(identity)) {}

  // With `resume` goes on with the part when there is one; otherwise begins anew.
  // FAILED_PRECONDITION: the part is of another export, or damaged.
  absl::Status open(bool resume);
  const ExportProgress& progress() const { return progress_; }

  absl::Status write(std::string_view bytes);
  // What was written so far is `rows` rows and can be gone on from.
  absl::Status mark(int64_t rows, std::string digest, std::string resume_token);
  // Makes the last mark survive a power failure.
  absl::Status save();
  // The file is complete. `meta` is written beside it.
  absl::Status finish(const nlohmann::ordered_json& meta);

 private:
  std::string part() const { return file_ + ".part"; }
  std::string state() const { return file_ + ".part.state"; }
  absl::Status read_state();
  absl::Status replace(const std::string& path, const std::string& text);

  const std::string file_;
  const std::string identity_;
  std::unique_ptr<File> out_;  // null: the standard output
  int64_t written_ = 0;
  ExportProgress progress_;
  int64_t saved_us_ = 0;
};

}  // namespace taizhang::cli
