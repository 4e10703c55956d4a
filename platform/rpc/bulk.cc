// The bulk stream: many commands per message through the same dispatcher, answered in order,
// bounded in flight.
#include <google/protobuf/descriptor.h>

#include <deque>

#include "google/rpc/status.pb.h"
#include "platform/command/error_status.h"
#include "platform/rpc/handlers.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/ledger/v1/bulk.pb.h"

namespace taizhang {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

class BulkCall;

// One command of a batch: where its answer goes.
struct Slot {
  BulkCall* call = nullptr;
  struct Batch* batch = nullptr;
  const Method* method = nullptr;  // null: not a command
  ledger::v1::CommandResult* result = nullptr;
  std::atomic<bool> answered{false};
};

// One message of the stream and its answers.
struct Batch {
  // Shared with the commands that are being decided.
  std::shared_ptr<ParsedMessage> request = std::make_shared<ParsedMessage>();
  ledger::v1::ExecuteResponse response;
  std::vector<Slot> slots;
  int64_t start_us = Gate::now_us();
  size_t waiting = 0;  // answers to come; guarded by the call's mutex
};

// The message that stands in the one oneof of `message`; null: none.
const Message* chosen(const Message& message) {
  const auto& reflection = *message.GetReflection();
  const auto* field =
      reflection.GetOneofFieldDescriptor(message, message.GetDescriptor()->oneof_decl(0));
  return field ? &reflection.GetMessage(message, field) : nullptr;
}

class BulkCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                       public OpenStream {
 public:
  BulkCall(Gate& gate, const Method& method) : gate_(gate), method_(method) {}

  // Called once, by the handler, before gRPC knows the reactor.
  void start(const std::shared_ptr<BulkCall>& self, const grpc::CallbackServerContext& context) {
    self_ = self;
    if (auto error = gate_.admit(context, true, ticket_)) return end(*error);
    call_ = ticket_.call();
    call_.bulk = true;
    gate_.opened(self);
    if (ticket_.capped()) {
      alarm_.Set(std::chrono::system_clock::now() + ticket_.remaining(),
                 [weak = std::weak_ptr<BulkCall>(self)](bool expired) {
                   const auto call = weak.lock();
                   if (expired && call) {
                     call->end(failure(kDeadlineExceeded, "STREAM_DEADLINE",
                                       "stream_deadline_ms_max has passed"));
                   }
                 });
    }
    const std::lock_guard lock(mutex_);
    advance();
  }

  // What was taken is still answered, and then the stream ends with `error`.
  void end(const Error& error) override {
    const std::lock_guard lock(mutex_);
    if (!end_) end_ = error;
    closed_ = true;
    advance();
  }

