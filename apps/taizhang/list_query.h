// The query that `export`, `diff` and `gather` are about, from the arguments: QUERY [JSON].
#pragma once

#include <memory>
#include <string>

#include "apps/taizhang/session.h"

namespace taizhang::cli {

struct NamedQuery {
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::unique_ptr<google::protobuf::Message> request;

  // The request in JSON, with the ledger.
  std::string text() const;
};

// 0, or the exit code of what was said. Of one ledger: a missing one is that of --ledger.
int name_query(const Session& session, NamedQuery& out, bool of_one_ledger = true);
// The moment of the options --on, --as-of-seq …, when one of them was given.
int set_moment(const Session& session, google::protobuf::Message& request);

}  // namespace taizhang::cli
