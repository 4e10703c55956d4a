// Forms of ids and codes.
#include "platform/command/format.h"

#include "taizhang/common/v1/values.pb.h"

namespace taizhang {
namespace {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_sha256(std::string_view text) {
  for (const char c : text) {
    if (!is_hex(c)) return false;
  }
  return text.size() == 64;
}

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

bool is_upper_code(std::string_view text) {
  for (const char c : text) {
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return !text.empty();
}

bool is_key(std::string_view text) {
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) return false;
  }
  return !text.empty();
}

bool is_org_id(std::string_view text) {
  return is_uuid(text) || (text.starts_with("uscc:") && text.size() == 5 + 18);
}

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_region_form(std::string_view text) {
  const size_t size = text.size();
  return (size == 2 || size == 4 || size == 6 || size == 9 || size == 12 || size == 15) &&
         all_digits(text);
}

bool is_ledger_code(std::string_view text) { return text.size() == 6 && all_digits(text); }

std::string_view format_error(Format format, std::string_view text) {
  switch (format) {
    case FORMAT_UUID: return is_uuid(text) ? "" : "must be a UUID of 36 lower-case characters";
    case FORMAT_ORG_ID:
      return is_org_id(text) ? ""
                             : "must be a UUID, or \"uscc:\" and 18 characters of a credit code";
    case FORMAT_REGION:
      return is_region_form(text) ? "" : "must be a region code of 2, 4, 6, 9, 12 or 15 digits";
    case FORMAT_LEDGER: return is_ledger_code(text) ? "" : "must be a ledger code of 6 digits";
    case FORMAT_KEY:
      return is_key(text) ? "" : "must be lower-case words joined by dots or underscores";
    case FORMAT_CODE:
      return is_upper_code(text) ? "" : "must be upper-case letters, digits and underscores";
    case FORMAT_SHA256: return is_sha256(text) ? "" : "must be 64 lower-case hexadecimal digits";
    default: return "";
  }
}

Format subject_format(int kind) {
  switch (kind) {
    case common::v1::SUBJECT_KIND_VILLAGE:
    case common::v1::SUBJECT_KIND_REGION: return FORMAT_REGION;
    case common::v1::SUBJECT_KIND_ORGANISATION: return FORMAT_ORG_ID;
    case common::v1::SUBJECT_KIND_PARAMETER:
    case common::v1::SUBJECT_KIND_CODE_LIST: return FORMAT_KEY;
    case common::v1::SUBJECT_KIND_LEDGER: return FORMAT_LEDGER;
    default: return FORMAT_UUID;
  }
}

}  // namespace taizhang
