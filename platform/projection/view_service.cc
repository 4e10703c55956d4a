// Routing by view, and the stream of row digests.
#include "platform/projection/view_service.h"

#include <algorithm>
#include <utility>

#include "platform/projection/explain.h"
#include "platform/projection/row_digests.h"
#include "platform/projection/view_runner.h"
#include "platform/projection/view_tables.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/ledger/v1/commits.pb.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;
using views::v1::ExplainRequest;
using views::v1::ListSkippedRequest;
using views::v1::ListSkippedResponse;
using views::v1::ListTablesRequest;
using views::v1::RowDigestsRequest;
using views::v1::RowDigestsResponse;

constexpr char kService[] = "taizhang.views.v1.ViewService";
constexpr int64_t kVersionsPerDigest = 4'096;
// Of one message: about 100 kB, and a few hundredths of a second of reading.
constexpr size_t kDigestsPerMessage = 512;
constexpr int64_t kVersionsReadPerMessage = 65'536;
constexpr size_t kSkippedToldMax = 10'000;

Error no_view(const std::string& view) {
  Error error = failure(kNotFound, "VIEW_NOT_FOUND", "no view of the name " + view);
  error.zh = "没有这个视图";
  error.resource_type = "view";
  error.resource_name = view;
  return error;
}

// Whoever knows rows of personal data but for one field could try values until the digest fits.
bool may_compare(const View& view, const Caller& caller) {
  for (const int role :
       {common::v1::ROLE_MAKER, common::v1::ROLE_CHECKER, common::v1::ROLE_OPERATOR}) {
    if (caller.has_role(role)) return true;
  }
  const auto& tables = tables_of(view.name());
  return !view.event_lookup() &&
         std::none_of(tables.begin(), tables.end(),
                      [](const RowType* table) { return holds_personal(*table); });
}

class RowDigestsStream final : public ServerStream {
 public:
  RowDigestsStream(std::shared_ptr<ViewRunner> view, const RowDigestsRequest& request)
      : view_(std::move(view)) {
    wish_.ledger = request.ledger();
    wish_.seq = request.seq();
    wish_.after_key = request.after_key();
    wish_.up_to_key = request.up_to_key();
    wish_.versions_per_digest =
        request.versions_per_digest() == 0 ? kVersionsPerDigest : request.versions_per_digest();
    wish_.digests_max = kDigestsPerMessage;
    wish_.versions_read_max = kVersionsReadPerMessage;
  }

  void next(Done ready) override {
    if (ended_) return ready(std::unique_ptr<Message>());
    auto found = view_->row_digests(wish_);
    if (!found.ok()) {
      const bool damaged = found.status().code() == absl::StatusCode::kDataLoss;
      return ready(failure(
          damaged ? kDataLoss : kUnavailable, damaged ? "VIEW_DAMAGED" : "VIEW_BUSY",
          damaged ? "the view's files are damaged; build it anew" : "the view cannot be read now",
          {{"view", view_->view().name()}}));
    }
    auto response = std::make_unique<RowDigestsResponse>();
    response->set_view_version(view_->view().version());
    for (auto& digest : found->digests) {
      auto& out = *response->add_digests();
      out.set_last_key(std::move(digest.last_key));
      out.set_versions(digest.versions);
      out.set_digest(digest.digest.bytes());
    }
    wish_.after_key = std::move(found->next_after_key);
    ended_ = found->end;
    ready(std::move(response));
  }
  // Nothing is ever pending.
  void cancel() override {}

 private:
  const std::shared_ptr<ViewRunner> view_;
  RowDigestsWish wish_;
  bool ended_ = false;
};

std::variant<std::unique_ptr<ServerStream>, Error> open_digests(const FindRunner& find,
                                                                const Call& call,
                                                                const RowDigestsRequest& request) {
  auto view = find(request.view());
  if (!view) return no_view(request.view());
  if (!may_compare(view->view(), *call.caller)) {
    return error_of(
        refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "view", {{"missing", "role"}}));
  }
  const auto progress = view->progress(request.ledger());
  if (const auto* error = std::get_if<Error>(&progress)) return *error;
  if (const int64_t seq = std::get<0>(progress).seq; seq < request.seq()) {
    return failure(kFailedPrecondition, "SEQ_NOT_REACHED", "the view does not hold that seq yet",
                   {{"view", request.view()}, {"seq", std::to_string(seq)}});
  }
  return std::make_unique<RowDigestsStream>(std::move(view), request);
}

Answer list_skipped(const FindRunner& find, const ListSkippedRequest& request) {
  const auto view = find(request.view());
  if (!view) return no_view(request.view());
  auto known = view->skips_of(request.ledger());
  if (auto* error = std::get_if<Error>(&known)) return std::move(*error);
  auto& skips = std::get<0>(known);
  if (skips.size() > kSkippedToldMax) {
    return failure(kFailedPrecondition, "SKIPPED_TOO_MANY",
                   "the view passes over more than " + std::to_string(kSkippedToldMax) +
                       " events of the ledger",
                   {{"view", request.view()}, {"ledger", request.ledger()}});
  }
  auto response = std::make_unique<ListSkippedResponse>();
  response->set_view_version(view->view().version());
  for (auto& [seq, skip] : skips) {
    auto& out = *response->add_skipped();
    out.set_view(request.view());
    out.set_view_version(view->view().version());
    out.set_seq(seq);
    out.set_decided_by(std::move(skip.decided_by));
    out.set_reason(std::move(skip.reason));
  }
  return response;
}

template <class Request>
void serve_query(const FindRunner& find, const std::string& method, Dispatcher& dispatcher) {
  const std::string name = std::string(kService) + "." + method;
  dispatcher.handle(name, [find, name](const Call& call, auto request, Done done) {
    const std::string& view = static_cast<const Request&>(*request).view();
    const auto runner = find(view);
    if (!runner) return done(no_view(view));
    for (const auto& plan : runner->plans()) {
      if (plan->name() == name)
        return runner->ask(*plan, call, std::move(request), std::move(done));
    }
  });
}

}  // namespace

View with_common_queries(View view) {
  const std::string name = view.name();
  const auto figures = view.figures();
  view.query_of<ExplainRequest>([name, figures](const Snapshot& snapshot, const Message& request) {
    return explain(name, figures, snapshot, static_cast<const ExplainRequest&>(request));
  });
  view.query_of<ListTablesRequest>([name, figures](const Snapshot& snapshot, const Message&) {
    return list_tables(name, figures, snapshot);
  });
  return view;
}

bool is_common(std::string_view full_method_name) {
  return full_method_name.starts_with(std::string(kService) + ".");
}

void serve_common(const FindRunner& find, Dispatcher& dispatcher) {
  serve_query<ListTablesRequest>(find, "ListTables", dispatcher);
  serve_query<ExplainRequest>(find, "Explain", dispatcher);
  dispatcher.handle(std::string(kService) + ".ListSkipped",
                    [find](const Call&, auto request, const Done& done) {
                      done(list_skipped(find, static_cast<const ListSkippedRequest&>(*request)));
                    });
  dispatcher.handle_stream(
      std::string(kService) + ".RowDigests", [find](const Call& call, auto request) {
        return open_digests(find, call, static_cast<const RowDigestsRequest&>(*request));
      });
}

}  // namespace taizhang::projection
