// Tests of decisions about views.
#include "services/admin/view_decisions.h"

#include "platform/command/ledgers.h"
#include "taizhang/admin/state/v1/state.pb.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/errors.pb.h"
#include "taizhang/admin/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "tests/support/scenario.h"

namespace taizhang {
namespace {

using admin::state::v1::LiveView;
using admin::state::v1::SkippedViewEvent;
using admin::v1::SkipViewEventRequest;
using admin::v1::SwitchViewRequest;
using admin::v1::ViewSwitched;
using test::Scenario;

Scenario book() {
  auto book = Scenario({register_ledgers, register_view_decisions});
  book.in_ledger("000001", common::v1::LEDGER_KIND_DIRECTORY)
      .with_roles({common::v1::ROLE_OPERATOR})
      .with_regions({""});
  return book;
}

SwitchViewRequest switch_to(int32_t version, const std::string& view = "duties") {
  SwitchViewRequest command;
  command.set_ledger("000000");
  command.set_view(view);
  command.set_view_version(version);
  return command;
}

ViewSwitched switched(int32_t version) {
  ViewSwitched event;
  event.set_view("duties");
  event.set_view_version(version);
  return event;
}

TEST(SwitchView, IsRecordedAndUnchangedWhenItIsSoAlready) {
  auto decisions = book();
  decisions.because("compared").when(switch_to(2)).accepted(switched(2));
  EXPECT_EQ(decisions.row<LiveView>("duties").view_version(), 2);
  decisions.because("compared").when(switch_to(2)).unchanged();
  decisions.because("it was worse").when(switch_to(1)).accepted(switched(1));
  decisions.because("another view").when(switch_to(1, "history")).accepted();
}

TEST(SwitchView, WantsAReasonAndAVersion) {
  auto decisions = book();
  decisions.when(switch_to(2))
      .refused(common::v1::COMMON_REFUSAL_REASON_REQUIRED, "context.reason");
  decisions.because("so")
      .when(switch_to(0))
      .refused(common::v1::COMMON_REFUSAL_AMOUNT_NOT_POSITIVE, "view_version");
}

SkipViewEventRequest skip(int64_t seq, int32_t version = 0) {
  SkipViewEventRequest command;
  command.set_ledger("990101");
  command.set_seq(seq);
  command.set_view("duties");
  command.set_view_version(version);
  return command;
}

TEST(SkipViewEvent, IsRefusedBeyondTheLedgersEnd) {
  book().named_seq(4).because("so").when(skip(5)).refused(admin::v1::ADMIN_REFUSAL_SEQ_NOT_REACHED,
                                                          "seq");
}

TEST(SkipViewEvent, IsRecordedOnce) {
  auto decisions = book();
  admin::v1::ViewEventSkipped expected;
  expected.set_ledger("990101");
  expected.set_seq(5);
  expected.set_view("duties");
  decisions.named_seq(5).because("a test wrote it").when(skip(5)).accepted(expected);
  EXPECT_TRUE(decisions.has<SkippedViewEvent>("duties", 0, "990101", int64_t{5}));
  decisions.because("once more").when(skip(5)).unchanged();
  decisions.because("one version").when(skip(5, 2)).accepted();
}

TEST(SkipViewEvent, WantsAReason) {
  book().named_seq(5).when(skip(5)).refused(common::v1::COMMON_REFUSAL_REASON_REQUIRED,
                                            "context.reason");
}

}  // namespace
}  // namespace taizhang
