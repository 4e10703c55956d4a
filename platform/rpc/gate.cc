// Authentication, deadlines, bounds, counting and logging of calls.
#include "platform/rpc/gate.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <grpc/support/time.h>

#include <algorithm>
#include <string_view>
#include <thread>

#include "google/rpc/status.pb.h"
#include "platform/base/log.h"
#include "platform/command/error_status.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

namespace {

constexpr const char* kAuthorization = "authorization";
constexpr int64_t kRetryBusyMs = 50;
constexpr int64_t kRetryStoppingMs = 1000;

Error with_zh(Error error, std::string zh) {
  error.zh = std::move(zh);
  return error;
}

Error over_limit(std::string_view limit, int64_t size, int64_t max) {
  return with_zh(failure(kInvalidArgument, "LIMIT_EXCEEDED",
                         "the message has " + std::to_string(size) + " bytes, " +
                             std::string(limit) + " is " + std::to_string(max),
                         {{"limit", std::string(limit)},
                          {"max", std::to_string(max)},
                          {"size", std::to_string(size)}}),
                 "请求内容超过大小上限");
}

Error busy(std::string_view limit, int64_t max) {
  return failure(kResourceExhausted, "TOO_MANY_CALLS",
                 std::string(limit) + " (" + std::to_string(max) + ") is reached",
                 {{"limit", std::string(limit)}, {"max", std::to_string(max)}, {"outcome", "none"}},
                 kRetryBusyMs);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

Method method_of(const google::protobuf::MethodDescriptor& descriptor) {
  Method method;
  method.descriptor = &descriptor;
  method.request = MessageFactory::generated_factory()->GetPrototype(descriptor.input_type());
  method.path = "/" + descriptor.service()->full_name() + "/" + descriptor.name();
  const auto* context = descriptor.input_type()->FindFieldByName("context");
  if (context && context->message_type() == common::v1::RequestContext::descriptor())
    method.context = context;
  return method;
}

}  // namespace

std::vector<Method> all_methods() {
  // The pool builds files on demand; only its database knows them all.
  std::vector<std::string> files;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::sort(files.begin(), files.end());
  std::vector<Method> methods;
  for (const auto& name : files) {
    if (!name.starts_with("taizhang/")) continue;
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.push_back(method_of(*file->service(s)->method(m)));
      }
    }
  }
  return methods;
}

ParsedMessage::ParsedMessage()
    : arena_([this] {
        google::protobuf::ArenaOptions options;
        options.initial_block = first_block_;
        options.initial_block_size = sizeof first_block_;
        return options;
      }()) {}

bool ParsedMessage::parse(const Message& prototype, const grpc::ByteBuffer& bytes) {
  message_ = prototype.New(&arena_);
  grpc::Slice slice;
  if (bytes.TrySingleSlice(&slice).ok()) {
    return message_->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
  }
  // The reader takes a mutable buffer and leaves it as it is.
  grpc::ProtoBufferReader reader(const_cast<grpc::ByteBuffer*>(&bytes));
  return message_->ParseFromZeroCopyStream(&reader);
}

