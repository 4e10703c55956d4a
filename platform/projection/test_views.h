// A journal of one ledger in memory and the views over it, for the tests of the read side.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/test_folder.h"
#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "platform/projection/views.h"

namespace taizhang::testing {

using ledger::v1::ReadEventsRequest;
using ledger::v1::ReadEventsResponse;

inline constexpr const char* kLedger = "990101";
inline constexpr const char* kMethod = "taizhang.ledger.v1.LedgerService.ReadEvents";

class ViewsTest : public ::testing::Test {
 protected:
  ViewsTest() {
    settings_.directory = folder_.path() + "/views";
    journal_.open(kLedger);
    caller_.roles = {common::v1::ROLE_MAKER};
    caller_.regions = {""};
  }

  void start(View view = sum_view()) {
    open(std::move(view));
    ASSERT_TRUE(started_.ok()) << started_;
    ASSERT_TRUE(views_->catch_up(10'000'000));
  }
  void open(View view) {
    views_.reset();
    views_ = std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(),
                                     settings_,
                                     [](std::string_view number) { return std::string(number); });
    views_->add(std::move(view));
    started_ = views_->start();
  }
  void catch_up() { ASSERT_TRUE(views_->catch_up(10'000'000)); }

  std::future<Answer> ask_later(const ReadEventsRequest& request, int64_t deadline_us = 5'000'000) {
    auto promise = std::make_shared<std::promise<Answer>>();
    Call call{&caller_, system_clock().boot_us() + deadline_us};
    views_->ask(kMethod, call, std::make_shared<ReadEventsRequest>(request),
                [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  ReadEventsResponse ask(const ReadEventsRequest& request) {
    Answer answer = ask_later(request).get();
    if (auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << error->reason << ": " << error->message;
      return {};
    }
    return static_cast<const ReadEventsResponse&>(*std::get<0>(answer));
  }
  Error ask_error(const ReadEventsRequest& request, int64_t deadline_us = 5'000'000) {
    Answer answer = ask_later(request, deadline_us).get();
    if (auto* error = std::get_if<Error>(&answer)) return *error;
    ADD_FAILURE() << "an error was expected";
    return {};
  }
  static ReadEventsRequest question(const std::string& ledger = kLedger) {
    ReadEventsRequest request;
    request.set_ledger(ledger);
    return request;
  }
  static ReadEventsRequest as_of(int64_t seq) {
    auto request = question();
    request.mutable_read()->set_seq(seq);
    return request;
  }
  static std::string text(const ReadEventsResponse& response) {
    std::string text;
    for (const auto& row : response.events()) {
      text += row.id() + "=" + std::to_string(row.commit_first_seq()) + "@" +
              std::to_string(row.seq()) + " ";
    }
    return text;
  }
  int64_t add(const std::string& key, uint64_t by) {
    const auto event = placed(key, by);
    return journal_.commit(kLedger, {&event});
  }
  std::string view_directory() const { return settings_.directory + "/sums-v1"; }

  const TestFolder folder_;
  ViewsSettings settings_;
  TestJournal journal_;
  Caller caller_;
  std::unique_ptr<Views> views_;
  absl::Status started_;
};

}  // namespace taizhang::testing
