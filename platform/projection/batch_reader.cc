// Journal records into decoded commits.
#include "platform/projection/batch_reader.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstring>

#include "platform/projection/wire.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::projection {
namespace {

// Records of so many bytes are judged while those before them are decoded.
constexpr int64_t kPieceBytes = 128 << 10;

using google::protobuf::Descriptor;
using google::protobuf::Message;

// An event as its views into the body: the message would copy type and payload.
struct RawEvent {
  std::string_view type;
  std::string_view payload;
  int32_t effective_day = 0;
  uint32_t cause = 0;
};

bool read_event(std::string_view bytes, RawEvent& event) {
  return walk_fields(
      bytes,
      [&](int number, std::string_view view) {
        if (number == journal::v1::Event::kTypeFieldNumber) event.type = view;
        if (number == journal::v1::Event::kPayloadFieldNumber) event.payload = view;
        return true;
      },
      [&](int number, uint64_t value) {
        if (number == journal::v1::Event::kEffectiveDateFieldNumber) {
          event.effective_day = static_cast<int32_t>(value);
        }
        if (number == journal::v1::Event::kCauseFieldNumber)
          event.cause = static_cast<uint32_t>(value);
      });
}

// The same of a request.
struct RawRequest {
  std::string_view request_id;
  std::string_view command;
  std::string_view reason;
  std::string_view correlation_id;
  const common::v1::Actor* actor = &common::v1::Actor::default_instance();
  const common::v1::Source* source = &common::v1::Source::default_instance();
  uint32_t events = 0;
  bool self_approved = false;
};

template <class Part>
bool read_shared(std::string_view bytes, absl::flat_hash_map<std::string_view, const Part*>& known,
                 google::protobuf::Arena& arena, const Part*& part) {
  const auto [place, is_new] = known.try_emplace(bytes, nullptr);
  if (is_new) {
    auto* parsed = google::protobuf::Arena::CreateMessage<Part>(&arena);
    if (!parsed->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
    place->second = parsed;
  }
  part = place->second;
  return part != nullptr;
}

bool read_request(std::string_view bytes, Batch& batch, RawRequest& request) {
  using journal::v1::Request;
  return walk_fields(
      bytes,
      [&](int number, std::string_view view) {
        switch (number) {
          case Request::kRequestIdFieldNumber: request.request_id = view; return true;
          case Request::kCommandFieldNumber: request.command = view; return true;
          case Request::kReasonFieldNumber: request.reason = view; return true;
          case Request::kCorrelationIdFieldNumber: request.correlation_id = view; return true;
          case Request::kActorFieldNumber:
            return read_shared(view, batch.actors, batch.arena, request.actor);
          case Request::kSourceFieldNumber:
            return read_shared(view, batch.sources, batch.arena, request.source);
          default: return true;
        }
      },
      [&](int number, uint64_t value) {
        if (number == Request::kEventsFieldNumber) request.events = static_cast<uint32_t>(value);
        if (number == Request::kSelfApprovedFieldNumber) request.self_approved = value != 0;
      });
}

}  // namespace

const Descriptor* find_event_type(std::string_view stored_type) {
  return google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      "taizhang." + std::string(stored_type));
}

bool decode_commit(std::string_view body, const FindType& find_type, Batch& batch) {
  DecodedCommit commit;
  std::vector<RawRequest> requests;
  std::vector<RawEvent> raw;
  const bool whole = walk_fields(
      body,
      [&](int number, std::string_view view) {
        switch (number) {
          case journal::v1::Commit::kLedgerFieldNumber: commit.meta.ledger = view; return true;
          case journal::v1::Commit::kRequestsFieldNumber:
            requests.emplace_back();
            return read_request(view, batch, requests.back());
          case journal::v1::Commit::kEventsFieldNumber:
            raw.emplace_back();
            return read_event(view, raw.back());
          default: return true;
        }
      },
      [&](int number, uint64_t value) {
        if (number == journal::v1::Commit::kFirstSeqFieldNumber)
          commit.meta.first_seq = static_cast<int64_t>(value);
        if (number == journal::v1::Commit::kRecordedTimeUsFieldNumber) {
          commit.meta.recorded_time_us = static_cast<int64_t>(value);
        }
      });
  if (!whole || raw.empty()) return false;
  commit.meta.last_seq = commit.meta.first_seq + static_cast<int64_t>(raw.size()) - 1;
  commit.meta.bytes = body;

  const RawRequest nobody;
  size_t next_request = 0;
  uint32_t left = 0;
  const RawRequest* request = &nobody;
  commit.events.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    while (left == 0 && next_request < requests.size()) {
      request = &requests[next_request++];
      left = request->events;
    }
    if (left == 0) {
      request = &nobody;
    } else {
      --left;
    }
    auto& meta = commit.events.emplace_back();
    meta.ledger = commit.meta.ledger;
    meta.seq = commit.meta.first_seq + static_cast<int64_t>(i);
    meta.commit_first_seq = commit.meta.first_seq;
    meta.commit_last_seq = commit.meta.last_seq;
    meta.recorded_time_us = commit.meta.recorded_time_us;
    meta.effective_day = raw[i].effective_day;
    meta.actor = request->actor;
    meta.source = request->source;
    meta.reason = request->reason;
    meta.request_id = request->request_id;
    meta.command = request->command;
    meta.correlation_id = request->correlation_id;
    meta.self_approved = request->self_approved;
    meta.cause_seq = raw[i].cause == 0 ? 0 : commit.meta.first_seq + raw[i].cause - 1;
    meta.type = raw[i].type;
    meta.payload = raw[i].payload;
    const auto [type, prototype] = find_type(raw[i].type);
    meta.descriptor = type;
    if (prototype) {
      Message* message = prototype->New(&batch.arena);
      if (message->ParseFromArray(raw[i].payload.data(), static_cast<int>(raw[i].payload.size()))) {
        meta.event = message;
      }
    }
  }
  batch.events += static_cast<int64_t>(raw.size());
  batch.commits.push_back(std::move(commit));
  return true;
}

