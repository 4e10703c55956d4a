// Households and visits on the terminal.
#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
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

void say_freshness(const common::v1::Freshness& freshness) {
  say("\n" + text_of(freshness) + "\n");
}

void say_more(const Session& session) {
  if (session.more()) say("… there is more: --limit 0 shows all\n");
}

// What a history says of each version, before what the row held.
std::vector<std::string> change_cells(const common::v1::RowChange& change) {
  return {std::to_string(change.seq()), text_of(change.recorded_time()),
          text_of(change.effective_date()), actor_of(change), change.event_type()};
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
  say(issues.text());
  say_freshness(sheet.freshness());
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
  hf::TimelineRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_household_id(session.positional(0));
  hf::TimelineResponse timeline;
  if (const int code = session.pages("household_file.Timeline", request, timeline,
                                     [](const auto& all) { return all.rows_size(); })) {
    return code;
  }
  if (session.json()) return kExitOk;
  Table table({"date", ">seq", "what", "text"});
  for (const auto& row : timeline.rows()) {
    table.row({text_of(row.effective_date()), std::to_string(row.version()), happened(row.detail()),
               row.withheld() ? "(not shown)" : row.text().text()});
  }
  say(table.text());
  say_more(session);
  say_freshness(timeline.freshness());
  return kExitOk;
}

template <class Response>
int list_obligations(Session& session, const std::string& method, auto request) {
  if (const int code = session.prepare(request)) return code;
  Response answer;
  if (const int code =
          session.pages(method, request, answer, [](const auto& all) { return all.rows_size(); })) {
    return code;
  }
  if (session.json()) return kExitOk;
  Table table({"household", "status", "helper", "period", ">required", ">done", "state", "rule"});
  for (const auto& row : answer.rows()) {
    table.row({row.household_id(), row.status(), text_of(row.helper()),
               period_of(row.period_first(), row.period_last()),
               row.has_required() ? std::to_string(row.required()) : "",
               row.has_done() ? std::to_string(row.done()) : "", word(row.state()),
               row.rule().value() + (row.why().empty() ? "" : " (" + row.why() + ")")});
  }
  say(table.text());
  say_more(session);
  say_freshness(answer.freshness());
  return kExitOk;
}

}  // namespace

int run_household_show(Session& session) {
  if (const int code = session.connect()) return code;
  if (session.arguments().has("--timeline")) return run_timeline(session);
  hf::SheetRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_household_id(session.positional(0));
  hf::SheetResponse sheet;
  if (const int code = session.ask("household_file.Sheet", request, sheet)) return code;
  if (session.json()) {
    session.print(sheet);
  } else {
    say_sheet(sheet);
  }
  return kExitOk;
}

int run_household_list(Session& session) {
  if (const int code = session.connect()) return code;
  hf::HouseholdsRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_region(session.arguments().get("--region"));
  request.set_status(session.arguments().get("--status"));
  hf::HouseholdsResponse households;
  if (const int code = session.pages("household_file.Households", request, households,
                                     [](const auto& all) { return all.rows_size(); })) {
    return code;
  }
  if (session.json()) return kExitOk;
  Table table({"household", "village", ">members", "status", "from"});
  for (const auto& row : households.rows()) {
    table.row({row.household().household_id(), place_of(row.household()),
               std::to_string(row.members()), row.status(), text_of(row.household().from_date())});
  }
  say(table.text());
  say_more(session);
  say_freshness(households.freshness());
  return kExitOk;
}

int run_household_history(Session& session) {
  if (const int code = session.connect()) return code;
  hf::HouseholdHistoryRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_household_id(session.positional(0));
  hf::HouseholdHistoryResponse history;
  if (const int code = session.pages("household_file.HouseholdHistory", request, history,
                                     [](const auto& all) { return all.rows_size(); })) {
    return code;
  }
  if (session.json()) return kExitOk;
  Table table(
      {">seq", "recorded", "effective", "who", "event", ">members", "why, from which document"});
  for (const auto& row : history.rows()) {
    auto cells = change_cells(row.change());
    cells.push_back(std::to_string(row.members()));
    cells.push_back(why_of(row.change()));
    table.row(std::move(cells));
  }
  say(table.text());
  say_more(session);
  say_freshness(history.freshness());
  return kExitOk;
}

int run_visit_show(Session& session) {
  if (const int code = session.connect()) return code;
  hf::ShowVisitRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_visit_id(session.positional(0));
  hf::ShowVisitResponse answer;
  if (const int code = session.ask("household_file.ShowVisit", request, answer)) return code;
  if (session.json()) {
    session.print(answer);
    return kExitOk;
  }
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
  say_freshness(answer.freshness());
  return kExitOk;
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
  duties::v1::VisitsResponse visits;
  if (const int code = session.pages("duties.Visits", request, visits,
                                     [](const auto& all) { return all.rows_size(); })) {
    return code;
  }
  if (session.json()) return kExitOk;
  Table table({"visit", "date", "channel", "visited", "lead"});
  for (const auto& row : visits.rows()) {
    table.row({row.visit_id(), text_of(row.date()), word(row.channel()), text_of(row.visited()),
               row.visitors_size() ? row.visitors(0) : ""});
  }
  say(table.text());
  say_more(session);
  say_freshness(visits.freshness());
  return kExitOk;
}

int run_visit_history(Session& session) {
  if (const int code = session.connect()) return code;
  hf::VisitHistoryRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_visit_id(session.positional(0));
  hf::VisitHistoryResponse history;
  if (const int code = session.pages("household_file.VisitHistory", request, history,
                                     [](const auto& all) { return all.rows_size(); })) {
    return code;
  }
  if (session.json()) return kExitOk;
  Table table(
      {">seq", "recorded", "effective", "who", "event", "visit", "why, from which document"});
  for (const auto& row : history.rows()) {
    auto cells = change_cells(row.change());
    cells.push_back(row.visit().voided()
                        ? "voided"
                        : word(row.visit().channel()) + " " + text_of(row.visit().date()));
    cells.push_back(why_of(row.change()));
    table.row(std::move(cells));
  }
  say(table.text());
  say_more(session);
  say_freshness(history.freshness());
  return kExitOk;
}

}  // namespace taizhang::cli