grpc::ByteBuffer serialised(const Message& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

grpc::Status status_of(const Error& error) {
  google::rpc::Status status;
  fill_status(error, status);
  return {static_cast<grpc::StatusCode>(error.code), status.message(), status.SerializeAsString()};
}

Error server_stopping() {
  return failure(kUnavailable, "SERVER_STOPPING",
                 "the server is stopping; send again what was not answered", {{"outcome", "none"}},
                 kRetryStoppingMs);
}

void Ticket::release() {
  Gate* gate = std::exchange(gate_, nullptr);
  if (!gate) return;
  if (!stream_) {
    gate->calls_in_flight_->fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  gate->streams_of_.at(call_.caller).fetch_sub(1, std::memory_order_relaxed);
  gate->streams_open_->fetch_sub(1, std::memory_order_relaxed);
}

Gate::Gate(const config::v1::Limits& limits, const Dispatcher& dispatcher, const Callers& callers,
           Metrics& metrics, std::vector<Method> methods)
    : limits_(limits),
      dispatcher_(dispatcher),
      callers_(callers),
      metrics_(metrics),
      methods_(std::move(methods)),
      outcomes_(methods_.size()) {
  for (const auto& caller : callers_.list()) streams_of_[&caller] = 0;
  for (size_t i = 0; i < methods_.size(); ++i) {
    const auto& method = methods_[i];
    if (method.descriptor->options().HasExtension(command))
      by_request_[method.descriptor->input_type()] = &method;
    outcomes_[i].latency = std::make_unique<Histogram>(
        metrics_.histogram("taizhang_call_seconds", "Time from a call's arrival to its answer.",
                           {{"method", method.descriptor->full_name()}}, latency_bounds_seconds()));
  }
  metrics_.gauge("taizhang_calls_in_flight", "Calls taken and not answered yet, without streams.",
                 {}, [calls = calls_in_flight_] { return static_cast<double>(calls->load()); });
  metrics_.gauge("taizhang_streams_open", "Streams that were taken and are not over.", {},
                 [streams = streams_open_] { return static_cast<double>(streams->load()); });
  watching_ = std::thread([this] { watch_streams(); });
}

Gate::~Gate() { close(); }

std::optional<Error> Gate::admit(const grpc::CallbackServerContext& context, bool stream,
                                 Ticket& ticket) {
  if (auto error = authenticate(context, ticket.call_)) return error;
  if (auto error = check_deadline(context, stream, ticket)) return error;
  Unanswered unanswered(unanswered_);
  if (closed_) return server_stopping();
  const auto take = [](std::atomic<int>& count, const char* limit,
                       int64_t max) -> std::optional<Error> {
    if (count.fetch_add(1, std::memory_order_relaxed) < max) return std::nullopt;
    count.fetch_sub(1, std::memory_order_relaxed);
    return busy(limit, max);
  };
  if (stream) {
    auto& of_caller = streams_of_.at(ticket.call_.caller);
    if (auto error = take(of_caller, "streams_per_caller_max", limits_.streams_per_caller_max()))
      return error;
    if (auto error = take(*streams_open_, "streams_max", limits_.streams_max())) {
      of_caller.fetch_sub(1, std::memory_order_relaxed);
      return error;
    }
  } else if (auto error =
                 take(*calls_in_flight_, "calls_in_flight_max", limits_.calls_in_flight_max())) {
    return error;
  }
  ticket.unanswered_ = std::move(unanswered);
  ticket.stream_ = stream;
  ticket.gate_ = this;
  return std::nullopt;
}

std::string_view bearer_token(const grpc::CallbackServerContext& context) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto& metadata = context.client_metadata();
  const auto said = metadata.find(kAuthorization);
  if (said == metadata.end()) return {};
  const std::string_view value(said->second.data(), said->second.size());
  return value.starts_with(kScheme) ? value.substr(kScheme.size()) : std::string_view();
}

std::optional<Error> Gate::authenticate(const grpc::CallbackServerContext& context,
                                        Call& call) const {
  const auto& metadata = context.client_metadata();
  if (metadata.find(kAuthorization) == metadata.end()) {
    return failure(kUnauthenticated, "TOKEN_MISSING",
                   "expected metadata `authorization: Bearer <token>`");
  }
  const std::string_view token = bearer_token(context);
  if (!token.empty()) call.caller = callers_.find(token);
  if (!call.caller)
    return failure(kUnauthenticated, "TOKEN_UNKNOWN", "the token is not known here");
  return std::nullopt;
}

std::optional<Error> Gate::check_deadline(const grpc::CallbackServerContext& context, bool stream,
                                          Ticket& ticket) const {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return with_zh(
        failure(kInvalidArgument, "DEADLINE_REQUIRED", "the call has no deadline; set one"),
        "调用必须设定截止时间");
  }
  // In the deadline's own clock, which does not step with the wall clock.
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  const int64_t cap_us =
      (stream ? limits_.stream_deadline_ms_max() : int64_t{limits_.deadline_ms_max()}) * 1000;
  int64_t left_us =
      left.tv_sec > cap_us / 1'000'000 ? cap_us : left.tv_sec * 1'000'000 + left.tv_nsec / 1000;
  ticket.capped_ = left_us >= cap_us;
  left_us = std::min(left_us, cap_us);
  ticket.remaining_ = std::chrono::microseconds(left_us);
  ticket.call_.deadline_boot_us = now_us() + left_us;
  return std::nullopt;
}

std::optional<Error> Gate::parse(const Method& method, const grpc::ByteBuffer& bytes,
                                 ParsedMessage& out) const {
  const bool bulk = method.descriptor->client_streaming();
  const int64_t max = bulk ? limits_.bulk_message_bytes_max() : limits_.request_bytes_max();
  const auto size = static_cast<int64_t>(bytes.Length());
  if (size > max)
    return over_limit(bulk ? "bulk_message_bytes_max" : "request_bytes_max", size, max);
  if (!out.parse(*method.request, bytes)) {
    return with_zh(
        failure(kInvalidArgument, "MESSAGE_MALFORMED",
                "the bytes are not a message " + method.descriptor->input_type()->full_name()),
        "请求内容无法识别");
  }
  return std::nullopt;
}

