// A command file: JSON lines, each a command and the profile that sends it.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

namespace taizhang::cli {

struct CommandEntry {
  int line = 0;  // in the file, from 1
  std::string as;
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::unique_ptr<google::protobuf::Message> request;
};

// Reads every line of `path`, "-": the standard input; empty lines are passed over. `ledger`
// stands for ${LEDGER}. Empty: good; otherwise what is wrong and where.
std::string read_command_file(const std::string& path, const std::string& ledger,
                              std::vector<CommandEntry>& out);

}  // namespace taizhang::cli
