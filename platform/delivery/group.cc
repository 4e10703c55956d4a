// A subscription's delivery, step by step.
#include "platform/delivery/group.h"

#include <algorithm>
#include <utility>

#include "platform/delivery/delivery.h"
#include "platform/state/key.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"

namespace taizhang::delivery {

using google::protobuf::Message;
using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;
namespace sv1 = subscriptions::v1;

namespace {

// A wait for news is looked after at least this often.
constexpr int64_t kNewsWaitUs = 5'000'000;

Error not_found() {
  return error_of(refuse(sv1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name"));
}

Error begins_again() {
  return failure(kUnavailable, "DELIVERY_RESTARTED",
                 "the delivery begins again: what is not acknowledged comes again",
                 {{"outcome", "unknown"}}, 1'000);
}

}  // namespace

Group::Group(Delivery& delivery, std::string ledger, std::string name)
    : delivery_(delivery),
      ledger_(std::move(ledger)),
      name_(std::move(name)),
      id_(ledger_ + "/" + name_),
      beginning_(delivery_.new_beginning()) {}

Group::~Group() { stop_waiting(); }

// --- Consumers

void Group::join(uint64_t consumer, Consumer with) { consumers_[consumer] = std::move(with); }

void Group::leave(uint64_t consumer) {
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return;
  const Done pending = std::move(found->second.pending);
  consumers_.erase(found);
  if (window_) {
    window_->release(consumer);
    if (consumers_.empty()) window_->let_go_events();
  }
  if (pending) pending(failure(kCancelled, "CANCELLED", "the caller ended the stream"));
}

void Group::ask(uint64_t consumer, Done ready) {
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end())
    return ready(failure(kCancelled, "CANCELLED", "the caller ended the stream"));
  found->second.pending = std::move(ready);
}

void Group::acknowledge(const sv1::AcknowledgeRequest& request, Done done) {
  if (phase_ != Phase::kRunning) {
    return early_.push_back({[this, request, done] { acknowledge(request, done); }, done});
  }
  const size_t before = window_->open();
  for (const int64_t seq : request.seqs()) window_->acknowledge(seq);
  if (request.up_to_seq() > 0) window_->acknowledge_up_to(request.up_to_seq());
  answer_recorded(
      window_->open() != before,
      [this] {
        auto response = std::make_unique<sv1::AcknowledgeResponse>();
        response->set_position(recorded_position_);
        return response;
      },
      std::move(done));
}

void Group::retry(const sv1::RetryRequest& request, Done done) {
  if (phase_ != Phase::kRunning) {
    return early_.push_back({[this, request, done] { retry(request, done); }, done});
  }
  const int64_t due_us = delivery_.parts_.clock.boot_us() + int64_t{request.delay_ms()} * 1'000;
  int retried = 0;
  for (const int64_t seq : request.seqs()) retried += window_->retry(seq, due_us);
  answer_recorded(
      window_->failures_moved(),
      [retried] {
        auto response = std::make_unique<sv1::RetryResponse>();
        response->set_retried(retried);
        return response;
      },
      std::move(done));
}

void Group::answer_recorded(bool changed, MakeResponse response, Done done) {
  if (changed || !next_record_.empty()) {
    next_record_.push_back({std::move(response), std::move(done)});
  } else if (recording_) {
    present_record_.push_back({std::move(response), std::move(done)});
  } else {
    done(response());
  }
}

void Group::control(const EventMeta& event) {
  if (phase_ != Phase::kRunning || event.seq <= rows_seq_) return;
  if (const auto* parked = dynamic_cast<const sv1::SubjectParked*>(event.event)) {
    window_->park(parked->subject(), parked->seq(), event.seq);
  } else if (const auto* replay = dynamic_cast<const sv1::ReplayStarted*>(event.event)) {
    window_->replay(replay->subject(), event.seq);
  } else if (const auto* skipped = dynamic_cast<const sv1::EventSkipped*>(event.event)) {
    window_->skip(skipped->seq(), skipped->subject());
  } else {
    fail(not_found());  // deleted
  }
}

void Group::tell(sv1::DeliveryState& state) const {
  state.set_consumers(static_cast<int32_t>(consumers_.size()));
  state.set_redeliveries(redeliveries_);
  if (!window_) return;
  state.set_outstanding(static_cast<int64_t>(window_->under_way()));
  state.set_waiting(static_cast<int64_t>(window_->open()));
  state.set_looked_at_seq(window_->looked_at());
  state.set_lag_ms(lag_ms_);
}

// --- Beginning and ending

void Group::fail(const Error& error) {
  if (phase_ == Phase::kGone) return;
  phase_ = Phase::kGone;
  beginning_ = delivery_.new_beginning();
  stop_waiting();
  for (auto& [id, consumer] : std::exchange(consumers_, {})) {
    *consumer.ended = error;
    if (consumer.pending) consumer.pending(error);
  }
  answer_waiting(error);
}

void Group::answer_waiting(const Error& error) {
  for (auto* calls : {&next_record_, &present_record_}) {
    for (auto& call : std::exchange(*calls, {})) call.done(error);
  }
  for (auto& early : std::exchange(early_, {})) early.done(error);
}

void Group::begin_again(int64_t pause_us) {
  beginning_ = delivery_.new_beginning();
  phase_ = Phase::kIdle;
  begin_not_before_us_ = delivery_.parts_.clock.boot_us() + pause_us;
  window_.reset();
  recording_ = false;
  stop_waiting();
  // Those who came early too: a writer that cannot be asked must not keep their calls.
  answer_waiting(begins_again());
}

// The commit of this command is behind everything that was written down before: with the rows as of
// it nothing is missing. And what an earlier delivery still sends is refused from then on.
void Group::begin() {
  if (delivery_.parts_.clock.boot_us() < begin_not_before_us_) return;
  phase_ = Phase::kStarting;
  auto request = std::make_shared<sv1::RecordProgressRequest>();
  request->set_ledger(ledger_);
  request->set_name(name_);
  delivery_.decide("RecordProgress", request,
                   [&delivery = delivery_, id = id_, beginning = beginning_](Answer answer) {
                     delivery.with_present(id, [&](Group& group) {
                       if (group.beginning_ == beginning) group.on_begun(answer);
                     });
                   });
}

void Group::on_begun(const Answer& answer) {
  if (const auto* error = std::get_if<Error>(&answer)) {
    if (error->code == kNotFound) return fail(*error);
    return begin_again(kPauseUs);
  }
  const auto& response =
      static_cast<const sv1::RecordProgressResponse&>(*std::get<std::unique_ptr<Message>>(answer));
  generation_ = response.generation();
  system_ = response.receipt().ledger();
  begun_seq_ = response.receipt().last_seq();
  phase_ = Phase::kReading;
}

bool Group::read_rows() {
  const auto view = delivery_.parts_.rows();
  // Control events are told to all groups of the system ledger together: what they were told before
  // must be in the rows.
  const int64_t needed = std::max(begun_seq_, delivery_.told_control(system_));
  const auto now = progress(*view, system_);
  if (!now) return false;
  if (now->seq < needed) {
    wait_for_news(view, system_, needed - 1);
    return false;
  }
  std::optional<Subscription> row;
  Recorded recorded;
  const auto error = view->read(system_, needed, [&](SnapshotRows& rows) {
    Subscription found;
    if (rows.read(row_type<Subscription>(), make_key(ledger_, name_), found))
      row = std::move(found);
    rows.scan(row_type<Parked>(), make_key(ledger_, name_), {},
              [&](std::string_view, const Message& message) {
                const auto& parked = static_cast<const Parked&>(message);
                recorded.parked[parked.subject()] = {parked.changed_seq(), parked.after_seq(),
                                                     parked.replaying()};
                return true;
              });
  });
  if (error) return fail(*error), false;
  if (!row) return fail(not_found()), false;
  rows_seq_ = needed;
  delivery_.tell_control_from(system_, needed);
  recorded.position = row->position();
  for (const auto& range : row->done()) recorded.done.push_back({range.first(), range.last()});
  recorded.skipped = {row->skipped().begin(), row->skipped().end()};
  for (const auto& failed : row->failed()) recorded.failed[failed.seq()] = failed.count();
  recorded_position_ = recorded.position;
  filter_.Clear();
  *filter_.mutable_types() = row->selection().types();
  *filter_.mutable_subjects() = row->selection().subjects();
  *filter_.mutable_contexts() = row->selection().contexts();
  Rules rules;
  rules.attempts_max = row->rules().attempts_max();
  rules.ack_deadline_us = int64_t{row->rules().ack_deadline_ms()} * 1'000;
  rules.outstanding_max = static_cast<size_t>(row->rules().outstanding_max());
  window_.emplace(rules, std::move(recorded), &delivery_.room_);
  phase_ = Phase::kRunning;
  for (auto& early : std::exchange(early_, {})) early.run();
  return true;
}

std::optional<LiveView::Progress> Group::progress(const LiveView& view, const std::string& ledger) {
  auto answer = view.progress(ledger);
  const auto* error = std::get_if<Error>(&answer);
  if (!error) return std::get<LiveView::Progress>(answer);
  // The writer has it: the view only has not read so far.
  if (error->code == kNotFound) return LiveView::Progress{};
  fail(*error);
  return std::nullopt;
}

void Group::wait_for_news(const std::shared_ptr<LiveView>& view, const std::string& ledger,
                          int64_t seq) {
  if (news_wait_) return;
  news_view_ = view;
  const int64_t until_us = delivery_.parts_.clock.boot_us() + kNewsWaitUs;
  news_wait_ = view->when_beyond(
      ledger, seq, until_us,
      [inbox = delivery_.inbox_, &delivery = delivery_, id = id_, beginning = beginning_] {
        inbox->post([&delivery, id, beginning] {
          delivery.with_present(id, [&](Group& group) {
            if (group.beginning_ == beginning) group.news_wait_.reset();
          });
        });
      });
}

void Group::stop_waiting() {
  if (news_wait_) news_view_->cancel(*news_wait_);
  news_wait_.reset();
  news_view_.reset();
}

}  // namespace taizhang::delivery