int64_t Gate::now_us() { return system_clock().boot_us(); }

Counter& Gate::counter(const Method& method, size_t code) {
  auto& slot = outcomes_[static_cast<size_t>(&method - methods_.data())].counters[code];
  if (Counter* made = slot.load(std::memory_order_acquire)) return *made;
  const std::lock_guard lock(counters_mutex_);
  if (Counter* made = slot.load(std::memory_order_acquire)) return *made;
  counters_.push_back(metrics_.counter(
      "taizhang_calls_total",
      "Answered calls by method and outcome; commands of the bulk stream one by one.",
      {{"method", method.descriptor->full_name()},
       {"outcome", std::string(status_name(static_cast<int>(code)))}}));
  slot.store(&counters_.back(), std::memory_order_release);
  return counters_.back();
}

void Gate::count(const Method& method, int code, int64_t start_us) {
  const size_t slot =
      code >= 0 && code < static_cast<int>(Outcomes::kCodes) ? static_cast<size_t>(code) : 2;
  counter(method, slot).add();
  const auto& outcomes = outcomes_[static_cast<size_t>(&method - methods_.data())];
  outcomes.latency->observe(static_cast<double>(now_us() - start_us) / 1e6);
}

void Gate::log_call(const Method& method, const Caller* caller, const Message* request, int code,
                    std::string_view reason, int64_t start_us) {
  if (code == 0) {
    const int every = limits_.request_log_every();
    if (every == 0) return;
    if (calls_logged_.fetch_add(1, std::memory_order_relaxed) % static_cast<uint64_t>(every) != 0)
      return;
  }
  // Only a well-formed id is logged: anything else could be personal data in the wrong field.
  std::string_view request_id;
  if (request && method.context && request->GetReflection()->HasField(*request, method.context)) {
    const auto& context = static_cast<const common::v1::RequestContext&>(
        request->GetReflection()->GetMessage(*request, method.context));
    if (is_uuid(context.request_id())) request_id = context.request_id();
  }
  const bool ours = code == kInternal || code == kDataLoss || code == kUnavailable;
  log(ours ? LogLevel::kWarning : LogLevel::kInfo, "call",
      {{"method", std::string_view(method.descriptor->full_name())
                      .substr(std::string_view("taizhang.").size())},
       {"caller", caller ? std::string_view(caller->profile) : std::string_view()},
       {"request_id", request_id},
       {"outcome", status_name(code)},
       {"reason", reason},
       {"latency_us", now_us() - start_us}});
}

const Method* Gate::by_request(const Descriptor& request) const {
  const auto found = by_request_.find(&request);
  return found == by_request_.end() ? nullptr : found->second;
}

void Gate::opened(const std::shared_ptr<OpenStream>& stream) {
  bool closing = false;
  {
    const std::lock_guard lock(streams_mutex_);
    closing = closing_;
    if (!closing) streams_.push_back(stream);
  }
  if (closing) stream->end(server_stopping());
}

void Gate::close() {
  closed_ = true;
  std::vector<std::weak_ptr<OpenStream>> open;
  {
    const std::lock_guard lock(streams_mutex_);
    closing_ = true;
    open.swap(streams_);
  }
  streams_closing_.notify_all();
  for (const auto& weak : open) {
    if (const auto stream = weak.lock()) stream->end(server_stopping());
  }
  if (watching_.joinable()) watching_.join();
}

void Gate::watch_streams() {
  // Often enough that the bound is kept to an eighth.
  const auto pause =
      std::chrono::milliseconds(std::clamp<int64_t>(limits_.stream_write_ms_max() / 8, 10, 1'000));
  std::unique_lock lock(streams_mutex_);
  while (!streams_closing_.wait_for(lock, pause, [this] { return closing_; })) {
    std::vector<std::shared_ptr<OpenStream>> open;
    std::erase_if(streams_, [&](const auto& known) {
      auto stream = known.lock();
      if (stream) open.push_back(std::move(stream));
      return known.expired();
    });
    lock.unlock();
    const int64_t now = now_us();
    for (const auto& stream : open) stream->look(now);
    open.clear();
    lock.lock();
  }
}

bool Gate::wait_answered(std::chrono::milliseconds timeout) const {
  constexpr std::chrono::milliseconds kLook{1};
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (unanswered_->load() > 0) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

}  // namespace taizhang
