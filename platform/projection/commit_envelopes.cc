// EventEnvelope from stored bytes.
#include "platform/projection/commit_envelopes.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "google/protobuf/timestamp.pb.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/event_meta.h"
#include "platform/projection/subjects.h"
#include "platform/projection/wire.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang {
namespace {

// Of an envelope beside what it copies: tags, lengths, numbers, ids, a UUID.
constexpr size_t kFixedBytesMax = 512;

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;
using ledger::v1::EventEnvelope;
using projection::walk_fields;

// "<seq>" without an allocation.
class Decimal {
 public:
  explicit Decimal(int64_t number)
      : end_(std::to_chars(bytes_.data(), bytes_.data() + bytes_.size(), number).ptr) {}
  std::string_view view() const {
    return {bytes_.data(), static_cast<size_t>(end_ - bytes_.data())};
  }

 private:
  std::array<char, 20> bytes_;
  char* end_;
};

// Writes fields in the order in which they are called; like a message, without those that are
// empty, except as said. There must be room.
class Writer {
 public:
  explicit Writer(char* at) : at_(reinterpret_cast<uint8_t*>(at)) {}

  void bytes_always(int number, std::string_view value) {
    start(number, value.size());
    put(value);
  }
  void bytes(int number, std::string_view value) {
    if (!value.empty()) bytes_always(number, value);
  }
  // In two parts, of which the first is never empty.
  void bytes(int number, std::string_view first, std::string_view second) {
    start(number, first.size() + second.size());
    put(first);
    put(second);
  }
  // "<ledger>/<seq>".
  void id(int number, std::string_view ledger, int64_t seq) {
    const Decimal digits(seq);
    start(number, ledger.size() + 1 + digits.view().size());
    put(ledger);
    *at_++ = '/';
    put(digits.view());
  }
  void number(int number, int64_t value) {
    if (value == 0) return;
    tag(number, WireFormatLite::WIRETYPE_VARINT);
    at_ = CodedOutputStream::WriteVarint64ToArray(static_cast<uint64_t>(value), at_);
  }
  const char* end() const { return reinterpret_cast<const char*>(at_); }

 private:
  void tag(int number, WireFormatLite::WireType type) {
    at_ = CodedOutputStream::WriteVarint32ToArray(
        static_cast<uint32_t>(number) << 3 | static_cast<uint32_t>(type), at_);
  }
  void start(int number, size_t size) {
    tag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
    at_ = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(size), at_);
  }
  void put(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  uint8_t* at_;
};

// A small message on the stack.
class Fields {
 public:
  void add(uint8_t number, int64_t value) {
    if (value == 0) return;
    *end_++ = static_cast<uint8_t>(number << 3);
    end_ = CodedOutputStream::WriteVarint64ToArray(static_cast<uint64_t>(value), end_);
  }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes_.data()),
            static_cast<size_t>(end_ - bytes_.data())};
  }

 private:
  std::array<uint8_t, 40> bytes_;  // three numbers at most
  uint8_t* end_ = bytes_.data();
};

}  // namespace

// What all events of a type have in common.
struct CommitEnvelopes::Type {
  std::string stored;
  std::string name;    // "taizhang.funds.v1.FundsDisbursed"
  std::string schema;  // "taizhang/funds/v1/FundsDisbursed"
  // Where the primary subject stands; 0: the type has none.
  int subject_field = 0;
  bool subject_is_ref = false;
  std::string subject_kind;  // with its slash, when the field says the kind
  // Parsed only to look for personal data, and only when the type can hold any. Null: it cannot.
  const google::protobuf::Message* looked_through = nullptr;

  explicit Type(std::string_view stored_type) : stored(stored_type) {
    name = "taizhang." + stored;
    schema = name;
    for (char& c : schema) {
      if (c == '.') c = '/';
    }
    // A view that meets a type this program does not know has stopped there.
    const auto* descriptor = projection::find_event_type(stored_type);
    if (!descriptor) return;
    if (can_hold_personal_data(*descriptor)) {
      looked_through =
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
    }
    if (const auto place = primary_subject_field(*descriptor)) {
      subject_field = place->number;
      subject_is_ref = place->is_reference;
      if (!subject_is_ref) subject_kind = subject_kind_name(place->kind) + "/";
    }
  }

