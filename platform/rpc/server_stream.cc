// Server streams: the source is asked for one message at a time, so a slow reader holds back nobody
// but itself.
#include "platform/rpc/handlers.h"

namespace taizhang {
namespace {

class StreamCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public OpenStream {
 public:
  StreamCall(Gate& gate, const Method& method) : gate_(gate), method_(method) {}

  // Called once, by the handler, before gRPC knows the reactor.
  void start(const std::shared_ptr<StreamCall>& self, const grpc::CallbackServerContext& context,
             const grpc::ByteBuffer& in) {
    self_ = self;
    if (auto error = gate_.admit(context, true, ticket_)) return finish(*error);
    if (auto error = gate_.parse(method_, in, request_)) return finish(*error);
    parsed_ = true;
    std::shared_ptr<const google::protobuf::Message> request(self, &request_.message());
    auto opened =
        gate_.dispatcher().stream(*method_.descriptor, ticket_.call(), std::move(request));
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
    if (ok) {
      ask();
    } else {
      finish(failure(kCancelled, "CANCELLED", "the caller is gone"));
    }
  }

  void OnDone() override {
    alarm_.Cancel();
    const auto answered = ticket_.take_unanswered();
    const auto last = std::move(self_);
  }

 private:
  void end_if_open(const Error& error) {
    bool open = false;
    {
      const std::lock_guard lock(mutex_);
      open = source_ && !finished_;
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
    if (finished_) return;
    if (auto* error = std::get_if<Error>(&answer)) {
      // Why we cancelled the source says more than that it was cancelled.
      const auto why = ended();
      return finish(why ? *why : *error);
    }
    const auto& message = std::get<std::unique_ptr<google::protobuf::Message>>(answer);
    if (!message) return finish(std::nullopt);
    out_ = serialised(*message);
    StartWrite(&out_);
  }

  void finish(const std::optional<Error>& error) {
    if (finished_.exchange(true)) return;
    const int code = error ? error->code : 0;
    gate_.count(method_, code, start_us_);
    gate_.log_call(method_, ticket_.call().caller, parsed_ ? &request_.message() : nullptr, code,
                   error ? std::string_view(error->reason) : std::string_view(), start_us_);
    ticket_.release();
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
  std::atomic<bool> finished_{false};

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
