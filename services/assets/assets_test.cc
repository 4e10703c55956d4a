// What holds of all assets, whatever happens to them.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/assets/v1/service.pb.h"
#include "tests/support/assets_commands.h"
#include "tests/support/inputs_in_events.h"

namespace taizhang::test {
namespace {

using assets::state::v1::Asset;
using assets::state::v1::Check;
using assets::state::v1::Offer;
using namespace assets::v1;

TEST(Assets, EventsCarryEveryInput) {
  EXPECT_EQ(
      inputs_missing_in_events(*FormAssetRequest::descriptor()->file()->pool()->FindServiceByName(
          "taizhang.assets.v1.AssetsService")),
      std::vector<std::string>());
}

TEST(Assets, EveryRefusalHasACodeAndATextForClerks) {
  const auto& refusals = *google::protobuf::GetEnumDescriptor<AssetsRefusal>();
  for (int i = 1; i < refusals.value_count(); ++i) {
    EXPECT_NE(refusals.value(i)->options().GetExtension(code),
              common::v1::REFUSAL_CODE_UNSPECIFIED);
    EXPECT_NE(refusals.value(i)->options().GetExtension(zh), "") << refusals.value(i)->name();
  }
}

class History {
 public:
  explicit History(uint32_t seed) : random_(seed) {
    for (const auto* asset : kAssets) book_.as("clerk").given(form(asset));
  }

  void step() {
    ++commands_;
    const std::string name = std::to_string(commands_);
    const std::string asset = kAssets[pick(0, 3)];
    const int32_t day = add_days(20170605, static_cast<int32_t>(pick(0, 120)));
    book_.as("clerk").with_regions({""});
    switch (pick(0, 6)) {
      case 0:
        book_.when(with(check(name, asset, day), [&](auto& c) {
          if (pick(0, 5) == 0) c.set_condition("DAMAGED");
        }));
        if (happened()) checks_[asset].push_back(name);
        break;
      case 1:
        book_.when(title(asset, day));
        happened();
        break;
      case 2:
        book_.when(offer(name, {asset}, day));
        if (happened()) offers_.push_back(name);
        break;
      case 3:
      case 4:
        if (!offers_.empty()) answer_one(day);
        break;
      default:
        if (!checks_[asset].empty()) {
          book_.on(day).when(void_check(checks_[asset][pick(0, checks_[asset].size() - 1)]));
          happened();
        }
    }
  }

  void expect_sound() {
    for (const auto* name : kAssets) {
      const auto& asset = book_.row<Asset>(id(name));
      SCOPED_TRACE(name);
      EXPECT_EQ(asset.parts(0).fen(), asset.value().fen());
      size_t unvoided = 0;
      for (const auto& made : checks_[name]) unvoided += !book_.row<Check>(id(made)).voided();
      EXPECT_EQ(static_cast<size_t>(asset.checks_size()), unvoided);
      EXPECT_EQ(asset.state() == assets::state::v1::ASSET_STATE_FORMED, unvoided == 0);
      EXPECT_EQ(asset.has_owner(), asset.state() >= assets::state::v1::ASSET_STATE_TITLED);
      if (asset.has_owner()) {
        EXPECT_LE(asset.checks(0).day(), asset.title_day());
      }
      const bool over = asset.state() == assets::state::v1::ASSET_STATE_HANDED_OVER;
      EXPECT_EQ(asset.has_holder(), over);
      EXPECT_EQ(asset.has_manager(), over);
      int64_t open = 0;
      for (const auto& made : offers_) {
        const auto& held = book_.row<Offer>(id(made));
        open += held.answer() == OFFER_DECISION_UNSPECIFIED && held.asset_ids(0) == id(name);
      }
      EXPECT_LE(open, 1);
      EXPECT_EQ(open == 1, asset.state() == assets::state::v1::ASSET_STATE_OFFERED);
    }
  }

  int accepted() const { return accepted_; }
  int commands() const { return commands_; }

 private:
  static constexpr const char* kAssets[] = {"books", "chairs", "boards", "lamps"};

  size_t pick(size_t least, size_t most) {
    return std::uniform_int_distribution<size_t>(least, most)(random_);
  }

  bool happened() {
    accepted_ += book_.event_count() > 0;
    return book_.event_count() > 0;
  }

  void answer_one(int32_t day) {
    book_.as("receiver", "", id("village office")).with_regions({std::string(kVillageD)});
    const auto decision = pick(0, 3) == 0 ? OFFER_DECISION_ACCEPT : OFFER_DECISION_REJECT;
    book_.when(with(answer(offers_[pick(0, offers_.size() - 1)], decision, day), [&](auto& c) {
      if (pick(0, 3) == 0) c.clear_manager();
    }));
    happened();
  }

  std::mt19937 random_;
  Scenario book_ = asset_book();
  std::map<std::string, std::vector<std::string>> checks_;
  std::vector<std::string> offers_;
  int commands_ = 0;
  int accepted_ = 0;
};

TEST(Assets, StaySoundOverRandomHistories) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    while (history.commands() < 200) {
      history.step();
      history.expect_sound();
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(history.accepted(), 20);
    EXPECT_LT(history.accepted(), 180);
  }
}

}  // namespace
}  // namespace taizhang::test
