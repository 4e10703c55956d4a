// For unit tests of a view: commits events by hand and asks the view's queries, no journal and no
// threads.
//
//   ViewFixture book(duties_view());
//   book.commit(20170601, visit);                                  // seq 1, recorded at once,
//   effective 2017-06-01 book.as("checker-1").because("typing error").commit(20170701, voided);
//   auto answer = book.ask<DueResponse>(request);                  // fails the test when refused
//   auto error = book.ask_error(request);
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "platform/command/answer.h"
#include "platform/command/caller.h"
#include "platform/projection/view.h"

namespace taizhang {

class ViewFixture {
 public:
  explicit ViewFixture(View view, std::string ledger = "990101");
  ~ViewFixture();

  // One commit with these events; returns the seq of the last. Recorded one second after the one
  // before, or at the time given to record_at().
  template <class... Event>
  int64_t commit(int32_t effective_day, const Event&... events) {
    std::vector<const google::protobuf::Message*> list{&events...};
    return commit_all(effective_day, list);
  }
  int64_t commit_all(int32_t effective_day,
                     const std::vector<const google::protobuf::Message*>& events);

  // For the following commits.
  ViewFixture& as(std::string subject, std::string worker_id = {}, std::string org_id = {});
  ViewFixture& because(std::string reason);
  ViewFixture& from_document(std::string document_id);
  ViewFixture& with_command(std::string name);
  ViewFixture& with_request_id(std::string sixteen_bytes);
  // Microseconds since 1970 of the next commit.
  ViewFixture& record_at(int64_t recorded_time_us);
  int64_t last_recorded_time_us() const;
  int64_t last_seq() const;

  // For the following questions: day of "today" (default: 2026-01-01), roles (default: maker and
  // checker).
  ViewFixture& today(int32_t day);
  ViewFixture& asked_by(std::vector<int> roles);
  // From now on rows tell what they hold, and nobody knows the events that made them.
  void forget_events();

  // `ledger` of the request is set when empty.
  Answer ask_any(const google::protobuf::Message& request);
  template <class Response, class Request>
  Response ask(const Request& request) {
    Answer answer = ask_any(request);
    if (auto* error = std::get_if<Error>(&answer)) {
      fail(*error);
      return {};
    }
    return std::move(static_cast<Response&>(*std::get<0>(answer)));
  }
  template <class Request>
  Error ask_error(const Request& request) {
    Answer answer = ask_any(request);
    if (auto* error = std::get_if<Error>(&answer)) return *error;
    fail({});
    return {};
  }

  // Every row version as text, for comparing two folds.
  std::string dump() const;

 private:
  static void fail(const Error& error);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace taizhang
