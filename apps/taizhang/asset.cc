// Assets on the terminal.
#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "apps/taizhang/verbs.h"
#include "taizhang/asset_register/v1/service.pb.h"

namespace taizhang::cli {
namespace {

namespace ar = asset_register::v1;

std::string manager_of(const assets::v1::Manager& manager) {
  std::string text = text_of(manager.subject());
  for (const auto& duty : manager.duties())
    text += (&duty == &manager.duties(0) ? ": " : ", ") + duty;
  return text;
}

constexpr const char* kYuan = "元; ";

std::vector<std::string> asset_cells(const ar::AssetRow& asset) {
  return {asset.asset_id(),    text_of(asset.name()),        word(asset.asset_class()),
          asset.region(),      text_of(asset.formed_date()), text_of(asset.value()),
          word(asset.state()), text_of(asset.holder())};
}

void say_card(const ar::CardResponse& card) {
  const auto& asset = card.asset();
  std::string parts;
  for (const auto& part : card.parts()) {
    const std::string source =
        part.has_fund_line_id() ? "fund line " + part.fund_line_id() : word(part.source_kind());
    parts += (parts.empty() ? "" : "; ") + yuan(part.fen()) + " from " + source;
  }
  say(listing({{"asset", asset.asset_id()},
               {"name", text_of(asset.name())},
               {"class, kind", word(asset.asset_class()) + ", " + asset.kind()},
               {"region", asset.region()},
               {"formed", text_of(asset.formed_date())},
               {"value", text_of(asset.value()) + " 元"},
               {"made of", parts},
               {"quantity", text_of(asset.quantity())},
               {"state", word(asset.state())},
               {"owner", text_of(asset.owner())},
               {"holder", text_of(asset.holder())},
               {"manager", manager_of(asset.manager())},
               {"version", std::to_string(asset.version())}}));
  say("\nWhat happened\n");
  Table table({"date", "what", "who, what", "document", "event"});
  for (const auto& check : card.checks()) {
    table.row({text_of(check.check_date()), "checked: " + check.condition(),
               "found " + text_of(check.found()) + ", difference " + text_of(check.difference()),
               check.evidence_size() ? text_of(check.evidence(0)) : "", check.event_id()});
  }
  if (card.has_title()) {
    table.row({text_of(card.title().title_date()), "titled", text_of(card.title().owner()),
               text_of(card.title().certificate()), card.title().event_id()});
  }
  for (const auto& offer : card.offers()) {
    table.row({text_of(offer.offered_date()), "offered", "to " + text_of(offer.to()),
               text_of(offer.document()), offer.event_id()});
    if (!offer.has_answer_date()) continue;
    std::string marks;
    for (const auto& sign : offer.sign_offs())
      marks += (marks.empty() ? "" : ", ") + word(sign.role()) + " " + word(sign.mark());
    table.row({text_of(offer.answer_date()), "answered: " + word(offer.answer()), marks, "",
               offer.answer_event_id()});
  }
  for (const auto& manager : card.managers()) {
    table.row({text_of(manager.from_date()), "manager", manager_of(manager.manager()), "",
               manager.event_id()});
  }
  say(table.text() + "\n" + text_of(card.freshness()) + "\n");
}

int list_late(Session& session, ar::LateTitleRequest request) {
  if (const int code = session.prepare(request)) return code;
  request.set_region(session.arguments().get("--region"));
  return list_rows<ar::LateTitleResponse>(
      session, "asset_register.LateTitle", request,
      Table({"asset", "name", "formed", "due", "titled", ">days late", "judgement"}),
      [](const auto& row) {
        return std::vector<std::string>{row.asset().asset_id(),
                                        text_of(row.asset().name()),
                                        text_of(row.asset().formed_date()),
                                        text_of(row.due_date()),
                                        text_of(row.asset().title_date()),
                                        row.has_days_late() ? std::to_string(row.days_late()) : "",
                                        word(row.judgement())};
      },
      kYuan);
}

int list_without_manager(Session& session, ar::WithoutManagerRequest request) {
  if (const int code = session.prepare(request)) return code;
  request.set_region(session.arguments().get("--region"));
  return list_rows<ar::WithoutManagerResponse>(
      session, "asset_register.WithoutManager", request,
      Table({"asset", "name", "class", "region", "formed", "value", "state", "judgement"}),
      [](const auto& row) {
        auto cells = asset_cells(row.asset());
        cells.back() = word(row.judgement());
        return cells;
      },
      kYuan);
}

}  // namespace

int run_asset_show(Session& session) {
  return show_one<ar::CardRequest, ar::CardResponse>(
      session, "asset_register.Card",
      [](auto& request, const auto& id) { request.set_asset_id(id); }, say_card);
}

int run_asset_list(Session& session) {
  if (const int code = session.connect()) return code;
  const auto& arguments = session.arguments();
  if (arguments.has("--late-title") && arguments.has("--without-manager")) {
    return session.usage("only one of --late-title and --without-manager");
  }
  if (arguments.has("--late-title")) return list_late(session, {});
  if (arguments.has("--without-manager")) return list_without_manager(session, {});
  ar::RegisterRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_region(arguments.get("--region"));
  int state = 0;
  if (const int code = session.value("--state", *ar::AssetState_descriptor(), state)) return code;
  request.set_state(static_cast<ar::AssetState>(state));
  int32_t year = 0;
  if (const int code = session.number("--year", year)) return code;
  if (year < 0 || year > 9999) return session.usage("--year: expected a year");
  request.set_year(year);
  ar::RegisterResponse answer;
  if (const int code = session.pages("asset_register.Register", request, answer)) return code;
  if (session.json()) return kExitOk;
  Table table({"asset", "name", "class", "region", "formed", ">value", "state", "holder"});
  for (const auto& row : answer.rows()) table.row(asset_cells(row));
  say(table.text());
  say("\n" + std::to_string(answer.count()) + " assets, value " +
      (answer.has_value() ? text_of(answer.value()) : "unknown") +
      (answer.value_incomplete() ? ", incomplete" : "") + "\n");
  say_end(session, answer.freshness(), kYuan);
  return kExitOk;
}

int run_asset_history(Session& session) {
  return list_history<ar::AssetHistoryRequest, ar::AssetHistoryResponse>(
      session, "asset_register.AssetHistory",
      [](auto& request, const auto& id) { request.set_asset_id(id); },
      history_table({"state", "holder"}),
      [](const auto& version) {
        return history_cells(version, {word(version.state()), text_of(version.holder())});
      },
      kYuan);
}

}  // namespace taizhang::cli
