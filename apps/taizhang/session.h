// One run of the command line: its arguments, settings and connection, and how answers and errors
// are said.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "apps/taizhang/command.h"
#include "client/client.h"
#include "client/settings.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/config/v1/client.pb.h"

namespace taizhang::cli {

// The rows of a list, the versions of a history.
template <class Response>
const auto& rows_of(const Response& response) {
  if constexpr (requires { response.rows(); }) {
    return response.rows();
  } else {
    return response.versions();
  }
}

// A moment of the book: a seq, a time, or, when neither is set, the newest.
struct Moment {
  int64_t seq = 0;
  std::optional<google::protobuf::Timestamp> time;
};

class Session {
 public:
  explicit Session(Arguments arguments) : arguments_(std::move(arguments)) {}

  const Arguments& arguments() const { return arguments_; }
  // The n-th positional; empty: not given.
  std::string positional(size_t n) const;
  bool json() const { return arguments_.has("--json"); }

  // Says what is wrong and returns kExitUsage.
  int usage(const std::string& what) const;
  // Says how a call ended and returns its exit code.
  int fail(const client::CallError& error) const;
  // Says why something went wrong here and returns `code`.
  int fail(int code, const std::string& what) const;

  // Reads the settings and prepares the connection; 0, or the exit code of what was said. `usual`
  // is the profile that asks when --as names none and the settings have it; empty: the settings'
  // default.
  int connect(const std::string& usual = "");
  client::Client& server() { return *client_; }
  const config::v1::ClientConfig& settings() const { return settings_; }
  const std::string& settings_path() const { return settings_path_; }
  const std::string& address() const { return settings_.address(); }
  // Where operators call.
  std::string admin_address() const { return client::admin_address_of(settings_); }
  // --ledger, or the settings' one. Empty: none.
  std::string ledger() const;
  int64_t deadline_ms() const { return deadline_ms_; }
  // Name of the profile that asks: of --as, the usual or default one, or the first one.
  std::string profile() const;
  // Token of a profile; empty name: of --as, the usual or default profile, or the first one. 0, or
  // the exit code.
  int token(const std::string& profile, std::string& out) const;

  // Calls a method of the short name as the profile of --as; 0, or the exit code of what was said.
  int ask(const std::string& method, const google::protobuf::Message& request,
          google::protobuf::Message& response);
  // Prints a message as one line of JSON.
  void print(const google::protobuf::Message& message) const;

  // Fills ledger and read options of a query from the arguments; 0, or the exit code.
  template <class Request>
  int prepare(Request& request) {
    if (ledger().empty()) return usage("--ledger is missing, and the settings name none");
    request.set_ledger(ledger());
    return fill(*request.mutable_read());
  }
  // The read options of a query from the arguments; 0, or the exit code.
  int fill(common::v1::ReadOptions& read) const;
  // A date option into a Date; 0, or the exit code. Nothing happens when it was not given.
  int date(const char* option, common::v1::Date* out) const;
  // A seq; a time; or a day, which is its end in +08:00. 0, or the exit code. Nothing happens when
  // it was not given.
  int moment(const char* option, Moment& out) const;
  // The moment of --as-of-seq or --as-of-time, and the day of --on; 0, or the exit code.
  int fill_moment(common::v1::ReadOptions& read) const;
  // An integer option; 0 and `out` unchanged when it was not given.
  int number(const char* option, int64_t& out) const;
  int number(const char* option, int32_t& out) const;
  // An enum option by its value's name without the prefix: "SELF_RAISED".
  int value(const char* option, const google::protobuf::EnumDescriptor& values, int& out) const;

  // Asks page after page until --limit rows are there; with --json each page is printed as a line
  // of its own.
  template <class Request, class Response>
  int pages(const std::string& method, Request& request, Response& all) {
    int64_t limit = kLimitDefault;
    if (const int code = number("--limit", limit)) return code;
    if (limit < 0) return usage("--limit: expected 0 or more");
    bool first = true;
    do {
      const int64_t missing = limit == 0 ? kPageMax : limit - rows_of(all).size();
      request.mutable_page()->set_page_size(
          static_cast<int32_t>(missing < kPageMax ? missing : kPageMax));
      Response page;
      if (const int code = ask(method, request, page)) return code;
      request.mutable_page()->set_page_token(page.next_page_token());
      if (json()) print(page);
      all.clear_next_page_token();
      if (first) {
        all = std::move(page);
      } else {
        page.clear_freshness();
        all.MergeFrom(page);
      }
      first = false;
    } while (!request.page().page_token().empty() && (limit == 0 || rows_of(all).size() < limit));
    more_ = !request.page().page_token().empty();
    return kExitOk;
  }
  // The last pages() left rows out.
  bool more() const { return more_; }

 private:
  static constexpr int64_t kLimitDefault = 100;
  static constexpr int64_t kPageMax = 1000;

  const Arguments arguments_;
  config::v1::ClientConfig settings_;
  std::string settings_path_;
  std::unique_ptr<client::Client> client_;
  int64_t deadline_ms_ = 30'000;
  std::string usual_;
  bool more_ = false;
};

// Exit code of a gRPC status code.
int exit_code_of(int code);
// The path of the settings: --config, $TAIZHANG_CONFIG, ./.taizhang/client.textproto,
// ~/.config/taizhang/client.textproto.
std::string settings_path(const Arguments& arguments);
// One line of JSON of an error.
std::string json_of(const client::CallError& error);
// A new random UUID.
std::string new_uuid();

}  // namespace taizhang::cli
