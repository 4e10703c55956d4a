// The bytes of a message that is given away, without a copy of what is in one piece already.
//
// Private to platform/rpc: it names gRPC.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>

namespace taizhang {

// As serialised(); of a message whose type has no field but one of bytes, those bytes are not
// copied: the message lives as long as the buffer refers to them.
grpc::ByteBuffer take_bytes(std::unique_ptr<google::protobuf::Message> message);

}  // namespace taizhang
