// Settings, connection, errors and common options of a run.
#include "apps/taizhang/session.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/time_util.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "apps/taizhang/text.h"
#include "client/settings.h"
#include "client/strict_json.h"
#include "platform/base/clock.h"
#include "platform/base/sha256.h"

namespace taizhang::cli {
namespace {

constexpr int64_t kTimeoutMaxSeconds = 86'400;

bool exists(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0;
}

constexpr const char* kTimesLike =
    "a day like 2026-03-31 or a time like 2026-03-31T10:00:00+08:00";

// A day is its end in +08:00.
bool parse_time(const std::string& text, google::protobuf::Timestamp& out) {
  common::v1::Date day;
  return google::protobuf::util::TimeUtil::FromString(
      parse_date(text, day) ? text + "T23:59:59.999999+08:00" : text, &out);
}

bool parse_integer(const std::string& text, int64_t& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

}  // namespace

int exit_code_of(int code) {
  switch (code) {
    case 0: return kExitOk;
    case 3:
    case 6:
    case 7:
    case 9:
    case 10:
    case 11:
    case 16: return kExitRefused;
    case 4:
    case 8:
    case 14: return kExitUnavailable;
    case 5: return kExitNotFound;
    case 15: return kExitDamaged;
    default: return kExitFailed;
  }
}

std::string settings_path(const Arguments& arguments) {
  if (arguments.has("--config")) return arguments.get("--config");
  if (const char* path = std::getenv("TAIZHANG_CONFIG"); path && *path) return path;
  const std::string here = ".taizhang/client.textproto";
  const char* home = std::getenv("HOME");
  const std::string at_home = std::string(home ? home : "") + "/.config/taizhang/client.textproto";
  return !exists(here) && exists(at_home) ? at_home : here;
}

std::string json_of(const client::CallError& error) {
  nlohmann::ordered_json out = {
      {"code", error.code_name}, {"reason", error.reason}, {"message", error.message}};
  if (!error.zh.empty()) out["zh"] = error.zh;
  for (const auto& [key, value] : error.metadata) out["metadata"][key] = value;
  for (const auto& violation : error.violations) {
    out["violations"].push_back(
        {{"field", violation.field}, {"description", violation.description}});
  }
  if (error.retry_after_ms > 0) out["retry_after_ms"] = error.retry_after_ms;
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string new_uuid() {
  std::string bytes = system_random().bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string text = hex(bytes);
  for (const size_t at : {8, 13, 18, 23}) text.insert(at, "-");
  return text;
}

std::string Session::positional(size_t n) const {
  return n < arguments_.positionals().size() ? arguments_.positionals()[n] : "";
}

int Session::usage(const std::string& what) const { return fail(kExitUsage, what); }

int Session::fail(int code, const std::string& what) const {
  if (json()) {
    client::CallError error;
    error.code_name = code == kExitUsage ? "USAGE" : "FAILED";
    error.message = what;
    fprintf(stderr, "%s\n", json_of(error).c_str());
  } else {
    fprintf(stderr, "taizhang: %s\n", what.c_str());
  }
  return code;
}

int Session::fail(const client::CallError& error) const {
  const int code = exit_code_of(error.code);
  if (json()) {
    fprintf(stderr, "%s\n", json_of(error).c_str());
    return code;
  }
  const char* said = code == kExitUnavailable ? "unavailable"
                     : code == kExitNotFound  ? "not found"
                     : code == kExitRefused   ? "refused"
                                              : "failed";
  const std::string reason =
      error.reason.empty() ? error.code_name : error.reason + " (" + error.code_name + ")";
  fprintf(stderr, "taizhang: %s: %s\n", said, reason.c_str());
  if (!error.zh.empty()) fprintf(stderr, "  %s\n", error.zh.c_str());
  if (!error.message.empty()) fprintf(stderr, "  %s\n", error.message.c_str());
  for (const auto& violation : error.violations) {
    fprintf(stderr, "  %s: %s\n", violation.field.c_str(), violation.description.c_str());
  }
  for (const auto& [key, value] : error.metadata)
    fprintf(stderr, "  %s = %s\n", key.c_str(), value.c_str());
  if (code == kExitUnavailable && error.reason.empty()) {
    fprintf(stderr,
            "  is a taizhangd running at %s, for operators at %s? `taizhang doctor` looks\n",
            address().c_str(), admin_address().c_str());
  }
  return code;
}

int Session::connect(const std::string& usual) {
  settings_path_ = cli::settings_path(arguments_);
  if (const auto loaded = client::load_settings(settings_path_, settings_); !loaded.ok()) {
    return usage(std::string(loaded.message()));
  }
  if (arguments_.has("--address")) {
    settings_.set_address(arguments_.get("--address"));
    // The settings' one belongs to another server.
    settings_.clear_admin_address();
  }
  if (arguments_.has("--admin-address"))
    settings_.set_admin_address(arguments_.get("--admin-address"));
  if (arguments_.has("--timeout")) {
    int64_t seconds = 0;
    if (!parse_integer(arguments_.get("--timeout"), seconds) || seconds < 1 ||
        seconds > kTimeoutMaxSeconds) {
      return usage("--timeout: expected 1 to " + std::to_string(kTimeoutMaxSeconds) + " seconds");
    }
    deadline_ms_ = seconds * 1'000;
  }
  std::string token;
  if (!usual.empty() && client::find_token(settings_, usual, token).ok()) usual_ = usual;
  client_ = std::make_unique<client::Client>(settings_.address(), admin_address());
  return kExitOk;
}

std::string Session::ledger() const {
  return arguments_.has("--ledger") ? arguments_.get("--ledger") : settings_.ledger();
}

std::string Session::profile() const {
  std::string name = arguments_.get("--as");
  if (name.empty()) name = usual_;
  if (name.empty()) name = settings_.default_profile();
  if (name.empty() && settings_.profiles_size() > 0) name = settings_.profiles(0).name();
  return name;
}

int Session::token(const std::string& named, std::string& out) const {
  const std::string name = named.empty() ? profile() : named;
  const auto found = client::find_token(settings_, name, out);
  return found.ok() ? kExitOk : usage(std::string(found.message()) + " (" + settings_path_ + ")");
}

int Session::ask(const std::string& method, const google::protobuf::Message& request,
                 google::protobuf::Message& response) {
  std::string secret;
  if (const int code = token("", secret)) return code;
  const auto* descriptor = client::find_method(method);
  const auto error = client_->call(*descriptor, request, response, secret, deadline_ms_);
  return error.ok() ? kExitOk : fail(error);
}

void Session::print(const google::protobuf::Message& message) const {
  printf("%s\n", client::write_json(message, false).c_str());
}

int Session::date(const char* option, common::v1::Date* out) const {
  if (!arguments_.has(option)) return kExitOk;
  return parse_date(arguments_.get(option), *out)
             ? kExitOk
             : usage(std::string(option) + ": expected a date like 2017-12-31");
}

int Session::number(const char* option, int64_t& out) const {
  if (!arguments_.has(option)) return kExitOk;
  return parse_integer(arguments_.get(option), out)
             ? kExitOk
             : usage(std::string(option) + ": expected a whole number");
}

int Session::number(const char* option, int32_t& out) const {
  int64_t wide = out;
  if (const int code = number(option, wide)) return code;
  if (wide < INT32_MIN || wide > INT32_MAX)
    return usage(std::string(option) + ": expected a number below 2^31");
  out = static_cast<int32_t>(wide);
  return kExitOk;
}

int Session::moment(const char* option, Moment& out) const {
  if (!arguments_.has(option)) return kExitOk;
  const std::string& text = arguments_.get(option);
  if (parse_integer(text, out.seq))
    return out.seq > 0 ? kExitOk : usage(std::string(option) + ": seqs begin with 1");
  if (parse_time(text, out.time.emplace())) return kExitOk;
  return usage(std::string(option) + ": expected a seq, " + kTimesLike);
}

int Session::value(const char* option, const google::protobuf::EnumDescriptor& values,
                   int& out) const {
  if (!arguments_.has(option)) return kExitOk;
  std::string known;
  for (int i = 0; i < values.value_count(); ++i) {
    const auto& candidate = *values.value(i);
    if (candidate.number() == 0) continue;
    if (arguments_.get(option) == word_of(candidate) ||
        arguments_.get(option) == candidate.name()) {
      out = candidate.number();
      return kExitOk;
    }
    known += (known.empty() ? "" : ", ") + word_of(candidate);
  }
  return usage(std::string(option) + ": expected one of " + known);
}

int Session::fill(common::v1::ReadOptions& read) const {
  int64_t seq = 0;
  if (const int code = number("--at-least-seq", seq)) return code;
  read.set_at_least_seq(seq);
  return fill_moment(read);
}

int Session::fill_moment(common::v1::ReadOptions& read) const {
  if (arguments_.has("--as-of-seq") && arguments_.has("--as-of-time")) {
    return usage("only one of --as-of-seq and --as-of-time may be given");
  }
  if (arguments_.has("--as-of-seq")) {
    int64_t seq = 0;
    if (const int code = number("--as-of-seq", seq)) return code;
    read.set_seq(seq);
  }
  if (arguments_.has("--as-of-time")) {
    if (!parse_time(arguments_.get("--as-of-time"), *read.mutable_recorded_time()))
      return usage(std::string("--as-of-time: expected ") + kTimesLike);
  }
  return arguments_.has("--on") ? date("--on", read.mutable_effective_date()) : kExitOk;
}

}  // namespace taizhang::cli
