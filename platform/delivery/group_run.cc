// What a running delivery does in its turn: looks at events, hands them out, writes down what was
// handled.
#include <algorithm>
#include <limits>
#include <utility>

#include "platform/base/log.h"
#include "platform/delivery/delivery.h"
#include "platform/delivery/group.h"
#include "platform/delivery/held_event.h"
#include "platform/projection/envelope.h"
#include "platform/projection/subjects.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"

namespace taizhang::delivery {

using google::protobuf::Message;
namespace sv1 = subscriptions::v1;

namespace {

// Events looked at in one turn, so that one subscription does not hold up the others.
constexpr int64_t kLooksMax = 5'000;
constexpr size_t kBatchBytesMax = 1'000'000;
// Parked events of one subject loaded together.
constexpr size_t kReplayedMax = 64;
// What consumers said is written down together for so long; a position that moved by itself, and
// deliveries that nobody gave back, less often.
constexpr int64_t kRecordUs = 20'000;
constexpr int64_t kIdleRecordUs = 1'000'000;
constexpr int64_t kParkAgainUs = 1'000'000;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

std::shared_ptr<HeldEvent> held(const EventMeta& meta) {
  auto event = std::make_shared<HeldEvent>();
  fill_envelope(meta, event->envelope);
  fill_payload(meta, /*may_see_personal=*/true, event->envelope);
  event->personal = holds_personal_data(*meta.event);
  return event;
}

// "HOUSEHOLD/<id>" as the index of events knows it; false: no such kind.
bool read_subject(const std::string& text, common::v1::SubjectRef& out) {
  const size_t slash = text.find('/');
  common::v1::SubjectKind kind{};
  if (slash == std::string::npos ||
      !common::v1::SubjectKind_Parse("SUBJECT_KIND_" + text.substr(0, slash), &kind)) {
    return false;
  }
  out.set_kind(kind);
  out.set_id(text.substr(slash + 1));
  return true;
}

// The selection's subjects, for events that were found by another one.
bool names_any(const ledger::v1::EventFilter& filter, const EventMeta& meta) {
  if (filter.subjects().empty()) return true;
  const auto named = subjects_of(*meta.event);
  return std::any_of(filter.subjects().begin(), filter.subjects().end(), [&](const auto& wanted) {
    return std::find(named.begin(), named.end(), Subject{wanted.kind(), wanted.id()}) !=
           named.end();
  });
}

}  // namespace

void Group::turn() {
  if (phase_ == Phase::kIdle) begin();
  if (phase_ == Phase::kReading) read_rows();
  if (phase_ == Phase::kRunning) run();
}

void Group::run() {
  park_failed();
  if (!consumers_.empty()) {
    load_replays();
    if (phase_ == Phase::kRunning) look();
  }
  if (phase_ == Phase::kRunning) deliver();
  if (phase_ == Phase::kRunning) record();
}

int64_t Group::wake_us() const {
  if (phase_ == Phase::kIdle) return begin_not_before_us_;
  if (phase_ != Phase::kRunning) return kNever;
  int64_t next_us = window_->next_due_us();
  for (const auto& [id, consumer] : consumers_) {
    if (consumer.pending) next_us = std::min(next_us, consumer.heartbeat_due_us);
  }
  if (!recording_ && (!next_record_.empty() || window_->replays_moved()))
    next_us = std::min(next_us, last_record_us_ + kRecordUs);
  if (!recording_ && (window_->failures_moved() || window_->position() > recorded_position_))
    next_us = std::min(next_us, last_record_us_ + kIdleRecordUs);
  // More can be looked at at once.
  if (!consumers_.empty() && !at_end_ && !window_->is_full())
    next_us = delivery_.parts_.clock.boot_us();
  return next_us;
}

void Group::park_failed() {
  for (const auto& failed : window_->expire(delivery_.parts_.clock.boot_us())) {
    log(LogLevel::kWarning, "delivery_parks",
        {{"subscription", id_}, {"seq", failed.seq}, {"attempts", int64_t{failed.attempts}}});
    auto request = std::make_shared<sv1::ParkSubjectRequest>();
    request->set_ledger(ledger_);
    request->set_name(name_);
    request->set_subject(failed.subject);
    request->set_seq(failed.seq);
    request->set_attempts(failed.attempts);
    request->mutable_context()->set_reason("not acknowledged after " +
                                           std::to_string(failed.attempts) + " deliveries");
    delivery_.decide(
        "ParkSubject", request,
        [&delivery = delivery_, id = id_, beginning = beginning_, seq = failed.seq](Answer answer) {
          const auto* error = std::get_if<Error>(&answer);
          if (!error) return;  // the control event tells
          log(LogLevel::kWarning, "delivery_cannot_park",
              {{"subscription", id}, {"seq", seq}, {"why", error->reason}});
          delivery.with_present(id, [&](Group& group) {
            if (group.beginning_ != beginning || group.phase_ != Phase::kRunning) return;
            group.window_->unparkable(seq, delivery.parts_.clock.boot_us() + kParkAgainUs);
          });
        });
  }
}

void Group::load_replays() {
  const auto view = delivery_.parts_.events();
  for (const auto& wanted : window_->wanted_loads()) {
    const size_t count_max = window_->replays_full() ? 1 : kReplayedMax;
    ledger::v1::EventFilter filter = filter_;
    filter.clear_subjects();
    if (!read_subject(wanted.subject, *filter.add_subjects())) {
      window_->loaded(wanted.subject, wanted.until_seq);
      continue;
    }
    int64_t seen = wanted.after_seq;
    size_t count = 0;
    const auto error = view->read(ledger_, wanted.until_seq, [&](SnapshotRows& rows) {
      seen = delivery_.parts_.walk(
          rows, filter, wanted.after_seq + 1, wanted.until_seq, kLooksMax,
          [&](const EventMeta& meta) {
            if (count == count_max) return false;
            auto event = held(meta);
            // It may only name the subject, or not be selected.
            if (event->envelope.subject() != wanted.subject || !names_any(filter_, meta))
              return true;
            ++count;
            const size_t bytes = event->envelope.ByteSizeLong();
            window_->add_replayed(wanted.subject, meta.seq, std::move(event), bytes);
            return true;
          });
    });
    if (error) return fail(*error);
    window_->loaded(wanted.subject, seen);
  }
}

void Group::look() {
  const auto view = delivery_.parts_.events();
  const auto now = progress(*view, ledger_);
  if (!now) return;
  lag_ms_ = now->lag_ms;
  const int64_t from = window_->looked_at() + 1;
  if (from <= now->seq && !window_->is_full()) {
    int64_t seen = from - 1;
    const auto error = view->read(ledger_, now->seq, [&](SnapshotRows& rows) {
      seen = delivery_.parts_.walk(rows, filter_, from, now->seq, kLooksMax,
                                   [&](const EventMeta& meta) {
                                     if (window_->is_full()) return false;
                                     auto event = held(meta);
                                     const size_t bytes = event->envelope.ByteSizeLong();
                                     const std::string subject = event->envelope.subject();
                                     window_->add(meta.seq, subject, std::move(event), bytes);
                                     return true;
                                   });
    });
    if (error) return fail(*error);
    window_->look_to(seen);
  }
  at_end_ = window_->looked_at() >= now->seq;
  if (at_end_) wait_for_news(view, ledger_, window_->looked_at());
}

void Group::deliver() {
  const int64_t now_us = delivery_.parts_.clock.boot_us();
  for (auto& [id, consumer] : consumers_) {
    if (!consumer.pending) continue;
    auto taken = window_->take(now_us, consumer.batch_events_max, id, kBatchBytesMax);
    if (taken.empty()) {
      tell_consumer(consumer);
      continue;
    }
    if (!read_again(taken)) return;
    auto message = std::make_unique<sv1::ReceiveResponse>();
    for (const auto& one : taken) {
      auto& delivery = *message->mutable_batch()->add_deliveries();
      *delivery.mutable_event() = std::move(one.event->envelope);
      if (one.event->personal && !consumer.may_see_personal) {
        delivery.mutable_event()->clear_payload();
        delivery.mutable_event()->set_payload_withheld(true);
      }
      redeliveries_ += one.attempt > 1;
      delivery.set_attempt(one.attempt);
      delivery.set_replayed(one.replayed);
    }
    consumer.heartbeat_due_us = now_us + consumer.heartbeat_us;
    std::exchange(consumer.pending, nullptr)(std::move(message));
  }
}

bool Group::read_again(std::vector<Window::Taken>& taken) {
  std::vector<int64_t> missing;
  for (const auto& one : taken) {
    if (!one.event) missing.push_back(one.seq);
  }
  if (missing.empty()) return true;
  const auto read = [&](SnapshotRows& rows) {
    auto next = taken.begin();
    delivery_.parts_.read(rows, missing, [&](const EventMeta& meta) {
      while (next->seq != meta.seq) ++next;
      next->event = held(meta);
    });
  };
  if (const auto error = delivery_.parts_.events()->read(ledger_, window_->looked_at(), read)) {
    fail(*error);
    return false;
  }
  if (std::all_of(taken.begin(), taken.end(), [](const auto& one) { return one.event; }))
    return true;
  // Another version of the view answers by now, and has not read so far.
  begin_again(kPauseUs);
  return false;
}

void Group::tell_consumer(Consumer& consumer) {
  const int64_t now_us = delivery_.parts_.clock.boot_us();
  auto message = std::make_unique<sv1::ReceiveResponse>();
  if (!consumer.caught_up && at_end_ && window_->all_delivered()) {
    consumer.caught_up = true;
    message->mutable_caught_up()->set_seq(window_->looked_at());
  } else if (recorded_position_ > consumer.told_position) {
    consumer.told_position = recorded_position_;
    message->mutable_checkpoint()->set_position(recorded_position_);
  } else if (now_us >= consumer.heartbeat_due_us) {
    auto& beat = *message->mutable_heartbeat();
    beat.set_position(recorded_position_);
    beat.set_lag_ms(at_end_ ? 0 : lag_ms_);
    beat.set_waiting(static_cast<int64_t>(window_->open()));
  } else {
    return;
  }
  consumer.heartbeat_due_us = now_us + consumer.heartbeat_us;
  std::exchange(consumer.pending, nullptr)(std::move(message));
}

void Group::record() {
  if (recording_) return;
  const int64_t position = window_->position();
  const bool soon = !next_record_.empty() || window_->replays_moved();
  if (!soon && !window_->failures_moved() && position <= recorded_position_) return;
  const int64_t now_us = delivery_.parts_.clock.boot_us();
  if (now_us < last_record_us_ + (soon ? kRecordUs : kIdleRecordUs)) return;
  auto request = std::make_shared<sv1::RecordProgressRequest>();
  request->set_ledger(ledger_);
  request->set_name(name_);
  request->set_generation(generation_);
  request->set_position(position);
  for (const auto& span : window_->done()) {
    auto& range = *request->add_done();
    range.set_first(span.first);
    range.set_last(span.last);
  }
  for (const auto& replay : window_->take_replays()) {
    auto& one = *request->add_replays();
    one.set_subject(replay.subject);
    one.set_parked_version(replay.version);
    one.set_after_seq(replay.after_seq);
    one.set_finished(replay.finished);
  }
  for (const auto& failed : window_->take_failures()) {
    auto& one = *request->add_failed();
    one.set_seq(failed.seq);
    one.set_count(failed.count);
  }
  recording_ = true;
  last_record_us_ = now_us;
  present_record_.swap(next_record_);
  delivery_.decide(
      "RecordProgress", request,
      [&delivery = delivery_, id = id_, beginning = beginning_, position](Answer answer) {
        delivery.with_present(id, [&](Group& group) {
          if (group.beginning_ == beginning) group.on_recorded(answer, position);
        });
      });
}

void Group::on_recorded(const Answer& answer, int64_t position) {
  if (const auto* error = std::get_if<Error>(&answer)) {
    if (error->code == kNotFound) return fail(*error);
    log(LogLevel::kWarning, "delivery_not_recorded",
        {{"subscription", id_}, {"why", error->reason}});
    return begin_again(0);
  }
  recording_ = false;
  recorded_position_ = std::max(recorded_position_, position);
  for (auto& call : std::exchange(present_record_, {})) call.done(call.response());
}

}  // namespace taizhang::delivery
