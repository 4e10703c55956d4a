// Arguments of a command, and its help.
#include "apps/taizhang/command.h"

#include <algorithm>
#include <sstream>

namespace taizhang::cli {
namespace {

void list_options(std::ostringstream& out, const std::vector<Option>& options) {
  for (const auto& option : options) {
    std::string left = option.name;
    if (*option.value) left += std::string(" ") + option.value;
    out << "  " << left << std::string(left.size() < 24 ? 24 - left.size() : 1, ' ') << option.help
        << "\n";
  }
}

const Option* find(const Command& command, const std::string& name) {
  for (const auto* list : {&command.options, &common_options()}) {
    for (const auto& option : *list) {
      if (name == option.name) return &option;
    }
  }
  return nullptr;
}

}  // namespace

std::string Arguments::get(const std::string& option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? "" : found->second;
}

const std::vector<Option>& common_options() {
  static const auto* const options = new std::vector<Option>{
      {"--config", "FILE",
       "settings (default $TAIZHANG_CONFIG, ./.taizhang/client.textproto, ~/.config/taizhang/…)"},
      {"--address", "HOST:PORT", "the server, instead of the settings'"},
      {"--admin-address", "HOST:PORT",
       "where operators call, instead of the settings' (default: two ports above the server's)"},
      {"--as", "PROFILE",
       "who asks: a profile of the settings (operators' commands: operator, when there is one)"},
      {"--ledger", "CODE", "the ledger, instead of the settings'"},
      {"--timeout", "SECONDS", "deadline of one call (default 30)"},
      {"--json", "", "answers as JSON, for programs; int64 is a string, money is in fen"},
      {"--help", "", "this text"},
  };
  return *options;
}

std::vector<Option> options_of(const Command& command) {
  std::vector<Option> options = command.options;
  for (const Option& common : common_options()) {
    const std::string_view name = common.name;
    const bool own = std::any_of(command.options.begin(), command.options.end(),
                                 [name](const Option& option) { return name == option.name; });
    if (!own) options.push_back(common);
  }
  return options;
}

const std::vector<Option>& moment_options() {
  static const auto* const options = new std::vector<Option>{
      {"--on", "DATE", "what was true that day, 2017-12-31 (default today)"},
      {"--as-of-seq", "SEQ", "what the book said when this event was its last"},
      {"--as-of-time", "TIME", "what the book said then: 2026-11-23T10:00:00+08:00, or a day, at its end"},
      {"--at-least-seq", "SEQ", "wait until the view holds this event"},
  };
  return *options;
}

std::string parse(const Command& command, const std::vector<std::string>& words, Arguments& out) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-h") {
      out.set("--help", "");
      continue;
    }
    if (!word.starts_with("--")) {
      out.add(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Option* option = find(command, name);
    if (!option) return "unknown option " + name;
    if (out.has(name)) return name + " stands twice";
    if (!*option->value) {
      if (equals != std::string::npos) return name + " takes no value";
      out.set(name, "");
    } else if (equals != std::string::npos) {
      out.set(name, word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      out.set(name, words[++i]);
    } else {
      return name + " needs " + option->value;
    }
  }
  if (out.has("--help")) return "";
  std::istringstream expected(command.positionals);
  size_t most = 0;
  for (std::string name; expected >> name; ++most) {
    if (name.front() != '[' && out.positionals().size() <= most) return name + " is missing";
  }
  if (out.positionals().size() > most) return "unexpected argument " + out.positionals()[most];
  return "";
}

std::string help_of(const Command& command) {
  std::ostringstream out;
  out << "taizhang " << command.name << (*command.positionals ? " " : "") << command.positionals
      << " [OPTION…]: " << command.summary << "\n\n"
      << command.details << "\n\nOptions:\n";
  list_options(out, options_of(command));
  return out.str();
}

std::string help() {
  std::ostringstream out;
  out << "taizhang: the command line of the book of record. taizhang COMMAND --help tells "
         "more.\n\nCommands:\n";
  for (const auto& command : commands()) {
    const std::string left =
        std::string(command.name) + (*command.positionals ? " " : "") + command.positionals;
    out << "  " << left << std::string(left.size() < 34 ? 34 - left.size() : 1, ' ')
        << command.summary << "\n";
  }
  out << "\nOptions of every command:\n";
  list_options(out, common_options());
  out << R"(
Exit codes: 0 done; 1 refused by the server; 2 arguments, settings or a file are wrong, nothing was sent;
3 unavailable, busy or too late; 4 not found; 5 data is damaged; 6 anything else.

Examples:
  taizhang household list
  taizhang fund list --source SELF_RAISED --on 2017-12-31
  taizhang events read --backward --limit 5
)";
  return out.str();
}

}  // namespace taizhang::cli
