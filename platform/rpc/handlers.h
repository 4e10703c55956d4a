// The three shapes of rpc this server speaks. Private to platform/rpc.
#pragma once

#include "platform/rpc/gate.h"

namespace taizhang {

// Raw bytes in, raw bytes out. The caller (a grpc::Service) owns the handler; gate and method
// outlive it.
grpc::internal::MethodHandler* unary_handler(Gate& gate, const Method& method);
grpc::internal::MethodHandler* server_stream_handler(Gate& gate, const Method& method);
// taizhang.ledger.v1.CommandService.Execute.
grpc::internal::MethodHandler* bulk_handler(Gate& gate, const Method& method);

}  // namespace taizhang
