// The token of the call that a thread is opening.
#include "platform/command/credentials.h"

namespace taizhang {
namespace {

thread_local std::string_view shown;

}  // namespace

CallCredentials::CallCredentials(std::string_view token) { shown = token; }
CallCredentials::~CallCredentials() { shown = {}; }

std::string_view CallCredentials::token() { return shown; }

}  // namespace taizhang
