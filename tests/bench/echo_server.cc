// The bare server that the product is compared with: the same transport code path, nothing behind
// it.
#include "tests/bench/echo_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/server_callback.h>
#include <unistd.h>

#include <fstream>

namespace taizhang::bench {
namespace {

class BulkEcho : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  BulkEcho() { StartRead(&message_); }
  void OnReadDone(bool ok) override { ok ? StartWrite(&message_) : Finish(grpc::Status::OK); }
  void OnWriteDone(bool ok) override { ok ? StartRead(&message_) : Finish(grpc::Status::OK); }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer message_;
};

class EchoService : public grpc::Service {
 public:
  EchoService() {
    using grpc::ByteBuffer;
    AddMethod(new grpc::internal::RpcServiceMethod(kEchoUnary,
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        0, new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
               [](grpc::CallbackServerContext* context, const ByteBuffer* in, ByteBuffer* out) {
                 *out = *in;
                 auto* reactor = context->DefaultReactor();
                 reactor->Finish(grpc::Status::OK);
                 return reactor;
               }));
    AddMethod(new grpc::internal::RpcServiceMethod(
        kEchoBulk, grpc::internal::RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodRawCallback(1, new grpc::internal::CallbackBidiHandler<ByteBuffer, ByteBuffer>(
                                 [](grpc::CallbackServerContext*) { return new BulkEcho; }));
  }
};

}  // namespace

int run_echo_server(const char* address_file) {
  EchoService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(16 << 20);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::ofstream(address_file) << "127.0.0.1:" << port << "\n";
  server->Wait();
  return 0;
}

}  // namespace taizhang::bench
