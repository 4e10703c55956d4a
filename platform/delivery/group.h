// One subscription while it is delivered: its window, its consumers, and what it has to write down.
// Of the delivering thread only. Private to platform/delivery.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/command/answer.h"
#include "platform/delivery/window.h"
#include "platform/projection/view.h"
#include "taizhang/subscriptions/v1/queries.pb.h"

namespace taizhang::delivery {

class Delivery;

// An open Receive stream.
struct Consumer {
  bool may_see_personal = false;
  size_t batch_events_max = 0;
  int64_t heartbeat_us = 0;
  int64_t heartbeat_due_us = 0;
  int64_t told_position = -1;  // by a checkpoint
  bool caught_up = false;
  Done pending;  // it asks for a message
  // Why the stream ended, for a stream that asks again.
  std::shared_ptr<std::optional<Error>> ended;
};

class Group {
 public:
  Group(Delivery& delivery, std::string ledger, std::string name);
  ~Group();

  void join(uint64_t consumer, Consumer with);
  void leave(uint64_t consumer);
  // The consumer asks for its next message.
  void ask(uint64_t consumer, Done ready);
  void acknowledge(const subscriptions::v1::AcknowledgeRequest& request, Done done);
  void retry(const subscriptions::v1::RetryRequest& request, Done done);
  // An event of the system ledger about this subscription.
  void control(const EventMeta& event);

  // Does what can be done now.
  void turn();
  // When something will be to be done by itself.
  int64_t wake_us() const;
  // Ends its streams and answers its calls; it is of no use any more.
  void fail(const Error& error);
  bool is_gone() const { return phase_ == Phase::kGone; }
  // The system ledger its rows stand on; empty: not known yet.
  const std::string& system() const { return system_; }
  void tell(subscriptions::v1::DeliveryState& state) const;

 private:
  enum class Phase { kIdle, kStarting, kReading, kRunning, kGone };
  using MakeResponse = std::function<std::unique_ptr<google::protobuf::Message>()>;
  // A call that is answered when what it said is written down.
  struct Unrecorded {
    MakeResponse response;
    Done done;
  };
  // A call that came before the delivery ran.
  struct Early {
    std::function<void()> run;
    Done done;
  };

  static constexpr int64_t kPauseUs = 500'000;  // before it begins again

  void begin();
  void on_begun(const Answer& answer);
  bool read_rows();
  void run();
  void park_failed();
  void load_replays();
  void look();
  void deliver();
  // Puts the events that the window did not hold into what was taken. False: not all can be read,
  // and nothing is delivered for now.
  bool read_again(std::vector<Window::Taken>& taken);
  // A checkpoint, a heartbeat or that it has caught up, when it is time for one.
  void tell_consumer(Consumer& consumer);
  // Answers behind the next record if `changed`, else behind the one under way, if there is one.
  void answer_recorded(bool changed, MakeResponse response, Done done);
  void record();
  void on_recorded(const Answer& answer, int64_t position);
  void begin_again(int64_t pause_us);
  void wait_for_news(const std::shared_ptr<LiveView>& view, const std::string& ledger, int64_t seq);
  void stop_waiting();
  // Ends every call that waits for the delivery.
  void answer_waiting(const Error& error);
  // How far the view holds the ledger; nothing: it cannot be asked, and the group failed.
  std::optional<LiveView::Progress> progress(const LiveView& view, const std::string& ledger);

  Delivery& delivery_;
  const std::string ledger_;
  const std::string name_;
  const std::string id_;
  Phase phase_ = Phase::kIdle;
  // Answers to what was asked before the present beginning are of no interest.
  uint64_t beginning_;
  int64_t begin_not_before_us_ = 0;
  std::string system_;
  int64_t begun_seq_ = 0;
  int64_t rows_seq_ = 0;  // control events up to here are in the rows it began with
  int64_t generation_ = 0;
  ledger::v1::EventFilter filter_;

  std::optional<Window> window_;
  std::map<uint64_t, Consumer> consumers_;
  std::vector<Early> early_;
  int64_t lag_ms_ = 0;
  bool at_end_ = false;
  int64_t redeliveries_ = 0;  // over all beginnings

  int64_t recorded_position_ = 0;
  bool recording_ = false;
  int64_t last_record_us_ = 0;
  std::vector<Unrecorded> next_record_;     // wait for it
  std::vector<Unrecorded> present_record_;  // for the one under way

  std::shared_ptr<LiveView> news_view_;
  std::optional<uint64_t> news_wait_;
};

}  // namespace taizhang::delivery
