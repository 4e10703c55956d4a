// What readers of JSON texts share: one pass over the text, the place of the token at hand, the
// first error. Private to client/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/strict_json.h"

namespace taizhang::client {

// INVALID_ARGUMENT: "line 3, column 17: what"; `at` points into `text`, which begins at `from`.
absl::Status error_at(std::string_view text, const char* at, Place from, const std::string& what);
// Columns count characters: false for the later bytes of one.
bool is_start_of_character(char c);

class JsonReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  // `text` must outlive the reader.
  JsonReader(std::string_view text, Place from) : text_(text), from_(from), taken_(text.data()) {}

  // Reads the whole text; the first thing that is wrong with it.
  absl::Status run();

  bool parse_error(std::size_t, const std::string& token,
                   const nlohmann::detail::exception& error) override;
  bool binary(binary_t&) override { return fail("binary is no JSON"); }

 protected:
  // Always false, which ends the pass.
  bool fail(const std::string& what) { return fail_at(token_start(), what); }
  bool fail_at(const char* at, const std::string& what);

  // Behind the token that was just read.
  const char* taken() const { return taken_; }

  bool number_ = false;  // the token at hand is a number

 private:
  // First character of the token that was just read.
  const char* token_start() const;

  std::string_view text_;
  Place from_;
  const char* taken_;
  absl::Status error_;
};

}  // namespace taizhang::client
