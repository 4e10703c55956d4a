// From refusals and violations to what the caller gets.
#include "platform/command/answer.h"

#include <google/protobuf/descriptor.h>

#include "taizhang/options.pb.h"

namespace taizhang {

using google::protobuf::EnumValueDescriptor;

namespace {

// FundsRefusal -> FUNDS_REFUSAL_
std::string enum_prefix(const std::string& name) {
  std::string prefix;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      if (!prefix.empty()) prefix += '_';
      prefix += c;
    } else {
      prefix += static_cast<char>(c - 'a' + 'A');
    }
  }
  return prefix + '_';
}

// "HOUSEHOLD_NOT_FOUND" -> "household not found"
std::string words(std::string name) {
  for (char& c : name)
    c = c == '_' ? ' ' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return name;
}

}  // namespace

std::string short_name(const EnumValueDescriptor& value) {
  const std::string prefix = enum_prefix(value.type()->name());
  return value.name().starts_with(prefix) ? value.name().substr(prefix.size()) : value.name();
}

Error error_of(const Refusal& refusal) {
  Error error;
  const auto& options = refusal.value->options();
  error.code = options.GetExtension(code);
  error.reason = short_name(*refusal.value);
  error.message = words(error.reason);
  if (!refusal.field.empty()) error.message += " (" + refusal.field + ")";
  error.zh = options.GetExtension(zh);
  error.metadata = refusal.metadata;
  if (!refusal.field.empty()) error.metadata.emplace_back("field", refusal.field);
  switch (error.code) {
    case kInvalidArgument:
      error.violations.push_back({refusal.field, words(error.reason), error.reason});
      break;
    case kNotFound:
      error.resource_type = refusal.field;
      error.resource_name = refusal.field;
      break;
    default: error.precondition_subject = refusal.field;
  }
  return error;
}

Error error_of(const Violations& violations) {
  Error error;
  const auto& first = violations.findings().front();
  error.code = kInvalidArgument;
  error.reason = short_name(*first.reason);
  error.message = first.field + ": " + first.description;
  if (violations.findings().size() > 1) {
    error.message += " (and " + std::to_string(violations.findings().size() - 1) + " more)";
  }
  error.zh = first.reason->options().GetExtension(zh);
  error.metadata = {{"field", first.field}};
  for (const auto& finding : violations.findings()) {
    error.violations.push_back({finding.field, finding.description, short_name(*finding.reason)});
  }
  return error;
}

Error failure(StatusCode code, std::string reason, std::string message,
              std::vector<std::pair<std::string, std::string>> metadata, int64_t retry_after_ms) {
  Error error;
  error.code = code;
  error.reason = std::move(reason);
  error.message = std::move(message);
  error.metadata = std::move(metadata);
  error.retry_after_ms = retry_after_ms;
  switch (code) {
    case kUnavailable: error.zh = "服务暂时不可用，请稍后重试"; break;
    case kResourceExhausted: error.zh = "系统繁忙，请稍后重试"; break;
    case kDeadlineExceeded: error.zh = "办理超时"; break;
    case kUnauthenticated: error.zh = "身份未经认证"; break;
    case kPermissionDenied: error.zh = "没有办理此事项的权限"; break;
    case kNotFound: error.zh = "所查对象不存在"; break;
    case kInvalidArgument: error.zh = "填写内容不符合要求"; break;
    case kDataLoss: error.zh = "视图数据损坏或无法识别，请联系管理员"; break;
    case kUnimplemented: error.zh = "没有此项功能"; break;
    case kCancelled: error.zh = "调用已取消"; break;
    default: error.zh = "系统内部错误，请联系管理员";
  }
  return error;
}

}  // namespace taizhang
