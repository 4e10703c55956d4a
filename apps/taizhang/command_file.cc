// Reading of command files.
#include "apps/taizhang/command_file.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string_view>

#include "client/client.h"
#include "client/command_line.h"
#include "client/strict_json.h"
#include "taizhang/options.pb.h"

namespace taizhang::cli {
namespace {

constexpr std::string_view kPlaceholder = "${LEDGER}";

bool read_text(const std::string& path, std::string& text) {
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
std::string read_entry(std::string text, int number, const std::string& ledger,
                       CommandEntry& entry) {
  const std::string place = "line " + std::to_string(number) + ": ";
  for (size_t at = 0; (at = text.find(kPlaceholder, at)) != std::string::npos;
       at += ledger.size()) {
    if (ledger.empty()) return place + "${LEDGER} stands here and --ledger is missing";
    text.replace(at, kPlaceholder.size(), ledger);
  }
  const auto frame = client::read_command_line(text, number);
  if (!frame.ok()) return std::string(frame.status().message());
  entry.line = number;
  entry.as = frame->as;
  entry.method = client::find_method(frame->method);
  if (!entry.method || !entry.method->options().HasExtension(command))
    return place + "no command of the name " + frame->method;
  entry.request = client::new_request(*entry.method);
  const auto request = client::read_json(frame->request, *entry.request, frame->request_at);
  return request.ok() ? "" : std::string(request.message());
}

}  // namespace

std::string read_command_file(const std::string& path, const std::string& ledger,
                              std::vector<CommandEntry>& out) {
  std::string text;
  if (!read_text(path, text)) return "cannot be read";
  int number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    CommandEntry entry;
    const std::string wrong = read_entry(std::move(line), number, ledger, entry);
    if (!wrong.empty()) return wrong + "; nothing was sent";
    out.push_back(std::move(entry));
  }
  return "";
}

}  // namespace taizhang::cli
