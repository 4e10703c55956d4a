// What the benchmark sends.
#include "tests/bench/workload.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/duties/v1/queries.pb.h"
#include "taizhang/ledger/v1/bulk.pb.h"

namespace taizhang::bench {
namespace {

using assistance::v1::RecordVisitRequest;
using funds::v1::SpendDirectlyRequest;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using registry::v1::RegisterHouseholdRequest;

constexpr const char* kVillage = "990101100201";
constexpr int kWorkers = 10;

// A UUID of a kind and a number.
std::string id(uint32_t kind, int64_t number) {
  char text[40];
  snprintf(text, sizeof text, "%08x-0000-4000-8000-%012llx", kind,
           static_cast<unsigned long long>(number));
  return text;
}

void set_date(common::v1::Date& date, int year, int month, int day) {
  date.set_year(year);
  date.set_month(month);
  date.set_day(day);
}

template <class Request>
Request started(uint32_t kind, int64_t number) {
  Request request;
  request.mutable_context()->set_request_id(id(kind, number));
  request.mutable_context()->mutable_source()->set_kind(common::v1::Source::KIND_FORM);
  request.set_ledger(kBenchLedger);
  return request;
}

Prepared from_json(const std::string& profile, const std::string& method, const std::string& json) {
  const size_t dot = method.find('.');
  const std::string package = "taizhang." + method.substr(0, dot) + ".v1";
  std::string file = package + "/service.proto";
  for (size_t i = 0; i < package.size(); ++i) {
    if (file[i] == '.') file[i] = '/';
  }
  const auto* descriptor = DescriptorPool::generated_pool()->FindFileByName(file);
  const auto* rpc =
      descriptor ? descriptor->service(0)->FindMethodByName(method.substr(dot + 1)) : nullptr;
  if (!rpc) {
    fprintf(stderr, "no method %s\n", method.c_str());
    exit(1);
  }
  const std::unique_ptr<Message> request(google::protobuf::MessageFactory::generated_factory()
                                             ->GetPrototype(rpc->input_type())
                                             ->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, request.get());
  if (!parsed.ok()) {
    fprintf(stderr, "%s: %s\n", method.c_str(), parsed.ToString().c_str());
    exit(1);
  }
  return {"/" + rpc->service()->full_name() + "/" + rpc->name(), profile,
          request->SerializeAsString()};
}

std::string context_json(int number) {
  return R"("context":{"request_id":")" + id(0xc0, number) +
         R"(","source":{"kind":"KIND_FORM"},"effective_date":{"year":2012,"month":1,"day":1}},"ledger":")" +
         kBenchLedger + "\"";
}

RegisterHouseholdRequest household_request(int64_t index) {
  auto request = started<RegisterHouseholdRequest>(0xa1, index);
  set_date(*request.mutable_context()->mutable_effective_date(), 2016, 1, 1);
  request.set_household_id(id(0xb1, index));
  request.set_region(kVillage);
  auto& member = *request.add_members();
  member.set_person_id(id(0xb2, index));
  member.set_relation("0");
  member.set_is_head(true);
  member.mutable_identity()->set_name("某某");
  set_date(*member.mutable_identity()->mutable_birth_date(), 1950 + static_cast<int>(index % 50), 3,
           4);
  member.set_sex("1");
  member.set_ethnic("01");
  member.set_education("70");
  return request;
}

// Visits of one run go through households and then days, so no two are of one household, day,
// channel and leader.
RecordVisitRequest visit_request(int64_t run, int64_t index) {
  auto request = started<RecordVisitRequest>(0xa2, run << 32 | index);
  request.set_visit_id(id(0xb3, run << 32 | index));
  request.mutable_visited()->set_kind(common::v1::SUBJECT_KIND_HOUSEHOLD);
  request.mutable_visited()->set_id(id(0xb1, index % kHouseholds));
  const int64_t day = run * (kRunCommandsMax / kHouseholds) + index / kHouseholds;
  request.add_visitors(id(0xb5, day % kWorkers));
  set_date(*request.mutable_date(), 2016 + static_cast<int>(day / 336 % 8),
           1 + static_cast<int>(day / 28 % 12), 1 + static_cast<int>(day % 28));
  request.set_channel(assistance::v1::VISIT_CHANNEL_HOME);
  request.set_purpose("SURVEY");
  return request;
}

SpendDirectlyRequest payment_request(int64_t run, int64_t index) {
  auto request = started<SpendDirectlyRequest>(0xa3, run << 32 | index);
  request.set_payment_id(id(0xb4, run << 32 | index));
  request.set_fund_line_id(id(0xb6, 1));
  request.set_purpose("LIVELIHOOD");
  request.set_region(kVillage);
  request.mutable_payee()->mutable_label()->set_text("供应商");
  request.set_amount_fen(100);
  set_date(*request.mutable_paid_date(), 2017, 1 + static_cast<int>(index % 12),
           1 + static_cast<int>(index % 28));
  request.set_approved_by(id(0xb5, 0));
  auto& evidence = *request.add_evidence();
  evidence.set_document_id(id(0xb7, index));
  evidence.set_kind("RECEIPT");
  evidence.set_title("收据");
  return request;
}

}  // namespace

