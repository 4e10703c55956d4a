// Forms of ids and codes in requests: also for parsers of tokens and command lines.
#pragma once

#include <string_view>

#include "taizhang/options.pb.h"

namespace taizhang {

bool is_uuid(std::string_view text);  // 36 lower-case characters
bool is_region_form(std::string_view text);
bool is_ledger_code(std::string_view text);

// Empty: well formed; else what is expected.
std::string_view format_error(Format format, std::string_view text);

// What a SubjectRef of this kind (common.v1.SubjectKind) holds as its id.
Format subject_format(int kind);

}  // namespace taizhang
