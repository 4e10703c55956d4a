// Who helps whom, and the versions of one pairing.
#include "domain/dates.h"
#include "domain/region.h"
#include "projections/common/place.h"
#include "projections/common/row_change.h"
#include "projections/duties/judge.h"
#include "projections/duties/parts.h"
#include "taizhang/duties/v1/queries.pb.h"

namespace taizhang::duties {
namespace {

using state::v1::Pairing;
using state::v1::PairingByHelper;
using state::v1::PairingByPlace;
using v1::PairingHistoryRequest;
using v1::PairingHistoryResponse;
using v1::PairingsRequest;
using v1::PairingsResponse;

v1::Pairing shown(const Snapshot& snapshot, const Pairing& row) {
  v1::Pairing pairing;
  pairing.set_pairing_id(row.pairing_id());
  pairing.set_version(row.version());
  add_event_id(snapshot, row.started_seq(), pairing);
  add_event_id(snapshot, row.ended_seq(), pairing);
  pairing.set_kind(row.kind());
  *pairing.mutable_helper() = row.helper();
  *pairing.mutable_helped() = row.helped();
  pairing.set_role(row.role());
  *pairing.mutable_from_date() = date_of(row.from_day());
  if (row.to_day() != 0) *pairing.mutable_to_date() = date_of(row.to_day());
  pairing.set_cause(row.cause());
  pairing.set_successor_pairing_id(row.successor_pairing_id());
  pairing.set_accountable_worker_id(row.accountable_worker_id());
  return pairing;
}

// A group is not a place of its own, so the helped region itself is asked where there is one.
bool is_within(const PairingByPlace& entry, const std::string& region) {
  const bool is_region = entry.helped_kind() == common::v1::SUBJECT_KIND_VILLAGE ||
                         entry.helped_kind() == common::v1::SUBJECT_KIND_REGION;
  return is_region ? region_within(entry.helped_id(), region)
                   : Place{entry.township(), entry.village()}.is_within(region);
}

Result<PairingsResponse> pairings(const Snapshot& snapshot, const PairingsRequest& request) {
  PairingsResponse response;
  const int32_t day = snapshot.effective_day();
  const auto add = [&](const std::string& pairing_id) {
    const auto& pairing = snapshot.get<Pairing>(pairing_id);
    if (request.has_helper() && (pairing.helper().kind() != request.helper().kind() ||
                                 pairing.helper().id() != request.helper().id())) {
      return false;
    }
    const bool of_kind = request.kind() == assistance::v1::PAIRING_KIND_UNSPECIFIED ||
                         request.kind() == pairing.kind();
    const bool open = covers(pairing.from_day(), pairing.to_day(), day, day);
    if (!of_kind || (!open && !request.include_closed())) return false;
    *response.add_rows() = shown(snapshot, pairing);
    return true;
  };
  if (request.has_helper() && request.region().empty()) {
    snapshot.page_scan<PairingByHelper>(
        [&](const PairingByHelper& entry) { return add(entry.pairing_id()); },
        request.helper().kind(), request.helper().id());
    return response;
  }
  with_place_prefix(request.region(), [&](const auto&... parts) {
    snapshot.page_scan<PairingByPlace>(
        [&](const PairingByPlace& entry) {
          return is_within(entry, request.region()) && add(entry.pairing_id());
        },
        parts...);
  });
  return response;
}

Result<PairingHistoryResponse> history(const Snapshot& snapshot,
                                       const PairingHistoryRequest& request) {
  if (!snapshot.has<Pairing>(request.pairing_id())) {
    return not_found("PAIRING_NOT_FOUND", "没有这项结对", "pairing", request.pairing_id());
  }
  PairingHistoryResponse response;
  snapshot.page_history<Pairing>(
      [&](const RowVersion& version, const Pairing& pairing) {
        auto& row = *response.add_rows();
        *row.mutable_change() = change_of(snapshot, version.seq);
        *row.mutable_pairing() = shown(snapshot, pairing);
      },
      request.pairing_id());
  return response;
}

}  // namespace

void answer_pairings(View& view) { view.query(pairings).query(history); }

}  // namespace taizhang::duties
