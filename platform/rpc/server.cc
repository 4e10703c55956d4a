// The gRPC server: services made from descriptors, and the life of the process's two listening
// addresses.
#include "platform/rpc/server.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <map>

#include "platform/base/log.h"
#include "platform/config/address.h"
#include "platform/rpc/handlers.h"
#include "taizhang/ledger/v1/bulk.pb.h"

namespace taizhang {
namespace {

// Above our own limits, so that a message that is too large is answered with the limit's name.
constexpr int kTransportMessageBytesMax = (4 << 20) + (64 << 10);

// Services of operators, on an address of their own.
constexpr std::string_view kAdminPackage = "taizhang.admin.";

// How long a stop waits for clients to leave when all calls are answered.
constexpr std::chrono::milliseconds kConnectionsGrace{100};

// One proto service: what generated code would be, with bytes in place of messages.
class DescribedService final : public grpc::Service {
 public:
  void add(Gate& gate, const Method& method) {
    const auto& descriptor = *method.descriptor;
    const int index = count_++;
    if (!descriptor.client_streaming()) {
      const bool stream = descriptor.server_streaming();
      AddMethod(
          new grpc::internal::RpcServiceMethod(method.path.c_str(),
                                               stream ? grpc::internal::RpcMethod::SERVER_STREAMING
                                                      : grpc::internal::RpcMethod::NORMAL_RPC,
                                               nullptr));
      MarkMethodRawCallback(
          index, stream ? server_stream_handler(gate, method) : unary_handler(gate, method));
      return;
    }
    if (descriptor.input_type() != ledger::v1::ExecuteRequest::descriptor() ||
        !descriptor.server_streaming()) {
      broken_invariant("no handler for the shape of " + descriptor.full_name());
    }
    AddMethod(new grpc::internal::RpcServiceMethod(
        method.path.c_str(), grpc::internal::RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodRawCallback(index, bulk_handler(gate, method));
  }

 private:
  int count_ = 0;
};

// gRPC's own complaints as lines of our log; only its errors, which are rare.
void log_of_grpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR)
    log(LogLevel::kWarning, "grpc", {{"text", args->message}});
}

void quiet_libraries() {
  gpr_set_log_function(log_of_grpc);
  // protobuf writes a line for each malformed message, which anybody could send.
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace

struct RpcServer::Impl {
  Impl(const config::v1::Limits& limits, const Dispatcher& dispatcher, const Callers& callers,
       Metrics& metrics)
      : gate(limits, dispatcher, callers, metrics, all_methods()) {
    for (const auto& method : gate.methods()) {
      auto& service = services[method.descriptor->service()->full_name()];
      if (!service) service = std::make_unique<DescribedService>();
      service->add(gate, method);
    }
  }

  // One listening address and the services it has.
  struct Port {
    std::unique_ptr<grpc::Server> server;
    std::string address;
  };

  Port& port_of(std::string_view service) {
    return service.starts_with(kAdminPackage) ? admin : main;
  }

  absl::Status listen(const std::string& where, const char* setting, Port& port) {
    const auto address = loopback_address(where);
    if (!address.ok()) {
      return absl::InvalidArgumentError(std::string(setting) + ": " +
                                        std::string(address.status().message()));
    }
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    int number = 0;
    builder.AddListeningPort(*address, grpc::InsecureServerCredentials(), &number);
    // Two processes on one port would share its calls without either noticing.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(kTransportMessageBytesMax);
    builder.SetDefaultCompressionAlgorithm(GRPC_COMPRESS_NONE);
    for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
      builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
    }
    // Reflection is the one service with threads of its own.
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 1);
    for (const auto& [name, service] : services) {
      if (&port_of(name) == &port) builder.RegisterService(service.get());
    }
    port.server = builder.BuildAndStart();
    if (!port.server || number == 0) {
      return absl::UnavailableError(std::string(setting) + ": cannot listen on " + *address +
                                    "; is the port taken?");
    }
    port.address = address->substr(0, address->rfind(':') + 1) + std::to_string(number);
    return absl::OkStatus();
  }

  // Only a change is told to those who watch.
  void set_health(const std::string& service, bool serving) {
    const auto [known, is_new] = health.emplace(service, serving);
    if (!is_new && std::exchange(known->second, serving) == serving) return;
    port_of(service).server->GetHealthCheckService()->SetServingStatus(service, serving);
    if (service.empty()) admin.server->GetHealthCheckService()->SetServingStatus(service, serving);
  }

  // The services' handlers point into the gate, and the ports into the services.
  Gate gate;
  std::map<std::string, std::unique_ptr<DescribedService>> services;
  Port main;
  Port admin;
  std::map<std::string, bool> health;
  bool stopped = false;
};

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::start(
    const std::string& listen, const config::v1::Limits& limits, const Dispatcher& dispatcher,
    const Callers& callers, Metrics& metrics, const std::string& admin_listen) {
  quiet_libraries();
  auto impl = std::make_unique<Impl>(limits, dispatcher, callers, metrics);
  if (auto status = impl->listen(listen, "listen", impl->main); !status.ok()) return status;
  if (auto status = impl->listen(admin_listen, "admin_listen", impl->admin); !status.ok())
    return status;
  std::unique_ptr<RpcServer> server(new RpcServer(std::move(impl)));
  server->set_serving("", true);
  return server;
}

RpcServer::RpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RpcServer::~RpcServer() { stop(); }

const std::string& RpcServer::address() const { return impl_->main.address; }
const std::string& RpcServer::admin_address() const { return impl_->admin.address; }

void RpcServer::set_serving(std::string_view prefix, bool serving) {
  for (const auto& [name, service] : impl_->services) {
    if (name.starts_with(prefix)) impl_->set_health(name, serving);
  }
  // The whole comes last: who sees it serve finds every service so.
  if (prefix.empty()) impl_->set_health("", serving);
}

void RpcServer::stop() {
  if (std::exchange(impl_->stopped, true)) return;
  set_serving("", false);
  impl_->gate.close();
  impl_->gate.wait_answered(std::chrono::milliseconds(impl_->gate.limits().stop_grace_ms()));
  // What is left are connections; one whose client sleeps does not hear that it should go.
  const auto deadline = std::chrono::system_clock::now() + kConnectionsGrace;
  impl_->main.server->Shutdown(deadline);
  impl_->admin.server->Shutdown(deadline);
}

}  // namespace taizhang
