// Sends the commands of a file, one after another.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>
#include <vector>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "client/strict_json.h"
#include "google/protobuf/descriptor.h"
#include "taizhang/options.pb.h"

namespace taizhang::cli {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr const char* kPlaceholder = "${LEDGER}";
constexpr int64_t kRetriesDefault = 5;
constexpr int64_t kRetryAfterMs = 500;

struct Entry {
  int line = 0;
  std::string as;
  const MethodDescriptor* method = nullptr;
  std::unique_ptr<Message> request;
};

struct Counts {
  int64_t accepted = 0;
  int64_t duplicate = 0;
  int64_t unchanged = 0;
  int64_t refused = 0;
  int64_t last_seq = 0;
};

bool read_file(const std::string& path, std::string& text) {
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return !std::cin.bad();
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  text.assign(std::istreambuf_iterator<char>(file), {});
  return !file.bad();
}

// Empty: good; otherwise what is wrong with the line.
std::string read_entry(std::string text, int number, const std::string& ledger, Entry& entry) {
  for (size_t at = 0; (at = text.find(kPlaceholder, at)) != std::string::npos;
       at += ledger.size()) {
    if (ledger.empty())
      return "line " + std::to_string(number) + ": ${LEDGER} stands here and --ledger is missing";
    text.replace(at, sizeof "${LEDGER}" - 1, ledger);
  }
  const auto frame = client::read_command_line(text, number);
  if (!frame.ok()) return std::string(frame.status().message());
  entry.line = number;
  entry.as = frame->as;
  entry.method = client::find_method(frame->method);
  if (!entry.method || !entry.method->options().HasExtension(command)) {
    return "line " + std::to_string(number) + ": no command of the name " + frame->method;
  }
  entry.request = client::new_request(*entry.method);
  const auto request = client::read_json(frame->request, *entry.request, frame->request_at);
  return request.ok() ? "" : std::string(request.message());
}

void count(const Message& response, Counts& counts) {
  const auto* field = response.GetDescriptor()->FindFieldByName("receipt");
  const auto& receipt = static_cast<const common::v1::Receipt&>(
      response.GetReflection()->GetMessage(response, field));
  counts.last_seq = std::max(counts.last_seq, receipt.last_seq());
  ++(receipt.duplicate()   ? counts.duplicate
     : receipt.unchanged() ? counts.unchanged
                           : counts.accepted);
}

// Tries again while the server says that the same request may succeed later: request ids make that
// safe.
client::CallError send(Session& session, const Entry& entry, const std::string& token,
                       int64_t retries, Message& response) {
  for (;; --retries) {
    auto error = session.server().call(*entry.method, *entry.request, response, token,
                                       session.deadline_ms());
    if (error.ok() || exit_code_of(error.code) != kExitUnavailable || retries <= 0) return error;
    std::this_thread::sleep_for(
        std::chrono::milliseconds(error.retry_after_ms > 0 ? error.retry_after_ms : kRetryAfterMs));
  }
}

class Progress {
 public:
  explicit Progress(size_t total) : total_(total), shown_(isatty(STDERR_FILENO) != 0) {}
  void at(size_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    fprintf(stderr, "\r%zu of %zu", done, total_);
  }
  void clear() const {
    if (shown_) fputs("\r\033[K", stderr);
  }

 private:
  const size_t total_;
  const bool shown_;
  std::chrono::steady_clock::time_point last_{};
};

void say_refusal(const Session& session, const Entry& entry, const client::CallError& error) {
  if (session.json()) {
    printf("{\"line\":%d,\"error\":%s}\n", entry.line, json_of(error).c_str());
    return;
  }
  fprintf(stderr, "line %d, %s: ", entry.line, client::short_name(*entry.method).c_str());
  session.fail(error);
}

void say_counts(const Session& session, const std::string& file, size_t lines,
                const Counts& counts) {
  if (session.json()) {
    printf(
        "{\"lines\":%zu,\"accepted\":%lld,\"duplicate\":%lld,\"unchanged\":%lld,\"refused\":%lld,"
        "\"last_seq\":\"%lld\"}\n",
        lines, static_cast<long long>(counts.accepted), static_cast<long long>(counts.duplicate),
        static_cast<long long>(counts.unchanged), static_cast<long long>(counts.refused),
        static_cast<long long>(counts.last_seq));
    return;
  }
  const auto sent = counts.accepted + counts.duplicate + counts.unchanged + counts.refused;
  printf(
      "%s: %lld of %zu commands sent: %lld accepted, %lld duplicate, %lld unchanged, %lld refused; "
      "last seq %lld\n",
      file.c_str(), static_cast<long long>(sent), lines, static_cast<long long>(counts.accepted),
      static_cast<long long>(counts.duplicate), static_cast<long long>(counts.unchanged),
      static_cast<long long>(counts.refused), static_cast<long long>(counts.last_seq));
}

}  // namespace

int run_apply(Session& session) {
  if (const int code = session.connect()) return code;
  const std::string file = session.positional(0);
  int64_t retries = kRetriesDefault;
  if (const int code = session.number("--retries", retries)) return code;
  std::string text;
  if (!read_file(file, text)) return session.usage(file + ": cannot be read");
  std::vector<Entry> entries;
  int number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Entry entry;
    const std::string wrong = read_entry(std::move(line), number, session.ledger(), entry);
    if (!wrong.empty()) return session.usage(file + ": " + wrong + "; nothing was sent");
    std::string token;
    if (const int code = session.token(entry.as, token)) return code;
    entries.push_back(std::move(entry));
  }
  Counts counts;
  int worst = kExitOk;
  Progress progress(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    std::string token;
    if (const int code = session.token(entry.as, token)) return code;
    const auto response = client::new_response(*entry.method);
    const auto error = send(session, entry, token, retries, *response);
    if (error.ok()) {
      count(*response, counts);
      progress.at(i + 1);
      continue;
    }
    progress.clear();
    say_refusal(session, entry, error);
    const int code = exit_code_of(error.code);
    if (worst == kExitOk) worst = code;
    if (code == kExitRefused || code == kExitNotFound) ++counts.refused;
    if (!session.arguments().has("--keep-going") || code == kExitUnavailable || code == kExitFailed)
      break;
  }
  progress.clear();
  say_counts(session, file, entries.size(), counts);
  return worst;
}

}  // namespace taizhang::cli
