// An offer: titled assets held out to a receiver, until he takes or refuses them.
#include <algorithm>
#include <vector>

#include "platform/command/registry.h"
#include "services/assets/aggregates.h"
#include "services/common/names.h"
#include "services/common/parameters.h"
#include "services/common/references.h"
#include "services/common/same_actor.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assets/v1/commands.pb.h"
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"

namespace taizhang::assets {
namespace {

using common::v1::SignOff;
using state::v1::Asset;
using state::v1::Offer;
using v1::AnswerAssetOfferRequest;
using v1::AssetHandedOver;
using v1::AssetOffered;
using v1::AssetOfferRejected;
using v1::ManagerAppointed;
using v1::OfferAssetRequest;

constexpr std::string_view kDefectClass = "DEFECT";

bool is_defect(const Ledger& ledger, const Asset::Check& check) {
  if (check.difference_milli() < 0) return true;
  const auto* condition = code_at(ledger, "asset_condition", check.condition(), check.day());
  return condition && condition->class_() == kDefectClass;
}

// The check in force on `day` found something wrong, or a later one did: an offer of that day would
// be open on it.
bool defects_open(const Ledger& ledger, const Asset& asset, int32_t day) {
  bool open = false;
  for (const auto& check : asset.checks()) {  // by day
    open = check.day() <= day ? is_defect(ledger, check) : open || is_defect(ledger, check);
  }
  return open;
}

// Held out or taken already; or, for a day in the past, still held out then and refused only later.
bool is_offered(const Asset& asset, int32_t day) {
  return !asset.open_offer_id().empty() || asset.has_holder() || day < asset.rejected_day();
}

Decision decide(const Ledger& ledger, const OfferAssetRequest& command) {
  const int32_t day = ledger.effective_day();
  std::vector<const Asset*> offered;
  for (const auto& asset_id : command.asset_ids()) offered.push_back(ledger.find<Asset>(asset_id));
  const auto first_where = [&](const auto& wrong) -> std::optional<std::string> {
    const auto found = std::find_if(offered.begin(), offered.end(), wrong);
    if (found == offered.end()) return std::nullopt;
    return "asset_ids[" + std::to_string(found - offered.begin()) + "]";
  };
  if (auto field = first_where([](const Asset* asset) { return asset == nullptr; })) {
    return refuse(v1::ASSETS_REFUSAL_ASSET_NOT_FOUND, *field);
  }
  if (auto field = first_where([](const Asset* asset) { return !asset->has_owner(); })) {
    return refuse(v1::ASSETS_REFUSAL_ASSET_NOT_TITLED, *field);
  }
  if (auto field = first_where([&](const Asset* asset) { return is_offered(*asset, day); })) {
    return refuse(v1::ASSETS_REFUSAL_ALREADY_OFFERED, *field);
  }
  if (first_where([&](const Asset* asset) { return day < asset->title_day(); })) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "offered_date");
  }
  if (auto field =
          first_where([&](const Asset* asset) { return defects_open(ledger, *asset, day); })) {
    return refuse(v1::ASSETS_REFUSAL_DEFECTS_OPEN, *field);
  }
  return emit(copy_inputs<AssetOffered>(command));
}

void evolve(Ledger& ledger, const AssetOffered& event) {
  for (const auto& asset_id : event.asset_ids()) {
    auto& asset = ledger.edit<Asset>(asset_id);
    asset.set_state(state::v1::ASSET_STATE_OFFERED);
    asset.set_open_offer_id(event.offer_id());
  }
  auto& offer = ledger.edit<Offer>(event.offer_id());
  *offer.mutable_asset_ids() = event.asset_ids();
  *offer.mutable_to() = event.to();
  offer.set_offered_day(ledger.effective_day());
  *offer.mutable_offerer() = ledger.actor();
}

void validate(const AnswerAssetOfferRequest& command, Violations& found) {
  for (int i = 0; i < command.sign_offs_size(); ++i) {
    const auto& sign_off = command.sign_offs(i);
    if (sign_off.worker_id().empty() && sign_off.person_id().empty() && sign_off.org_id().empty()) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED,
                "sign_offs[" + std::to_string(i) + "].worker_id",
                "one of worker_id, person_id and org_id is required");
    }
  }
  if (command.decision() == v1::OFFER_DECISION_REJECT && command.has_manager()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "manager",
              "must not stand with a rejection");
  }
}

// An organisation answers for itself; for a village and its households whoever covers the village.
bool is_receiver(const Ledger& ledger, const common::v1::SubjectRef& to) {
  if (to.kind() == common::v1::SUBJECT_KIND_ORGANISATION) return ledger.actor().org_id() == to.id();
  const std::string& region = to.kind() == common::v1::SUBJECT_KIND_HOUSEHOLD
                                  ? ledger.get<registry::state::v1::Household>(to.id()).region()
                                  : to.id();
  return ledger.actor_covers(region);
}

bool seals(const SignOff& sign_off) {
  return sign_off.mark() == SignOff::MARK_SEAL ||
         sign_off.mark() == SignOff::MARK_SIGNATURE_AND_SEAL;
}

// Villages and organisations seal, households sign or leave a thumb print.
bool is_signed(const AnswerAssetOfferRequest& command, const common::v1::SubjectRef& to) {
  const bool household = to.kind() == common::v1::SUBJECT_KIND_HOUSEHOLD;
  return std::any_of(command.sign_offs().begin(), command.sign_offs().end(),
                     [&](const SignOff& sign_off) {
                       if (sign_off.role() != SignOff::ROLE_RECEIVER) return false;
                       return household ? sign_off.mark() != SignOff::MARK_SEAL : seals(sign_off);
                     });
}

