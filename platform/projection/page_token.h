// What a page token holds: where the list goes on and of which moment it is, sealed against change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taizhang::projection {

struct PageToken {
  int64_t seq = 0;            // the moment all pages are of
  int32_t effective_day = 0;  // yyyymmdd
  int32_t today = 0;
  std::string after;  // the query's own: key of the last row
};

// `binding` is what the token belongs to and does not carry: view and its build, method, ledger,
// request. Opening it with another binding or key, or after any change, gives nothing.
std::string seal_token(std::string_view key, std::string_view binding, const PageToken& token);
std::optional<PageToken> open_token(std::string_view key, std::string_view binding,
                                    std::string_view text);

}  // namespace taizhang::projection
