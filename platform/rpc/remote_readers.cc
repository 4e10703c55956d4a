// Unary calls to other servers, by path and bytes.
#include "platform/rpc/remote_readers.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_callback.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "platform/base/clock.h"
#include "platform/lists/reader_directory.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// An answer is about 1,000,000 bytes, or one page of one ledger.
constexpr int kAnswerBytesMax = 64 << 20;
// How long a connection that broke is left alone, at most.
constexpr int kReconnectMsMax = 1'000;
constexpr int64_t kRetryMs = 1'000;

Error of_the_way(int code) {
  if (code == kDeadlineExceeded) {
    auto error = failure(kDeadlineExceeded, "READER_SLOW", "the reader did not answer in time", {},
                         kRetryMs);
    error.zh = "该台账所在的服务器未能及时响应";
    return error;
  }
  if (code == kUnavailable) {
    auto error =
        failure(kUnavailable, "READER_UNREACHABLE", "the reader cannot be reached", {}, kRetryMs);
    error.zh = "无法连接该台账所在的服务器";
    return error;
  }
  return failure(static_cast<StatusCode>(code), "READER_FAILED",
                 "the reader cannot answer what it was asked");
}

// As the reader said it, and that it was the reader.
Error error_of(const grpc::Status& status, const std::string& reader) {
  google::rpc::Status said;
  Error error;
  error.code = status.error_code();
  error.message = status.error_message();
  if (said.ParseFromString(status.error_details())) {
    for (const auto& detail : said.details()) {
      google::rpc::ErrorInfo info;
      google::rpc::LocalizedMessage text;
      google::rpc::BadRequest bad;
      google::rpc::RetryInfo retry;
      if (detail.UnpackTo(&info)) {
        error.reason = info.reason();
        error.metadata.assign(info.metadata().begin(), info.metadata().end());
      } else if (detail.UnpackTo(&text)) {
        error.zh = text.message();
      } else if (detail.UnpackTo(&bad)) {
        for (const auto& one : bad.field_violations())
          error.violations.push_back({one.field(), one.description(), one.reason()});
      } else if (detail.UnpackTo(&retry)) {
        error.retry_after_ms =
            retry.retry_delay().seconds() * 1'000 + retry.retry_delay().nanos() / 1'000'000;
      }
    }
  }
  // Not from the server behind, but from the way there: gRPC's own text may hold addresses.
  if (error.reason.empty()) error = of_the_way(status.error_code());
  error.metadata.emplace_back("reader", reader);
  return error;
}

class GrpcReader : public lists::RemoteReader {
 public:
  explicit GrpcReader(const config::v1::Reader& settings)
      : name_(settings.name()), answer_us_(int64_t{settings.answer_ms()} * 1'000) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMsMax);
    channel_ = grpc::CreateCustomChannel(settings.address(), grpc::InsecureChannelCredentials(),
                                         arguments);
  }

  const std::string& name() const override { return name_; }

  void call(const MethodDescriptor& method, const Message& request, const Call& asker,
            Done done) override {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      lock.unlock();
      return done(error_of(grpc::Status(grpc::StatusCode::UNAVAILABLE, ""), name_));
    }
    const auto running = running_.emplace(running_.end());
    lock.unlock();
    running->path = "/" + method.service()->full_name() + "/" + method.name();
    running->response.reset(google::protobuf::MessageFactory::generated_factory()
                                ->GetPrototype(method.output_type())
                                ->New());
    running->done = std::move(done);
    const int64_t left_us = std::min(answer_us_, asker.deadline_boot_us - system_clock().boot_us());
    running->context.set_deadline(std::chrono::system_clock::now() +
                                  std::chrono::microseconds(left_us));
    if (asker.token && !asker.token->empty())
      running->context.AddMetadata("authorization", "Bearer " + *asker.token);
    const grpc::Slice slice(request.SerializeAsString());
    running->out = grpc::ByteBuffer(&slice, 1);
    using grpc::internal::RpcMethod;
    const RpcMethod rpc(running->path.c_str(), RpcMethod::NORMAL_RPC, channel_);
    grpc::internal::CallbackUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
        channel_.get(), rpc, &running->context, &running->out, &running->in,
        [this, running](const grpc::Status& status) { take(running, status); });
  }

  void stop() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    for (auto& running : running_) running.context.TryCancel();
    ended_.wait(lock, [this] { return running_.empty(); });
  }

 private:
  struct Running {
    std::string path;
    grpc::ClientContext context;
    grpc::ByteBuffer out;
    grpc::ByteBuffer in;
    std::unique_ptr<Message> response;
    Done done;
  };

  void take(std::list<Running>::iterator running, const grpc::Status& status) {
    Answer answer = Error();
    grpc::Slice slice;
    if (!status.ok()) {
      answer = error_of(status, name_);
    } else if (running->in.DumpToSingleSlice(&slice).ok() &&
               running->response->ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
      answer = std::move(running->response);
    } else {
      answer = failure(kInternal, "READER_ANSWER_MALFORMED",
                       "the reader's answer is no message of the method", {{"reader", name_}});
    }
    running->done(std::move(answer));
    const std::lock_guard lock(mutex_);
    running_.erase(running);
    ended_.notify_all();
  }

  const std::string name_;
  const int64_t answer_us_;
  std::shared_ptr<grpc::Channel> channel_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<Running> running_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
};

}  // namespace

std::unique_ptr<lists::ReaderDirectory> connect_readers(const config::v1::Readers& settings) {
  if (settings.reader().empty()) return nullptr;
  std::vector<std::unique_ptr<lists::RemoteReader>> readers;
  for (const auto& reader : settings.reader())
    readers.push_back(std::make_unique<GrpcReader>(reader));
  return std::make_unique<lists::ReaderDirectory>(
      std::move(readers), static_cast<size_t>(settings.ledgers_known_max()));
}

}  // namespace taizhang
