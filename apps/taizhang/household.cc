// Households and visits on the terminal.
#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "apps/taizhang/verbs.h"
#include "taizhang/duties/v1/queries.pb.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::cli {
namespace {

namespace hf = household_file::v1;

std::string period_of(const common::v1::Date& from, const common::v1::Date& to) {
  return text_of(from) + " – " + (to.year() ? text_of(to) : "");
}

std::string place_of(const hf::Household& household) {
  std::string place = household.region() + " " + household.region_name();
  if (household.has_group_no()) place += ", group " + std::to_string(household.group_no());
  return place;
}

void say_sheet(const hf::SheetResponse& sheet) {
  const auto& household = sheet.household();
  say(listing({{"household", household.household_id()},
               {"village", place_of(household)},
               {"in the book", "from " + text_of(household.from_date())},
               {"status", sheet.status().empty() ? "unknown" : sheet.status()},
               {"phone", household.contact().phone()},
               {"address", household.contact().address()},
               {"contact", household.withheld() ? "(not shown to this caller)" : ""},
               {"version", std::to_string(household.version())}}));
  say("\nMembers\n");
  Table members({"name", "relation", "head", "sex", "citizen number", "from"});
  for (const auto& member : sheet.members()) {
    const auto& person = member.person();
    members.row({person.withheld() ? "(not shown)" : person.identity().name(), member.relation(),
                 member.is_head() ? "yes" : "", person.sex(), person.identity().citizen_number(),
                 text_of(member.from_date())});
  }
  say(members.text());
  say("\nStatuses\n");
  Table statuses({"status", "period", "from where", ">version"});
  for (const auto& status : sheet.statuses()) {
    statuses.row({status.status(), period_of(status.from_date(), status.to_date()),
                  status.loaded() ? "loaded" : "decided", std::to_string(status.version())});
  }
  say(statuses.text());
  say("\nWho helps\n");
  Table pairings({"kind", "helper", "role", "period"});
  for (const auto& pairing : sheet.pairings()) {
    pairings.row({word(pairing.kind()), text_of(pairing.helper()), pairing.role(),
                  period_of(pairing.from_date(), pairing.to_date())});
  }
  say(pairings.text());
  say("\nVisits this year\n");
  Table visits({"channel", ">visits"});
  for (const auto& channel : sheet.visits_this_year()) {
    visits.row({word(channel.channel()), std::to_string(channel.visits())});
  }
  say(visits.text());
  say("\nOpen issues\n");
  Table issues({"kind", "category", "raised", "state", "due"});
  for (const auto& issue : sheet.open_issues()) {
    issues.row({word(issue.kind()), issue.category(), text_of(issue.raised_date()),
                word(issue.state()), text_of(issue.due_date())});
  }
  say(issues.text() + "\n" + text_of(sheet.freshness()) + "\n");
}

std::string happened(const hf::TimelineDetail& detail) {
  using Detail = hf::TimelineDetail;
  switch (detail.detail_case()) {
    case Detail::kRegistered: return "registered in " + detail.registered().region();
    case Detail::kMemberAdded:
      return std::string("member added") + (detail.member_added().is_head() ? " (head)" : "");
    case Detail::kStatusesLoaded: {
      std::string text = "statuses loaded:";
      for (const auto& period : detail.statuses_loaded().periods()) {
        text += " " + period.status() + " " + period_of(period.from_date(), period.to_date());
      }
      return text;
    }
    case Detail::kPairingStarted:
      return "pairing " + word(detail.pairing_started().kind()) + " with " +
             text_of(detail.pairing_started().helper());
    case Detail::kPairingEnded: return "pairing ended: " + word(detail.pairing_ended().cause());
    case Detail::kVisitMade:
      return "visit " + word(detail.visit_made().channel()) + ", " + detail.visit_made().purpose();
    case Detail::kVisitVoided:
      return "visit of " + text_of(detail.visit_voided().visit_date()) + " voided";
    case Detail::kIssueRaised:
      return "raised: " + word(detail.issue_raised().kind()) + " " +
             detail.issue_raised().category();
    case Detail::kIssueAssigned: return "assigned to " + text_of(detail.issue_assigned().owner());
    case Detail::kIssueResolved: return "resolved: " + word(detail.issue_resolved().result());
    case Detail::kPayment:
      return "paid " + yuan(detail.payment().amount_fen()) + " for " + detail.payment().purpose();
    default: return "";
  }
}

int run_timeline(Session& session) {
  return list_history<hf::TimelineRequest, hf::TimelineResponse>(
      session, "household_file.Timeline",
      [](auto& request, const auto& id) { request.set_household_id(id); },
      Table({"date", ">seq", "what", "text"}),
      [](const auto& row) {
        return std::vector<std::string>{text_of(row.effective_date()),
                                        std::to_string(row.version()), happened(row.detail()),
                                        row.withheld() ? "(not shown)" : row.text().text()};
      });
}

template <class Response>
int list_obligations(Session& session, const std::string& method, auto request) {
  if (const int code = session.prepare(request)) return code;
  return list_rows<Response>(
      session, method, request,
      Table({"household", "status", "helper", "period", ">required", ">done", "state", "rule"}),
      [](const auto& row) {
        return std::vector<std::string>{
            row.household_id(),
            row.status(),
            text_of(row.helper()),
            period_of(row.period_first(), row.period_last()),
            row.has_required() ? std::to_string(row.required()) : "",
            row.has_done() ? std::to_string(row.done()) : "",
            word(row.state()),
            row.rule().value() + (row.why().empty() ? "" : " (" + row.why() + ")")};
      });
}

void say_visit(const hf::ShowVisitResponse& answer) {
  const auto& visit = answer.visit();
  std::string visitors;
  for (const auto& visitor : visit.visitors()) visitors += (visitors.empty() ? "" : ", ") + visitor;
  std::string evidence;
  for (const auto& document : visit.evidence())
    evidence += (evidence.empty() ? "" : ", ") + text_of(document);
  say(listing({{"visit", visit.visit_id()},
               {"visited", text_of(visit.visited())},
               {"visitors", visitors},
               {"date", text_of(visit.date())},
               {"channel", word(visit.channel())},
               {"purpose", visit.purpose()},
               {"round", visit.has_round() ? std::to_string(visit.round()) : ""},
               {"rank of the lead", visit.leader_rank()},
               {"text", visit.withheld() ? "(not shown to this caller)" : visit.text().text()},
               {"evidence", evidence},
               {"version", std::to_string(visit.version())}}));
  say("\n" + text_of(answer.freshness()) + "\n");
}

}  // namespace

