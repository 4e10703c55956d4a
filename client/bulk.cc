// Commands as rows of the bulk stream.
#include "client/bulk.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>

#include "taizhang/ledger/v1/bulk.pb.h"

namespace taizhang::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Where a command stands in the two-level oneof.
struct Row {
  const FieldDescriptor* context = nullptr;
  const FieldDescriptor* command = nullptr;
};

const std::map<const Descriptor*, Row>& rows() {
  static const auto* const all = [] {
    auto* found = new std::map<const Descriptor*, Row>;
    const auto& contexts = *ledger::v1::CommandRequest::descriptor()->oneof_decl(0);
    for (int c = 0; c < contexts.field_count(); ++c) {
      const auto& commands = *contexts.field(c)->message_type()->oneof_decl(0);
      for (int i = 0; i < commands.field_count(); ++i) {
        const auto* command = commands.field(i);
        found->emplace(command->message_type(), Row{contexts.field(c), command});
      }
    }
    return found;
  }();
  return *all;
}

}  // namespace

bool in_bulk(const Descriptor& request) { return rows().contains(&request); }

void add_command(const Message& request, ledger::v1::ExecuteRequest& message) {
  const Row& row = rows().at(request.GetDescriptor());
  auto& added = *message.add_commands();
  Message& group = *added.GetReflection()->MutableMessage(&added, row.context);
  group.GetReflection()->MutableMessage(&group, row.command)->CopyFrom(request);
}

}  // namespace taizhang::client
