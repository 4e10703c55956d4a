// The part file and its state.
#include "apps/taizhang/export_target.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "platform/base/clock.h"

namespace taizhang::cli {
namespace {

using nlohmann::ordered_json;

// A mark is saved at once when it is the first, then this often.
constexpr int64_t kSaveEveryUs = 200'000;

bool exists(const std::string& path) { return std::filesystem::exists(path); }

}  // namespace

absl::Status ExportTarget::open(bool resume) {
  if (file_.empty()) return absl::OkStatus();
  if (resume && exists(part()) && exists(state())) {
    if (auto read = read_state(); !read.ok()) return read;
  } else {
    for (const auto& stale : {state(), part()}) {
      std::error_code gone;
      std::filesystem::remove(stale, gone);
    }
  }
  const auto mode = progress_.bytes > 0 ? OpenMode::kReadWrite : OpenMode::kCreate;
  auto opened = system_files().open(part(), mode);
  if (!opened.ok()) return opened.status();
  out_ = std::move(*opened);
  written_ = progress_.bytes;
  return absl::OkStatus();
}

absl::Status ExportTarget::read_state() {
  std::ifstream in(state(), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("export") || !json["export"].is_string())
    return absl::FailedPreconditionError(state() + " cannot be read; export anew without --resume");
  if (json["export"] != identity_) {
    return absl::FailedPreconditionError(part() +
                                         " is of another export; export anew without --resume");
  }
  progress_ = {json.value("bytes", int64_t{0}), json.value("rows", int64_t{0}),
               json.value("digest", ""), json.value("resume_token", "")};
  std::error_code wrong;
  const auto size = std::filesystem::file_size(part(), wrong);
  if (wrong || static_cast<int64_t>(size) < progress_.bytes) {
    return absl::FailedPreconditionError(part() +
                                         " is shorter than its state says; export anew without "
                                         "--resume");
  }
  // What came behind the last mark comes again.
  std::filesystem::resize_file(part(), static_cast<uintmax_t>(progress_.bytes), wrong);
  return wrong ? absl::InternalError(part() + " cannot be cut: " + wrong.message())
               : absl::OkStatus();
}

absl::Status ExportTarget::write(std::string_view bytes) {
  if (!out_) {
    if (file_.empty() && fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size())
      return absl::OkStatus();
    return absl::InternalError("the output cannot be written");
  }
  const auto done = out_->write(written_, bytes);
  if (done.ok()) written_ += static_cast<int64_t>(bytes.size());
  return done;
}

absl::Status ExportTarget::mark(int64_t rows, std::string digest, std::string resume_token) {
  progress_ = {written_, rows, std::move(digest), std::move(resume_token)};
  return system_clock().boot_us() < saved_us_ + kSaveEveryUs ? absl::OkStatus() : save();
}

absl::Status ExportTarget::save() {
  if (!out_ || progress_.resume_token.empty()) return absl::OkStatus();
  if (auto synced = out_->sync(); !synced.ok()) return synced;
  const ordered_json json = {{"export", identity_},
                             {"bytes", progress_.bytes},
                             {"rows", progress_.rows},
                             {"digest", progress_.digest},
                             {"resume_token", progress_.resume_token}};
  saved_us_ = system_clock().boot_us();
  return replace(state(), json.dump() + "\n");
}

absl::Status ExportTarget::finish(const ordered_json& meta) {
  if (!out_)
    return fflush(stdout) == 0 ? absl::OkStatus()
                               : absl::InternalError("the output cannot be written");
  if (auto synced = out_->sync(); !synced.ok()) return synced;
  out_.reset();
  if (auto told = replace(file_ + ".meta.json", meta.dump(2) + "\n"); !told.ok()) return told;
  if (auto renamed = system_files().rename(part(), file_); !renamed.ok()) return renamed;
  std::error_code gone;
  std::filesystem::remove(state(), gone);
  return absl::OkStatus();
}

absl::Status ExportTarget::replace(const std::string& path, const std::string& text) {
  const std::string made = path + ".new";
  std::error_code gone;
  std::filesystem::remove(made, gone);
  auto file = system_files().open(made, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  if (auto written = (*file)->write(0, text); !written.ok()) return written;
  if (auto synced = (*file)->sync(); !synced.ok()) return synced;
  return system_files().rename(made, path);
}

}  // namespace taizhang::cli
