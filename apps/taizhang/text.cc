// Values and tables as text.
#include "apps/taizhang/text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "taizhang/common/v1/change.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::cli {
namespace {

constexpr int64_t kFenPerYuan = 100;
constexpr int64_t kMilliPerUnit = 1'000;
constexpr int64_t kShanghaiOffsetSeconds = 8 * 3600;

std::string grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

// The next character of UTF-8 and how many bytes it has; a stray byte counts as itself.
uint32_t next_character(std::string_view text, size_t& bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  bytes = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (bytes > text.size()) bytes = 1;
  if (bytes == 1) return first;
  uint32_t character = first & (0xFF >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) character = character << 6 | (byte(i) & 0x3F);
  return character;
}

// East Asian wide and fullwidth, as UAX #11 has them, as far as records hold them.
bool is_wide(uint32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0x303E) ||
         (c >= 0x3041 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) ||
         (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const auto& part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += between;
    out += part;
  }
  return out;
}

}  // namespace

std::string yuan(int64_t fen) {
  const uint64_t size = fen < 0 ? 0 - static_cast<uint64_t>(fen) : static_cast<uint64_t>(fen);
  char cents[4];
  snprintf(cents, sizeof cents, ".%02d", static_cast<int>(size % kFenPerYuan));
  return (fen < 0 ? "-" : "") + grouped(size / kFenPerYuan) + cents;
}

std::string text_of(const common::v1::Date& date) {
  if (date.year() == 0) return "";
  char text[32];
  snprintf(text, sizeof text, "%04d-%02d-%02d", date.year(), date.month(), date.day());
  return text;
}

std::string text_of(const google::protobuf::Timestamp& time) {
  const std::time_t seconds = time.seconds() + kShanghaiOffsetSeconds;
  std::tm parts{};
  if (!gmtime_r(&seconds, &parts)) return "";
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string text_of(const common::v1::SubjectRef& subject) {
  if (subject.id().empty()) return "";
  return word(subject.kind()) + " " + subject.id();
}

std::string text_of(const common::v1::MaskedText& text) { return text.text(); }

std::string text_of(const common::v1::Quantity& quantity) {
  const int64_t milli = quantity.milli();
  const uint64_t size = milli < 0 ? 0 - static_cast<uint64_t>(milli) : static_cast<uint64_t>(milli);
  std::string text = (milli < 0 ? "-" : "") + grouped(size / kMilliPerUnit);
  if (size % kMilliPerUnit != 0) {
    char rest[8];
    snprintf(rest, sizeof rest, ".%03d", static_cast<int>(size % kMilliPerUnit));
    text += rest;
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + " " + word(quantity.unit());
}

std::string text_of(const common::v1::Figure& figure) {
  using common::v1::Figure;
  if (figure.qualifier() == Figure::QUALIFIER_UNKNOWN) return "unknown";
  if (figure.qualifier() == Figure::QUALIFIER_MASKED) return "masked";
  const auto measure = [&](bool high) -> std::string {
    switch (figure.value_case()) {
      case Figure::kFen: return yuan(high ? figure.high() : figure.fen());
      case Figure::kCount: return std::to_string(high ? figure.high() : figure.count());
      case Figure::kQuantity: {
        auto quantity = figure.quantity();
        if (high) quantity.set_milli(figure.high());
        return text_of(quantity);
      }
      default: return "";
    }
  };
  switch (figure.qualifier()) {
    case Figure::QUALIFIER_AT_LEAST: return "≥ " + measure(false);
    case Figure::QUALIFIER_AT_MOST: return "≤ " + measure(false);
    case Figure::QUALIFIER_ABOUT: return "≈ " + measure(false);
    case Figure::QUALIFIER_RANGE: return measure(false) + " – " + measure(true);
    default: return measure(false);
  }
}

std::string text_of(const common::v1::DocumentRef& document) {
  return joined({document.kind(), document.title(), document.number()}, " ");
}

std::string actor_of(const common::v1::RowChange& change) {
  if (change.pending()) return "(pending)";
  const auto& actor = change.actor();
  return actor.on_behalf_of().empty() ? actor.subject()
                                      : actor.subject() + " for " + actor.on_behalf_of();
}

std::string why_of(const common::v1::RowChange& change) {
  if (change.pending()) return "";
  std::string document = text_of(change.source().document());
  return joined({change.reason(), word(change.source().kind()), change.source().note(), document},
                "; ");
}

std::string text_of(const common::v1::Freshness& freshness) {
  std::string text = "as of seq " + std::to_string(freshness.seq()) + " of " +
                     std::to_string(freshness.journal_seq()) + ", recorded " +
                     text_of(freshness.recorded_time()) + ", view " + freshness.view() + " v" +
                     std::to_string(freshness.view_version());
  if (freshness.skipped_events() != 0)
    text += ", " + std::to_string(freshness.skipped_events()) + " events passed over";
  return freshness.final() ? text + ", final" : text;
}

std::string word_of(const google::protobuf::EnumValueDescriptor& value) {
  if (value.number() == 0) return "";
  // The zero value is the prefix and UNSPECIFIED.
  std::string prefix =
      value.type()->FindValueByNumber(0) ? value.type()->FindValueByNumber(0)->name() : "";
  const size_t end = prefix.rfind("UNSPECIFIED");
  prefix.resize(end == std::string::npos ? 0 : end);
  return value.name().starts_with(prefix) ? value.name().substr(prefix.size()) : value.name();
}

std::string word_of(const google::protobuf::EnumDescriptor& values, int number) {
  const auto* value = values.FindValueByNumber(number);
  return value ? word_of(*value) : std::to_string(number);
}

bool parse_date(const std::string& text, common::v1::Date& out) {
  int year = 0, month = 0, day = 0, length = 0;
  if (text.size() != 10 ||
      sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &length) != 3 || length != 10) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  out.set_year(year);
  out.set_month(month);
  out.set_day(day);
  return true;
}

size_t width_of(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    size_t bytes = 0;
    width += is_wide(next_character(text, bytes)) ? 2 : 1;
    text.remove_prefix(bytes);
  }
  return width;
}

Table::Table(std::vector<std::string> headings) : headings_(std::move(headings)) {
  for (auto& heading : headings_) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back()) heading.erase(0, 1);
  }
}

std::string Table::text() const {
  if (rows_.empty()) return "(none)\n";
  std::vector<size_t> widths;
  for (size_t column = 0; column < headings_.size(); ++column) {
    size_t width = width_of(headings_[column]);
    for (const auto& row : rows_) width = std::max(width, width_of(row[column]));
    widths.push_back(width);
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (size_t column = 0; column < cells.size(); ++column) {
      const std::string space(widths[column] - width_of(cells[column]), ' ');
      text +=
          (column ? "  " : "") + (right_[column] ? space + cells[column] : cells[column] + space);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line(headings_);
  for (const auto& row : rows_) line(row);
  return out;
}

void say(const std::string& text) { fputs(text.c_str(), stdout); }

std::string listing(const std::vector<std::pair<std::string, std::string>>& lines) {
  size_t width = 0;
  for (const auto& [name, value] : lines) {
    if (!value.empty()) width = std::max(width, width_of(name));
  }
  std::string out;
  for (const auto& [name, value] : lines) {
    if (!value.empty()) out += name + std::string(width + 2 - width_of(name), ' ') + value + "\n";
  }
  return out;
}

}  // namespace taizhang::cli
