// The republisher of a process whose settings ask for one.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace taizhang {

namespace config::v1 {
class Config;
}
namespace republish {
class Republisher;
}
class Metrics;
class ProcessJournal;

// Null: the settings or the role ask for none. `folder`: of the settings file. The message of an
// error says what to do. `journal` must outlive it.
absl::StatusOr<std::unique_ptr<republish::Republisher>> start_republisher(
    const config::v1::Config& config, const std::string& folder, ProcessJournal& journal);

// As observe.h.
void observe_republisher(Metrics& metrics, const republish::Republisher& republisher);

}  // namespace taizhang
