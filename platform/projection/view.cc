// A view's folds and queries, tied to their protos.
#include "platform/projection/view.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "platform/base/log.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::MethodDescriptor;

// The rpc with a (query) option that takes `request`, in any service of the generated pool that is
// linked in. A request's service stands in its own file or in service.proto beside it.
const MethodDescriptor* query_of(const Descriptor& request) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  std::string beside = request.file()->package();
  for (char& c : beside) {
    if (c == '.') c = '/';
  }
  const google::protobuf::FileDescriptor* files[] = {
      request.file(), pool->FindFileByName(beside + "/service.proto")};
  for (const auto* file : files) {
    for (int s = 0; file && s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto* method = file->service(s)->method(m);
        if (method->input_type() == &request && method->options().HasExtension(taizhang::query))
          return method;
      }
    }
  }
  return nullptr;
}

const MethodDescriptor& method_for(const std::string& view,
                                   const google::protobuf::Message& request) {
  const auto* method = query_of(*request.GetDescriptor());
  if (!method) {
    broken_invariant("view " + view + ": no rpc with (query) takes " +
                     request.GetDescriptor()->full_name());
  }
  return *method;
}

}  // namespace

Error not_found(std::string reason, std::string zh, std::string resource_type,
                std::string resource_name) {
  Error error = failure(kNotFound, std::move(reason),
                        "nothing is recorded under this id at the moment asked");
  error.zh = std::move(zh);
  error.resource_type = std::move(resource_type);
  error.resource_name = std::move(resource_name);
  return error;
}

Error invalid_field(std::string field, std::string description) {
  Violations violations;
  violations.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, std::move(field),
                 std::move(description));
  return error_of(violations);
}

View& View::on_any(void (*fold)(Ledger&, const EventMeta&)) {
  if (any_) broken_invariant("view " + name_ + ": two folds of every event");
  any_ = fold;
  return *this;
}

View& View::on_commit(void (*fold)(Ledger&, const CommitMeta&)) {
  if (commit_) broken_invariant("view " + name_ + ": two folds of commits");
  commit_ = fold;
  return *this;
}

const View::Fold* View::fold_of(const Descriptor* event) const {
  const auto found = folds_.find(event);
  return found == folds_.end() ? nullptr : &found->second;
}

View& View::add_fold(const google::protobuf::Message& event, Fold fold) {
  const auto* descriptor = event.GetDescriptor();
  if (!folds_.emplace(descriptor, std::move(fold)).second) {
    broken_invariant("view " + name_ + ": two folds of " + descriptor->full_name());
  }
  return *this;
}

View& View::add_query(const google::protobuf::Message& request, Query query) {
  methods_.push_back({&method_for(name_, request), std::move(query), nullptr});
  return *this;
}

View& View::add_stream(const google::protobuf::Message& request, Stream stream) {
  const auto& method = method_for(name_, request);
  if (!method.server_streaming()) broken_invariant(method.full_name() + " is not a server stream");
  methods_.push_back({&method, nullptr, std::move(stream)});
  return *this;
}

}  // namespace taizhang
