// Server streams: the source is asked for one message at a time, so a slow reader holds back nobody
// but itself; one that takes nothing for too long is told where it stood, and ended.
#include <limits>
#include <mutex>

#include "platform/rpc/handlers.h"
#include "platform/rpc/take_bytes.h"

namespace taizhang {
namespace {

constexpr int64_t kRetrySlowReaderMs = 1'000;

class StreamCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public OpenStream {
 public:
  StreamCall(Gate& gate, const Method& method) : gate_(gate), method_(method) {}

  // Called once, by the handler, before gRPC knows the reactor.
  void start(const std::shared_ptr<StreamCall>& self, grpc::CallbackServerContext& context,
             const grpc::ByteBuffer& in) {
    self_ = self;
    context_ = &context;
    if (auto error = gate_.admit(context, true, ticket_)) return finish(*error);
    if (auto error = gate_.parse(method_, in, request_)) return finish(*error);
    parsed_ = true;
    std::shared_ptr<const google::protobuf::Message> request(self, &request_.message());
    Call asked = ticket_.call();
    asked.token = std::make_shared<const std::string>(bearer_token(context));
    auto opened = gate_.dispatcher().stream(*method_.descriptor, asked, std::move(request));
    if (auto* error = std::get_if<Error>(&opened)) return finish(*error);
    {
      const std::lock_guard lock(mutex_);
      source_ = std::move(std::get<std::unique_ptr<ServerStream>>(opened));
    }
    gate_.opened(self);
    if (ticket_.capped()) {
      alarm_.Set(std::chrono::system_clock::now() + ticket_.remaining(),
                 [weak = std::weak_ptr<StreamCall>(self)](bool expired) {
                   const auto call = weak.lock();
                   if (expired && call) {
                     call->end(failure(kDeadlineExceeded, "STREAM_DEADLINE",
                                       "stream_deadline_ms_max has passed"));
                   }
                 });
    }
    ask();
  }

  void fail() {
    finish(failure(kInternal, "INTERNAL", "an internal error; it is in the server's log"));
  }

  void end(const Error& error) override {
    {
      const std::lock_guard lock(mutex_);
      if (!end_) end_ = error;
    }
    // Answers a pending next(); one that is not pending yet finds `end_`.
    source_->cancel();
  }

  void OnCancel() override { end_if_open(failure(kCancelled, "CANCELLED", "the caller is gone")); }

  void OnWriteDone(bool ok) override {
    // Ended while it was being written: the status is on its way already.
    uint64_t writing = phase_;
    if (writing == kFinished || !phase_.compare_exchange_strong(writing, writing + 1)) return;
    if (ok) {
      ask();
    } else {
      finish(failure(kCancelled, "CANCELLED", "the caller is gone"));
    }
  }

  void look(int64_t now_us) override {
    const uint64_t phase = phase_;
    if (phase == kFinished) {
      // Its status waits behind what the caller does not take: it had its time to read that, too.
      if (told_slow_us_ != 0 && now_us - told_slow_us_ >= write_us_max()) drop();
      return;
    }
    if (phase % 2 == 0 || handed_over_ < phase || phase != seen_phase_) {
      seen_phase_ = phase;
      seen_us_ = now_us;
      return;
    }
    if (now_us - seen_us_ < write_us_max()) return;
    told_slow_us_ = now_us;
    uint64_t still = phase;
    if (phase_.compare_exchange_strong(still, kFinished)) {
      const auto why = ended();
      tell(why ? *why : slow_reader());
    } else {
      told_slow_us_ = 0;
    }
  }

  void OnDone() override {
    alarm_.Cancel();
    {
      const std::lock_guard lock(context_mutex_);
      context_ = nullptr;
    }
    const auto answered = ticket_.take_unanswered();
    const auto last = std::move(self_);
  }

 private:
  void end_if_open(const Error& error) {
    bool open = false;
    {
      const std::lock_guard lock(mutex_);
      open = source_ && phase_ != kFinished;
    }
    if (open) end(error);
  }

  std::optional<Error> ended() {
    const std::lock_guard lock(mutex_);
    return end_;
  }

