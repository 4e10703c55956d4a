// For tests of the read side: decisions of operators in the journal, and several views over it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "platform/projection/test_views.h"
#include "taizhang/admin/v1/events.pb.h"

namespace taizhang::testing {

inline constexpr const char* kSystem = "000001";

class DecisionsTest : public ViewsTest {
 protected:
  DecisionsTest() { journal_.open(kSystem); }

  void open_all(std::vector<View> views) {
    views_.reset();
    views_ = std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(),
                                     settings_,
                                     [](std::string_view number) { return std::string(number); });
    for (auto& view : views) views_->add(std::move(view));
    started_ = views_->start();
    ASSERT_TRUE(started_.ok()) << started_;
  }
  void decide_live(int32_t version, const std::string& view = "sums") {
    admin::v1::ViewSwitched event;
    event.set_view(view);
    event.set_view_version(version);
    journal_.commit(kSystem, {&event});
  }
  void decide_skip(int64_t seq, const std::string& ledger = kLedger, int32_t version = 0) {
    admin::v1::ViewEventSkipped event;
    event.set_ledger(ledger);
    event.set_seq(seq);
    event.set_view("sums");
    event.set_view_version(version);
    journal_.commit(kSystem, {&event});
  }
};

}  // namespace taizhang::testing