BatchReader::BatchReader(journal::Log& log, journal::Fold fold, BatchLimits limits, Wanted wanted)
    : log_(log), fold_(std::move(fold)), limits_(limits), wanted_(std::move(wanted)) {
  fold_.leave_commits_as_bytes();
}

const BatchReader::Type& BatchReader::type_of(std::string_view stored_type) {
  const auto found = types_.find(stored_type);
  if (found != types_.end()) return found->second;
  Type type;
  type.descriptor = find_event_type(stored_type);
  if (type.descriptor && wanted_(type.descriptor)) {
    type.prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor);
  }
  return types_.emplace(stored_type, type).first->second;
}

absl::StatusOr<bool> BatchReader::judge_piece(int64_t end_offset, int64_t commits_max,
                                              Batch& batch) {
  judged_.clear();
  const int64_t bytes_before = batch.bytes;
  while (static_cast<int64_t>(judged_.size()) < commits_max && batch.bytes < limits_.bytes_max &&
         fold_.offset() < end_offset) {
    if (batch.bytes - bytes_before >= kPieceBytes) return true;
    auto record = cursor_->next();
    if (record.status().code() == absl::StatusCode::kUnavailable) {
      cursor_.reset();
      if (fold_.offset() > batch.start) return false;
    }
    if (!record.ok()) return record.status();
    if (!*record) return false;
    const auto folded = fold_.apply((*record)->offset, (*record)->bytes);
    if (!folded.ok()) return folded.status();
    batch.bytes += static_cast<int64_t>((*record)->bytes.size());
    if (!folded->valid() || folded->kind() != journal::Kind::kCommit) continue;
    char* copy = google::protobuf::Arena::CreateArray<char>(&batch.arena, folded->body.size());
    std::memcpy(copy, folded->body.data(), folded->body.size());
    judged_.push_back({folded->offset, {copy, folded->body.size()}});
  }
  return false;
}

absl::Status BatchReader::decode_piece(const std::vector<Valid>& piece, Batch& batch) {
  const FindType find_type = [this](std::string_view stored_type) {
    const Type& type = type_of(stored_type);
    return std::pair(type.descriptor, type.prototype);
  };
  for (const Valid& commit : piece) {
    if (!decode_commit(commit.body, find_type, batch)) {
      return absl::DataLossError("commit at offset " + std::to_string(commit.offset) +
                                 " has no events");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Batch>> BatchReader::read(int64_t end_offset) {
  if (!cursor_) cursor_ = log_.read(fold_.offset());
  auto batch = std::make_shared<Batch>();
  batch->partition = static_cast<int>(fold_.partition());
  batch->start = fold_.offset();
  absl::StatusOr<bool> more = judge_piece(end_offset, limits_.events_max, *batch);
  absl::Status decoded;
  while (more.ok() && *more && decoded.ok()) {
    // Judging a commit costs as much as decoding it: one piece is decoded while the next is judged.
    std::swap(judged_, decoding_);
    const int64_t commits_max =  // each has an event or more
        limits_.events_max - batch->events - static_cast<int64_t>(decoding_.size());
    if (!threads_) threads_ = std::make_unique<LaneThreads>(2);
    threads_->run([&](int lane) {
      if (lane == 0) {
        more = judge_piece(end_offset, commits_max, *batch);
      } else {
        decoded = decode_piece(decoding_, *batch);
      }
    });
  }
  if (decoded.ok()) decoded = decode_piece(judged_, *batch);
  if (!decoded.ok()) return decoded;
  if (!more.ok()) return more.status();
  batch->end = fold_.offset();
  if (batch->end == batch->start) return nullptr;
  batch->partition_row = fold_.partition_row();
  for (auto& code : fold_.take_touched_ledgers()) {
    std::string row = fold_.ledger_row(code);
    batch->ledger_rows.emplace_back(std::move(code), std::move(row));
  }
  batch->closed_time_us = fold_.closed_time_us();
  return std::shared_ptr<const Batch>(std::move(batch));
}

}  // namespace taizhang::projection