  void ask() {
    if (const auto error = ended()) return finish(*error);
    source_->next([call = self_](Answer answer) { call->take(std::move(answer)); });
  }

  void take(Answer answer) {
    uint64_t asking = phase_;
    if (asking == kFinished) return;
    if (auto* error = std::get_if<Error>(&answer)) {
      // Why we cancelled the source says more than that it was cancelled.
      const auto why = ended();
      return finish(why ? *why : *error);
    }
    auto& message = std::get<std::unique_ptr<google::protobuf::Message>>(answer);
    if (!message) return finish(std::nullopt);
    if (!phase_.compare_exchange_strong(asking, asking + 1)) return;
    out_ = take_bytes(std::move(message));
    StartWrite(&out_);
    // Only from now on may another thread finish; a later write may have been handed over inside.
    for (uint64_t known = handed_over_; known < asking + 1;) {
      if (handed_over_.compare_exchange_weak(known, asking + 1)) break;
    }
  }

  void finish(const std::optional<Error>& error) {
    if (phase_.exchange(kFinished) == kFinished) return;
    ticket_.release();
    tell(error);
  }

  int64_t write_us_max() const { return int64_t{gate_.limits().stream_write_ms_max()} * 1'000; }

  Error slow_reader() const {
    const std::string max = std::to_string(gate_.limits().stream_write_ms_max());
    const std::string position = source_->position();
    std::string message = "a message was not taken within stream_write_ms_max (" + max + " ms)";
    if (!position.empty()) message += "; everything up to " + position + " was sent before it";
    Error error = failure(kResourceExhausted, "SLOW_READER", std::move(message),
                          {{"limit", "stream_write_ms_max"}, {"max", max}}, kRetrySlowReaderMs);
    if (!position.empty()) error.metadata.emplace_back("position", position);
    return error;
  }

  // What was not taken goes, and the place among the open streams is free again. The caller finds
  // the stream cancelled.
  void drop() {
    const std::lock_guard lock(context_mutex_);
    if (context_) context_->TryCancel();
  }

  void tell(const std::optional<Error>& error) {
    const int code = error ? error->code : 0;
    gate_.count(method_, code, start_us_);
    gate_.log_call(method_, ticket_.call().caller, parsed_ ? &request_.message() : nullptr, code,
                   error ? std::string_view(error->reason) : std::string_view(), start_us_);
    Finish(error ? status_of(*error) : grpc::Status::OK);
  }

  Gate& gate_;
  const Method& method_;
  const int64_t start_us_ = Gate::now_us();
  Ticket ticket_;
  bool parsed_ = false;
  ParsedMessage request_;
  grpc::ByteBuffer out_;
  grpc::Alarm alarm_;
  // Even: the source is asked; odd: a message is being written. One more with every step.
  static constexpr uint64_t kFinished = std::numeric_limits<uint64_t>::max();
  std::atomic<uint64_t> phase_{0};
  std::atomic<uint64_t> handed_over_{0};  // phase of the last write that gRPC has

  // Of the thread that looks.
  uint64_t seen_phase_ = 0;
  int64_t seen_us_ = 0;
  int64_t told_slow_us_ = 0;

  // Recursive: cancelling may run OnDone() before it returns.
  std::recursive_mutex context_mutex_;
  grpc::CallbackServerContext* context_ = nullptr;  // until OnDone()

  std::mutex mutex_;
  std::optional<Error> end_;              // guarded by mutex_
  std::unique_ptr<ServerStream> source_;  // set once, under mutex_
  // Owns itself until gRPC is done with it.
  std::shared_ptr<StreamCall> self_;
};

}  // namespace

grpc::internal::MethodHandler* server_stream_handler(Gate& gate, const Method& method) {
  return new grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
      [&gate, &method](grpc::CallbackServerContext* context, const grpc::ByteBuffer* in) {
        const auto call = std::make_shared<StreamCall>(gate, method);
        try {
          call->start(call, *context, *in);
        } catch (...) {
          call->fail();
        }
        return call.get();
      });
}

}  // namespace taizhang
