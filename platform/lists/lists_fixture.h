// For tests of exports and differences: a view of sums by key over a journal in memory, served as
// the server would.
//
// ReadEvents lists the sums, with from_seq != 0 the versions of the sum "a", newest first, with
// to_seq != 0 rows without a place; as envelopes: id = key, seq = version, commit_first_seq = sum,
// subject = name. CountHouseholds, which is no list, counts the sums.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "platform/base/test_folder.h"
#include "platform/lists/list_service.h"
#include "platform/lists/reader_directory.h"
#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "platform/projection/views.h"
#include "taizhang/household_file/v1/queries.pb.h"
#include "taizhang/lists/v1/service.pb.h"

namespace taizhang::testing {

inline Result<ledger::v1::ReadEventsResponse> list_sums(
    const Snapshot& snapshot, const ledger::v1::ReadEventsRequest& request) {
  ledger::v1::ReadEventsResponse response;
  const auto add = [&](const SumRow& row) {
    auto& envelope = *response.add_events();
    envelope.set_id(row.ledger());
    envelope.set_seq(row.version());
    envelope.set_commit_first_seq(static_cast<int64_t>(row.generation()));
    envelope.set_subject(row.name());
    return true;
  };
  if (request.from_seq() != 0) {
    snapshot.page_history<SumRow>([&](const RowVersion&, const SumRow& row) { add(row); },
                                  std::string("a"));
  } else if (request.to_seq() != 0) {
    snapshot.scan<SumRow>(add);
  } else {
    snapshot.page_scan<SumRow>([&](const SumRow& row) {
      return row.generation() % 7 != 0 && add(row);  // a filter
    });
  }
  return response;
}

inline Result<household_file::v1::CountHouseholdsResponse> count_sums(
    const Snapshot& snapshot, const household_file::v1::CountHouseholdsRequest&) {
  household_file::v1::CountHouseholdsResponse response;
  snapshot.scan<SumRow>([&](const SumRow&) {
    response.set_households(response.households() + 1);
    return true;
  });
  return response;
}

inline View listed_sums() {
  View view("sums", 1);
  view.on<ledger::v1::LedgerPlaced>(fold_placed)
      .on<ledger::v1::LedgerFounded>(fold_erased)
      .query(list_sums)
      .query(count_sums);
  return view;
}

class ListsTest : public ::testing::Test {
 protected:
  using Messages = std::vector<std::unique_ptr<google::protobuf::Message>>;
  static constexpr const char* kLedger = "990101";
  static constexpr int32_t kOpenMax = 2;

  ListsTest() {
    journal_.open(kLedger);
    caller_.roles = {common::v1::ROLE_MAKER};
    caller_.regions = {""};
  }
  ~ListsTest() override { views_.reset(); }

  void start() {
    views_.reset();
    ViewsSettings settings;
    settings.directory = folder_.path() + "/views";
    settings.block_cache_bytes = int64_t{4} << 20;
    views_ =
        std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(), settings,
                                [](std::string_view number) { return std::string(number); });
    views_->add(listed_sums());
    ASSERT_TRUE(views_->start().ok());
    catch_up();
    dispatcher_ = std::make_unique<Dispatcher>();
    serve_lists(*views_, kOpenMax, readers_.get(), *dispatcher_);
  }
  void catch_up() { ASSERT_TRUE(views_->catch_up(120'000'000)); }

  int64_t add(const std::string& key, uint64_t by, const std::string& name = "",
              const std::string& ledger = kLedger) {
    const auto event = placed(key, by, name);
    return journal_.commit(ledger, {&event});
  }
  int64_t erase(const std::string& key) {
    const auto event = erased(key);
    return journal_.commit(kLedger, {&event});
  }

  static ledger::v1::ReadEventsRequest question() {
    ledger::v1::ReadEventsRequest request;
    request.set_ledger(kLedger);
    return request;
  }

  // One message of a stream; null: it ended well.
  static Answer next(ServerStream& stream) {
    std::promise<Answer> told;
    stream.next([&](Answer answer) { told.set_value(std::move(answer)); });
    return told.get_future().get();
  }
  template <class Request>
  std::variant<std::unique_ptr<ServerStream>, Error> open(const Request& request) {
    const auto* service = lists::v1::ExportRequest::descriptor()->file()->service(0);
    for (int i = 0; i < service->method_count(); ++i) {
      if (service->method(i)->input_type() != Request::descriptor()) continue;
      const Call call{.caller = &caller_,
                      .deadline_boot_us = system_clock().boot_us() + 5'000'000,
                      .token = token_};
      return dispatcher_->stream(*service->method(i), call, std::make_shared<Request>(request));
    }
    return failure(kUnimplemented, "NO_METHOD", "");
  }
  // Every message of a stream that ends well.
  template <class Response, class Request>
  std::vector<Response> all(const Request& request) {
    std::vector<Response> messages;
    auto opened = open(request);
    if (const auto* error = std::get_if<Error>(&opened)) {
      ADD_FAILURE() << error->reason << ": " << error->message;
      return messages;
    }
    for (;;) {
      auto answer = next(*std::get<0>(opened));
      if (const auto* error = std::get_if<Error>(&answer)) {
        ADD_FAILURE() << error->reason << ": " << error->message;
        return messages;
      }
      if (!std::get<0>(answer)) return messages;
      messages.push_back(static_cast<const Response&>(*std::get<0>(answer)));
    }
  }
  // How opening, or the stream, ends.
  template <class Request>
  Error error_of(const Request& request) {
    auto opened = open(request);
    if (const auto* error = std::get_if<Error>(&opened)) return *error;
    for (;;) {
      auto answer = next(*std::get<0>(opened));
      if (const auto* error = std::get_if<Error>(&answer)) return *error;
      if (!std::get<0>(answer)) {
        ADD_FAILURE() << "an error was expected";
        return {};
      }
    }
  }

  static std::string text(const ledger::v1::EventEnvelope& row) {
    return row.id() + "=" + std::to_string(row.commit_first_seq());
  }
  static std::string text(const google::protobuf::Any& packed) {
    ledger::v1::EventEnvelope row;
    EXPECT_TRUE(packed.UnpackTo(&row));
    return text(row);
  }
  // "28:a=3 28:c=4 ": each behind the end of its ledger's code.
  static std::string rows_of(const std::vector<lists::v1::GatherResponse>& messages) {
    std::string rows;
    for (const auto& message : messages) {
      for (const auto& row : message.rows().rows())
        rows += row.ledger().substr(4) + ":" + text(row.row()) + " ";
    }
    return rows;
  }

  const TestFolder folder_;
  TestJournal journal_;
  Caller caller_;
  std::shared_ptr<const std::string> token_;
  std::unique_ptr<Views> views_;
  std::unique_ptr<lists::ReaderDirectory> readers_;  // null: none; set before start()
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace taizhang::testing
