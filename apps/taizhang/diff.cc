// What changed between two moments of a query.
#include <google/protobuf/descriptor.h>

#include <cstdio>

#include "apps/taizhang/csv.h"
#include "apps/taizhang/list_query.h"
#include "apps/taizhang/text.h"
#include "client/strict_json.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using lists::v1::Difference;
using lists::v1::DiffResponse;

constexpr int64_t kDiffDeadlineMs = 24 * 3'600'000;
constexpr size_t kNamesMax = 3;

int read_moment(const Session& session, const char* option, common::v1::ReadOptions& out) {
  Moment moment;
  if (const int code = session.moment(option, moment)) return code;
  if (moment.seq != 0) out.set_seq(moment.seq);
  if (moment.time) *out.mutable_recorded_time() = *moment.time;
  return kExitOk;
}

int fill_moments(const Session& session, lists::v1::DiffRequest& request) {
  if (!session.arguments().has("--since")) return session.usage("--since is missing");
  if (const int code = read_moment(session, "--since", *request.mutable_from())) return code;
  if (const int code = read_moment(session, "--until", *request.mutable_to())) return code;
  for (auto* read : {request.mutable_from(), request.mutable_to()}) {
    if (!session.arguments().has("--on")) continue;
    if (const int code = session.date("--on", read->mutable_effective_date())) return code;
  }
  return kExitOk;
}

// What a person knows a row by: the first of its ids and codes.
void add_names(const Message& row, const std::string& prefix, std::vector<std::string>& names) {
  std::vector<const FieldDescriptor*> fields;
  row.GetReflection()->ListFields(row, &fields);
  for (const auto* field : fields) {
    if (names.size() == kNamesMax) return;
    if (field->is_repeated()) continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      add_names(row.GetReflection()->GetMessage(row, field), prefix + field->name() + ".", names);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
               field->name() != "event_id") {
      names.push_back(prefix + field->name() + " " + row.GetReflection()->GetString(row, field));
    }
  }
}

std::string name_of(const Message& row) {
  std::vector<std::string> names;
  add_names(row, "", names);
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Tells one difference after the other.
class Teller {
 public:
  explicit Teller(bool json) : json_(json) {}

  bool take(const DiffResponse& said) {
    if (said.has_header()) {
      before_ = client::new_message(said.header().row_type());
      after_ = client::new_message(said.header().row_type());
      from_ = said.header().from();
      to_ = said.header().to();
    }
    for (const auto& difference : said.rows().differences()) tell(difference);
    if (said.has_trailer()) {
      trailer_ = said.trailer();
      complete_ = true;
    }
    return before_ != nullptr;
  }

  bool complete() const { return complete_; }
  bool knows_rows() const { return before_ != nullptr; }

  void say_end() const {
    if (json_) return;
    say((trailer_.added() + trailer_.removed() + trailer_.changed() > 0 ? "\n" : "") +
        std::to_string(trailer_.added()) + " added, " + std::to_string(trailer_.removed()) +
        " removed, " + std::to_string(trailer_.changed()) + " changed, " +
        std::to_string(trailer_.unchanged()) + " unchanged\nfrom " + text_of(from_) + "\nto   " +
        text_of(to_) + "\n");
  }

 private:
  void tell(const Difference& difference) {
    if (json_) return say(client::write_json(difference, false) + "\n");
    before_->ParseFromString(difference.before().value());
    after_->ParseFromString(difference.after().value());
    std::string kind = word(difference.kind());
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    say(kind + "  " + name_of(difference.has_after() ? *after_ : *before_) + "\n");
    for (const auto& field : difference.changed_fields()) {
      if (field.ends_with("version") || field.ends_with("event_ids")) continue;
      const std::string was = value_at(*before_, field);
      const std::string is = value_at(*after_, field);
      say("  " + field + ": " + (was.empty() ? "(none)" : was) + " → " +
          (is.empty() ? "(none)" : is) + "\n");
    }
    for (const auto& change : difference.changes()) {
      say("  seq " + std::to_string(change.seq()) + "  " + text_of(change.recorded_time()) + "  " +
          change.event_type() + "  " + actor_of(change) + "  " + why_of(change) + "\n");
    }
    if (difference.more_changes()) say("  … and older ones\n");
  }

  const bool json_;
  std::unique_ptr<Message> before_;
  std::unique_ptr<Message> after_;
  common::v1::Freshness from_;
  common::v1::Freshness to_;
  lists::v1::DiffTrailer trailer_;
  bool complete_ = false;
};

}  // namespace

int run_diff(Session& session) {
  if (const int code = session.connect()) return code;
  NamedQuery query;
  if (const int code = name_query(session, query)) return code;
  lists::v1::DiffRequest request;
  if (const int code = fill_moments(session, request)) return code;
  request.mutable_query()->PackFrom(*query.request);
  std::string token;
  if (const int code = session.token("", token)) return code;
  Teller teller(session.json());
  const int64_t deadline_ms =
      session.arguments().has("--timeout") ? session.deadline_ms() : kDiffDeadlineMs;
  const auto error = session.server().stream(
      *client::find_method("lists.Diff"), request, token, deadline_ms,
      [&](const Message& said) { return teller.take(static_cast<const DiffResponse&>(said)); });
  if (!error.ok()) return session.fail(error);
  if (!teller.complete()) {
    if (!teller.knows_rows())
      return session.fail(kExitFailed, "the rows are of a type that this program does not know");
    return session.fail(kExitUnavailable, "the stream ended before the list");
  }
  teller.say_end();
  return kExitOk;
}

}  // namespace taizhang::cli
