// Completion for shells, made from the table of commands.
#include <set>
#include <sstream>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"

namespace taizhang::cli {
namespace {

std::string words_of(const Command& command) {
  std::string words;
  for (const Option& option : options_of(command)) {
    words += (words.empty() ? "" : " ") + std::string(option.name);
  }
  return words;
}

}  // namespace

int run_completion(Session& session) {
  if (session.positional(0) != "bash") return session.usage("completion: expected bash");
  std::set<std::string> firsts;
  std::string singles;  // commands of one word, as a shell pattern
  std::ostringstream seconds, options;
  std::string group;
  for (const auto& command : commands()) {
    const std::string name = command.name;
    const size_t space = name.find(' ');
    firsts.insert(name.substr(0, space));
    options << "    '" << name << "') words='" << words_of(command) << "' ;;\n";
    if (space == std::string::npos) {
      singles += (singles.empty() ? "" : "|") + name;
      continue;
    }
    if (name.substr(0, space) != group) {
      if (!group.empty()) seconds << "' ;;\n";
      group = name.substr(0, space);
      seconds << "    " << group << ") words='" << name.substr(space + 1);
    } else {
      seconds << " " << name.substr(space + 1);
    }
  }
  seconds << "' ;;\n";
  std::string top;
  for (const auto& first : firsts) top += first + " ";
  std::string methods;
  for (const auto& method : client::method_names()) methods += method + " ";

  say("# bash completion of taizhang; source <(taizhang completion bash)\n"
      "_taizhang() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} second=${COMP_WORDS[2]} "
      "words= name\n"
      "  COMPREPLY=()\n"
      "  case ${COMP_WORDS[COMP_CWORD-1]} in\n"
      "    --config|--server-config|--out) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "  esac\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '" +
      top +
      "--help' -- \"$current\")); return\n"
      "  fi\n"
      "  if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
      "    case $first in\n" +
      seconds.str() + "    call) words='" + methods +
      "' ;;\n"
      "    completion) words=bash ;;\n"
      "    apply) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "    esac\n"
      "    if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); "
      "return; fi\n"
      "  fi\n"
      "  case $first in " +
      singles +
      ") name=$first ;; *) name=\"$first $second\" ;; esac\n"
      "  case $name in\n" +
      options.str() +
      "  esac\n"
      "  case $current in -*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
      "  esac\n"
      "}\n"
      "complete -F _taizhang taizhang\n");
  return kExitOk;
}

}  // namespace taizhang::cli
