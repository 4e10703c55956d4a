// One random command of each type: acceptable in the book as it is, or spoilt in a way that is its
// own.
#include <algorithm>

#include "domain/dates.h"
#include "domain/region.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "tests/support/assets_commands.h"
#include "tests/support/assistance_commands.h"
#include "tests/support/funds_commands.h"
#include "tests/support/random_book.h"
#include "tests/support/registry_commands.h"

namespace taizhang::test {

using assets::state::v1::Asset;
using assistance::state::v1::Issue;
using assistance::state::v1::Pairing;
using assistance::state::v1::Visit;
using common::v1::SUBJECT_KIND_HOUSEHOLD;
using common::v1::SUBJECT_KIND_ORGANISATION;
using common::v1::SUBJECT_KIND_VILLAGE;
using common::v1::SUBJECT_KIND_WORKER;
using funds::state::v1::FundLine;
using google::protobuf::Message;

namespace {

template <class Request>
std::unique_ptr<Message> made(Request request) {
  return std::make_unique<Request>(std::move(request));
}

}  // namespace

template <class Row, class Good>
std::string RandomBook::where(const char* kind, const Good& good) {
  std::string name = any(kind);
  for (int tries = 0; tries < 8; ++tries) {
    const auto* row = book_->find<Row>(id(name));
    if (row && good(*row)) break;
    name = any(kind);
  }
  return name;
}

template <class Row>
std::string RandomBook::known(const char* kind) {
  return where<Row>(kind, [](const Row&) { return true; });
}

const std::vector<RandomBook::Kind>& RandomBook::kinds() {
  using B = RandomBook;
  static const auto* all = new std::vector<Kind>{
      {1, &B::open_ledger, "operator"},
      {3, &B::create_region, "operator"},
      {3, &B::publish_code_list, "operator"},
      {2, &B::define_parameter, "operator"},
      {4, &B::set_parameter, "operator"},
      {4, &B::register_organisation, "maker"},
      {4, &B::register_worker, "maker"},
      {6, &B::register_household, "maker"},
      {4, &B::load_household_status, "maker"},
      {6, &B::start_pairing, "maker"},
      {6, &B::end_pairing, "maker"},
      {9, &B::record_visit, "maker"},
      {3, &B::assign_issue, "maker"},
      {3, &B::resolve_issue, "maker"},
      {2, &B::reopen_issue, "maker"},
      {3, &B::void_visit, "maker"},
      {2, &B::open_fund_line, "maker"},
      {3, &B::record_budget, "maker"},
      {4, &B::record_arrival, "maker"},
      {8, &B::spend_directly, "maker"},
      {4, &B::form_asset, "maker"},
      {6, &B::check_asset, "maker"},
      {6, &B::confirm_title, "maker"},
      {6, &B::offer_asset, "maker"},
      {5, &B::answer_offer, "checker"},
      {3, &B::void_check, "maker"},
  };
  return *all;
}

// --- The ledger and its reference data
// ------------------------------------------------------------------------------

RandomBook::MessagePtr RandomBook::open_ledger() {
  admin::v1::OpenLedgerRequest request;
  request.set_ledger(ledger_);
  request.set_kind(chance(60) ? common::v1::LEDGER_KIND_COUNTY
                              : common::v1::LEDGER_KIND_PREFECTURE);
  request.set_name(chance(50) ? "test" : "another name");
  return made(dated(request, kReferenceDay));
}

RandomBook::MessagePtr RandomBook::create_region() {
  const int village = 203 + between(0, 90);
  std::string code = std::string(kTown) + std::to_string(village);
  switch (below(10)) {
    case 0: code = "990101000"; break;                            // no township has this number
    case 1: code = "99010110"; break;                             // of no level's length
    case 2: code = "990101555" + std::to_string(village); break;  // its township is not there
    case 3: code = "990102100"; break;                            // of the neighbour
    case 4: code = "990101" + std::to_string(between(101, 199)); break;
    case 5: code = std::string(kVillageJ) + std::to_string(between(101, 199)); break;
    default: break;
  }
  auto request = [&] {
    rules::v1::CreateRegionRequest made_request;
    made_request.set_region(code);
    made_request.set_name(chance(90) ? "区" + code : "other");
    made_request.set_level(level_of_region(code));
    if (made_request.level() == common::v1::ADMIN_LEVEL_UNSPECIFIED || chance(5)) {
      made_request.set_level(common::v1::ADMIN_LEVEL_GROUP);
    }
    *made_request.mutable_valid_from_date() = date_of(chance(95) ? kReferenceDay : 20110101);
    return made_request;
  }();
  return made(dated(request, chance(95) ? kReferenceDay : some_day()));
}

RandomBook::MessagePtr RandomBook::publish_code_list() {
  using rules::state::v1::CodeList;
  const std::string list_id = "extra.list" + std::to_string(between(0, 9));
  const auto& list = book_->get<CodeList>(list_id);
  rules::v1::PublishCodeListRequest request;
  request.set_list_id(list_id);
  const int next = list.versions_size() + 1;
  request.set_version("v" + std::to_string(chance(90) ? next : std::max(1, next - 1)));
  int32_t from = list.versions().empty()
                     ? 20130101
                     : add_days(list.versions().rbegin()->from_day(), between(1, 60));
  if (chance(8) && !list.versions().empty()) from = list.versions().rbegin()->from_day();
  *request.mutable_valid_from_date() = date_of(from);
  request.set_standard("test");
  const int codes = between(1, 4);
  for (int i = 0; i < codes; ++i) {
    auto& entry = *request.add_entries();
    entry.set_code("C" + std::to_string(i));
    entry.set_label("label");
    if (i > 0 && chance(20)) entry.set_parent("C0");
    if (chance(10)) entry.add_successors(chance(60) ? "C0" : "C9");
  }
  if (chance(6)) *request.add_entries() = request.entries(0);
  state_version(request, list.version());
  return made(dated(request, day_from(20130101)));
}

RandomBook::MessagePtr RandomBook::define_parameter() {
  using namespace rules::v1;
  const int number = between(0, 30);
  DefineParameterRequest request;
  copy_inputs(
      parameter_defined("extra.key" + std::to_string(number),
                        static_cast<ParameterType>(1 + number % PARAMETER_TYPE_AMOUNT_ITEMS),
                        {"region", "year"}),
      request);
  if (chance(20)) request.set_text("other words");
  if (request.type() == PARAMETER_TYPE_DAYS) request.mutable_bounds()->set_max(100);
  if (request.type() == PARAMETER_TYPE_ENUM_SET) {
    for (const char* member : {"A", "B"}) request.mutable_bounds()->add_members(member);
  }
  if (chance(12)) {
    request.mutable_bounds()->set_min(10);
    request.mutable_bounds()->set_max(9);
  }
  if (chance(3)) request.add_scope_dims("weather");
  return made(dated(request, kReferenceDay));
}

rules::v1::ParameterValue RandomBook::value_of_type(rules::v1::ParameterType type) {
  using namespace rules::v1;
  switch (type) {
    case PARAMETER_TYPE_BOOL: return flag_value(chance(50));
    case PARAMETER_TYPE_DAYS: return days_value(between(0, 115));
    case PARAMETER_TYPE_BP: return bp_value(between(0, 10'000));
    case PARAMETER_TYPE_DATE: return date_value(some_day());
    case PARAMETER_TYPE_CODES:
      return codes_value("fund_purpose", {chance(90) ? "TERRACE" : "NOPE"});
    case PARAMETER_TYPE_ENUM_SET: return set_value({chance(80) ? "A" : "C"});
    case PARAMETER_TYPE_COUNT_PER_PERIOD: return count_value(between(1, 9), CALENDAR_PERIOD_MONTH);
    case PARAMETER_TYPE_RATE: return rate_value(between(1, 900), common::v1::UNIT_MU);
    case PARAMETER_TYPE_AMOUNT_ITEMS:
      return items_value({between(1, 900), 5}, CALENDAR_PERIOD_YEAR);
    default: {
      ParameterValue value;
      if (type == PARAMETER_TYPE_FEN) {
        value.set_fen(between(0, 1'000));
      } else {
        value.mutable_month_day()->set_month(between(1, 12));
        value.mutable_month_day()->set_day(between(1, 28));
      }
      return value;
    }
  }
}

RandomBook::MessagePtr RandomBook::set_parameter() {
  using rules::state::v1::Parameter;
  const std::string key = "extra.key" + std::to_string(between(0, 33));
  const auto& parameter = book_->get<Parameter>(key);
  rules::v1::SetParameterRequest request;
  request.set_key(key);
  const auto type =
      chance(92) && parameter.type() != 0 ? parameter.type() : rules::v1::PARAMETER_TYPE_BOOL;
  *request.mutable_value() = value_of_type(type);
  if (chance(40))
    (*request.mutable_scope())["region"] = chance(50) ? std::string(kVillageJ) : std::string(kTown);
  if (chance(4)) (*request.mutable_scope())["rank"] = "STAFF";
  const int32_t from = chance(50) ? day_from(20130101) : 20130101;
  *request.mutable_valid_from_date() = date_of(from);
  if (chance(50)) *request.mutable_valid_to_date() = date_of(add_days(from, between(0, 200)));
  if (chance(30) && !parameter.settings().empty()) {
    const auto& earlier = parameter.settings(
        static_cast<int>(below(static_cast<uint64_t>(parameter.settings_size()))));
    request.set_supersedes_version(earlier.number());
    request.clear_scope();
    for (const auto& scope : earlier.scope())
      (*request.mutable_scope())[scope.dimension()] = scope.code();
    *request.mutable_valid_from_date() = date_of(add_days(earlier.from_day(), between(-5, 100)));
    request.clear_valid_to_date();
  }
  *request.mutable_document() = paper("RULE");
  state_version(request, parameter.version());
  return made(dated(request, kReferenceDay));
}

// --- People and organisations
// ---------------------------------------------------------------------------------------

RandomBook::MessagePtr RandomBook::register_organisation() {
  using namespace registry::v1;
  const std::string name = chance(95) ? fresh("org") : any("org");
  auto request = test::register_organisation(name);
  request.set_kind(static_cast<OrganisationKind>(between(1, 11)));
  if (chance(25)) request.set_kind(ORGANISATION_KIND_BRANCH);
  if (chance(40)) {
    char text[16];
    snprintf(text, sizeof text, "MA7%05d", chance(80) ? made_["credit code"]++ : between(0, 20));
    request.set_credit_code(credit_code(text));
    if (chance(20)) request.set_org_id("uscc:" + request.credit_code());
    if (chance(6))
      request.mutable_credit_code()->back() = request.credit_code().back() == '1' ? '2' : '1';
  }
  if (chance(30)) request.set_parent_org_id(id(any("org")));
  if (chance(4)) request.set_parent_org_id(request.org_id());
  if (chance(20)) request.set_accountable_worker_id(id(any("worker")));
  return made(dated(request, first_day()));
}

// Whoever has it already now and then.
std::string RandomBook::some_number() {
  const int order = chance(94) ? made_["citizen"]++ : between(0, std::max(0, made_["citizen"] - 1));
  std::string number = citizen_number(order % 1'000, add_days(19500101, order / 1'000 * 30));
  if (chance(3)) number.back() = number.back() == '1' ? '2' : '1';
  return number;
}

RandomBook::MessagePtr RandomBook::register_worker() {
  auto request = test::register_worker(chance(95) ? fresh("worker") : any("worker"));
  request.set_org_id(id(any("org")));
  if (chance(50)) request.mutable_identity()->set_citizen_number(some_number());
  if (chance(10))
    request.mutable_identity()->set_citizen_number(citizen_number(between(0, 5), 19600101));
  if (chance(15)) request.set_village(any_village());
  if (chance(3)) request.set_village(std::string(kTown));
  if (chance(5)) request.set_person_id(id(any("household") + "-0"));
  return made(dated(request, first_day()));
}

RandomBook::MessagePtr RandomBook::register_household() {
  auto request =
      test::register_household(chance(95) ? fresh("household") : any("household"), between(1, 4));
  for (auto& member : *request.mutable_members()) {
    member.mutable_identity()->set_citizen_number(some_number());
    if (chance(20)) {
      member.mutable_identity()->clear_citizen_number();
      *member.mutable_identity()->mutable_birth_date() = date_of(19700301);
    }
  }
  request.set_region(any_village());
  auto& last = *request.mutable_members(request.members_size() - 1);
  switch (below(40)) {
    case 0: request.set_region(std::string(kTown)); break;
    case 1: request.clear_members(); break;
    case 2: request.mutable_members(0)->set_is_head(false); break;
    case 3: last.set_is_head(true); break;
    case 4: *last.mutable_identity()->mutable_birth_date() = date_of(19710302); break;
    case 5:
      last.mutable_identity()->set_citizen_number(request.members(0).identity().citizen_number());
      break;
    case 6: last.set_person_id(id(any("household") + "-0")); break;
    case 7: last.mutable_identity()->Clear(); break;
    case 8: last.mutable_identity()->clear_citizen_number(); break;
    default: break;
  }
  return made(dated(request, first_day()));
}

RandomBook::MessagePtr RandomBook::load_household_status() {
  using registry::state::v1::Household;
  using registry::state::v1::HouseholdStatus;
  const std::string name = known<Household>("household");
  int32_t from = chance(80) ? 20120101 : 20150601;
  for (const auto& period : book_->get<HouseholdStatus>(id(name)).periods()) {
    if (chance(80) && period.to_day() != 0) from = std::max(from, add_days(period.to_day(), 1));
  }
  auto request = load_status(name, one_of({"POOR", "LIFTED", "UNSTABLE"}), from,
                             chance(60) ? add_days(from, between(0, 500)) : 0);
  if (request.periods(0).has_to_date() && chance(40)) {
    const int32_t second = add_days(day_of(request.periods(0).to_date()), between(0, 2));
    auto& period = *request.add_periods();
    period.set_status("LIFTED");
    *period.mutable_from_date() = date_of(second);
  }
  if (chance(4)) *request.mutable_periods(0)->mutable_from_date() = date_of(20170901);
  if (const auto* household = book_->find<Household>(id(name)))
    state_version(request, household->version());
  return made(dated(request, day_from(20171001)));
}

// --- Assistance
// -----------------------------------------------------------------------------------------------------

RandomBook::MessagePtr RandomBook::start_pairing() {
  using namespace assistance::v1;
  using common::v1::SubjectKind;
  const auto kind = static_cast<PairingKind>(
      chance(60) ? one_of<int>({PAIRING_KIND_CADRE_HOUSEHOLD, PAIRING_KIND_BRANCH_VILLAGE,
                                PAIRING_KIND_UNIT_VILLAGE})
                 : between(1, PAIRING_KIND_LIAISON_HOUSEHOLD));
  SubjectKind helper = SUBJECT_KIND_WORKER;
  SubjectKind helped = SUBJECT_KIND_HOUSEHOLD;
  switch (kind) {
    case PAIRING_KIND_UNIT_VILLAGE:
    case PAIRING_KIND_ENTERPRISE_VILLAGE:
    case PAIRING_KIND_BRANCH_VILLAGE: helper = SUBJECT_KIND_ORGANISATION; [[fallthrough]];
    case PAIRING_KIND_LEADER_VILLAGE: helped = SUBJECT_KIND_VILLAGE; break;
    case PAIRING_KIND_UNIT_TOWNSHIP: helper = SUBJECT_KIND_ORGANISATION; [[fallthrough]];
    case PAIRING_KIND_CADRE_GROUP: helped = common::v1::SUBJECT_KIND_REGION; break;
    case PAIRING_KIND_ENTERPRISE_HOUSEHOLD: helper = SUBJECT_KIND_ORGANISATION; break;
    case PAIRING_KIND_STAFF_SCHOOL: helped = SUBJECT_KIND_ORGANISATION; break;
    case PAIRING_KIND_HEAD_TEACHER: helped = SUBJECT_KIND_WORKER; break;
    case PAIRING_KIND_TEACHER_STUDENT: helped = common::v1::SUBJECT_KIND_PERSON; break;
    default: break;
  }
  if (chance(4)) std::swap(helper, helped);
  auto helper_ref = any_subject(helper);
  if (kind == PAIRING_KIND_BRANCH_VILLAGE && chance(80)) {
    helper_ref.set_id(id(where<registry::state::v1::Organisation>("org", [](const auto& row) {
      return row.kind() == registry::v1::ORGANISATION_KIND_BRANCH;
    })));
  }
  auto request = test::start_pairing(chance(96) ? fresh("pairing") : any("pairing"), kind,
                                     helper_ref, any_subject(helped), day_from(20170101));
  if (chance(10)) request.set_accountable_worker_id(id(any("worker")));
  return made(request);
}

RandomBook::MessagePtr RandomBook::end_pairing() {
  using namespace assistance::v1;
  const bool ended_too = chance(6);
  const std::string name =
      where<Pairing>("pairing", [&](const Pairing& row) { return ended_too || row.to_day() == 0; });
  const auto& pairing = book_->get<Pairing>(id(name));
  const int32_t from = pairing.from_day() == 0 ? 20170101 : pairing.from_day();
  const auto cause = static_cast<PairingEndCause>(
      chance(85) ? one_of<int>({PAIRING_END_CAUSE_LIFTED, PAIRING_END_CAUSE_SUCCEEDED,
                                PAIRING_END_CAUSE_TERM_ENDED, PAIRING_END_CAUSE_IN_ERROR})
                 : between(4, 6));
  std::string successor;
  if (cause == PAIRING_END_CAUSE_SUCCEEDED) {
    successor = where<Pairing>("pairing", [&](const Pairing& other) {
      return other.kind() == pairing.kind() && other.helped().id() == pairing.helped().id() &&
             other.pairing_id() != pairing.pairing_id() && other.from_day() >= from;
    });
  }
  int32_t to = day_from(from);
  if (const auto* next = successor.empty() ? nullptr : book_->find<Pairing>(id(successor));
      next && chance(80)) {
    to = std::max(from, add_days(next->from_day(), chance(80) ? -1 : -2));
  }
  if ((cause == PAIRING_END_CAUSE_IN_ERROR) == chance(95)) to = add_days(from, -1);
  auto request = test::end_pairing(name, to, cause, successor);
  state_version(request, pairing.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::record_visit() {
  const auto kind =
      chance(75) ? SUBJECT_KIND_HOUSEHOLD
                 : one_of({SUBJECT_KIND_VILLAGE, SUBJECT_KIND_ORGANISATION, SUBJECT_KIND_WORKER});
  auto request = test::record_visit(chance(96) ? fresh("visit") : any("visit"), any_subject(kind),
                                    any("worker"), chance(60) ? day_from(20171220) : some_day());
  if (chance(3)) *request.mutable_visited() = subject(kind, id("nobody"));
  request.set_channel(static_cast<assistance::v1::VisitChannel>(chance(80) ? 1 : between(1, 5)));
  if (chance(20)) {
    const std::string second = id(any("worker"));
    if (second != request.visitors(0)) request.add_visitors(second);
  }
  // The same household, lead and day as another.
  if (const auto* other = chance(12) ? book_->find<Visit>(id(any("visit"))) : nullptr) {
    *request.mutable_visited() = other->visited();
    request.set_visitors(0, other->lead_worker_id());
    *request.mutable_date() = date_of(other->day());
    request.set_channel(other->channel());
    if (request.visitors_size() > 1) request.mutable_visitors()->RemoveLast();
  }
  for (int issues = chance(40) ? between(1, 2) : 0; issues > 0; --issues) {
    request = noting(std::move(request), chance(97) ? fresh("issue") : any("issue"),
                     one_of({"OTHER", "LOAN_DELAY", "LOAN_DELAY", "WATER"}));
    auto& noted = *request.mutable_requests(request.requests_size() - 1);
    if (noted.category() == "WATER" && chance(70))
      noted.set_kind(assistance::v1::ISSUE_KIND_DIFFICULTY);
    if (chance(20)) {
      *noted.mutable_due_date() =
          date_of(add_days(day_of(request.date()), between(chance(10) ? -3 : 0, 30)));
    }
  }
  if (chance(10)) request.mutable_text()->set_text("words");
  return made(request);
}

RandomBook::MessagePtr RandomBook::assign_issue() {
  const std::string name =
      where<Issue>("issue", [&](const Issue& row) { return row.state() != Issue::STATE_RESOLVED; });
  const auto& issue = book_->get<Issue>(id(name));
  const int32_t day =
      chance(95) ? day_from(issue.raised_day() == 0 ? 20170101 : issue.raised_day()) : some_day();
  auto request = test::assign_issue(
      name, any_subject(chance(50) ? SUBJECT_KIND_WORKER : SUBJECT_KIND_ORGANISATION),
      add_days(day, between(chance(6) ? -4 : 0, 60)));
  if (chance(15)) request.set_escalated_to(id(any("org")));
  state_version(request, issue.version());
  return made(dated(request, day));
}

RandomBook::MessagePtr RandomBook::resolve_issue() {
  const bool resolved_too = chance(12);
  const std::string name = where<Issue>("issue", [&](const Issue& row) {
    return resolved_too || row.state() != Issue::STATE_RESOLVED;
  });
  const auto& issue = book_->get<Issue>(id(name));
  auto request = test::resolve_issue(name);
  if (chance(6)) request.clear_evidence();
  state_version(request, issue.version());
  return made(dated(request, chance(94)
                                 ? day_from(issue.raised_day() == 0 ? 20170101 : issue.raised_day())
                                 : some_day()));
}

RandomBook::MessagePtr RandomBook::reopen_issue() {
  const bool open_too = chance(20);
  const std::string name = where<Issue>(
      "issue", [&](const Issue& row) { return open_too || row.state() == Issue::STATE_RESOLVED; });
  const auto& issue = book_->get<Issue>(id(name));
  assistance::v1::ReopenIssueRequest request;
  request.set_issue_id(id(name));
  state_version(request, issue.version());
  return made(dated(request, chance(94)
                                 ? day_from(issue.raised_day() == 0 ? 20170101 : issue.raised_day())
                                 : some_day()));
}

RandomBook::MessagePtr RandomBook::void_visit() {
  const bool voided_too = chance(12);
  const std::string name =
      where<Visit>("visit", [&](const Visit& row) { return voided_too || !row.voided(); });
  auto request = void_record(common::v1::SUBJECT_KIND_VISIT, name);
  const auto& visit = book_->get<Visit>(id(name));
  if (chance(8))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_ISSUE, id(any("issue")));
  if (chance(4))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_PAIRING, id(any("pairing")));
  if (chance(5)) request.mutable_context()->clear_reason();
  if (chance(20)) request.set_replaced_by(chance(80) ? id(any("visit")) : request.record().id());
  state_version(request, visit.version());
  const int32_t day = visit.day() == 0 ? 20170101 : visit.day();
  return made(
      dated(request, chance(60) ? std::min(today_, add_days(day, between(0, 30))) : day_from(day)));
}

// --- Funds
// ----------------------------------------------------------------------------------------------------------

RandomBook::MessagePtr RandomBook::open_fund_line() {
  using namespace funds::v1;
  auto request =
      open_line(chance(95) ? fresh("line") : any("line"),
                chance(75) ? one_of({SOURCE_KIND_SELF_RAISED, SOURCE_KIND_SPECIAL_HELP_FUND})
                           : one_of({SOURCE_KIND_WON, SOURCE_KIND_DONATION, SOURCE_KIND_CENTRAL}));
  request.set_owner_org_id(id(known<registry::state::v1::Organisation>("org")));
  if (chance(10)) request.add_purposes("INDUSTRY");
  if (chance(30)) request.set_sector(one_of({"HOUSING", "AGRICULTURE"}));
  if (chance(20)) request.set_origin_line(id(chance(85) ? any("line") : std::string("no line")));
  if (chance(20)) request.set_raised_by_org_id(id(any("org")));
  return made(dated(request, chance(80) ? kReferenceDay : some_day()));
}

RandomBook::MessagePtr RandomBook::record_budget() {
  const std::string name = known<FundLine>("line");
  const auto& line = book_->get<FundLine>(id(name));
  const auto nature = chance(40) ? funds::v1::BUDGET_NATURE_ISSUED : funds::v1::BUDGET_NATURE_PLAN;
  auto request = test::record_budget(chance(95) ? fresh("budget") : any("budget"), name,
                                     between(1, 2'000'000), nature);
  if (nature == funds::v1::BUDGET_NATURE_ISSUED && chance(80)) {
    request.set_amount_fen(request.amount_fen() + line.arrived_fen());
  }
  if (chance(20)) {
    request.mutable_per_head()->set_role("FIRST_SECRETARY");
    request.mutable_per_head()->set_heads(between(1, 3));
    if (chance(75)) request.set_amount_fen(1'790'000 * request.per_head().heads());
  }
  if (chance(3)) request.set_amount_fen(-1);
  state_version(request, line.version());
  return made(
      dated(request, chance(95) ? day_from(std::max(line.from_day(), 20170101)) : kReferenceDay));
}

RandomBook::MessagePtr RandomBook::record_arrival() {
  const std::string name = known<FundLine>("line");
  const auto& line = book_->get<FundLine>(id(name));
  const std::string arrival = chance(95) ? fresh("arrival") : any("arrival");
  int64_t amount = between(1, 3'000'000);
  if (line.issued_budgets() > 0 && line.budgeted_fen() > line.arrived_fen() && chance(80)) {
    amount = std::min(amount, line.budgeted_fen() - line.arrived_fen());
  }
  auto request = test::record_arrival(
      arrival, name, amount,
      chance(95) ? day_from(std::max(line.from_day(), 20170101)) : kReferenceDay);
  if (chance(8)) request.set_bank_reference(any("arrival"));
  if (chance(10)) *request.mutable_donor() = any_subject(SUBJECT_KIND_ORGANISATION);
  if (chance(2)) request.set_asset_income_id(id("income"));
  state_version(request, line.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::spend_directly() {
  const std::string name = where<FundLine>(
      "line", [](const FundLine& row) { return row.arrived_fen() > row.paid_fen(); });
  const auto& line = book_->get<FundLine>(id(name));
  const int64_t cash = line.arrived_fen() - line.paid_fen();
  const int64_t amount =
      1 + static_cast<int64_t>(below(static_cast<uint64_t>(std::max<int64_t>(cash, 1)))) / 4;
  const std::string payment = chance(95) ? fresh("payment") : any("payment");
  const int32_t day = chance(95) ? day_from(std::max(line.from_day(), 20170101)) : kReferenceDay;
  auto request = spend(payment, name, chance(94) ? amount : cash + between(1, 9), day);
  if (chance(25)) {
    const bool gift = chance(50);
    const auto bought =
        quantity(between(1, 3), gift ? common::v1::UNIT_HOUSEHOLD : common::v1::UNIT_MU);
    request = spend_at(payment, name, gift ? "FESTIVAL_GIFT_HOUSEHOLD" : "TERRACE",
                       gift ? 30'000 : 50'000, bought);
    *request.mutable_paid_date() = date_of(day);
    switch (below(12)) {
      case 0: request.set_amount_fen(request.amount_fen() + 1); break;
      case 1: request.mutable_price()->mutable_quantity()->set_unit(common::v1::UNIT_PERSON); break;
      case 2:
        request.mutable_price()->set_unit_price_fen(40'000);
        request.set_amount_fen(40'000 * bought.milli() / 1'000);
        break;
      case 3: request.mutable_price()->mutable_quantity()->set_milli(0); break;
      default: break;
    }
  }
  if (chance(50))
    request.mutable_payee()->mutable_label()->set_text("shop");
  else
    *request.mutable_payee()->mutable_subject() =
        any_subject(chance(50) ? SUBJECT_KIND_ORGANISATION : SUBJECT_KIND_HOUSEHOLD);
  request.set_region(chance(85) ? any_village() : std::string(kCounty));
  request.set_approved_by(id(any("worker")));
  switch (below(30)) {
    case 0: request.set_project_id(id("project")); break;
    case 1: request.set_purpose("OFFICE"); break;
    case 2: request.clear_evidence(); break;
    case 3: request.set_amount_fen(0); break;
    case 4: request.set_amount_fen(2'000'000'000'000'000); break;
    case 5: request.set_approved_by(id("worker " + std::to_string(between(0, 3)))); break;
    default: break;
  }
  state_version(request, line.version());
  return made(request);
}

// --- Assets
// ---------------------------------------------------------------------------------------------------------

RandomBook::MessagePtr RandomBook::form_asset() {
  using common::v1::Figure;
  auto request = form(chance(95) ? fresh("asset") : any("asset"),
                      static_cast<assets::v1::AssetClass>(chance(50) ? 2 : between(1, 4)));
  request.set_region(any_village());
  *request.mutable_formed_date() = date_of(day_from(20170101));
  request.clear_parts();
  const auto qualifier = static_cast<Figure::Qualifier>(
      chance(70) ? static_cast<int>(Figure::QUALIFIER_EXACT)
                 : one_of<int>({Figure::QUALIFIER_AT_LEAST, Figure::QUALIFIER_AT_MOST,
                                Figure::QUALIFIER_ABOUT, Figure::QUALIFIER_RANGE,
                                Figure::QUALIFIER_UNKNOWN}));
  const int parts = between(1, 3);
  int64_t sum = 0;
  for (int i = 0; i < parts; ++i) {
    auto& part = *request.add_parts();
    part.set_source_kind(funds::v1::SOURCE_KIND_CENTRAL);
    part.set_fen(between(1, 1'000'000));
    sum += part.fen();
  }
  if (chance(20)) request.mutable_parts(0)->set_fund_line_id(id(any("line")));
  *request.mutable_value() = value_of(qualifier, sum + (chance(8) ? between(-1, 1) : 0));
  if (qualifier == Figure::QUALIFIER_RANGE) request.mutable_value()->set_high(sum + 5);
  if (qualifier == Figure::QUALIFIER_UNKNOWN) {
    request.mutable_value()->clear_fen();
    if (!chance(20)) request.clear_parts();
  }
  request.clear_serials();
  if (chance(4)) request.set_project_id(id("project"));
  if (chance(2)) request.set_care_id(id("care"));
  return made(request);
}

RandomBook::MessagePtr RandomBook::check_asset() {
  const std::string name = known<Asset>("asset");
  const auto& asset = book_->get<Asset>(id(name));
  auto request = check(chance(95) ? fresh("check") : any("check"), name,
                       chance(96) ? day_from(std::max(asset.from_day(), 20170101)) : 20170101);
  if (chance(10)) *request.mutable_found() = quantity(between(0, 12), common::v1::UNIT_PIECE);
  if (chance(5)) request.mutable_found()->set_unit(common::v1::UNIT_COPY);
  request.set_condition(chance(85) ? "GOOD" : "DAMAGED");
  request.set_checker_worker_id(id(any("worker")));
  state_version(request, asset.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::confirm_title() {
  const bool any_state = chance(12);
  const std::string name = where<Asset>("asset", [&](const Asset& row) {
    return any_state || (!row.has_owner() && !row.checks().empty());
  });
  const auto& asset = book_->get<Asset>(id(name));
  const int32_t first = asset.checks().empty() ? 20170101 : asset.checks(0).day();
  auto request = title(name, chance(94) ? day_from(first) : some_day());
  if (asset.asset_class() == assets::v1::ASSET_CLASS_HOUSEHOLD) {
    set_owner(request, any_subject(SUBJECT_KIND_HOUSEHOLD));
  } else if (chance(40)) {
    set_owner(request, any_subject(SUBJECT_KIND_ORGANISATION));
  }
  if (chance(5)) set_owner(request, any_subject(SUBJECT_KIND_WORKER));
  if (chance(5)) request.mutable_rights(0)->set_right(assets::v1::ASSET_RIGHT_INCOME);
  state_version(request, asset.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::offer_asset() {
  const bool any_state = chance(15);
  const auto offerable = [&](const Asset& row) {
    return any_state || (row.has_owner() && row.open_offer_id().empty() && !row.has_holder());
  };
  const std::string first = where<Asset>("asset", offerable);
  int32_t day = std::max(book_->get<Asset>(id(first)).title_day(), 20170101);
  day = std::max(day, book_->get<Asset>(id(first)).rejected_day());
  auto request = offer(chance(95) ? fresh("offer") : any("offer"), {first},
                       chance(92) ? day_from(day) : some_day());
  if (chance(20)) {
    const std::string second = id(where<Asset>("asset", offerable));
    if (second != request.asset_ids(0)) request.add_asset_ids(second);
  }
  *request.mutable_to() =
      chance(60)   ? any_subject(SUBJECT_KIND_VILLAGE)
      : chance(50) ? any_subject(SUBJECT_KIND_HOUSEHOLD)
                   : subject(SUBJECT_KIND_ORGANISATION, id(chance(60) ? "org 0" : any("org")));
  return made(request);
}

RandomBook::MessagePtr RandomBook::answer_offer() {
  using namespace assets::v1;
  using assets::state::v1::Offer;
  const bool answered_too = chance(10);
  const std::string name = where<Offer>("offer", [&](const Offer& row) {
    return answered_too || row.answer() == OFFER_DECISION_UNSPECIFIED;
  });
  const auto& offer = book_->get<Offer>(id(name));
  const bool accept = chance(70);
  auto request = answer(name, accept ? OFFER_DECISION_ACCEPT : OFFER_DECISION_REJECT,
                        chance(95) ? day_from(std::max(offer.offered_day(), 20170101)) : 20170101);
  auto& sign_off = *request.mutable_sign_offs(0);
  sign_off.set_org_id(id(any("org")));
  if (offer.to().kind() == SUBJECT_KIND_HOUSEHOLD)
    sign_off.set_mark(common::v1::SignOff::MARK_THUMB);
  if (chance(5)) sign_off.set_role(common::v1::SignOff::ROLE_WITNESS);
  if (chance(2)) sign_off.clear_org_id();
  if (request.has_manager()) {
    request.mutable_manager()->mutable_subject()->set_id(id(any("worker")));
    if (chance(20)) request.clear_manager();
  }
  state_version(request, offer.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::void_check() {
  using assets::state::v1::Check;
  const bool voided_too = chance(10);
  const std::string name =
      where<Check>("check", [&](const Check& row) { return voided_too || !row.voided(); });
  auto request = test::void_check(name);
  const auto& row = book_->get<Check>(id(name));
  if (chance(6))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_ASSET, id(any("asset")));
  if (chance(4))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_OFFER, id(any("offer")));
  if (chance(5)) request.mutable_context()->clear_reason();
  if (chance(10)) request.set_replaced_by(chance(70) ? id(any("check")) : request.record().id());
  state_version(request, row.version());
  const int32_t day = row.check_day() == 0 ? 20170101 : row.check_day();
  if (chance(5)) return made(dated(request, add_days(day, -1)));
  return made(
      dated(request, chance(60) ? std::min(today_, add_days(day, between(0, 30))) : day_from(day)));
}

}  // namespace taizhang::test
