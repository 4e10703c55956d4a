// Unified social credit codes by GB 32100, with the GB 11714 organisation code inside (rules.md
// §9).
#pragma once

#include <string_view>

namespace taizhang {

// 18 upper-case characters of its alphabet, both check characters right.
bool is_credit_code(std::string_view code);

// Check character of the eight characters of an organisation code.
char organisation_check_character(std::string_view code8);
// Check character of the first 17 characters of a credit code.
char credit_check_character(std::string_view code17);

}  // namespace taizhang