// One event for each asset, and one for the manager of each. Refused where a class needs a manager
// and none is named.
Decision accept(const Ledger& ledger, const AnswerAssetOfferRequest& command, const Offer& offer) {
  if (!is_signed(command, offer.to()))
    return refuse(v1::ASSETS_REFUSAL_SIGNATURE_MISSING, "sign_offs");
  std::vector<Governing> rules;
  if (!command.has_manager()) {
    for (const auto& asset_id : offer.asset_ids()) {
      const auto& asset = ledger.get<Asset>(asset_id);
      rules.push_back(
          governing(ledger, "asset.manager_required",
                    {{"class", short_name(asset.asset_class())}, {"region", asset.region()}},
                    ledger.effective_day()));
      if (!rules.back().decided()) return parameter_missing(rules.back(), "manager");
    }
  }
  if (std::any_of(rules.begin(), rules.end(),
                  [](const Governing& rule) { return rule.has_rule() && rule.value().flag(); })) {
    return refuse(v1::ASSETS_REFUSAL_MANAGER_MISSING, "manager");
  }
  Events events;
  for (int i = 0; i < offer.asset_ids_size(); ++i) {
    auto taken = copy_inputs<AssetHandedOver>(command);
    taken.set_asset_id(offer.asset_ids(i));
    *taken.mutable_to() = offer.to();
    if (!command.has_manager())
      rules[static_cast<size_t>(i)].copy_uses(taken.mutable_parameters_used());
    events.add(std::move(taken));
    if (!command.has_manager()) continue;
    ManagerAppointed appointed;
    appointed.set_asset_id(offer.asset_ids(i));
    *appointed.mutable_manager() = command.manager();
    *appointed.mutable_from_date() = command.date();
    appointed.set_offer_id(command.offer_id());
    events.add(std::move(appointed));
  }
  return events;
}

Decision reject(const AnswerAssetOfferRequest& command, const Offer& offer) {
  auto event = copy_inputs<AssetOfferRejected>(command);
  *event.mutable_asset_ids() = offer.asset_ids();
  return emit(std::move(event));
}

Decision decide(const Ledger& ledger, const AnswerAssetOfferRequest& command) {
  const auto* offer = ledger.find<Offer>(command.offer_id());
  if (!offer) return refuse(v1::ASSETS_REFUSAL_OFFER_NOT_FOUND, "offer_id");
  if (offer->answer() != v1::OFFER_DECISION_UNSPECIFIED) {
    return refuse(v1::ASSETS_REFUSAL_ALREADY_ANSWERED, "offer_id");
  }
  if (auto no = version_mismatch(ledger, offer->version())) return *no;
  const bool same = same_person(ledger.actor(), offer->offerer());
  if (auto no = same_actor(ledger, same, "offer_id")) return *no;
  if (ledger.effective_day() < offer->offered_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "date");
  }
  if (!is_receiver(ledger, offer->to()))
    return refuse(v1::ASSETS_REFUSAL_NOT_THE_RECEIVER, "offer_id");
  auto decision = command.decision() == v1::OFFER_DECISION_ACCEPT ? accept(ledger, command, *offer)
                                                                  : reject(command, *offer);
  if (auto* events = decision.events(); events && same) events->used_right(kSelfApprove);
  return decision;
}

void evolve(Ledger& ledger, const AssetHandedOver& event) {
  auto& asset = ledger.edit<Asset>(event.asset_id());
  asset.set_state(state::v1::ASSET_STATE_HANDED_OVER);
  asset.clear_open_offer_id();
  *asset.mutable_holder() = event.to();
  asset.set_handed_over_day(ledger.effective_day());
  ledger.edit<Offer>(event.offer_id()).set_answer(v1::OFFER_DECISION_ACCEPT);
}

void evolve(Ledger& ledger, const ManagerAppointed& event) {
  auto& asset = ledger.edit<Asset>(event.asset_id());
  *asset.mutable_manager() = event.manager();
  asset.set_manager_from_day(ledger.effective_day());
  // It may be the last event of the answer, and the offer's version is the last event that concerns
  // it.
  if (!event.offer_id().empty()) ledger.edit<Offer>(event.offer_id());
}

void evolve(Ledger& ledger, const AssetOfferRejected& event) {
  for (const auto& asset_id : event.asset_ids()) {
    auto& asset = ledger.edit<Asset>(asset_id);
    asset.set_state(state::v1::ASSET_STATE_TITLED);
    asset.clear_open_offer_id();
    asset.set_rejected_day(std::max(asset.rejected_day(), ledger.effective_day()));
  }
  ledger.edit<Offer>(event.offer_id()).set_answer(v1::OFFER_DECISION_REJECT);
}

}  // namespace

void register_offer(Registry& registry) {
  registry.command<OfferAssetRequest>(decide)
      .command<AnswerAssetOfferRequest>(decide)
      .validate<AnswerAssetOfferRequest>(validate)
      .event<AssetOffered>(evolve)
      .event<AssetHandedOver>(evolve)
      .event<ManagerAppointed>(evolve)
      .event<AssetOfferRejected>(evolve);
}

}  // namespace taizhang::assets
