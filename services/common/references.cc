// Look-ups in the published tables of all contexts.
#include "services/common/references.h"

#include <optional>

#include "domain/region.h"
#include "platform/command/registry.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"

namespace taizhang {
namespace {

Standing since(int32_t from_day, int32_t day) {
  return from_day <= day ? Standing::kActive : Standing::kNotActive;
}

template <class Row>
Standing row_standing(const Ledger& ledger, std::string_view id, int32_t day) {
  const auto* row = ledger.find<Row>(id);
  return row ? since(row->from_day(), day) : Standing::kUnknown;
}

Standing region_standing(const Ledger& ledger, int subject_kind, std::string_view region,
                         int32_t day) {
  if (subject_kind == common::v1::SUBJECT_KIND_VILLAGE && village_of(region) != region)
    return Standing::kUnknown;
  return row_standing<rules::state::v1::Region>(ledger, region, day);
}

std::optional<Refusal> check_code(const Ledger& ledger, std::string_view list_id,
                                  std::string_view code, int32_t day, std::string_view field) {
  if (code_at(ledger, list_id, code, day)) return std::nullopt;
  return refuse(common::v1::COMMON_REFUSAL_CODE_NOT_IN_LIST, field,
                {{"list", std::string(list_id)}});
}

std::optional<Refusal> check_region(const Ledger& ledger, std::string_view region, int32_t day,
                                    std::string_view field) {
  if (region_at(ledger, region, day)) return std::nullopt;
  return refuse(common::v1::COMMON_REFUSAL_REGION_NOT_FOUND, field);
}

std::optional<Refusal> check_subject(const Ledger& ledger, int subject_kind, std::string_view id,
                                     int32_t day, std::string_view field) {
  switch (standing_of(ledger, subject_kind, id, day)) {
    case Standing::kActive: return std::nullopt;
    case Standing::kNotActive: return refuse(common::v1::COMMON_REFUSAL_SUBJECT_NOT_ACTIVE, field);
    default: return refuse(common::v1::COMMON_REFUSAL_SUBJECT_NOT_FOUND, field);
  }
}

}  // namespace

const rules::state::v1::Code::Validity* code_at(const Ledger& ledger, std::string_view list_id,
                                                std::string_view code, int32_t day) {
  const auto* row = ledger.find<rules::state::v1::Code>(list_id, code);
  if (!row) return nullptr;
  for (const auto& validity : row->validities()) {
    if (validity.from_day() <= day && (validity.to_day() == 0 || day <= validity.to_day()))
      return &validity;
  }
  return nullptr;
}

const rules::state::v1::Region* region_at(const Ledger& ledger, std::string_view region,
                                          int32_t day) {
  const auto* row = ledger.find<rules::state::v1::Region>(region);
  return row && row->from_day() <= day ? row : nullptr;
}

Standing standing_of(const Ledger& ledger, int subject_kind, std::string_view id, int32_t day) {
  switch (subject_kind) {
    case common::v1::SUBJECT_KIND_VILLAGE:
    case common::v1::SUBJECT_KIND_REGION: return region_standing(ledger, subject_kind, id, day);
    case common::v1::SUBJECT_KIND_ORGANISATION:
      return row_standing<registry::state::v1::Organisation>(ledger, id, day);
    case common::v1::SUBJECT_KIND_WORKER:
      return row_standing<registry::state::v1::Worker>(ledger, id, day);
    case common::v1::SUBJECT_KIND_PERSON:
      return row_standing<registry::state::v1::Person>(ledger, id, day);
    case common::v1::SUBJECT_KIND_HOUSEHOLD:
      return row_standing<registry::state::v1::Household>(ledger, id, day);
    case common::v1::SUBJECT_KIND_FUND_LINE:
      return row_standing<funds::state::v1::FundLine>(ledger, id, day);
    case common::v1::SUBJECT_KIND_ASSET:
      return row_standing<assets::state::v1::Asset>(ledger, id, day);
    case common::v1::SUBJECT_KIND_PAIRING:
      return row_standing<assistance::state::v1::Pairing>(ledger, id, day);
    case common::v1::SUBJECT_KIND_PAYMENT: {
      const auto* payment = ledger.find<funds::state::v1::Payment>(id);
      return payment ? since(payment->paid_day(), day) : Standing::kUnknown;
    }
    default: return Standing::kUnknown;
  }
}

bool is_active(const Ledger& ledger, const common::v1::SubjectRef& subject, int32_t day) {
  return standing_of(ledger, subject.kind(), subject.id(), day) == Standing::kActive;
}

void register_reference_checks(Registry& registry) {
  registry.reference_checks(
      {.code_in_list = check_code, .region = check_region, .subject = check_subject});
}

}  // namespace taizhang
