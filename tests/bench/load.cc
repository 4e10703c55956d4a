// Load over gRPC.
#include "tests/bench/load.h"

#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace taizhang::bench {
namespace {

using Clock = std::chrono::steady_clock;

double micros(Clock::duration span) {
  return std::chrono::duration<double, std::micro>(span).count();
}

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string text_of(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.DumpToSingleSlice(&slice).ok()) return "";
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

std::unique_ptr<grpc::ClientContext> context_for(const std::string& token, double seconds) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::milliseconds(int64_t(seconds * 1'000)));
  if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
  return context;
}

std::shared_ptr<grpc::Channel> channel_to(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(16 << 20);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// Latencies and errors of all callers.
class Tally {
 public:
  void add(double us, int64_t calls, int64_t errors, const std::string& error) {
    const std::lock_guard lock(mutex_);
    latencies_us_.push_back(us);
    result_.calls += calls;
    result_.errors += errors;
    if (result_.first_error.empty()) result_.first_error = error;
  }
  LoadResult finish(double seconds) {
    const std::lock_guard lock(mutex_);
    std::sort(latencies_us_.begin(), latencies_us_.end());
    const auto at = [&](double share) {
      return latencies_us_.empty()
                 ? 0
                 : latencies_us_[size_t(share * double(latencies_us_.size() - 1))];
    };
    result_.p50_us = at(0.5);
    result_.p99_us = at(0.99);
    result_.per_second = double(result_.calls) / seconds;
    return result_;
  }

 private:
  std::mutex mutex_;
  std::vector<double> latencies_us_;
  LoadResult result_;
};

class UnaryLoad {
 public:
  UnaryLoad(const LoadOptions& options, const MakeRequest& make)
      : options_(options), make_(make), stub_(channel_to(options.address)) {}

  LoadResult run() {
    const auto start = Clock::now();
    end_ = start + std::chrono::milliseconds(int64_t(options_.seconds * 1'000));
    running_ = options_.callers;
    if (options_.per_second > 0) {
      period_ = std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(options_.callers / options_.per_second));
    }
    for (int i = 0; i < options_.callers; ++i) {
      auto slot = std::make_shared<Slot>();
      slot->due = start + period_ * i / options_.callers;
      next(slot);
    }
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
    return tally_.finish(std::chrono::duration<double>(Clock::now() - start).count());
  }

 private:
  struct Slot {
    std::unique_ptr<grpc::ClientContext> context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
    Clock::time_point sent;
    Clock::time_point due;  // of the next one, with a pace
    grpc::Alarm alarm;
  };

  void next(const std::shared_ptr<Slot>& slot) {
    const auto now = Clock::now();
    if (now >= end_) {
      // It holds the channel, and gRPC's own thread, on which this runs, must not be the last to.
      slot->context.reset();
      const std::lock_guard lock(mutex_);
      if (--running_ == 0) done_.notify_all();
      return;
    }
    if (period_ == Clock::duration::zero()) return send(slot);
    // Who is late does not catch up: the pace is a bound, not a debt.
    const auto due = std::max(slot->due, now);
    slot->due = due + period_;
    if (due == now) return send(slot);
    slot->alarm.Set(std::chrono::system_clock::now() + (due - now),
                    [this, slot](bool) { send(slot); });
  }

  void send(const std::shared_ptr<Slot>& slot) {
    slot->context = context_for(options_.token, 30);
    const int64_t index = index_++;
    slot->request = buffer_of(make_(index));
    slot->response.Clear();
    slot->sent = Clock::now();
    stub_.UnaryCall(slot->context.get(),
                    options_.method_of ? options_.method_of(index) : options_.method,
                    grpc::StubOptions(), &slot->request, &slot->response,
                    [this, slot](const grpc::Status& status) {
                      tally_.add(micros(Clock::now() - slot->sent), status.ok() ? 1 : 0,
                                 status.ok() ? 0 : 1, status.error_message());
                      next(slot);
                    });
  }

  const LoadOptions& options_;
  const MakeRequest& make_;
  grpc::GenericStub stub_;
  Tally tally_;
  std::atomic<int64_t> index_{0};
  Clock::duration period_{};  // between two requests of a caller
  Clock::time_point end_;
  std::mutex mutex_;
  std::condition_variable done_;
  int running_ = 0;
};

class BulkLoad : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  BulkLoad(const LoadOptions& options, int per_message, const MakeRequest& make,
           const std::function<int64_t(const std::string&)>& count_refusals)
      : options_(options),
        per_message_(per_message),
        make_(make),
        count_refusals_(count_refusals),
        stub_(channel_to(options.address)),
        context_(context_for(options.token, options.seconds + 30)) {}

  LoadResult run() {
    const auto start = Clock::now();
    end_ = start + std::chrono::milliseconds(int64_t(options_.seconds * 1'000));
    stub_.PrepareBidiStreamingCall(context_.get(), options_.method, grpc::StubOptions(), this);
    StartCall();
    StartRead(&response_);
    {
      const std::lock_guard lock(mutex_);
      write_next();
    }
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return ended_; });
    auto result = tally_.finish(std::chrono::duration<double>(Clock::now() - start).count());
    if (!status_.ok() && result.first_error.empty()) result.first_error = status_.error_message();
    return result;
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok) write_next();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    const int64_t refusals = count_refusals_(text_of(response_));
    const std::lock_guard lock(mutex_);
    tally_.add(micros(Clock::now() - sent_.front()), per_message_ - refusals, refusals, "");
    sent_.pop_front();
    response_.Clear();
    StartRead(&response_);
    write_next();
  }
  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    status_ = status;
    ended_ = true;
    done_.notify_all();
  }

 private:
  void write_next() {
    if (writing_ || closed_) return;
    if (Clock::now() >= end_ || (options_.messages > 0 && index_ >= options_.messages)) {
      if (!sent_.empty()) return;
      closed_ = true;
      StartWritesDone();
      return;
    }
    if (sent_.size() >= size_t(options_.callers)) return;
    request_ = buffer_of(make_(index_++));
    sent_.push_back(Clock::now());
    writing_ = true;
    StartWrite(&request_);
  }

  const LoadOptions& options_;
  const int per_message_;
  const MakeRequest& make_;
  const std::function<int64_t(const std::string&)>& count_refusals_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  Tally tally_;
  std::mutex mutex_;
  std::condition_variable done_;
  Clock::time_point end_;
  std::deque<Clock::time_point> sent_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  int64_t index_ = 0;
  bool writing_ = false;
  bool closed_ = false;
  bool ended_ = false;
  grpc::Status status_;
};

}  // namespace

