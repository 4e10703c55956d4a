// What a random book asks for next, and how a good request is spoilt. The commands themselves:
// random_commands.h.
#include "tests/support/random_book.h"

#include <algorithm>

#include "domain/dates.h"
#include "platform/command/decision.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/options.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "tests/support/book_rows.h"
#include "tests/support/reference_data.h"
#include "tests/support/registry_commands.h"

namespace taizhang::test {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

constexpr int32_t kNever = 20350101;  // later than every recorded day
constexpr std::string_view kRequests = "11111111-0000-4000-8000-000000000000";

Caller made_caller(std::string_view profile, std::initializer_list<int> roles,
                   std::string_view worker, std::string_view org) {
  Caller caller;
  caller.profile = caller.subject = std::string(profile);
  caller.roles = roles;
  caller.regions = {""};
  if (!worker.empty()) caller.worker_id = id(worker);
  if (!org.empty()) caller.org_id = id(org);
  return caller;
}

std::map<std::string, Caller, std::less<>> made_callers() {
  using namespace common::v1;
  std::map<std::string, Caller, std::less<>> all;
  all["operator"] = made_caller("operator", {ROLE_OPERATOR}, "", "");
  all["maker"] = made_caller("maker", {ROLE_MAKER}, "worker 0", "");
  all["other maker"] = made_caller("other maker", {ROLE_MAKER}, "worker 1", "");
  all["checker"] = made_caller("checker", {ROLE_CHECKER}, "", "org 0");
  all["both"] = made_caller("both", {ROLE_MAKER, ROLE_CHECKER}, "worker 2", "");
  all["trusted"] = made_caller("trusted", {ROLE_MAKER, ROLE_CHECKER}, "worker 3", "");
  all["trusted"].rights = {"SELF_APPROVE"};
  all["village"] = made_caller("village", {ROLE_MAKER, ROLE_CHECKER}, "", "");
  all["village"].regions = {std::string(kVillageJ)};
  all["reader"] = made_caller("reader", {ROLE_READER}, "", "");
  all["neighbour"] = made_caller("neighbour", {ROLE_MAKER, ROLE_CHECKER, ROLE_OPERATOR}, "", "");
  all["neighbour"].regions = {"510101"};
  return all;
}

const FieldDescriptor* field_of(const Message& message, const char* name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

common::v1::RequestContext& context_of(Message& request) {
  return static_cast<common::v1::RequestContext&>(
      *request.GetReflection()->MutableMessage(&request, field_of(request, "context")));
}

// Fields of a command's own that are set.
std::vector<const FieldDescriptor*> own_fields(const Message& request) {
  std::vector<const FieldDescriptor*> all, own;
  request.GetReflection()->ListFields(request, &all);
  std::copy_if(all.begin(), all.end(), std::back_inserter(own),
               [](const auto* field) { return field->number() > 2; });
  return own;
}

// The first element of a list once more, `times`.
void repeat_first(Message& request, const FieldDescriptor& field, int times) {
  const auto& reflection = *request.GetReflection();
  for (int i = 0; i < times; ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      auto& copy = *reflection.AddMessage(&request, &field);
      copy.CopyFrom(reflection.GetRepeatedMessage(request, &field, 0));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection.AddString(&request, &field, reflection.GetRepeatedString(request, &field, 0));
    }
  }
}

}  // namespace

const Caller& RandomBook::caller(std::string_view profile) {
  static const auto* callers = new auto(made_callers());
  return callers->find(profile)->second;
}

RandomBook::RandomBook(uint64_t seed, std::string ledger)
    : ledger_(std::move(ledger)), random_(seed) {
  plan_opening();
}

int32_t RandomBook::some_day() {
  return day_from(chance(85) ? add_days(today_, -400) : kReferenceDay);
}

int32_t RandomBook::day_from(int32_t first) {
  const int32_t days = days_between(first, today_);
  return days <= 0 ? first : add_days(first, between(0, days));
}

int32_t RandomBook::first_day() { return chance(80) ? kReferenceDay : some_day(); }

std::string RandomBook::any(const char* kind) {
  const int made = std::max(made_[kind], 1);
  if (chance(2)) return name_of(kind, made + 1'000'000);
  std::string name = name_of(kind, between(0, made - 1));
  for (int tries = 0; tries < 6 && !is_there(kind, id(name)); ++tries)
    name = name_of(kind, between(0, made - 1));
  return name;
}

