// Ceilings: a server that answers bytes with the bytes it was sent, unary and as a stream, by raw
// callbacks.
#pragma once

namespace taizhang::bench {

// Writes "127.0.0.1:PORT" to the file and serves until the process is ended.
int run_echo_server(const char* address_file);

inline constexpr const char* kEchoUnary = "/bench.Echo/Unary";
inline constexpr const char* kEchoBulk = "/bench.Echo/Bulk";

}  // namespace taizhang::bench
