// taizhang: the command line for clerks, operators and auditors.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "apps/taizhang/session.h"

namespace taizhang::cli {
namespace {

const Command* find(const std::vector<std::string>& words, size_t& used) {
  for (size_t count = std::min<size_t>(words.size(), 2); count > 0; --count) {
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    for (const auto& command : commands()) {
      if (name == command.name) {
        used = count;
        return &command;
      }
    }
  }
  return nullptr;
}

int complain(const std::string& what, const std::string& of) {
  fprintf(stderr, "taizhang: %s; see taizhang %s--help\n", what.c_str(), of.c_str());
  return kExitUsage;
}

int run(const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    fputs(help().c_str(), words.empty() ? stderr : stdout);
    return words.empty() ? kExitUsage : kExitOk;
  }
  size_t used = 0;
  const Command* command = find(words, used);
  if (!command) {
    std::string known;
    for (const auto& candidate : commands()) {
      const std::string name = candidate.name;
      if (name.starts_with(words[0] + " ")) known += (known.empty() ? "" : ", ") + name;
    }
    if (!known.empty() && words.back() == "--help") {
      printf("%s\n", known.c_str());
      return kExitOk;
    }
    return complain(known.empty() ? "unknown command " + words[0] : "expected one of: " + known,
                    "");
  }
  Arguments arguments;
  const std::string wrong = parse(
      *command,
      std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(used), words.end()),
      arguments);
  if (!wrong.empty()) return complain(wrong, std::string(command->name) + " ");
  if (arguments.has("--help")) {
    fputs(help_of(*command).c_str(), stdout);
    return kExitOk;
  }
  Session session(std::move(arguments));
  return command->run(session);
}

}  // namespace
}  // namespace taizhang::cli

int main(int argc, char** argv) {
  // A pipe that is closed early, as by head, is no error worth a message.
  std::signal(SIGPIPE, SIG_DFL);
  return taizhang::cli::run(std::vector<std::string>(argv + 1, argv + argc));
}
