// A whole list as a file: rows as they come, in constant memory.
#include <google/protobuf/descriptor.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/escaping.h"
#include "apps/taizhang/csv.h"
#include "apps/taizhang/export_target.h"
#include "apps/taizhang/list_query.h"
#include "apps/taizhang/text.h"
#include "client/strict_json.h"
#include "platform/lists/rows_digest.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::cli {
namespace {

using google::protobuf::Message;
using lists::RowsDigest;
using lists::v1::ExportHeader;
using lists::v1::ExportResponse;
using nlohmann::ordered_json;

constexpr int64_t kExportDeadlineMs = 24 * 3'600'000;
constexpr std::string_view kBom = "\xef\xbb\xbf";

struct Form {
  bool csv = true;
  bool bom = false;
  bool raw = false;

  std::string name() const {
    return csv ? std::string("csv") + (bom ? " bom" : "") + (raw ? " raw" : "") : "jsonl";
  }
};

// Takes the messages of one export stream.
class Export {
 public:
  Export(ExportTarget& target, const Form& form) : target_(target), form_(form) {
    const auto& progress = target.progress();
    rows_ = progress.rows;
    digest_ = RowsDigest(absl::HexStringToBytes(progress.digest));
  }

  // False: `wrong()` says what is wrong.
  bool take(const ExportResponse& said) {
    switch (said.message_case()) {
      case ExportResponse::kHeader: return begin(said.header());
      case ExportResponse::kRows: return add(said.rows());
      case ExportResponse::kTrailer: return end(said.trailer());
      default: return true;
    }
  }

  const std::string& wrong() const { return wrong_; }
  bool damaged() const { return damaged_; }
  bool complete() const { return complete_; }
  int64_t rows() const { return rows_; }
  const ExportHeader& header() const { return header_; }
  std::string digest() const { return digest_.text(); }

 private:
  bool fail(std::string what) {
    wrong_ = std::move(what);
    return false;
  }
  bool check(const absl::Status& status) {
    return status.ok() || fail(std::string(status.message()));
  }

  bool begin(const ExportHeader& header) {
    header_ = header;
    row_ = client::new_message(header.row_type());
    if (!row_)
      return fail("the rows are " + header.row_type() + ", which this program does not know");
    if (header.rows_before() != rows_) return fail("the server goes on at another row");
    if (!form_.csv) return true;
    table_.emplace(*row_->GetDescriptor(), form_.raw);
    if (!target_.progress().resume_token.empty()) return true;
    return check(target_.write((form_.bom ? std::string(kBom) : "") + table_->header()));
  }

  bool add(const lists::v1::ExportRows& said) {
    std::string lines;
    for (const auto& packed : said.rows()) {
      if (!row_ || !row_->ParseFromString(packed.value())) return fail("a row cannot be read");
      digest_.add(packed.value());
      lines += table_ ? table_->line(*row_) : client::write_json(*row_, false) + "\n";
    }
    rows_ += said.rows_size();
    return check(target_.write(lines)) &&
           check(target_.mark(rows_, digest_.text(), said.resume_token()));
  }

  bool end(const lists::v1::ExportTrailer& trailer) {
    damaged_ = trailer.rows() != rows_ || trailer.digest() != digest_.text();
    if (damaged_) return fail("what arrived is not what the server sent: the digests differ");
    complete_ = true;
    return true;
  }

