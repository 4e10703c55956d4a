// Reads the files of a journal, without a server.
#include <sys/stat.h>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "platform/base/file.h"
#include "platform/journal/segments/recovery.h"

namespace taizhang::cli {

int run_journal_verify(Session& session) {
  std::string directory = session.positional(0);
  struct stat facts {};
  if (stat((directory + "/journal").c_str(), &facts) == 0) directory += "/journal";
  if (stat(directory.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    return session.fail(kExitNotFound, "not found: no folder " + directory);
  }
  const auto report = journal::segments::verify(system_files(), directory);
  if (!report.ok()) {
    const bool damaged = report.status().code() == absl::StatusCode::kDataLoss;
    const bool missing = report.status().code() == absl::StatusCode::kNotFound;
    return session.fail(damaged   ? kExitDamaged
                        : missing ? kExitNotFound
                                  : kExitFailed,
                        std::string(report.status().message()));
  }
  if (report->segments == 0)
    return session.fail(kExitNotFound, "not found: no journal in " + directory);
  const std::string segments = std::to_string(report->segments),
                    records = std::to_string(report->records),
                    bytes = std::to_string(report->bytes),
                    mark = std::to_string(report->durable_mark);
  if (session.json()) {
    say("{\"segments\":\"" + segments + "\",\"records\":\"" + records + "\",\"bytes\":\"" + bytes +
        "\",\"durable_mark\":\"" + mark + "\"}\n");
  } else {
    say(listing({{"journal", directory},
                 {"segments", segments},
                 {"records", records},
                 {"bytes", bytes},
                 {"known durable", "up to byte " + mark},
                 {"result", "intact"}}));
  }
  return kExitOk;
}

}  // namespace taizhang::cli
