// The ledger view of a log behind a port.
#include "tests/bench/events_node.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "platform/base/sha256.h"
#include "projections/ledger/ledger_view.h"

namespace taizhang::bench {
namespace {

constexpr int64_t kBuildUsMax = 3'600'000'000;

}  // namespace

EventsNode::EventsNode(journal::Log& log, const std::filesystem::path& folder, int streams_max) {
  ViewsSettings settings;
  settings.directory = folder;
  views_ = std::make_unique<Views>(std::vector<journal::Log*>{&log}, system_clock(), settings,
                                   [](std::string_view number) { return std::string(number); });
  views_->add(ledger_view::ledger_view());
  if (!views_->start().ok()) exit(1);
  catch_up();
  views_->register_queries(dispatcher_);
  auto callers =
      Callers::parse("bench",
                     "profiles { name: 'bench' subject: 's' roles: ROLE_MAKER everywhere: true "
                     "token_sha256: '" +
                         hex(bytes_of(sha256(token()))) + "' }");
  callers_ = std::make_unique<Callers>(*std::move(callers));
  limits_.set_streams_max(streams_max);
  limits_.set_streams_per_caller_max(streams_max);
  auto server =
      RpcServer::start("127.0.0.1:0", limits_, dispatcher_, *callers_, metrics_, "127.0.0.1:0");
  if (!server.ok()) exit(1);
  server_ = std::move(*server);
}

EventsNode::~EventsNode() {
  server_->stop();
  views_->stop();
}

void EventsNode::catch_up() {
  if (!views_->catch_up(kBuildUsMax)) exit(1);
}

const char* EventsNode::token() { return "bench-token"; }

}  // namespace taizhang::bench