  ExportTarget& target_;
  const Form form_;
  ExportHeader header_;
  std::unique_ptr<Message> row_;
  std::optional<CsvTable> table_;
  RowsDigest digest_;
  int64_t rows_ = 0;
  std::string wrong_;
  bool damaged_ = false;
  bool complete_ = false;
};

int read_form(const Session& session, Form& form) {
  const std::string format = session.arguments().get("--format");
  if (!format.empty() && format != "csv" && format != "jsonl")
    return session.usage("--format: expected csv or jsonl");
  form.csv = format != "jsonl";
  form.bom = session.arguments().has("--bom");
  form.raw = session.arguments().has("--raw");
  if (!form.csv && (form.bom || form.raw))
    return session.usage("--bom and --raw are of --format csv");
  if (session.arguments().has("--resume") && session.arguments().get("--out").empty())
    return session.usage("--resume goes on with the part of --out FILE");
  return kExitOk;
}

ordered_json meta_of(const NamedQuery& query, const Form& form, const Export& done) {
  const auto& fresh = done.header().freshness();
  return {{"query", client::short_name(*query.method)},
          {"request", ordered_json::parse(query.text())},
          {"ledger", fresh.ledger()},
          {"seq", fresh.seq()},
          {"recorded_time", text_of(fresh.recorded_time()) + " +08:00"},
          {"view", fresh.view()},
          {"view_version", fresh.view_version()},
          {"row_type", done.header().row_type()},
          {"rows", done.rows()},
          {"digest", done.digest()},
          {"format", form.name()}};
}

}  // namespace

int run_export(Session& session) {
  if (const int code = session.connect()) return code;
  NamedQuery query;
  Form form;
  if (const int code = name_query(session, query)) return code;
  if (const int code = set_moment(session, *query.request)) return code;
  if (const int code = read_form(session, form)) return code;
  int32_t rows_per_message = 0;
  if (const int code = session.number("--rows-per-message", rows_per_message)) return code;
  std::string token;
  if (const int code = session.token("", token)) return code;

  const std::string out = session.arguments().get("--out");
  ExportTarget target(out,
                      form.name() + " " + client::short_name(*query.method) + " " + query.text());
  if (const auto opened = target.open(session.arguments().has("--resume")); !opened.ok())
    return session.fail(kExitUsage, std::string(opened.message()));
  lists::v1::ExportRequest request;
  request.mutable_query()->PackFrom(*query.request);
  request.set_rows_per_message(rows_per_message);
  request.set_resume_token(target.progress().resume_token);

  Export taken(target, form);
  const int64_t deadline_ms =
      session.arguments().has("--timeout") ? session.deadline_ms() : kExportDeadlineMs;
  const auto error = session.server().stream(
      *client::find_method("lists.Export"), request, token, deadline_ms,
      [&](const Message& said) { return taken.take(static_cast<const ExportResponse&>(said)); });
  if (!taken.complete()) {
    static_cast<void>(target.save());  // the error that is told is the first one
    // The rows that are there belong to files of the view that are no more.
    const bool is_void = error.reason == "VIEW_REBUILT" || error.reason == "RESUME_TOKEN_INVALID";
    if (is_void && !out.empty()) {
      fprintf(stderr, "taizhang: %s.part cannot be gone on with: export again without --resume\n",
              out.c_str());
    }
    const bool may_go_on = !is_void && !out.empty() && !target.progress().resume_token.empty();
    if (may_go_on) {
      fprintf(stderr, "taizhang: not complete: %lld rows are in %s.part; --resume goes on\n",
              static_cast<long long>(target.progress().rows), out.c_str());
    }
    if (taken.damaged()) return session.fail(kExitDamaged, taken.wrong());
    if (!taken.wrong().empty()) return session.fail(kExitFailed, taken.wrong());
    if (!error.ok()) return session.fail(error);
    return session.fail(kExitUnavailable, "the stream ended before the list");
  }
  const auto meta = meta_of(query, form, taken);
  if (const auto finished = target.finish(meta); !finished.ok())
    return session.fail(kExitFailed, std::string(finished.message()));
  if (session.json()) {
    fprintf(out.empty() ? stderr : stdout, "%s\n", meta.dump().c_str());
  } else {
    fprintf(stderr, "%lld rows, %s\n  digest %s\n", static_cast<long long>(taken.rows()),
            text_of(taken.header().freshness()).c_str(), taken.digest().c_str());
  }
  return kExitOk;
}

}  // namespace taizhang::cli
