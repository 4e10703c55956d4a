// A view folded and asked by hand.
#include "platform/projection/view_fixture.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "platform/base/bytes.h"
#include "platform/base/sha256.h"
#include "platform/base/test_folder.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/folder.h"
#include "platform/projection/query_plan.h"
#include "platform/projection/store.h"
#include "platform/projection/view_service.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang {

using google::protobuf::Message;

struct ViewFixture::State : EventSource {
  explicit State(View made) : view(projection::with_common_queries(std::move(made))) {}

  bool event(std::string_view, int64_t seq,
             const std::function<void(const EventMeta&)>& visit) const override {
    for (const auto& batch : batches) {
      const auto& events = batch->commits[0].events;
      const int64_t at = seq - events.front().seq;
      if (at < 0 || at >= static_cast<int64_t>(events.size())) continue;
      visit(events[static_cast<size_t>(at)]);
      return true;
    }
    return false;
  }

  View view;
  std::string ledger;
  const testing::TestFolder files;
  std::shared_ptr<projection::Store> store;
  std::unique_ptr<projection::Folder> folder;
  std::vector<std::unique_ptr<projection::QueryPlan>> plans;
  std::vector<std::shared_ptr<projection::Batch>> batches;
  std::vector<std::unique_ptr<std::string>> bodies;
  journal::v1::Request request;
  Caller caller;
  std::function<std::string(std::string_view)> blind_index = [](std::string_view number) {
    return "index-of-" + std::string(number);
  };
  int64_t next_time_us = int64_t{1'767'196'800} * 1'000'000;  // 2026-01-01 00:00 +08:00
  int64_t last_time_us = 0;
  int64_t last_seq = 0;
  int64_t offset = 0;
  int32_t today = 20260101;
};

ViewFixture::ViewFixture(View view, std::string ledger)
    : state_(std::make_unique<State>(std::move(view))) {
  state_->ledger = std::move(ledger);
  auto opened = projection::Store::open(state_->files.path(),
                                        projection::make_store_resources(8 << 20, 8 << 20));
  if (!opened.ok()) {
    ADD_FAILURE() << opened.status();
    return;
  }
  state_->store = *opened;
  state_->folder = std::make_unique<projection::Folder>(state_->view, state_->store, 1,
                                                          projection::FoldSettings{1 << 20, 1, 0});
  for (const auto& method : state_->view.methods()) {
    if (method.query)
      state_->plans.push_back(std::make_unique<projection::QueryPlan>(state_->view, method));
  }
  state_->caller.profile = state_->caller.subject = "tester";
  state_->caller.regions = {""};
  state_->caller.roles = {common::v1::ROLE_MAKER, common::v1::ROLE_CHECKER};
  state_->request.mutable_actor()->set_subject("maker-1");
  state_->request.mutable_source()->set_kind(common::v1::Source::KIND_FORM);
}

ViewFixture::~ViewFixture() = default;

int64_t ViewFixture::commit_all(int32_t effective_day, const std::vector<const Message*>& events) {
  State& state = *state_;
  journal::v1::Commit commit;
  commit.set_ledger(state.ledger);
  commit.set_first_seq(state.last_seq + 1);
  commit.set_recorded_time_us(state.next_time_us);
  *commit.add_requests() = state.request;
  commit.mutable_requests(0)->set_events(static_cast<uint32_t>(events.size()));
  if (commit.requests(0).request_id().empty()) {
    std::string id(16, '\0');
    store_le(id.data(), static_cast<uint64_t>(commit.first_seq()));
    commit.mutable_requests(0)->set_request_id(id);
  }
  for (const auto* event : events) {
    auto& stored = *commit.add_events();
    stored.set_type(std::string(stored_type(event->GetDescriptor()->full_name())));
    stored.set_payload(event->SerializeAsString());
    stored.set_effective_date(effective_day);
  }
  state.bodies.push_back(std::make_unique<std::string>(commit.SerializeAsString()));
  auto batch = std::make_shared<projection::Batch>();
  const projection::FindType find_type = [](std::string_view type) {
    const auto* descriptor = projection::find_event_type(type);
    return std::pair(
        descriptor,
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor));
  };
  EXPECT_TRUE(projection::decode_commit(*state.bodies.back(), find_type, *batch));
  batch->start = state.offset++;
  batch->end = state.offset;
  batch->closed_time_us = state.next_time_us;
  auto folded = state.folder->fold(*batch);
  if (folded.ok()) folded = state.folder->write();
  EXPECT_TRUE(folded.ok()) << folded;
  const auto& progress = state.folder->ledgers().find(state.ledger)->second;
  EXPECT_EQ(progress.stopped_seq, 0) << progress.stopped_why;
  state.last_time_us = state.next_time_us;
  state.next_time_us += 1'000'000;
  state.last_seq += static_cast<int64_t>(events.size());
  state.batches.push_back(std::move(batch));
  return state.last_seq;
}

