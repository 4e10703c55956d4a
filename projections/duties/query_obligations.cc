// What is due, and what is overdue.
#include <string>
#include <vector>

#include "domain/dates.h"
#include "domain/region.h"
#include "projections/common/place.h"
#include "projections/duties/obligation.h"
#include "projections/duties/parts.h"
#include "taizhang/duties/v1/queries.pb.h"

namespace taizhang::duties {
namespace {

using state::v1::Pairing;
using state::v1::PairingByHelper;
using state::v1::PairingByPlace;
using v1::DueRequest;
using v1::DueResponse;
using v1::OverdueRequest;
using v1::OverdueResponse;

using Rows = std::vector<v1::Obligation>;

constexpr int32_t kSinceYearsMax = 10;
// A page ends when so many pairings were looked at, or rules sought, though it may not be full: the
// next one goes on.
constexpr int kPairingsPerPageMax = 20'000;
constexpr int64_t kJudgementsPerPageMax = 200'000;

// One page of what the pairings of an index owe. A pairing may owe several rows, so the page's
// token is the number of rows of the next pairing that were on pages before, and the key of the
// last pairing that was finished.
template <class Entry, class Compute, class... Prefix>
void page_pairings(const Snapshot& snapshot, Obligations& obligations, const Compute& compute,
                   google::protobuf::RepeatedPtrField<v1::Obligation>& out,
                   const Prefix&... prefix) {
  auto& page = snapshot.page();
  std::string_view finished_before = page.after();
  int64_t skip = 0;
  if (!finished_before.empty() && !take_key_number(finished_before, skip)) return;
  std::string finished(finished_before);
  int looked_at = 0;
  snapshot.scan_after<Entry>(
      finished_before,
      [&](const Entry& entry) {
        if (out.size() == page.size() || looked_at == kPairingsPerPageMax ||
            obligations.judgements() >= kJudgementsPerPageMax) {
          page.next_after(make_key(skip) + finished);
          return false;
        }
        ++looked_at;
        Rows rows = compute(entry);
        const std::string key = row_type<Entry>().key_of(entry);
        for (size_t i = static_cast<size_t>(skip); i < rows.size(); ++i) {
          if (out.size() == page.size()) {
            page.next_after(make_key(static_cast<int64_t>(i)) + finished);
            return false;
          }
          // The latest period of a pairing stands first.
          page.place(&row_type<Entry>(), key, make_key(-day_of(rows[i].period_first())));
          *out.Add() = std::move(rows[i]);
        }
        skip = 0;
        finished = key;
        return true;
      },
      prefix...);
}

// Pairings by the filters of the request, each computed by `compute(pairing) -> Rows`.
template <class Request, class Response, class Compute>
void page_obligations(const Snapshot& snapshot, const Request& request, Response& response,
                      Obligations& obligations, const Compute& compute) {
  auto& out = *response.mutable_rows();
  if (request.has_helper()) {
    page_pairings<PairingByHelper>(
        snapshot, obligations,
        [&](const PairingByHelper& entry) {
          const auto& pairing = snapshot.get<Pairing>(entry.pairing_id());
          const auto& household = snapshot.get<state::v1::Household>(pairing.helped().id());
          return region_within(household.region(), request.region()) ? compute(pairing) : Rows();
        },
        out, request.helper().kind(), request.helper().id());
    return;
  }
  with_place_prefix(request.region(), [&](const auto&... parts) {
    page_pairings<PairingByPlace>(
        snapshot, obligations,
        [&](const PairingByPlace& entry) {
          if (entry.helped_kind() != common::v1::SUBJECT_KIND_HOUSEHOLD ||
              !Place{entry.township(), entry.village()}.is_within(request.region())) {
            return Rows();
          }
          return compute(snapshot.get<Pairing>(entry.pairing_id()));
        },
        out, parts...);
  });
}

Result<DueResponse> due(const Snapshot& snapshot, const DueRequest& request) {
  DueResponse response;
  Obligations obligations(snapshot);
  page_obligations(snapshot, request, response, obligations, [&](const Pairing& pairing) {
    Rows rows = obligations.due(pairing);
    std::erase_if(rows, [&](const auto& row) {
      return row.state() == v1::OBLIGATION_STATE_MET && !request.include_met();
    });
    return rows;
  });
  return response;
}

Result<OverdueResponse> overdue(const Snapshot& snapshot, const OverdueRequest& request) {
  constexpr int32_t kYear = 10'000;
  const int32_t since = request.has_since() ? day_of(request.since()) : 0;
  if (since != 0 && since < snapshot.effective_day() - kSinceYearsMax * kYear) {
    return invalid_field("since", "must be at most ten years before the effective date");
  }
  OverdueResponse response;
  Obligations obligations(snapshot);
  page_obligations(snapshot, request, response, obligations, [&](const Pairing& pairing) {
    return since == 0 ? obligations.last_overdue(pairing)
                      : obligations.overdue_since(pairing, since);
  });
  return response;
}

}  // namespace

void answer_obligations(View& view) { view.query(due).query(overdue); }

}  // namespace taizhang::duties