LoadResult unary_load(const LoadOptions& options, const MakeRequest& make) {
  return UnaryLoad(options, make).run();
}

LoadResult bulk_load(const LoadOptions& options, int per_message, const MakeRequest& make,
                     const std::function<int64_t(const std::string&)>& count_refusals) {
  return BulkLoad(options, per_message, make, count_refusals).run();
}

struct Connection::Stub {
  grpc::GenericStub stub;
};

Connection::Connection(const std::string& address)
    : stub_(new Stub{grpc::GenericStub(channel_to(address))}) {}
Connection::~Connection() = default;

std::string Connection::call(const std::string& method, const std::string& token,
                             const std::string& request, std::string* response) {
  const auto context = context_for(token, 30);
  context->set_wait_for_ready(true);
  const auto in = buffer_of(request);
  grpc::ByteBuffer out;
  grpc::Status status;
  std::mutex mutex;
  std::condition_variable done;
  bool ended = false;
  stub_->stub.UnaryCall(context.get(), method, grpc::StubOptions(), &in, &out,
                        [&](const grpc::Status& got) {
                          const std::lock_guard lock(mutex);
                          status = got;
                          ended = true;
                          done.notify_all();
                        });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return ended; });
  if (status.ok() && response) *response = text_of(out);
  return status.ok()
             ? ""
             : "code " + std::to_string(status.error_code()) + ": " + status.error_message();
}

}  // namespace taizhang::bench
