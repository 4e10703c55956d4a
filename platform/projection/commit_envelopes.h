// Events of a stored commit as they leave, written straight from the stored bytes: the same
// EventEnvelope that fill_envelope() and fill_payload() make, serialised, without a message per
// event.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taizhang {

// Not thread-safe; made once and used for many commits.
class CommitEnvelopes {
 public:
  // Takes the body of a journal record (journal.v1.Commit), which must outlive its use. False: not
  // a commit with events.
  bool open(std::string_view body);

  int64_t first_seq() const { return first_seq_; }
  int64_t last_seq() const { return first_seq_ + static_cast<int64_t>(events_.size()) - 1; }
  bool holds(int64_t seq) const {
    return !events_.empty() && first_seq_ <= seq && seq <= last_seq();
  }
  // Stored type of an event of this commit, "funds.v1.FundsDisbursed".
  std::string_view type(int64_t seq) const { return event(seq).type; }

  // Appends the envelope of an event of this commit, serialised. The payload is withheld when it
  // holds personal data and the caller may not see it.
  void append(int64_t seq, bool may_see_personal, std::string& out);
  // The same as field `number` (length-delimited) of an enclosing message.
  void append_field(int number, int64_t seq, bool may_see_personal, std::string& out);

 private:
  struct Event {
    std::string_view type;
    std::string_view payload;
    int32_t effective_day = 0;
    uint32_t cause = 0;
    size_t request = 0;  // index into requests_; beyond its end: the platform's own
  };
  struct Request {
    std::string_view request_id;
    std::string_view command;
    std::string_view actor;  // serialised, as stored
    std::string_view source;
    std::string_view reason;
    std::string_view correlation_id;
    bool self_approved = false;
    uint32_t events = 0;
  };
  struct Type;

  static bool read_event(std::string_view bytes, Event& event);
  static bool read_request(std::string_view bytes, Request& request);
  static const Type& type_of(std::string_view stored_type);
  const Event& event(int64_t seq) const { return events_[static_cast<size_t>(seq - first_seq_)]; }

  std::string_view ledger_;
  int64_t first_seq_ = 0;
  int64_t recorded_time_us_ = 0;
  std::vector<Event> events_;
  std::vector<Request> requests_;
  const Type* last_type_ = nullptr;  // most events are of the type of the one before
};

}  // namespace taizhang