ViewFixture& ViewFixture::as(std::string subject, std::string worker_id, std::string org_id) {
  auto& actor = *state_->request.mutable_actor();
  actor.set_subject(std::move(subject));
  actor.set_worker_id(std::move(worker_id));
  actor.set_org_id(std::move(org_id));
  return *this;
}

ViewFixture& ViewFixture::because(std::string reason) {
  state_->request.set_reason(std::move(reason));
  return *this;
}

ViewFixture& ViewFixture::from_document(std::string document_id) {
  state_->request.mutable_source()->mutable_document()->set_document_id(std::move(document_id));
  return *this;
}

ViewFixture& ViewFixture::with_command(std::string name) {
  state_->request.set_command(std::move(name));
  return *this;
}

ViewFixture& ViewFixture::with_request_id(std::string sixteen_bytes) {
  state_->request.set_request_id(std::move(sixteen_bytes));
  return *this;
}

ViewFixture& ViewFixture::record_at(int64_t recorded_time_us) {
  state_->next_time_us = recorded_time_us;
  return *this;
}

int64_t ViewFixture::last_recorded_time_us() const { return state_->last_time_us; }

int64_t ViewFixture::last_seq() const { return state_->last_seq; }

ViewFixture& ViewFixture::today(int32_t day) {
  state_->today = day;
  return *this;
}

ViewFixture& ViewFixture::asked_by(std::vector<int> roles) {
  state_->caller.roles = std::move(roles);
  return *this;
}

void ViewFixture::forget_events() { state_->batches.clear(); }

Answer ViewFixture::ask_any(const Message& request) {
  State& state = *state_;
  for (const auto& method : state.view.methods()) {
    if (!method.query || method.descriptor->input_type() != request.GetDescriptor()) continue;
    for (const auto& plan : state.plans) {
      if (plan->name() != method.descriptor->full_name()) continue;
      const std::unique_ptr<Message> asked(request.New());
      asked->CopyFrom(request);
      const auto* ledger = asked->GetDescriptor()->FindFieldByName("ledger");
      if (asked->GetReflection()->GetString(*asked, ledger).empty()) {
        asked->GetReflection()->SetString(asked.get(), ledger, state.ledger);
      }
      constexpr std::string_view kKey = "key of a fixture";
      auto wish = plan->wish(*asked, state.store->build_id(), kKey, state.today);
      if (auto* error = std::get_if<Error>(&wish)) return std::move(*error);
      const projection::Known known{state.last_seq, state.last_time_us, state.last_seq, 0,
                                    state.last_time_us};
      return plan->answer(*asked, std::get<0>(wish), known, state.store, state.caller, &state,
                          &state.blind_index, kKey);
    }
  }
  return failure(kUnimplemented, "METHOD_NOT_SERVED",
                 "the view has no query for " + request.GetTypeName());
}

std::string ViewFixture::dump() const {
  std::string text;
  const auto cursor = state_->store->cursor(projection::CursorKind::kOrder);
  const std::string area(1, projection::store_key::kRow);
  for (cursor->seek(area); cursor->valid() && cursor->key().starts_with(area); cursor->next()) {
    text += hex(cursor->key()) + " " + hex(cursor->value()) + "\n";
  }
  return text;
}

void ViewFixture::fail(const Error& error) {
  ADD_FAILURE() << (error.reason.empty() ? "an error was expected"
                                         : error.reason + ": " + error.message);
}

}  // namespace taizhang