  // Kind with its slash, and id; empty: the event names none.
  std::pair<std::string, std::string_view> subject(std::string_view payload) const {
    if (subject_field == 0) return {};
    std::string_view found;
    walk_fields(
        payload,
        [&](int number, std::string_view view) {
          if (number == subject_field) found = view;
          return number != subject_field;
        },
        [](int, uint64_t) {});
    if (!subject_is_ref) return {found.empty() ? std::string() : subject_kind, found};
    int kind = 0;
    std::string_view id;
    walk_fields(
        found,
        [&](int number, std::string_view view) {
          if (number == common::v1::SubjectRef::kIdFieldNumber) id = view;
          return true;
        },
        [&](int number, uint64_t value) {
          if (number == common::v1::SubjectRef::kKindFieldNumber) kind = static_cast<int>(value);
        });
    if (kind == 0 || id.empty()) return {};
    return {subject_kind_name(kind) + "/", id};
  }

  bool is_personal(std::string_view payload) const {
    if (!looked_through) return false;
    const std::unique_ptr<google::protobuf::Message> message(looked_through->New());
    return !message->ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
           holds_personal_data(*message);
  }
};

const CommitEnvelopes::Type& CommitEnvelopes::type_of(std::string_view stored_type) {
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Types = std::unordered_map<std::string, std::unique_ptr<const Type>, Hash, std::equal_to<>>;
  static auto& mutex = *new std::shared_mutex;
  static auto& types = *new Types;
  {
    const std::shared_lock lock(mutex);
    const auto found = types.find(stored_type);
    if (found != types.end()) return *found->second;
  }
  auto made = std::make_unique<const Type>(stored_type);
  const std::unique_lock lock(mutex);
  return *types.emplace(stored_type, std::move(made)).first->second;
}

bool CommitEnvelopes::read_event(std::string_view bytes, Event& event) {
  return walk_fields(
      bytes,
      [&](int number, std::string_view view) {
        if (number == journal::v1::Event::kTypeFieldNumber) event.type = view;
        if (number == journal::v1::Event::kPayloadFieldNumber) event.payload = view;
        return true;
      },
      [&](int number, uint64_t value) {
        if (number == journal::v1::Event::kEffectiveDateFieldNumber)
          event.effective_day = static_cast<int32_t>(value);
        if (number == journal::v1::Event::kCauseFieldNumber)
          event.cause = static_cast<uint32_t>(value);
      });
}

bool CommitEnvelopes::read_request(std::string_view bytes, Request& request) {
  return walk_fields(
      bytes,
      [&](int number, std::string_view view) {
        switch (number) {
          case journal::v1::Request::kRequestIdFieldNumber: request.request_id = view; break;
          case journal::v1::Request::kCommandFieldNumber: request.command = view; break;
          case journal::v1::Request::kActorFieldNumber: request.actor = view; break;
          case journal::v1::Request::kSourceFieldNumber: request.source = view; break;
          case journal::v1::Request::kReasonFieldNumber: request.reason = view; break;
          case journal::v1::Request::kCorrelationIdFieldNumber:
            request.correlation_id = view;
            break;
          default: break;
        }
        return true;
      },
      [&](int number, uint64_t value) {
        if (number == journal::v1::Request::kEventsFieldNumber)
          request.events = static_cast<uint32_t>(value);
        if (number == journal::v1::Request::kSelfApprovedFieldNumber)
          request.self_approved = value != 0;
      });
}

bool CommitEnvelopes::open(std::string_view body) {
  events_.clear();
  requests_.clear();
  ledger_ = {};
  first_seq_ = recorded_time_us_ = 0;
  const bool whole = walk_fields(
      body,
      [&](int number, std::string_view view) {
        switch (number) {
          case journal::v1::Commit::kLedgerFieldNumber: ledger_ = view; return true;
          case journal::v1::Commit::kRequestsFieldNumber:
            return read_request(view, requests_.emplace_back());
          case journal::v1::Commit::kEventsFieldNumber:
            return read_event(view, events_.emplace_back());
          default: return true;
        }
      },
      [&](int number, uint64_t value) {
        if (number == journal::v1::Commit::kFirstSeqFieldNumber)
          first_seq_ = static_cast<int64_t>(value);
        if (number == journal::v1::Commit::kRecordedTimeUsFieldNumber)
          recorded_time_us_ = static_cast<int64_t>(value);
      });
  if (!whole || events_.empty()) {
    events_.clear();
    return false;
  }
  // Each request's events follow each other.
  size_t request = 0;
  uint32_t given = 0;
  for (auto& event : events_) {
    while (request < requests_.size() && given == requests_[request].events) {
      ++request;
      given = 0;
    }
    event.request = request;
    ++given;
  }
  return true;
}

