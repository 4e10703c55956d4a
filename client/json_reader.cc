// The pass over a JSON text and the places in it.
#include "client/json_reader.h"

#include <algorithm>
#include <iterator>

namespace taizhang::client {
namespace {

// Where the reader stands; counts what nlohmann's lexer has taken, which has no position of its own
// for callbacks.
class Counted {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Counted(const char* at, const char** taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  Counted& operator++() {
    ++at_;
    if (taken_) *taken_ = at_;
    return *this;
  }
  Counted operator++(int) {
    const Counted before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Counted& other) const { return at_ == other.at_; }
  bool operator!=(const Counted& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** taken_;
};

}  // namespace

bool is_start_of_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

absl::Status error_at(std::string_view text, const char* at, Place from, const std::string& what) {
  Place place = from;
  for (const char* c = text.data(); c < std::min(at, text.data() + text.size()); ++c) {
    if (*c == '\n') {
      ++place.line;
      place.column = 1;
    } else if (is_start_of_character(*c)) {
      ++place.column;
    }
  }
  return absl::InvalidArgumentError("line " + std::to_string(place.line) + ", column " +
                                    std::to_string(place.column) + ": " + what);
}

absl::Status JsonReader::run() {
  const char* end = text_.data() + text_.size();
  nlohmann::json::sax_parse(Counted(text_.data(), &taken_), Counted(end, nullptr), this);
  return error_;
}

bool JsonReader::parse_error(std::size_t, const std::string& token,
                             const nlohmann::detail::exception& error) {
  std::string_view what = error.what();
  // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while …":
  // ours names the place.
  if (const size_t colon = what.find(": "); colon != std::string_view::npos)
    what.remove_prefix(colon + 2);
  return fail_at(token.empty() ? taken_ : std::max(text_.data(), taken_ - 1), std::string(what));
}

bool JsonReader::fail_at(const char* at, const std::string& what) {
  if (error_.ok()) error_ = error_at(text_, at, from_, what);
  return false;
}

const char* JsonReader::token_start() const {
  const char* const begin = text_.data();
  const char* at = taken_;
  if (at == begin) return at;
  const auto in_number = [](char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  };
  const auto in_word = [](char c) { return c >= 'a' && c <= 'z'; };
  if (at[-1] == '"' && !number_) {
    for (--at; at > begin;) {
      --at;
      if (*at != '"') continue;
      int slashes = 0;
      for (const char* back = at; back > begin && back[-1] == '\\'; --back) ++slashes;
      if (slashes % 2 == 0) return at;
    }
    return at;
  }
  if (number_) {
    // The lexer has to see one character more to know where a number ends.
    if (!in_number(at[-1])) --at;
    while (at > begin && in_number(at[-1])) --at;
    return at;
  }
  if (in_word(at[-1])) {
    while (at > begin && in_word(at[-1])) --at;
    return at;
  }
  return at - 1;
}

}  // namespace taizhang::client
