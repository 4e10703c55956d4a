// The table of commands, their arguments and their help.
#include "apps/taizhang/command.h"

#include <algorithm>
#include <sstream>

namespace taizhang::cli {
namespace {

constexpr Option kLimit = {"--limit", "N", "rows at most, 0: all (default 100)"};
constexpr Option kServerConfig = {"--config", "FILE", "settings of taizhangd"};
constexpr Option kRegion = {"--region", "CODE", "only of this region"};

// --limit and what is special to a list.
std::vector<Option> list_of(std::vector<Option> own) {
  own.push_back(kLimit);
  const auto& moment = moment_options();
  own.insert(own.end(), moment.begin(), moment.end());
  return own;
}

std::vector<Option> moment_and(std::vector<Option> own) {
  const auto& moment = moment_options();
  own.insert(own.end(), moment.begin(), moment.end());
  return own;
}

std::vector<Command> make_commands() {
  return {
      {"apply",
       "FILE",
       "send the commands of a file, line by line",
       R"(A line is {"as": "maker", "method": "funds.SpendDirectly", "request": {…}}; `as` names a profile of the settings.
${LEDGER} in a line stands for --ledger. Every line is read before the first is sent. Request ids make a file
repeatable: what was answered before is a duplicate and changes nothing. FILE - is the standard input.

Many lines in a row of one profile go over the bulk stream, in their order; each has its own answer. Behind a refused
line nothing more is sent, but up to 400 lines may be under way already and are decided: the counts say what became of
them. --unary waits for the answer of each line before it sends the next.

  taizhang apply deploy/sample.jsonl --ledger 990101
  taizhang apply import.jsonl --keep-going --json)",
       {{"--keep-going", "", "go on behind a refused line"},
        {"--unary", "", "one line at a time, not over the bulk stream"},
        {"--retries", "N", "how often an unavailable server is tried again (default 5)"}},
       run_apply},
      {"call",
       "METHOD [JSON]",
       "call any method with a request in JSON",
       R"(JSON - reads the standard input; without JSON the request is empty. A missing ledger is that of --ledger, a missing
request_id of a command is made. int64 is a string in the answer. Streams print a line for each message.

  taizhang call fund_execution.BySource '{"source_kind": "SOURCE_KIND_SELF_RAISED"}'
  taizhang call funds.SpendDirectly - --as maker <request.json
  taizhang call ledger.GetOutcome '{"request_id": "cfe62826-6b87-551b-9a9d-b38d2002745d"}')",
       {},
       run_call},
      {"household show", "HOUSEHOLD_ID", "a household's page",
       "  taizhang household show d3b1… --on 2017-12-31\n  taizhang household show d3b1… "
       "--timeline",
       moment_and({{"--timeline", "", "what happened, instead of the page"}}), run_household_show},
      {"household list", "", "households of a region",
       "  taizhang household list --region 990101100202 --status LIFTED --on 2017-12-31",
       list_of({kRegion, {"--status", "CODE", "only of this status"}}), run_household_list},
      {"household history", "HOUSEHOLD_ID", "who changed a household, when, why",
       "  taizhang household history d3b1…", list_of({}), run_household_history},
      {"fund show", "FUND_LINE_ID", "a fund line: its figures and its progress against the plan",
       "  taizhang fund show 6a13… --on 2017-04-30\n  taizhang fund show 6a13… --as-of-seq 120",
       moment_options(), run_fund_show},
      {"fund list", "", "fund lines by source, with totals",
       "  taizhang fund list --source SELF_RAISED\n  taizhang fund list --by-village --on "
       "2017-12-31",
       list_of({{"--source", "KIND", "only of this source: SELF_RAISED, SPECIAL_HELP_FUND …"},
                {"--by-village", "", "what was paid for which village"}}),
       run_fund_list},
      {"fund history", "FUND_LINE_ID",
       "how each figure came about: who, when, why, from which document",
       "  taizhang fund history 6a13…\n  taizhang fund history 6a13… --figure paid",
       list_of({{"--figure", "NAME",
                 "only what changed it: budgeted, planned, arrived, allocated, committed, paid, "
                 "balance"}}),
       run_fund_history},
      {"asset show", "ASSET_ID", "an asset's card", "  taizhang asset show 05c0…", moment_options(),
       run_asset_show},
      {"asset list", "", "the register of assets",
       "  taizhang asset list --state HANDED_OVER\n  taizhang asset list --late-title --on "
       "2018-04-01",
       list_of({kRegion,
                {"--state", "STATE", "FORMED, CHECKED, TITLED, OFFERED, HANDED_OVER"},
                {"--year", "YEAR", "formed in this year"},
                {"--late-title", "", "only those titled late or overdue"},
                {"--without-manager", "", "only those that lack their manager"}}),
       run_asset_list},
      {"asset history", "ASSET_ID", "who changed an asset, when, why",
       "  taizhang asset history 05c0…", list_of({}), run_asset_history},
      {"visit show", "VISIT_ID", "a visit", "  taizhang visit show 1f0e…", moment_options(),
       run_visit_show},
      {"visit list", "", "visits, and what is still owed",
       "  taizhang visit list --household d3b1… --from 2017-06-01\n  taizhang visit list --overdue "
       "--on 2017-10-01",
       list_of({{"--household", "ID", "visits to this household"},
                {"--worker", "ID", "visits this worker made"},
                {"--from", "DATE", "first day"},
                {"--to", "DATE", "last day"},
                {"--due", "", "obligations still open in the period of --on"},
                {"--overdue", "", "obligations missed in the last period before --on"}}),
       run_visit_list},
      {"visit history", "VISIT_ID", "who recorded or voided a visit, when, why",
       "  taizhang visit history 1f0e…", list_of({}), run_visit_history},
      {"events read", "", "the events of a ledger",
       "  taizhang events read --from 60 --limit 5\n"
       "  taizhang events read --subject FUND_LINE/6a13… --type funds.v1.FundsArrived --payload",
       list_of({{"--from", "SEQ", "first seq"},
                {"--to", "SEQ", "last seq"},
                {"--backward", "", "newest first"},
                {"--type", "TYPE", "only this event type"},
                {"--subject", "KIND/ID", "only events that name this thing"},
                {"--payload", "", "with the content of each event"}}),
       run_events_read},
      {"events follow",
       "",
       "events as they are recorded, until interrupted",
       "  taizhang events follow --after 300\n  taizhang events follow --count 10 --json",
       {{"--after", "SEQ", "events after this one (default 0: all)"},
        {"--count", "N", "end after so many"},
        {"--type", "TYPE", "only this event type"},
        {"--subject", "KIND/ID", "only events that name this thing"},
        {"--payload", "", "with the content of each event"}},
       run_events_follow},
      {"ledger open",
       "CODE",
       "open a ledger",
       "  taizhang ledger open 990101 --kind COUNTY --name 示例县 --on 2012-01-01",
       {{"--kind", "KIND", "COUNTY (default), PREFECTURE or PROVINCE"},
        {"--name", "NAME", "name of the ledger"},
        {"--on", "DATE",
         "the day it is opened as of (default today); the same again must name the same day"},
        {"--request-id", "UUID", "id of the request; made when it is not given"}},
       run_ledger_open},
      {"ledger status",
       "",
       "the ledgers, journal and writer",
       "  taizhang ledger status",
       {},
       run_ledger_status},
      {"view status", "", "how far each view is", "  taizhang view status", {}, run_view_status},
      {"view rebuild",
       "VIEW",
       "delete what a view holds and fold everything again",
       "Until it has caught up the view answers UNAVAILABLE.\n\n  taizhang view rebuild duties",
       {},
       run_view_rebuild},
      {"view verify",
       "VIEW",
       "fold again beside the view and compare every row version",
       "  taizhang view verify fund_execution",
       {},
       run_view_verify},
      {"view digest",
       "VIEW",
       "digests of what a view holds, to compare servers",
       "With the same seq of a ledger, every server's digest of a view is the same.\n\n"
       "  taizhang view digest duties --ledger 990101",
       {{"--seq", "SEQ", "as of this seq of --ledger, which reads all of its rows"}},
       run_view_digest},
      {"journal verify",
       "DIR",
       "read every byte of a journal offline",
       R"(DIR is the data folder or its journal folder. Takes no lock and changes nothing, so it may run beside the server.

  taizhang journal verify .taizhang/data)",
       {},
       run_journal_verify},
      {"journal create",
       "",
       "make the Kafka topics of a journal",
       R"(Makes the journal topic and its heartbeat topic as the settings of taizhangd ask, then checks them. What is there
is never altered, so it may be run again.

  taizhang journal create --config /etc/taizhang/taizhangd.textproto)",
       {kServerConfig,
        {"--partitions", "N", "of the journal topic, for ever (default: the settings')"}},
       run_journal_create},
      {"journal check",
       "",
       "check the Kafka topics of a journal",
       R"(Each setting with its value and what it must be. Exit code 1 when one is bad: taizhangd refuses such a topic.

  taizhang journal check --config /etc/taizhang/taizhangd.textproto)",
       {kServerConfig},
       run_journal_check},
      {"doctor",
       "",
       "check settings, tokens, server, disk and clock",
       "  taizhang doctor --server-config .taizhang/taizhangd.textproto",
       {{"--server-config", "FILE", "also check the server's settings, tokens, port and disk"}},
       run_doctor},
      {"completion",
       "bash",
       "print completion for a shell",
       "  source <(taizhang completion bash)",
       {},
       run_completion},
  };
}

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

const std::vector<Command>& commands() {
  static const auto* const all = new std::vector<Command>(make_commands());
  return *all;
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
      {"--as-of-time", "TIME", "what the book said then, 2026-11-23T10:00:00+08:00"},
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
