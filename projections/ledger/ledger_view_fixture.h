// For tests of the ledger view: it, or it and a view without rows, served over a journal in memory.
#pragma once

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/test_folder.h"
#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "platform/projection/views.h"
#include "projections/ledger/ledger_view.h"

namespace taizhang::testing {

// A view without rows whose answers name the event of the newest seq.
inline Result<ledger::v1::GetOutcomeResponse> who_was_it(const Snapshot& snapshot,
                                                         const ledger::v1::GetOutcomeRequest&) {
  ledger::v1::GetOutcomeResponse response;
  const bool found = snapshot.event(snapshot.seq(), [&](const EventMeta& event) {
    response.mutable_receipt()->add_event_ids(event.id());
    response.mutable_receipt()->set_ledger(event.actor->subject());
  });
  if (!found) return not_found("EVENT_NOT_FOUND", "", "event", "");
  return response;
}

inline View probe_view() {
  View view("probe", 1);
  view.query(who_was_it);
  return view;
}

// Views over a journal with one ledger; whoever derives adds them and calls serve().
class ServedViews : public ::testing::Test {
 protected:
  static constexpr const char* kLedger = "990101";

  // The clock must outlive the fixture.
  explicit ServedViews(Clock& clock = system_clock()) : clock_(clock) {
    journal_.open(kLedger);
    caller_.roles = {common::v1::ROLE_MAKER};
    caller_.regions = {""};
    make_views();
  }

  void make_views() {
    ViewsSettings settings;
    settings.directory = folder_.path();
    views_ = std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, clock_, settings,
                                     [](std::string_view number) { return std::string(number); });
  }
  void serve() {
    EXPECT_TRUE(views_->start().ok());
    views_->register_queries(dispatcher_);
  }
  Call call() const { return {&caller_, clock_.boot_us() + 5'000'000}; }

  Clock& clock_;
  const TestFolder folder_;
  TestJournal journal_;
  Caller caller_;
  Dispatcher dispatcher_;
  std::unique_ptr<Views> views_;
};

class LedgerViewTest : public ServedViews {
 protected:
  static constexpr int kBatchEvents = 700;

  // `also`: what the ledger view does with such an event beside its own fold.
  using Also = void (*)(Ledger&, const EventMeta&, const ledger::v1::LedgerPlaced&);
  explicit LedgerViewTest(Clock& clock = system_clock(), Also also = nullptr) : ServedViews(clock) {
    ledger_view::SubscribeLimits limits;
    limits.batch_events_max = kBatchEvents;
    limits.tail_events_max = 100;  // so that a writer who is not waited for outruns it
    View view = ledger_view::ledger_view(limits);
    if (also) view.on(also);
    views_->add(std::move(view));
    views_->add(probe_view());
    serve();
  }

  static const google::protobuf::MethodDescriptor& method(const char* name) {
    return *google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        std::string("taizhang.ledger.v1.LedgerService.") + name);
  }

  static std::string seqs(
      const google::protobuf::RepeatedPtrField<ledger::v1::EventEnvelope>& events) {
    std::string text;
    for (const auto& event : events) text += std::to_string(event.seq()) + " ";
    return text;
  }

  int64_t add(const std::string& key) {
    const auto event = placed(key, 1);
    return journal_.commit(kLedger, {&event});
  }
  // seq 1: a · 2, 3: b, and a erased, in one commit · 4: c · 5: a
  void write_some() {
    add("100001");
    const auto first = placed("100002", 1);
    const auto second = erased("100001");
    journal_.commit(kLedger, {&first, &second});
    add("100003");
    add("100001");
  }
};

}  // namespace taizhang::testing
