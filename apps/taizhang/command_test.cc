// The table of commands: arguments, help, and that nothing in it is forgotten.
#include "apps/taizhang/command.h"

#include <gtest/gtest.h>

#include <set>

namespace taizhang::cli {
namespace {

const Command& command_of(const std::string& name) {
  for (const auto& command : commands()) {
    if (name == command.name) return command;
  }
  throw std::out_of_range(name);
}

std::string wrong(const std::string& name, const std::vector<std::string>& words) {
  Arguments arguments;
  return parse(command_of(name), words, arguments);
}

TEST(Arguments, TakeOptionsInBothForms) {
  Arguments arguments;
  EXPECT_EQ(parse(command_of("fund show"),
                  {"--on=2017-04-30", "f1", "--json", "--ledger", "990101"}, arguments),
            "");
  EXPECT_EQ(arguments.get("--on"), "2017-04-30");
  EXPECT_EQ(arguments.get("--ledger"), "990101");
  EXPECT_TRUE(arguments.has("--json"));
  EXPECT_EQ(arguments.positionals(), std::vector<std::string>{"f1"});
  EXPECT_EQ(arguments.get("--as"), "");
}

TEST(Arguments, AreRefusedWhenTheyAreWrong) {
  EXPECT_EQ(wrong("fund show", {}), "FUND_LINE_ID is missing");
  EXPECT_EQ(wrong("fund show", {"a", "b"}), "unexpected argument b");
  EXPECT_EQ(wrong("fund show", {"a", "--of", "x"}), "unknown option --of");
  EXPECT_EQ(wrong("fund show", {"a", "--on"}), "--on needs DATE");
  EXPECT_EQ(wrong("fund show", {"a", "--json=1"}), "--json takes no value");
  EXPECT_EQ(wrong("fund show", {"a", "--json", "--json"}), "--json stands twice");
  EXPECT_EQ(wrong("call", {}), "METHOD is missing");
  EXPECT_EQ(wrong("call", {"funds.X"}), "");
  EXPECT_EQ(wrong("fund show", {"--help"}), "");
}

TEST(Commands, HaveANameAHelpAndAnExample) {
  std::set<std::string> names;
  for (const auto& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_NE(command.run, nullptr);
    const std::string text = help_of(command);
    EXPECT_NE(text.find(std::string("taizhang ") + command.name), std::string::npos) << text;
    EXPECT_NE(std::string(command.details).find("taizhang "), std::string::npos)
        << command.name << " has no example";
    EXPECT_NE(help().find(command.name), std::string::npos);
    std::set<std::string> options;
    for (const Option& option : options_of(command)) {
      EXPECT_TRUE(options.insert(option.name).second) << option.name;
    }
  }
}

TEST(Commands, AnOwnOptionStandsForTheCommonOneOfItsName) {
  const auto configs = [](const char* name) {
    for (const auto& command : commands()) {
      if (std::string(command.name) != name) continue;
      std::vector<std::string> helps;
      for (const Option& option : options_of(command)) {
        if (std::string(option.name) == "--config") helps.emplace_back(option.help);
      }
      return helps;
    }
    return std::vector<std::string>();
  };
  EXPECT_EQ(configs("journal check"), std::vector<std::string>{"settings of taizhangd"});
  ASSERT_EQ(configs("view status").size(), 1u);
  EXPECT_NE(configs("view status"), configs("journal check"));
}

}  // namespace
}  // namespace taizhang::cli
