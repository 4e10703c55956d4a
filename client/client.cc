// Calls over gRPC by path and bytes; no generated stubs.
#include "client/client.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/sync_stream.h>

#include <algorithm>
#include <chrono>

#include "client/bulk.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "taizhang/ledger/v1/bulk.pb.h"

namespace taizhang::client {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using grpc::internal::RpcMethod;

constexpr int kMessageBytesMax = 64 << 20;

constexpr const char* kCodeNames[] = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

grpc::ByteBuffer buffer_of(const Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool parse(grpc::ByteBuffer& buffer, Message& out) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() &&
         out.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

void take_details(const google::rpc::Status& status, CallError& error) {
  for (const auto& detail : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::LocalizedMessage localized;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      error.reason = info.reason();
      error.metadata.assign(info.metadata().begin(), info.metadata().end());
      std::sort(error.metadata.begin(), error.metadata.end());
    } else if (detail.UnpackTo(&localized)) {
      error.zh = localized.message();
    } else if (detail.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) {
        error.violations.push_back({violation.field(), violation.description()});
      }
    } else if (detail.UnpackTo(&retry)) {
      error.retry_after_ms =
          retry.retry_delay().seconds() * 1'000 + retry.retry_delay().nanos() / 1'000'000;
    }
  }
}

CallError error_of(int code, const std::string& message) {
  CallError error;
  error.code = code;
  error.code_name = code >= 0 && code < int(std::size(kCodeNames)) ? kCodeNames[code] : "UNKNOWN";
  error.message = message;
  return error;
}

CallError error_of(const grpc::Status& status) {
  CallError error = error_of(status.error_code(), status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) take_details(details, error);
  return error;
}

CallError unreadable() {
  return error_of(
      grpc::Status(grpc::StatusCode::INTERNAL, "the answer is no message of the method's type"));
}

void prepare(grpc::ClientContext& context, const std::string& token, int64_t deadline_ms) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(deadline_ms));
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
}

std::string path_of(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

class GrpcBulkStream final : public BulkStream {
 public:
  GrpcBulkStream(std::shared_ptr<grpc::Channel> channel, const std::string& token,
                 int64_t deadline_ms)
      : channel_(std::move(channel)) {
    prepare(context_, token, deadline_ms);
    const RpcMethod rpc("/taizhang.ledger.v1.CommandService/Execute", RpcMethod::BIDI_STREAMING,
                        channel_);
    stream_.reset(
        grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
            channel_.get(), rpc, &context_));
  }

  ~GrpcBulkStream() override {
    if (finished_) return;
    context_.TryCancel();
    stream_->Finish();
  }

  bool write(const ledger::v1::ExecuteRequest& message) override {
    return stream_->Write(buffer_of(message));
  }

  bool read(ledger::v1::ExecuteResponse& message) override {
    grpc::ByteBuffer in;
    if (!stream_->Read(&in)) return false;
    readable_ = parse(in, message);
    return readable_;
  }

  CallError finish() override {
    finished_ = true;
    if (!readable_) context_.TryCancel();
    stream_->WritesDone();
    // gRPC ends a stream well only when nothing is left to read.
    for (grpc::ByteBuffer rest; stream_->Read(&rest);) {
    }
    const auto status = stream_->Finish();
    if (!readable_) return unreadable();
    return status.ok() ? CallError() : error_of(status);
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
  bool readable_ = true;
  bool finished_ = false;
};

}  // namespace

CallError error_of(const google::rpc::Status& status) {
  CallError error = error_of(status.code(), status.message());
  take_details(status, error);
  return error;
}

struct Client::Impl {
  std::shared_ptr<grpc::Channel> main;
  std::shared_ptr<grpc::Channel> admin;

  const std::shared_ptr<grpc::Channel>& channel_of(const MethodDescriptor& method) const {
    return method.file()->package().starts_with("taizhang.admin.") ? admin : main;
  }

  static CallError unary(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
                         const Message& request, Message& response, const std::string& token,
                         int64_t deadline_ms) {
    grpc::ClientContext context;
    prepare(context, token, deadline_ms);
    const RpcMethod rpc(path.c_str(), RpcMethod::NORMAL_RPC, channel);
    grpc::ByteBuffer in;
    const auto status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
        channel.get(), rpc, &context, buffer_of(request), &in);
    if (!status.ok()) return error_of(status);
    return parse(in, response) ? CallError() : unreadable();
  }
};

Client::Client(const std::string& address, const std::string& admin_address)
    : impl_(std::make_unique<Impl>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  const auto credentials = grpc::InsecureChannelCredentials();
  impl_->main = grpc::CreateCustomChannel(address, credentials, arguments);
  impl_->admin = grpc::CreateCustomChannel(admin_address, credentials, arguments);
}

Client::~Client() = default;

CallError Client::call(const MethodDescriptor& method, const Message& request, Message& response,
                       const std::string& token, int64_t deadline_ms) {
  return Impl::unary(impl_->channel_of(method), path_of(method), request, response, token,
                     deadline_ms);
}

CallError Client::stream(const MethodDescriptor& method, const Message& request,
                         const std::string& token, int64_t deadline_ms,
                         const std::function<bool(const Message&)>& each) {
  grpc::ClientContext context;
  prepare(context, token, deadline_ms);
  const std::string path = path_of(method);
  const auto& channel = impl_->channel_of(method);
  const RpcMethod rpc(path.c_str(), RpcMethod::SERVER_STREAMING, channel);
  const std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
      grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(channel.get(), rpc, &context,
                                                                    buffer_of(request)));
  const auto message = new_response(method);
  grpc::ByteBuffer in;
  bool enough = false;
  bool readable = true;
  while (!enough && readable && reader->Read(&in)) {
    readable = parse(in, *message);
    enough = readable && !each(*message);
  }
  if (enough || !readable) context.TryCancel();
  const auto status = reader->Finish();
  if (!readable) return unreadable();
  return enough || status.ok() ? CallError() : error_of(status);
}

std::unique_ptr<BulkStream> Client::execute(const std::string& token, int64_t deadline_ms) {
  return std::make_unique<GrpcBulkStream>(impl_->main, token, deadline_ms);
}

CallError Client::health(const std::string& service, std::string& status, int64_t deadline_ms) {
  grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse response;
  request.set_service(service);
  auto error =
      Impl::unary(impl_->main, "/grpc.health.v1.Health/Check", request, response, "", deadline_ms);
  if (error.ok()) {
    status = grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status());
  }
  return error;
}

}  // namespace taizhang::client