std::vector<Prepared> setting_up(const std::string& reference_file) {
  std::vector<Prepared> out;
  const auto add = [&](const std::string& profile, const std::string& method,
                       const std::string& json) {
    out.push_back(from_json(profile, method, json));
  };
  int number = 0;
  const auto context = [&] { return context_json(++number); };
  add("operator", "admin.OpenLedger",
      "{" + context() + R"(,"kind":"LEDGER_KIND_COUNTY","name":"bench"})");
  std::ifstream reference(reference_file);
  for (std::string line; std::getline(reference, line);) {
    if (line.empty()) continue;
    for (size_t at; (at = line.find("${LEDGER}")) != std::string::npos;)
      line.replace(at, 9, kBenchLedger);
    const auto entry = nlohmann::json::parse(line);
    add(entry["as"], entry["method"], entry["request"].dump());
  }
  for (const auto& [code, level] :
       {std::pair("990101", "COUNTY"), {"990101100", "TOWNSHIP"}, {kVillage, "VILLAGE"}}) {
    add("operator", "rules.CreateRegion",
        "{" + context() + R"(,"region":")" + code + R"(","name":"r","level":"ADMIN_LEVEL_)" +
            level + R"(","valid_from_date":{"year":2012,"month":1,"day":1}})");
  }
  const std::string org = id(0xb8, 1);
  add("maker", "registry.RegisterOrganisation",
      "{" + context() + R"(,"org_id":")" + org +
          R"(","name":{"text":"unit"},"kind":"ORGANISATION_KIND_PAIRING_UNIT","region":"990101"})");
  for (int i = 0; i < kWorkers; ++i) {
    add("maker", "registry.RegisterWorker",
        "{" + context() + R"(,"worker_id":")" + id(0xb5, i) +
            R"(","identity":{"name":"w"},"org_id":")" + org +
            R"(","rank":"STAFF","post":"RESPONSIBLE"})");
  }
  const std::string line = id(0xb6, 1);
  add("maker", "funds.OpenFundLine",
      "{" + context() + R"(,"fund_line_id":")" + line +
          R"(","name":{"text":"line"},"source_kind":"SOURCE_KIND_SELF_RAISED","level":"ADMIN_LEVEL_COUNTY","year":2017,)" +
          R"("purposes":["LIVELIHOOD"],"owner_org_id":")" + org + R"(","region":"990101"})");
  add("maker", "funds.RecordFundsArrival",
      R"({"context":{"request_id":")" + id(0xc0, ++number) +
          R"(","source":{"kind":"KIND_FORM"}},"ledger":")" + kBenchLedger +
          R"(","fund_line_id":")" + line + R"(","arrival_id":")" + id(0xb9, 1) +
          R"(","amount_fen":"1000000000000","date":{"year":2016,"month":12,"day":1},"bank_reference":"B1"})");
  return out;
}

std::string register_household(int64_t index) {
  return household_request(index).SerializeAsString();
}

std::string record_visit(int64_t index) { return visit_request(0, index).SerializeAsString(); }

std::string probe_visit(int64_t run, int64_t index) {
  return visit_request(run, index).SerializeAsString();
}

int64_t seq_in(const std::string& record_visit_response) {
  assistance::v1::RecordVisitResponse response;
  return response.ParseFromString(record_visit_response) ? response.receipt().last_seq() : 0;
}

std::string visits_at(int64_t index, int64_t seq) {
  duties::v1::VisitsRequest request;
  request.set_ledger(kBenchLedger);
  request.mutable_read()->set_at_least_seq(seq);
  request.mutable_visited()->set_kind(common::v1::SUBJECT_KIND_HOUSEHOLD);
  request.mutable_visited()->set_id(id(0xb1, index % kHouseholds));
  return request.SerializeAsString();
}

std::string record_arrival(int64_t index) {
  auto request = started<funds::v1::RecordFundsArrivalRequest>(0xa4, index);
  request.set_fund_line_id(fund_line_id());
  request.set_arrival_id(id(0xba, index));
  request.set_amount_fen(100);
  set_date(*request.mutable_date(), 2017, 1 + static_cast<int>(index % 12),
           1 + static_cast<int>(index % 28));
  request.set_bank_reference("R" + std::to_string(index));
  return request.SerializeAsString();
}

std::string fund_line_id() { return id(0xb6, 1); }

const char* mixed_method(int64_t index) {
  if (index % 10 == 3) return "/taizhang.funds.v1.FundsService/SpendDirectly";
  if (index % 10 == 7) return "/taizhang.registry.v1.RegistryService/RegisterHousehold";
  return "/taizhang.assistance.v1.AssistanceService/RecordVisit";
}

std::string mixed_request(int64_t run, int64_t index) {
  if (index % 10 == 3) return payment_request(run, index).SerializeAsString();
  if (index % 10 == 7) return register_household((run + 1) << 24 | index);
  return visit_request(run, index).SerializeAsString();
}

std::string mixed_bulk(int64_t run, int64_t first, int count) {
  ledger::v1::ExecuteRequest request;
  for (int64_t index = first; index < first + count; ++index) {
    auto& command = *request.add_commands();
    if (index % 10 == 3) {
      *command.mutable_funds()->mutable_spend_directly() = payment_request(run, index);
    } else if (index % 10 == 7) {
      *command.mutable_registry()->mutable_register_household() =
          household_request((run + 1) << 24 | index);
    } else {
      *command.mutable_assistance()->mutable_record_visit() = visit_request(run, index);
    }
  }
  return request.SerializeAsString();
}

std::string household_bulk(int64_t first, int count) {
  ledger::v1::ExecuteRequest request;
  for (int64_t index = first; index < first + count; ++index) {
    *request.add_commands()->mutable_registry()->mutable_register_household() =
        household_request(index);
  }
  return request.SerializeAsString();
}

int64_t refused_in(const std::string& execute_response) {
  ledger::v1::ExecuteResponse response;
  if (!response.ParseFromString(execute_response)) return -1;
  int64_t refused = 0;
  for (const auto& result : response.results()) {
    if (!result.has_refusal()) continue;
    if (refused++ == 0) fprintf(stderr, "refused: %s\n", result.refusal().message().c_str());
  }
  return refused;
}

}  // namespace taizhang::bench
