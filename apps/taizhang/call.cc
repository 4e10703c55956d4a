// Calls any method.
#include <cstdio>
#include <iostream>
#include <iterator>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "client/strict_json.h"
#include "google/protobuf/descriptor.h"
#include "taizhang/options.pb.h"

namespace taizhang::cli {
namespace {

using google::protobuf::Message;

// What a person need not type: the ledger, and the id of a new request.
void fill_defaults(const Session& session, const google::protobuf::MethodDescriptor& method,
                   Message& request) {
  const auto* reflection = request.GetReflection();
  const auto* ledger = request.GetDescriptor()->FindFieldByName("ledger");
  if (ledger && !ledger->is_repeated() && reflection->GetString(request, ledger).empty()) {
    reflection->SetString(&request, ledger, session.ledger());
  }
  if (!method.options().HasExtension(command)) return;
  const auto* context = request.GetDescriptor()->FindFieldByName("context");
  auto& of =
      static_cast<common::v1::RequestContext&>(*reflection->MutableMessage(&request, context));
  if (of.request_id().empty()) of.set_request_id(new_uuid());
}

void print(const Session& session, const Message& message, bool stream) {
  const bool indented = !session.json() && !stream;
  printf("%s\n", client::write_json(message, indented).c_str());
}

}  // namespace

int run_call(Session& session) {
  if (const int code = session.connect()) return code;
  const std::string name = session.positional(0);
  const auto* method = client::find_method(name);
  if (!method)
    return session.usage("no method " + name + "; `taizhang completion bash` lists them");
  if (method->client_streaming())
    return session.usage(name + " takes a stream of requests; see `taizhang apply`");
  std::string text = session.positional(1);
  if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto request = client::new_request(*method);
  if (!text.empty()) {
    if (const auto read = client::read_json(text, *request); !read.ok()) {
      return session.usage("the request: " + std::string(read.message()) + "; nothing was sent");
    }
  }
  fill_defaults(session, *method, *request);
  std::string token;
  if (const int code = session.token("", token)) return code;
  if (method->server_streaming()) {
    const auto error = session.server().stream(*method, *request, token, session.deadline_ms(),
                                               [&](const Message& said) {
                                                 print(session, said, true);
                                                 fflush(stdout);
                                                 return true;
                                               });
    return error.ok() ? kExitOk : session.fail(error);
  }
  const auto response = client::new_response(*method);
  const auto error =
      session.server().call(*method, *request, *response, token, session.deadline_ms());
  if (!error.ok()) return session.fail(error);
  print(session, *response, false);
  return kExitOk;
}

}  // namespace taizhang::cli
