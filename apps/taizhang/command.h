// A command of the command line: how it is called, what it says of itself, what it does.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace taizhang::cli {

// What a shell and a script may rely on; stands in --help and docs.
enum ExitCode {
  kExitOk = 0,
  kExitRefused = 1,      // the server said no: a rule, a right, a malformed request
  kExitUsage = 2,        // arguments, settings or a file of ours are wrong; nothing was sent
  kExitUnavailable = 3,  // no server, too busy, too late: the same again may succeed
  kExitNotFound = 4,
  kExitDamaged = 5,  // data is damaged, or two copies differ
  kExitFailed = 6,   // anything else
};

struct Option {
  const char* name;   // "--ledger"
  const char* value;  // "CODE"; empty: a flag
  const char* help;
};

// Arguments as they were given.
class Arguments {
 public:
  bool has(const std::string& option) const { return options_.contains(option); }
  // Empty: not given.
  std::string get(const std::string& option) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

  void set(const std::string& option, std::string value) { options_[option] = std::move(value); }
  void add(std::string positional) { positionals_.push_back(std::move(positional)); }

 private:
  std::map<std::string, std::string> options_;
  std::vector<std::string> positionals_;
};

class Session;

struct Command {
  const char* name;         // "household show"
  const char* positionals;  // "HOUSEHOLD_ID"; optional ones in brackets
  const char* summary;
  const char* details;  // what more is to say, and examples
  std::vector<Option> options;
  int (*run)(Session& session);
};

// Every command, in the order of --help.
const std::vector<Command>& commands();
// Options that every command takes.
const std::vector<Option>& common_options();
// What a command takes: its own options, then the common ones of which it has none of that name.
std::vector<Option> options_of(const Command& command);
// Options of commands that ask for a moment.
const std::vector<Option>& moment_options();

// Empty: good; otherwise what is wrong. `words` are those after the command's name.
std::string parse(const Command& command, const std::vector<std::string>& words, Arguments& out);
std::string help_of(const Command& command);
std::string help();

// Commands, each in the file of its name.
int run_apply(Session& session);
int run_call(Session& session);
int run_export(Session& session);
int run_diff(Session& session);
int run_gather(Session& session);
int run_household_show(Session& session);
int run_household_list(Session& session);
int run_household_history(Session& session);
int run_fund_show(Session& session);
int run_fund_list(Session& session);
int run_fund_history(Session& session);
int run_asset_show(Session& session);
int run_asset_list(Session& session);
int run_asset_history(Session& session);
int run_visit_show(Session& session);
int run_visit_list(Session& session);
int run_visit_history(Session& session);
int run_events_read(Session& session);
int run_events_follow(Session& session);
int run_events_export(Session& session);
int run_events_check(Session& session);
int run_replay(Session& session);
int run_subscription_create(Session& session);
int run_subscription_list(Session& session);
int run_subscription_show(Session& session);
int run_subscription_receive(Session& session);
int run_subscription_ack(Session& session);
int run_subscription_retry(Session& session);
int run_subscription_park(Session& session);
int run_subscription_replay(Session& session);
int run_subscription_skip(Session& session);
int run_subscription_delete(Session& session);
int run_explain(Session& session);
int run_ledger_open(Session& session);
int run_ledger_status(Session& session);
int run_view_status(Session& session);
int run_view_compare(Session& session);
int run_view_switch(Session& session);
int run_view_skip(Session& session);
int run_view_drop(Session& session);
int run_view_rebuild(Session& session);
int run_view_verify(Session& session);
int run_view_digest(Session& session);
int run_journal_verify(Session& session);
int run_journal_create(Session& session);
int run_journal_check(Session& session);
int run_doctor(Session& session);
int run_completion(Session& session);

}  // namespace taizhang::cli
