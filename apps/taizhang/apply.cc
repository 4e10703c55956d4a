// Sends the commands of a file in their order: over the bulk stream where one profile has many in a
// row, else one by one.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "apps/taizhang/command_file.h"
#include "apps/taizhang/session.h"
#include "client/bulk.h"
#include "taizhang/ledger/v1/bulk.pb.h"

namespace taizhang::cli {
namespace {

using google::protobuf::Message;

constexpr int64_t kRetriesDefault = 5;
constexpr int64_t kRetryAfterMs = 500;
// Shorter runs of one profile are not worth a stream.
constexpr size_t kBulkLinesMin = 8;
// Below the server's defaults for a message, and few enough that little is under way behind a
// refused line.
constexpr int kMessageCommandsMax = 100;
constexpr size_t kMessageBytesMax = 256 << 10;
constexpr size_t kMessagesInFlightMax = 4;

bool may_succeed_later(const client::CallError& error) {
  return exit_code_of(error.code) == kExitUnavailable;
}

// A server that ends a stream well and leaves lines without an answer is none of ours.
client::CallError no_answers() {
  client::CallError error;
  error.code = 13;
  error.code_name = "INTERNAL";
  error.message = "the stream ended before its lines were answered";
  return error;
}

void wait_before_retry(const client::CallError& error) {
  std::this_thread::sleep_for(
      std::chrono::milliseconds(error.retry_after_ms > 0 ? error.retry_after_ms : kRetryAfterMs));
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

class Applier {
 public:
  Applier(Session& session, std::vector<CommandEntry> entries, int64_t retries)
      : session_(session),
        entries_(std::move(entries)),
        done_(entries_.size()),
        retries_(retries),
        progress_(entries_.size()) {}

  // Exit code of the first line that was not accepted.
  int run() {
    const bool unary = session_.arguments().has("--unary");
    // A line may need what one of another profile did before it, so that a run of one profile is
    // answered before the next begins.
    for (size_t first = 0; first < entries_.size() && !stopped_;) {
      size_t end = first + 1;
      while (end < entries_.size() && !unary && in_one_stream(first, end)) ++end;
      if (end - first >= kBulkLinesMin) {
        bulk(first, end);
      } else {
        for (size_t i = first; i < end && !stopped_; ++i) one(i);
      }
      first = end;
    }
    progress_.clear();
    return worst_;
  }

  void say_counts(const std::string& file) const {
    const auto number = [](int64_t n) { return std::to_string(n); };
    const std::string lines = std::to_string(entries_.size());
    std::string text;
    if (session_.json()) {
      text = "{\"lines\":" + lines + ",\"accepted\":" + number(accepted_) +
             ",\"duplicate\":" + number(duplicate_) + ",\"unchanged\":" + number(unchanged_) +
             ",\"refused\":" + number(refused_) + ",\"last_seq\":\"" + number(last_seq_) + "\"}";
    } else {
      text = file + ": " + number(accepted_ + duplicate_ + unchanged_ + refused_) + " of " + lines +
             " commands sent: " + number(accepted_) + " accepted, " + number(duplicate_) +
             " duplicate, " + number(unchanged_) + " unchanged, " + number(refused_) +
             " refused; last seq " + number(last_seq_);
    }
    puts(text.c_str());
  }

 private:
  bool in_one_stream(size_t first, size_t other) const {
    return entries_[first].as == entries_[other].as &&
           client::in_bulk(*entries_[first].method->input_type()) &&
           client::in_bulk(*entries_[other].method->input_type());
  }

  std::string token_of(const CommandEntry& entry) const {
    std::string token;
    // Every profile was looked up before the first line was sent.
    session_.token(entry.as, token);
    return token;
  }

  // Tries again while the server says that the same request may succeed later: request ids make
  // that safe.
  void one(size_t i) {
    const CommandEntry& entry = entries_[i];
    const auto response = client::new_response(*entry.method);
    for (int64_t left = retries_;; --left) {
      const auto error = session_.server().call(*entry.method, *entry.request, *response,
                                                token_of(entry), session_.deadline_ms());
      if (error.ok()) {
        const auto* field = response->GetDescriptor()->FindFieldByName("receipt");
        return accept(i, static_cast<const common::v1::Receipt&>(
                             response->GetReflection()->GetMessage(*response, field)));
      }
      if (!may_succeed_later(error) || left <= 0) return refuse(i, error);
      wait_before_retry(error);
    }
  }

  // Lines [first, end), of one profile. A stream that breaks is resumed at the first line without
  // an answer, as often in a row without any new answer as a single call would be tried.
  void bulk(size_t first, size_t end) {
    for (int64_t left = retries_; !stopped_;) {
      while (first < end && done_[first]) ++first;
      if (first == end) return;
      const size_t before = done_count_;
      const auto error = stream(first, end);
      if (stopped_) return;
      const bool answered = done_count_ > before;
      if (error.ok() && answered) continue;
      left = answered ? retries_ : left - 1;
      if (!may_succeed_later(error) || left < 0) {
        while (done_[first]) ++first;
        refuse(first, error.ok() ? no_answers() : error);
        // It is the stream that ended so, not one of its lines: the others would hear the same.
        stopped_ = true;
        return;
      }
      wait_before_retry(error);
    }
  }

  // One stream, until everything is answered, a line is to be tried again, half the deadline has
  // passed, or it breaks: then the error.
  client::CallError stream(size_t first, size_t end) {
    const auto deadline = std::chrono::milliseconds(session_.deadline_ms());
    const auto begun = std::chrono::steady_clock::now();
    const auto stream =
        session_.server().execute(token_of(entries_[first]), session_.deadline_ms());
    std::deque<std::vector<size_t>> sent;
    std::optional<client::CallError> undecided;
    bool whole = true;
    for (size_t next = first;;) {
      while (whole && !stopped_ && !undecided && next < end && sent.size() < kMessagesInFlightMax &&
             std::chrono::steady_clock::now() - begun < deadline / 2) {
        ledger::v1::ExecuteRequest message;
        sent.push_back(fill(message, next, end));
        whole = message.commands().empty() || stream->write(message);
      }
      while (!sent.empty() && sent.front().empty()) sent.pop_front();
      if (sent.empty()) break;
      ledger::v1::ExecuteResponse answers;
      if (!stream->read(answers) || answers.results_size() != int(sent.front().size())) break;
      for (size_t k = 0; k < sent.front().size(); ++k)
        take(sent.front()[k], answers.results(int(k)), undecided);
      sent.pop_front();
    }
    const auto error = stream->finish();
    return error.ok() && undecided ? *undecided : error;
  }

  // The next lines without an answer, as many as a message takes.
  std::vector<size_t> fill(ledger::v1::ExecuteRequest& message, size_t& next, size_t end) const {
    std::vector<size_t> lines;
    size_t bytes = 0;
    for (; next < end && message.commands_size() < kMessageCommandsMax; ++next) {
      if (done_[next]) continue;
      bytes += entries_[next].request->ByteSizeLong();
      if (!lines.empty() && bytes > kMessageBytesMax) break;
      client::add_command(*entries_[next].request, message);
      lines.push_back(next);
    }
    return lines;
  }

  // `undecided`: why an earlier line of the stream is to be tried again. A refusal behind it may
  // come from its absence, and is asked for again.
  void take(size_t i, const ledger::v1::CommandResult& result,
            std::optional<client::CallError>& undecided) {
    if (result.has_receipt()) return accept(i, result.receipt());
    const auto error = client::error_of(result.refusal());
    if (may_succeed_later(error)) {
      if (!undecided) undecided = error;
    } else if (!undecided) {
      refuse(i, error);
    }
  }

  void accept(size_t i, const common::v1::Receipt& receipt) {
    last_seq_ = std::max(last_seq_, receipt.last_seq());
    ++(receipt.duplicate() ? duplicate_ : receipt.unchanged() ? unchanged_ : accepted_);
    finish(i);
  }

  void refuse(size_t i, const client::CallError& error) {
    progress_.clear();
    const CommandEntry& entry = entries_[i];
    if (session_.json()) {
      printf("{\"line\":%d,\"error\":%s}\n", entry.line, json_of(error).c_str());
    } else {
      fprintf(stderr, "line %d, %s: ", entry.line, client::short_name(*entry.method).c_str());
      session_.fail(error);
    }
    const int code = exit_code_of(error.code);
    if (worst_ == kExitOk) worst_ = code;
    if (code == kExitRefused || code == kExitNotFound) ++refused_;
    if (!session_.arguments().has("--keep-going") || code == kExitUnavailable ||
        code == kExitFailed) {
      stopped_ = true;
    }
    finish(i);
  }

  void finish(size_t i) {
    done_[i] = true;
    progress_.at(++done_count_);
  }

  Session& session_;
  const std::vector<CommandEntry> entries_;
  std::vector<bool> done_;  // answered, by entry
  size_t done_count_ = 0;
  const int64_t retries_;
  Progress progress_;
  bool stopped_ = false;  // nothing more is sent
  int worst_ = kExitOk;
  int64_t accepted_ = 0;
  int64_t duplicate_ = 0;
  int64_t unchanged_ = 0;
  int64_t refused_ = 0;
  int64_t last_seq_ = 0;
};

}  // namespace

int run_apply(Session& session) {
  if (const int code = session.connect()) return code;
  const std::string file = session.positional(0);
  int64_t retries = kRetriesDefault;
  if (const int code = session.number("--retries", retries)) return code;
  std::vector<CommandEntry> entries;
  const std::string wrong = read_command_file(file, session.ledger(), entries);
  if (!wrong.empty()) return session.usage(file + ": " + wrong);
  for (const auto& entry : entries) {
    std::string token;
    if (const int code = session.token(entry.as, token)) return code;
  }
  Applier applier(session, std::move(entries), retries);
  const int code = applier.run();
  applier.say_counts(file);
  return code;
}

}  // namespace taizhang::cli
