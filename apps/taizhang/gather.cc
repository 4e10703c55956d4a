// One query to many ledgers, told row by row.
#include <google/protobuf/descriptor.h>

#include "apps/taizhang/list_query.h"
#include "apps/taizhang/text.h"
#include "client/strict_json.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::cli {
namespace {

using google::protobuf::Message;
using lists::v1::GatherResponse;

constexpr int64_t kGatherDeadlineMs = 24 * 3'600'000;

std::string reason_of(const google::rpc::Status& failure) {
  std::string text;
  for (const auto& detail : failure.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::LocalizedMessage zh;
    if (detail.UnpackTo(&info)) text = info.reason() + text;
    if (detail.UnpackTo(&zh)) text += " " + zh.message();
  }
  return text.empty() ? failure.message() : text;
}

// Rows as JSON lines; how each ledger answered, and readers that did not say what they hold, as a
// table on the standard error.
class Teller {
 public:
  // False: rows are of a type that this program does not know.
  bool take(const GatherResponse& said) {
    if (said.has_header() && !said.header().row_type().empty())
      row_ = client::new_message(said.header().row_type());
    for (const auto& row : said.rows().rows()) {
      if (!row_ || !row_->ParseFromString(row.row().value())) return false;
      say("{\"ledger\":\"" + row.ledger() + "\",\"row\":" + client::write_json(*row_, false) +
          "}\n");
    }
    if (said.has_trailer()) {
      complete_ = true;
      failed_ledgers_ = said.trailer().failed_ledgers();
      failed_readers_ = said.trailer().failed_readers_size();
      Table table({"ledger", ">rows", ">seq", "recorded", "reader", "failure"});
      for (const auto& answer : said.trailer().ledgers()) {
        table.row({answer.ledger(), std::to_string(answer.rows()),
                   answer.has_freshness() ? std::to_string(answer.freshness().seq()) : "",
                   answer.has_freshness() ? text_of(answer.freshness().recorded_time()) : "",
                   answer.reader(), answer.has_failure() ? reason_of(answer.failure()) : ""});
      }
      for (const auto& failed : said.trailer().failed_readers())
        table.row({"?", "", "", "", failed.reader(), reason_of(failed.failure())});
      std::fputs(table.text().c_str(), stderr);
    }
    return true;
  }

  bool complete() const { return complete_; }
  int failed_ledgers() const { return failed_ledgers_; }
  int failed_readers() const { return failed_readers_; }

 private:
  std::unique_ptr<Message> row_;
  bool complete_ = false;
  int failed_ledgers_ = 0;
  int failed_readers_ = 0;
};

}  // namespace

int run_gather(Session& session) {
  if (const int code = session.connect()) return code;
  NamedQuery query;
  if (const int code = name_query(session, query, /*of_one_ledger=*/false)) return code;
  if (const int code = set_moment(session, *query.request)) return code;
  lists::v1::GatherRequest request;
  request.mutable_query()->PackFrom(*query.request);
  std::string codes = session.arguments().get("--ledgers");
  while (!codes.empty()) {
    const size_t end = codes.find(',');
    request.add_ledgers(codes.substr(0, end));
    codes.erase(0, end == std::string::npos ? end : end + 1);
  }
  request.set_ledger_prefix(session.arguments().get("--prefix"));
  if (session.arguments().has("--by-row")) request.set_order(lists::v1::GATHER_ORDER_BY_ROW);
  std::string token;
  if (const int code = session.token("", token)) return code;
  Teller teller;
  bool known = true;
  const int64_t deadline_ms =
      session.arguments().has("--timeout") ? session.deadline_ms() : kGatherDeadlineMs;
  const auto error = session.server().stream(
      *client::find_method("lists.Gather"), request, token, deadline_ms, [&](const Message& said) {
        return known = teller.take(static_cast<const GatherResponse&>(said));
      });
  if (!error.ok()) return session.fail(error);
  if (!known)
    return session.fail(kExitFailed, "the rows are of a type that this program does not know");
  if (!teller.complete())
    return session.fail(kExitUnavailable, "the stream ended before the last ledger");
  std::string missing;
  if (teller.failed_ledgers() > 0)
    missing = std::to_string(teller.failed_ledgers()) + " ledgers did not answer";
  if (teller.failed_readers() > 0) {
    missing += (missing.empty() ? "" : "; ") + std::to_string(teller.failed_readers()) +
               " readers did not say which ledgers they hold";
  }
  return missing.empty() ? kExitOk : session.fail(kExitUnavailable, missing);
}

}  // namespace taizhang::cli
