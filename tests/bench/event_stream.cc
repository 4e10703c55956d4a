// Streams of raw messages.
#include "tests/bench/event_stream.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::bench {
namespace {

using google::protobuf::io::CodedInputStream;
using ledger::v1::SubscribeResponse;

// Events of a serialised SubscribeResponse, counted by their lengths.
int64_t count_events(const grpc::Slice& message, bool& caught_up) {
  CodedInputStream in(message.begin(), static_cast<int>(message.size()));
  const uint32_t tag = in.ReadTag();
  caught_up = caught_up || tag >> 3 == SubscribeResponse::kCaughtUpFieldNumber;
  if (tag >> 3 != SubscribeResponse::kBatchFieldNumber) return 0;
  uint32_t size = 0;
  in.ReadVarint32(&size);
  int64_t events = 0;
  while (in.ReadTag() != 0 && in.ReadVarint32(&size) && in.Skip(static_cast<int>(size))) ++events;
  return events;
}

}  // namespace

std::shared_ptr<grpc::Channel> stream_channel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

EventStream::EventStream(const std::shared_ptr<grpc::Channel>& channel, const char* method,
                         const std::string& token, const google::protobuf::Message& request) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(30));
  if (!token.empty()) context_.AddMetadata("authorization", "Bearer " + token);
  const grpc::Slice slice(request.SerializeAsString());
  const grpc::ByteBuffer bytes(&slice, 1);
  const grpc::internal::RpcMethod rpc(method, grpc::internal::RpcMethod::SERVER_STREAMING, channel);
  reader_.reset(grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create<grpc::ByteBuffer>(
      channel.get(), rpc, &context_, bytes));
}

EventStream::~EventStream() {
  context_.TryCancel();
  while (read()) {
  }
  reader_->Finish();
}

bool EventStream::read(std::string* bytes) {
  grpc::ByteBuffer message;
  if (!reader_->Read(&message)) return false;
  grpc::Slice slice;
  if (!message.TrySingleSlice(&slice).ok() && !message.DumpToSingleSlice(&slice).ok()) return false;
  events_ += count_events(slice, caught_up_);
  bytes_ += static_cast<int64_t>(slice.size());
  ++messages_;
  if (bytes) bytes->assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return true;
}

class BareStreamServer::Service : public grpc::Service {
 public:
  Service(const std::vector<std::string>& messages, int64_t count) : count_(count) {
    for (const auto& message : messages) messages_.emplace_back(message);
    AddMethod(new grpc::internal::RpcServiceMethod(
        kBareStream, grpc::internal::RpcMethod::SERVER_STREAMING, nullptr));
    MarkMethodRawCallback(
        0, new grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
               [this](grpc::CallbackServerContext*, const grpc::ByteBuffer*) {
                 return new Stream(*this);
               }));
  }

 private:
  class Stream : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
   public:
    explicit Stream(const Service& service) : service_(service) { OnWriteDone(true); }
    void OnWriteDone(bool ok) override {
      if (!ok || sent_ == service_.count_) return Finish(grpc::Status::OK);
      const auto& next =
          service_.messages_[static_cast<size_t>(sent_++) % service_.messages_.size()];
      // A message of its own each time, as anybody who answers with something has to make one.
      grpc::Slice slice(next.data(), next.size());
      out_ = grpc::ByteBuffer(&slice, 1);
      StartWrite(&out_);
    }
    void OnDone() override { delete this; }

   private:
    const Service& service_;
    int64_t sent_ = 0;
    grpc::ByteBuffer out_;
  };

  std::vector<std::string> messages_;
  const int64_t count_;
};

BareStreamServer::BareStreamServer(std::vector<std::string> messages, int64_t count)
    : service_(std::make_unique<Service>(messages, count)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  if (!server_) {
    fprintf(stderr, "the bare server did not start\n");
    exit(1);
  }
  address_ = "127.0.0.1:" + std::to_string(port);
}

BareStreamServer::~BareStreamServer() { server_->Shutdown(); }

}  // namespace taizhang::bench
