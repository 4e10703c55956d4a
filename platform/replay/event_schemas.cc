// Files of event types, from the descriptor pool.
#include "platform/replay/event_schemas.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>

#include <algorithm>
#include <set>
#include <vector>

#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/commits.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang::replay {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

bool declares_events(const FileDescriptor& file) {
  for (int i = 0; i < file.message_type_count(); ++i) {
    if (file.message_type(i)->options().HasExtension(taizhang::event)) return true;
  }
  return false;
}

void add(const FileDescriptor& file, std::set<const FileDescriptor*>& added,
         google::protobuf::FileDescriptorSet& set) {
  if (!added.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) add(*file.dependency(i), added, set);
  file.CopyTo(set.add_file());
}

}  // namespace

std::string event_schemas() {
  std::vector<std::string> names;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&names);
  std::sort(names.begin(), names.end());
  google::protobuf::FileDescriptorSet set;
  std::set<const FileDescriptor*> added;
  add(*journal::v1::Commit::descriptor()->file(), added, set);
  add(*ledger::v1::ExportHeader::descriptor()->file(), added, set);
  for (const auto& name : names) {
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    if (file && declares_events(*file)) add(*file, added, set);
  }
  return set.SerializeAsString();
}

}  // namespace taizhang::replay
