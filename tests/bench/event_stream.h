// Subscribers of the benchmark: they count what arrives and look no closer.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taizhang::bench {

inline constexpr const char* kSubscribe = "/taizhang.ledger.v1.LedgerService/Subscribe";
inline constexpr const char* kBareStream = "/bench.Bare/Stream";

// One stream, read by the thread that calls.
class EventStream {
 public:
  EventStream(const std::shared_ptr<grpc::Channel>& channel, const char* method,
              const std::string& token, const google::protobuf::Message& request);
  ~EventStream();

  // The next message, serialised; false: the stream is over. What is counted of it: the events of a
  // SubscribeResponse.
  bool read(std::string* bytes = nullptr);
  int64_t events() const { return events_; }
  int64_t bytes() const { return bytes_; }
  int64_t messages() const { return messages_; }
  bool caught_up() const { return caught_up_; }
  // Ends read(); from any thread.
  void cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader_;
  int64_t events_ = 0;
  int64_t bytes_ = 0;
  int64_t messages_ = 0;
  bool caught_up_ = false;
};

std::shared_ptr<grpc::Channel> stream_channel(const std::string& address);

// The ceiling: a server that writes the given messages over and over, `count` of them a stream, by
// raw callbacks.
class BareStreamServer {
 public:
  BareStreamServer(std::vector<std::string> messages, int64_t count);
  ~BareStreamServer();
  const std::string& address() const { return address_; }

 private:
  class Service;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace taizhang::bench
