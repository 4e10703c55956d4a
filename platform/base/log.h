// One line of JSON on stderr per logged event. Never personal data, never a secret.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace taizhang {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// A value of a log field: text or number.
class LogValue {
 public:
  LogValue(std::string_view text) : text_(text) {}
  LogValue(const char* text) : text_(text) {}
  LogValue(const std::string& text) : text_(text) {}
  LogValue(int64_t number) : text_(std::to_string(number)), number_(true) {}
  LogValue(uint64_t number) : text_(std::to_string(number)), number_(true) {}
  LogValue(int number) : text_(std::to_string(number)), number_(true) {}
  const std::string& text() const { return text_; }
  bool is_number() const { return number_; }

 private:
  std::string text_;
  bool number_ = false;
};

// Thread-safe. `event` is a short lower_snake_case name; fields follow it in the line.
void log(LogLevel level, std::string_view event,
         std::initializer_list<std::pair<std::string_view, LogValue>> fields = {});

// Lines below this level are dropped. Default: kInfo.
void set_log_level(LogLevel level);

// Says why and aborts: an invariant of ours is broken, and going on could write a wrong record.
[[noreturn]] void broken_invariant(std::string_view what);

}  // namespace taizhang
