// QUERY [JSON] of the arguments.
#include "apps/taizhang/list_query.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include "client/strict_json.h"
#include "taizhang/options.pb.h"

namespace taizhang::cli {

std::string NamedQuery::text() const { return client::write_json(*request, false); }

int name_query(const Session& session, NamedQuery& out, bool of_one_ledger) {
  const std::string name = session.positional(0);
  out.method = client::find_method(name);
  if (!out.method)
    return session.usage("no method " + name + "; `taizhang completion bash` lists them");
  if (!out.method->options().HasExtension(query) || out.method->server_streaming())
    return session.usage(name + " is no query");
  out.request = client::new_request(*out.method);
  std::string text = session.positional(1);
  if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (!text.empty()) {
    if (const auto read = client::read_json(text, *out.request); !read.ok())
      return session.usage("the request: " + std::string(read.message()) + "; nothing was sent");
  }
  const auto* ledger = out.request->GetDescriptor()->FindFieldByName("ledger");
  const auto& reflection = *out.request->GetReflection();
  if (of_one_ledger && ledger && reflection.GetString(*out.request, ledger).empty()) {
    if (session.ledger().empty())
      return session.usage("--ledger is missing, and the settings name none");
    reflection.SetString(out.request.get(), ledger, session.ledger());
  }
  return kExitOk;
}

int set_moment(const Session& session, google::protobuf::Message& request) {
  const auto& options = moment_options();
  const bool given = std::any_of(options.begin(), options.end(), [&](const Option& option) {
    return session.arguments().has(option.name);
  });
  if (!given) return kExitOk;
  const auto* read = request.GetDescriptor()->FindFieldByName("read");
  if (!read) return session.usage("this query knows no moments");
  if (request.GetReflection()->HasField(request, read))
    return session.usage("the moment is said by the options or by `read` of the request, not both");
  return session.fill(static_cast<common::v1::ReadOptions&>(
      *request.GetReflection()->MutableMessage(&request, read)));
}

}  // namespace taizhang::cli
