// Unary calls: parsed on the thread that received them, answered on the thread that knows the
// answer.
#include "platform/rpc/handlers.h"

namespace taizhang {
namespace {

// Everything a call needs until it is answered, in one allocation.
struct UnaryCall {
  UnaryCall(Gate& the_gate, const Method& the_method) : gate(the_gate), method(the_method) {}

  void answer(Answer answer) {
    // From Finish on the call's buffers belong to gRPC; the request lives as long as anybody holds
    // it.
    const auto keep = std::move(self);
    auto* response = std::get_if<std::unique_ptr<google::protobuf::Message>>(&answer);
    if (response && *response) {
      *out = serialised(**response);
      finish(grpc::Status::OK, "");
    } else if (const auto* error = std::get_if<Error>(&answer)) {
      finish(status_of(*error), error->reason);
    } else {
      finish(status_of(failure(kInternal, "NO_ANSWER", "the method gave no answer")), "NO_ANSWER");
    }
  }

  void finish(const grpc::Status& status, std::string_view reason) {
    const int code = status.error_code();
    gate.count(method, code, start_us);
    gate.log_call(method, ticket.call().caller, parsed ? &request.message() : nullptr, code, reason,
                  start_us);
    ticket.release();
    const auto until_finished = ticket.take_unanswered();
    // Last: a stop that sees this call finished may take the gate away.
    reactor->Finish(status);
  }

  Gate& gate;
  const Method& method;
  const int64_t start_us = Gate::now_us();
  grpc::ServerUnaryReactor* reactor = nullptr;
  grpc::ByteBuffer* out = nullptr;
  Ticket ticket;
  bool parsed = false;
  ParsedMessage request;
  // Owns itself until it is answered.
  std::shared_ptr<UnaryCall> self;
};

void start(const std::shared_ptr<UnaryCall>& call, const grpc::CallbackServerContext& context,
           const grpc::ByteBuffer& in) {
  call->self = call;
  if (auto error = call->gate.admit(context, false, call->ticket))
    return call->answer(std::move(*error));
  if (auto error = call->gate.parse(call->method, in, call->request))
    return call->answer(std::move(*error));
  call->parsed = true;
  std::shared_ptr<const google::protobuf::Message> request(call, &call->request.message());
  // A plain pointer fits into the function object; `self` keeps what it points to.
  call->gate.dispatcher().unary(
      *call->method.descriptor, call->ticket.call(), std::move(request),
      [call = call.get()](Answer answer) { call->answer(std::move(answer)); });
}

}  // namespace

grpc::internal::MethodHandler* unary_handler(Gate& gate, const Method& method) {
  return new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
      [&gate, &method](grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                       grpc::ByteBuffer* out) {
        const auto call = std::make_shared<UnaryCall>(gate, method);
        auto* reactor = context->DefaultReactor();
        call->reactor = reactor;
        call->out = out;
        // A handler that throws before it answers is a fault of ours; the process and the other
        // calls go on.
        try {
          start(call, *context, *in);
        } catch (...) {
          if (call->self)
            call->answer(
                failure(kInternal, "INTERNAL", "an internal error; it is in the server's log"));
        }
        return reactor;
      });
}

}  // namespace taizhang
