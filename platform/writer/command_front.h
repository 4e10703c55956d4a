// Ties commands and GetOutcome to the dispatcher: steps (b) and (c) and fingerprints on the
// caller's thread, the rest in the writer.
#pragma once

#include "platform/command/decide.h"
#include "platform/command/dispatcher.h"
#include "platform/command/fingerprint.h"
#include "platform/writer/submission.h"

namespace taizhang {

// All references must outlive the dispatcher.
void serve_commands(const CommandCatalogue& catalogue, const Fingerprinter& fingerprinter,
                    CommandIntake& intake, Dispatcher& dispatcher);

}  // namespace taizhang