  void OnReadDone(bool ok) override {
    std::unique_ptr<Batch> batch;
    std::optional<Error> refused;
    if (ok) {
      batch = std::make_unique<Batch>();
      refused = gate_.parse(method_, in_, *batch->request);
      if (!refused) refused = prepare(*batch);
    }
    in_.Clear();
    Batch* taken = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (refused && !end_) end_ = refused;
      if (!ok || refused) closed_ = true;
      // A message that came in while the stream was ending was never taken: the end says so.
      if (!closed_) {
        taken = batch.get();
        in_flight_ += taken->slots.size();
        // One more than there are commands, so that none of them can complete the batch while
        // others are handed over.
        taken->waiting = taken->slots.size() + 1;
        batches_.push_back(std::move(batch));
      } else {
        reading_ = false;
        advance();
      }
    }
    if (taken) hand_over(*taken);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) {
      gone_ = true;
      closed_ = true;
    }
    advance();
  }

  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    closed_ = true;
    if (!end_) end_ = failure(kCancelled, "CANCELLED", "the caller is gone");
    advance();
  }

  void OnDone() override {
    alarm_.Cancel();
    const auto answered = ticket_.take_unanswered();
    const auto last = std::move(self_);
  }

 private:
  // Finds the method of each command; nothing is handed over yet.
  std::optional<Error> prepare(Batch& batch) const {
    const auto& request = static_cast<const ledger::v1::ExecuteRequest&>(batch.request->message());
    if (request.commands_size() > gate_.limits().bulk_message_commands_max()) {
      return failure(kInvalidArgument, "LIMIT_EXCEEDED",
                     "the message has " + std::to_string(request.commands_size()) + " commands",
                     {{"limit", "bulk_message_commands_max"},
                      {"max", std::to_string(gate_.limits().bulk_message_commands_max())},
                      {"size", std::to_string(request.commands_size())}});
    }
    batch.slots = std::vector<Slot>(static_cast<size_t>(request.commands_size()));
    batch.response.mutable_results()->Reserve(request.commands_size());
    for (size_t i = 0; i < batch.slots.size(); ++i)
      batch.slots[i].result = batch.response.add_results();
    return std::nullopt;
  }

  void hand_over(Batch& batch) {
    const auto& request = static_cast<const ledger::v1::ExecuteRequest&>(batch.request->message());
    for (size_t i = 0; i < batch.slots.size(); ++i) {
      auto& slot = batch.slots[i];
      slot.call = this;
      slot.batch = &batch;
      const Message* group = chosen(request.commands(static_cast<int>(i)));
      const Message* command = group ? chosen(*group) : nullptr;
      slot.method = command ? gate_.by_request(*command->GetDescriptor()) : nullptr;
      if (!slot.method) {
        answer(slot,
               failure(kInvalidArgument, "COMMAND_MISSING", "the row holds no command known here"));
        continue;
      }
      // A plain pointer fits into the function object; the batch lives until all its answers are
      // there.
      try {
        gate_.dispatcher().unary(
            *slot.method->descriptor, call_, std::shared_ptr<const Message>(batch.request, command),
            [slot = &slot](Answer answer) { slot->call->answer(*slot, std::move(answer)); });
      } catch (...) {
        answer(slot,
               failure(kInternal, "INTERNAL", "an internal error; it is in the server's log"));
      }
    }
    const std::lock_guard lock(mutex_);
    --batch.waiting;
    // Only now: the next message's commands must not overtake these.
    reading_ = false;
    advance();
  }

  void answer(Slot& slot, Answer answer) {
    if (slot.answered.exchange(true)) return;
    // The last answer may end the call on another thread while this one still holds the mutex.
    const auto keep = self_;
    int code = 0;
    if (auto* error = std::get_if<Error>(&answer)) {
      code = error->code;
      fill_status(*error, *slot.result->mutable_refusal());
    } else if (auto& message = std::get<std::unique_ptr<Message>>(answer)) {
      take_receipt(*message, *slot.result);
    }
    if (slot.method) gate_.count(*slot.method, code, slot.batch->start_us);
    const std::lock_guard lock(mutex_);
    --in_flight_;
    --slot.batch->waiting;
    advance();
  }

  // Every command's response begins with `Receipt receipt = 1; int64 version = 2;`.
  static void take_receipt(Message& response, ledger::v1::CommandResult& result) {
    const auto& type = *response.GetDescriptor();
    const auto& reflection = *response.GetReflection();
    const auto* receipt = type.FindFieldByNumber(1);
    if (receipt && receipt->message_type() == common::v1::Receipt::descriptor()) {
      result.set_allocated_receipt(
          static_cast<common::v1::Receipt*>(reflection.ReleaseMessage(&response, receipt)));
    }
    const auto* version = type.FindFieldByNumber(2);
    if (version && version->cpp_type() == FieldDescriptor::CPPTYPE_INT64 &&
        version->name() == "version") {
      result.set_version(reflection.GetInt64(response, version));
    }
  }

  // Does what can be done now: write, read, finish. Needs mutex_.
  void advance() {
    while (gone_ && !writing_ && !batches_.empty() && batches_.front()->waiting == 0)
      batches_.pop_front();
    if (!gone_ && !writing_ && !batches_.empty() && batches_.front()->waiting == 0) {
      out_ = serialised(batches_.front()->response);
      batches_.pop_front();
      writing_ = true;
      StartWrite(&out_);
    }
    // A caller that does not read its answers is not read from either.
    const bool room =
        in_flight_ < static_cast<size_t>(gate_.limits().bulk_commands_in_flight_max()) &&
        batches_.size() < kMessagesInFlightMax;
    if (!closed_ && !reading_ && room) {
      reading_ = true;
      StartRead(&in_);
    }
    if (closed_ && batches_.empty() && !writing_ && !finished_) finish();
  }

  void finish() {
    finished_ = true;
    const int code = end_ ? end_->code : 0;
    gate_.count(method_, code, start_us_);
    gate_.log_call(method_, ticket_.call().caller, nullptr, code,
                   end_ ? std::string_view(end_->reason) : std::string_view(), start_us_);
    ticket_.release();
    Finish(end_ ? status_of(*end_) : grpc::Status::OK);
  }

  static constexpr size_t kMessagesInFlightMax = 16;

  Gate& gate_;
  const Method& method_;
  const int64_t start_us_ = Gate::now_us();
  Ticket ticket_;
  Call call_;  // of each command
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  grpc::Alarm alarm_;

  std::mutex mutex_;
  // All below are guarded by mutex_.
  std::deque<std::unique_ptr<Batch>> batches_;  // in the order of the requests
  size_t in_flight_ = 0;                        // commands without an answer
  bool reading_ = false;
  bool writing_ = false;
  bool closed_ = false;  // no message is taken any more
  bool gone_ = false;    // nobody is there to read answers
  bool finished_ = false;
  std::optional<Error> end_;  // how the stream ends; not set: well
  // Owns itself until gRPC is done with it, which is after the last answer.
  std::shared_ptr<BulkCall> self_;
};

}  // namespace

grpc::internal::MethodHandler* bulk_handler(Gate& gate, const Method& method) {
  return new grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
      [&gate, &method](grpc::CallbackServerContext* context) {
        const auto call = std::make_shared<BulkCall>(gate, method);
        try {
          call->start(call, *context);
        } catch (...) {
          call->end(failure(kInternal, "INTERNAL", "an internal error; it is in the server's log"));
        }
        return call.get();
      });
}

}  // namespace taizhang