void CommitEnvelopes::append(int64_t seq, bool may_see_personal, std::string& out) {
  static const Request kNobody;
  const Event& stored = event(seq);
  const Request& request = stored.request < requests_.size() ? requests_[stored.request] : kNobody;
  if (!last_type_ || last_type_->stored != stored.type) last_type_ = &type_of(stored.type);
  const Type& type = *last_type_;

  const auto [subject_kind, subject_id] = type.subject(stored.payload);
  const size_t before = out.size();
  out.resize(before + kFixedBytesMax + 3 * ledger_.size() + 2 * type.name.size() +
             subject_kind.size() + subject_id.size() + request.correlation_id.size() +
             request.actor.size() + request.source.size() + request.reason.size() +
             request.command.size() + stored.payload.size());
  Writer field(out.data() + before);
  field.id(EventEnvelope::kIdFieldNumber, ledger_, seq);
  field.bytes(EventEnvelope::kSourceFieldNumber, "/ledgers/", ledger_);
  field.bytes(EventEnvelope::kTypeFieldNumber, type.name);
  if (!subject_id.empty())
    field.bytes(EventEnvelope::kSubjectFieldNumber, subject_kind, subject_id);
  Fields time;
  time.add(google::protobuf::Timestamp::kSecondsFieldNumber, recorded_time_us_ / 1'000'000);
  time.add(google::protobuf::Timestamp::kNanosFieldNumber, recorded_time_us_ % 1'000'000 * 1'000);
  field.bytes_always(EventEnvelope::kTimeFieldNumber, time.view());
  field.bytes(EventEnvelope::kDataschemaFieldNumber, type.schema);
  field.bytes(EventEnvelope::kLedgerFieldNumber, ledger_);
  field.number(EventEnvelope::kSeqFieldNumber, seq);
  field.number(EventEnvelope::kCommitFirstSeqFieldNumber, first_seq_);
  field.number(EventEnvelope::kCommitLastSeqFieldNumber, last_seq());
  char request_id[kUuidTextSize];
  if (write_uuid_text(request.request_id, request_id))
    field.bytes(EventEnvelope::kRequestIdFieldNumber, {request_id, sizeof request_id});
  field.bytes(EventEnvelope::kCorrelationIdFieldNumber, request.correlation_id);
  if (stored.cause != 0) {
    field.id(EventEnvelope::kCausationFieldNumber, ledger_, first_seq_ + stored.cause - 1);
  }
  if (stored.effective_day != 0) {
    Fields date;
    date.add(common::v1::Date::kYearFieldNumber, stored.effective_day / 10'000);
    date.add(common::v1::Date::kMonthFieldNumber, stored.effective_day / 100 % 100);
    date.add(common::v1::Date::kDayFieldNumber, stored.effective_day % 100);
    field.bytes_always(EventEnvelope::kEffectiveDateFieldNumber, date.view());
  }
  field.bytes_always(EventEnvelope::kActorFieldNumber, request.actor);
  field.bytes_always(EventEnvelope::kSourceDocumentFieldNumber, request.source);
  field.bytes(EventEnvelope::kReasonFieldNumber, request.reason);
  field.bytes(EventEnvelope::kCommandFieldNumber, request.command);
  field.number(EventEnvelope::kSelfApprovedFieldNumber, request.self_approved);
  if (!may_see_personal && type.is_personal(stored.payload)) {
    field.number(EventEnvelope::kPayloadWithheldFieldNumber, 1);
  } else {
    field.bytes(EventEnvelope::kPayloadFieldNumber, stored.payload);
  }
  out.resize(static_cast<size_t>(field.end() - out.data()));
}

void CommitEnvelopes::append_field(int number, int64_t seq, bool may_see_personal,
                                   std::string& out) {
  projection::append_tag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
  // Most lengths take two bytes; where one does not, what was written is moved.
  const size_t at = out.size();
  out.append(2, '\0');
  append(seq, may_see_personal, out);
  const size_t size = out.size() - at - 2;
  std::array<uint8_t, 5> length;
  const auto* end =
      CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(size), length.data());
  out.replace(at, 2, reinterpret_cast<const char*>(length.data()),
              static_cast<size_t>(end - length.data()));
}

}  // namespace taizhang