// Of those that others are made with; anything else counts as there.
bool RandomBook::is_there(std::string_view kind, std::string_view an_id) const {
  using namespace registry::state::v1;
  if (kind == "worker") return book_->has<Worker>(an_id);
  if (kind == "org") return book_->has<Organisation>(an_id);
  if (kind == "household") return book_->has<Household>(an_id);
  return true;
}

std::string RandomBook::any_village() { return std::string(chance(60) ? kVillageJ : kVillageD); }

common::v1::SubjectRef RandomBook::any_subject(common::v1::SubjectKind kind) {
  switch (kind) {
    case common::v1::SUBJECT_KIND_VILLAGE: return subject(kind, any_village());
    case common::v1::SUBJECT_KIND_REGION: return subject(kind, chance(50) ? kTown : kGroup);
    case common::v1::SUBJECT_KIND_WORKER: return subject(kind, id(any("worker")));
    case common::v1::SUBJECT_KIND_ORGANISATION: return subject(kind, id(any("org")));
    case common::v1::SUBJECT_KIND_PERSON: return subject(kind, id(any("household") + "-0"));
    default: return subject(kind, id(any("household")));
  }
}

common::v1::DocumentRef RandomBook::paper(const char* kind) {
  return document("paper " + std::to_string(between(0, 300)), kind);
}

// --- The opening
// ----------------------------------------------------------------------------------------------------

void RandomBook::plan(const Message& request) {
  opening_.emplace_back(request.New());
  opening_.back()->CopyFrom(request);
  if (!context_of(*opening_.back()).has_effective_date()) {
    *context_of(*opening_.back()).mutable_effective_date() = date_of(kReferenceDay);
  }
}

