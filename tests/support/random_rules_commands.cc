// What is asked of the ledger and its reference data.
#include "domain/region.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "tests/support/random_commands.h"

namespace taizhang::test {

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

}  // namespace taizhang::test