int run_household_show(Session& session) {
  if (session.arguments().has("--timeline")) return run_timeline(session);
  return show_one<hf::SheetRequest, hf::SheetResponse>(
      session, "household_file.Sheet",
      [](auto& request, const auto& id) { request.set_household_id(id); }, say_sheet);
}

int run_household_list(Session& session) {
  if (const int code = session.connect()) return code;
  hf::HouseholdsRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_region(session.arguments().get("--region"));
  request.set_status(session.arguments().get("--status"));
  return list_rows<hf::HouseholdsResponse>(
      session, "household_file.Households", request,
      Table({"household", "village", ">members", "status", "from"}), [](const auto& row) {
        return std::vector<std::string>{row.household().household_id(), place_of(row.household()),
                                        std::to_string(row.members()), row.status(),
                                        text_of(row.household().from_date())};
      });
}

int run_household_history(Session& session) {
  return list_history<hf::HouseholdHistoryRequest, hf::HouseholdHistoryResponse>(
      session, "household_file.HouseholdHistory",
      [](auto& request, const auto& id) { request.set_household_id(id); },
      history_table({">members"}),
      [](const auto& row) { return history_cells(row, {std::to_string(row.members())}); });
}

int run_visit_show(Session& session) {
  return show_one<hf::ShowVisitRequest, hf::ShowVisitResponse>(
      session, "household_file.ShowVisit",
      [](auto& request, const auto& id) { request.set_visit_id(id); }, say_visit);
}

int run_visit_list(Session& session) {
  if (const int code = session.connect()) return code;
  const auto& arguments = session.arguments();
  if (arguments.has("--due") && arguments.has("--overdue"))
    return session.usage("only one of --due and --overdue");
  if (arguments.has("--due")) {
    return list_obligations<duties::v1::DueResponse>(session, "duties.Due",
                                                     duties::v1::DueRequest());
  }
  if (arguments.has("--overdue")) {
    return list_obligations<duties::v1::OverdueResponse>(session, "duties.Overdue",
                                                         duties::v1::OverdueRequest());
  }
  duties::v1::VisitsRequest request;
  if (const int code = session.prepare(request)) return code;
  if (arguments.has("--household")) {
    request.mutable_visited()->set_kind(common::v1::SUBJECT_KIND_HOUSEHOLD);
    request.mutable_visited()->set_id(arguments.get("--household"));
  }
  request.set_worker_id(arguments.get("--worker"));
  if (arguments.has("--from")) {
    if (const int code = session.date("--from", request.mutable_from_date())) return code;
  }
  if (arguments.has("--to")) {
    if (const int code = session.date("--to", request.mutable_to_date())) return code;
  }
  return list_rows<duties::v1::VisitsResponse>(
      session, "duties.Visits", request, Table({"visit", "date", "channel", "visited", "lead"}),
      [](const auto& row) {
        return std::vector<std::string>{row.visit_id(), text_of(row.date()), word(row.channel()),
                                        text_of(row.visited()),
                                        row.visitors_size() ? row.visitors(0) : ""};
      });
}

int run_visit_history(Session& session) {
  return list_history<hf::VisitHistoryRequest, hf::VisitHistoryResponse>(
      session, "household_file.VisitHistory",
      [](auto& request, const auto& id) { request.set_visit_id(id); }, history_table({"visit"}),
      [](const auto& row) {
        const auto& visit = row.visit();
        return history_cells(
            row, {visit.voided() ? "voided" : word(visit.channel()) + " " + text_of(visit.date())});
      });
}

}  // namespace taizhang::cli