void RandomBook::plan_opening() {
  admin::v1::OpenLedgerRequest open;
  open.set_kind(common::v1::LEDGER_KIND_COUNTY);
  open.set_name("test");
  plan(open);
  for (const auto region : {kCounty, kTown, kVillageJ, kVillageD, kGroup}) {
    rules::v1::CreateRegionRequest create;
    copy_inputs(region_created(region), create);
    plan(create);
  }
  const auto publish = [&](const rules::v1::CodeListPublished& list) {
    rules::v1::PublishCodeListRequest request;
    copy_inputs(list, request);
    plan(request);
  };
  publish(
      code_list("document_kind", {"RECEIPT", "BUDGET", "LIST", "CERTIFICATE", "REPORT", "RULE"}));
  publish(code_list("worker_rank", {"STAFF", "UNIT_HEAD"}));
  publish(code_list("worker_post", {"RESPONSIBLE", "FIRST_SECRETARY", "TEAM_LEADER"}));
  publish(code_list("relation", {"0", "2"}));
  publish(code_list("sex", {"1", "2"}));
  publish(code_list("ethnic_group", {"01"}));
  publish(code_list("education", {"90"}));
  publish(code_list("citizen_region", {"99"}));
  publish(code_list("household_status",
                    {{"POOR", "POOR"}, {"LIFTED", "LIFTED"}, {"UNSTABLE", "MONITORED"}}));
  publish(code_list("pairing_role", {"RESPONSIBLE"}));
  publish(code_list("visit_purpose", {"SURVEY"}));
  publish(
      code_list("issue_category", {{"LOAN_DELAY", "REQUEST"}, {"WATER", "DIFFICULTY"}, {"OTHER"}}));
  publish(code_list("fund_purpose", {"TERRACE", "FESTIVAL", "STUDENT_AID", "OFFICE", "INDUSTRY"}));
  publish(code_list("sector", {"HOUSING", "AGRICULTURE"}));
  publish(code_list("donor_class", {"ENTERPRISE"}));
  publish(code_list("price_item",
                    {{"TERRACE", "MU"}, {"FESTIVAL_GIFT_HOUSEHOLD", "HOUSEHOLD"}, {"TOOL"}}));
  publish(code_list("asset_kind", {"BOOKS", "COMPUTER"}));
  publish(code_list("asset_condition", {{"GOOD"}, {"WORN"}, {"DAMAGED", "DEFECT"}}));
  publish(code_list("manager_duty", {"KEEPING", "MAINTENANCE"}));

  using namespace rules::v1;
  const auto define = [&](const ParameterDefined& parameter) {
    DefineParameterRequest request;
    copy_inputs(parameter, request);
    plan(request);
  };
  const auto set = [&](const ParameterSet& setting) {
    SetParameterRequest request;
    copy_inputs(setting, request);
    *request.mutable_document() = document("rule", "RULE");
    plan(request);
  };
  define(parameter_defined("pairing.end_requires", PARAMETER_TYPE_ENUM_SET, {"kind"}));
  for (const char* kind :
       {"CADRE_HOUSEHOLD", "TEACHER_HOUSEHOLD", "LIAISON_HOUSEHOLD", "ENTERPRISE_HOUSEHOLD"}) {
    set(parameter_set("pairing.end_requires", {{"kind", kind}},
                      set_value({"LIFTED", "SUCCESSOR"})));
  }
  set(parameter_set("pairing.end_requires", {{"kind", "BRANCH_VILLAGE"}}, set_value({})));
  set(parameter_set("pairing.end_requires", {{"kind", "UNIT_VILLAGE"}}, set_value({})));
  define(parameter_defined("funds.purposes_allowed", PARAMETER_TYPE_CODES, {"source_kind"}));
  define(parameter_defined("funds.direct_spending", PARAMETER_TYPE_BOOL, {"source_kind"}));
  // Of donations nobody has said whether they may be spent directly.
  for (const char* source : {"SELF_RAISED", "SPECIAL_HELP_FUND", "WON", "DONATION"}) {
    set(parameter_set(
        "funds.purposes_allowed", {{"source_kind", source}},
        codes_value("fund_purpose", {"TERRACE", "FESTIVAL", "STUDENT_AID", "OFFICE"})));
    if (std::string_view(source) == "DONATION") continue;
    set(parameter_set("funds.direct_spending", {{"source_kind", source}},
                      flag_value(source[0] == 'S')));
  }
  define(optional_parameter_defined("rate.amount", PARAMETER_TYPE_RATE, {"item"}));
  set(parameter_set("rate.amount", {{"item", "TERRACE"}}, rate_value(50'000, common::v1::UNIT_MU)));
  set(parameter_set("rate.amount", {{"item", "FESTIVAL_GIFT_HOUSEHOLD"}},
                    rate_value(30'000, common::v1::UNIT_HOUSEHOLD)));
  define(optional_parameter_defined("budget.per_head", PARAMETER_TYPE_AMOUNT_ITEMS,
                                    {"role", "level"}));
  set(parameter_set("budget.per_head", {{"role", "FIRST_SECRETARY"}, {"level", "COUNTY"}},
                    items_value({1'250'000, 500'000, 40'000}, CALENDAR_PERIOD_YEAR)));
  define(parameter_defined("asset.manager_required", PARAMETER_TYPE_BOOL, {"class"}));
  set(parameter_set("asset.manager_required", {{"class", "PUBLIC"}}, flag_value(true)));
  set(parameter_set("asset.manager_required", {{"class", "HOUSEHOLD"}}, flag_value(true)));
  set(parameter_set("asset.manager_required", {{"class", "EQUITY"}}, flag_value(false)));
  define(parameter_defined("void.second_person_after_days", PARAMETER_TYPE_DAYS, {"kind"}));
  for (const char* kind : {"VISIT", "CHECK"}) {
    set(parameter_set("void.second_person_after_days", {{"kind", kind}}, days_value(30)));
  }
  // In one book of eight the day on which the system took over is not said.
  define(parameter_defined("golive.date", PARAMETER_TYPE_DATE, {}));
  if (!chance(12)) set(parameter_set("golive.date", {}, date_value(20170601)));
}

// --- The next command
// -----------------------------------------------------------------------------------------------

RandomBook::Asked RandomBook::next(Rows& rows, int32_t today) {
  Occasion occasion;
  occasion.ledger = ledger_;
  const Ledger book(rows, occasion);
  book_ = &book;
  today_ = today;

  Asked asked;
  if (!opening_.empty()) {
    fill(*opening_.front());
    asked = {std::move(opening_.front()), &caller("operator")};
    opening_.pop_front();
  } else if (const uint64_t roll = below(100); roll < 10) {
    // Sent before, or the same thing under another request id.
    asked = sent_[below(sent_.size())];
    if (roll < 4) {
      MessagePtr equal(asked.request->New());
      equal->CopyFrom(*asked.request);
      context_of(*equal).set_request_id(uuid_v5(kRequests, std::to_string(++requests_)));
      asked.request = std::move(equal);
    }
  } else {
    int total = 0;
    for (const auto& kind : kinds()) total += kind.weight;
    int64_t at = static_cast<int64_t>(below(static_cast<uint64_t>(total)));
    const auto* kind = kinds().data();
    while ((at -= kind->weight) >= 0) ++kind;
    MessagePtr request = (this->*kind->make)();
    fill(*request);
    if (chance(9)) spoil(*request);
    static constexpr const char* kAnybody[] = {"operator", "maker",  "other maker",
                                               "checker",  "both",   "trusted",
                                               "village",  "reader", "neighbour"};
    const bool maker = std::string_view(kind->caller) == "maker";
    const char* who = chance(4)              ? kAnybody[below(std::size(kAnybody))]
                      : maker && chance(30)  ? one_of({"other maker", "both", "trusted"})
                      : !maker && chance(40) ? one_of({"both", "trusted", "village", "checker"})
                                             : kind->caller;
    if (std::string_view(kind->caller) == "operator" && !chance(4)) who = "operator";
    asked = {std::move(request), &caller(who)};
  }
  sent_.push_back(asked);
  book_ = nullptr;
  return asked;
}

void RandomBook::fill(Message& request) {
  auto& context = context_of(request);
  context.set_request_id(uuid_v5(kRequests, ledger_ + std::to_string(++requests_)));
  context.mutable_source()->set_kind(common::v1::Source::KIND_FORM);
  auto* ledger = field_of(request, "ledger");
  if (request.GetReflection()->GetString(request, ledger).empty()) {
    request.GetReflection()->SetString(&request, ledger, ledger_);
  }
}

// Mostly not stated; sometimes right, sometimes stale.
void RandomBook::state_version(Message& request, int64_t version) {
  const uint64_t roll = below(100);
  if (roll < 10 && version > 0) context_of(request).set_expected_version(version);
  if (roll >= 96) context_of(request).set_expected_version(version + 1);
}

void RandomBook::spoil(Message& request) {
  const auto& reflection = *request.GetReflection();
  const auto fields = own_fields(request);
  if (fields.empty()) return;
  const auto& field = *fields[below(fields.size())];
  const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field.is_repeated();
  switch (below(9)) {
    case 0: reflection.ClearField(&request, &field); return;
    case 1:
      if (text) reflection.SetString(&request, &field, "?");
      return;
    case 2: {  // the day on which it happens has not come yet
      if (context_of(request).has_effective_date()) {
        *context_of(request).mutable_effective_date() = date_of(kNever);
      }
      for (const auto* date : fields) {
        if (date->message_type() != common::v1::Date::descriptor() || date->is_repeated()) continue;
        reflection.MutableMessage(&request, date)->CopyFrom(date_of(kNever));
      }
      return;
    }
    case 3:
      for (const auto* code : fields) {
        if (code->options().GetExtension(taizhang::field).code_list().empty()) continue;
        if (code->is_repeated()) {
          reflection.AddString(&request, code, "NOPE");
        } else {
          reflection.SetString(&request, code, "NOPE");
        }
      }
      return;
    case 4:
      if (field.is_repeated() && !field.is_map())
        repeat_first(request, field, chance(5) ? 1'001 : 1);
      return;
    case 5:
      if (const auto* region = field_of(request, "region");
          region && reflection.HasField(request, region)) {
        reflection.SetString(&request, region,
                             one_of({"990101100555", "990102", "990101100201009"}));
      }
      return;
    case 6:  // an id that stands for something else
      if (!sent_.empty()) {
        const auto& other = *sent_[below(sent_.size())].request;
        context_of(request).set_request_id(
            static_cast<const common::v1::RequestContext&>(
                other.GetReflection()->GetMessage(other, field_of(other, "context")))
                .request_id());
      }
      return;
    case 7: context_of(request).set_expected_version(9'999'999); return;
    default:
      if (chance(50)) {
        context_of(request).clear_source();
      } else {
        *context_of(request).mutable_effective_date() = date_of(some_day());
      }
      return;
  }
}

}  // namespace taizhang::test
