// The frame of a command line.
#include "client/command_line.h"

#include <optional>
#include <set>

#include "client/json_reader.h"

namespace taizhang::client {
namespace {

// The request's own text is only skipped here, with all nested keys.
class FrameReader final : public JsonReader {
 public:
  FrameReader(std::string_view text, Place from) : JsonReader(text, from) {}

  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return number(); }
  bool number_unsigned(number_unsigned_t) override { return number(); }
  bool number_float(number_float_t, const string_t&) override { return number(); }
  bool string(string_t& value) override {
    number_ = false;
    if (depth_ > 1) return true;
    if (depth_ == 0 || field_ == "request") return fail(wanted());
    (field_ == "as" ? as : method) = value;
    return true;
  }
  bool start_object(std::size_t) override {
    number_ = false;
    if (depth_ == 1) {
      if (field_ != "request") return fail(wanted());
      request_begin = taken() - 1;
    }
    ++depth_;
    return true;
  }
  bool end_object() override {
    if (--depth_ == 1) request_end = taken();
    return true;
  }
  bool start_array(std::size_t) override {
    number_ = false;
    if (depth_ <= 1) return fail(wanted());
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    number_ = false;
    if (depth_ > 1) return true;
    if (name != "as" && name != "method" && name != "request") {
      return fail("unknown field " + nlohmann::json(name).dump() +
                  "; expected as, method, request");
    }
    if (!keys_.insert(name).second) return fail("the field " + name + " stands twice");
    field_ = name;
    return true;
  }

  std::optional<std::string> as;
  std::optional<std::string> method;
  const char* request_begin = nullptr;
  const char* request_end = nullptr;

 private:
  bool other() {
    number_ = false;
    return depth_ > 1 || fail(wanted());
  }
  bool number() {
    number_ = true;
    return depth_ > 1 || fail(wanted());
  }
  std::string wanted() const {
    if (depth_ == 0) return "expected an object with as, method, request";
    return field_ + (field_ == "request" ? ": expected an object" : ": expected a string");
  }

  int depth_ = 0;
  std::string field_;
  std::set<std::string> keys_;
};

}  // namespace

absl::StatusOr<CommandLine> read_command_line(std::string_view text, int line) {
  const Place from{.line = line, .column = 1};
  FrameReader reader(text, from);
  if (auto read = reader.run(); !read.ok()) return read;
  if (!reader.as)
    return error_at(text, text.data(), from, "the field as is missing: which profile sends it");
  if (!reader.method) return error_at(text, text.data(), from, "the field method is missing");
  if (!reader.request_end) return error_at(text, text.data(), from, "the field request is missing");
  CommandLine out{.as = *reader.as,
                  .method = *reader.method,
                  .request = std::string(reader.request_begin, reader.request_end),
                  .request_at = from};
  for (const char* c = text.data(); c < reader.request_begin; ++c)
    out.request_at.column += is_start_of_character(*c);
  return out;
}

}  // namespace taizhang::client
