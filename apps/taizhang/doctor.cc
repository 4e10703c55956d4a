// Looks at everything between this command and a good answer, and says what to do about what is
// wrong.
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "client/settings.h"
#include "platform/base/clock.h"
#include "platform/base/file.h"
#include "platform/config/config.h"
#include "platform/config/textproto.h"
#include "taizhang/admin/v1/queries.pb.h"
#include "taizhang/config/v1/config.pb.h"
#include "taizhang/config/v1/tokens.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::cli {
namespace {

constexpr int64_t kDiskLowBytes = int64_t{1} << 30;
constexpr int64_t kSlowMs = 1'000;
constexpr int64_t kHealthDeadlineMs = 3'000;
constexpr int64_t kClockSlackSeconds = 2;
constexpr const char* kDirectory = "000000";

// Somebody listens at "host:port".
bool takes_connections(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, nullptr, &found) != 0) return false;
  bool connected = false;
  for (const addrinfo* at = found; at && !connected; at = at->ai_next) {
    const int socket_fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) continue;
    connected = ::connect(socket_fd, at->ai_addr, at->ai_addrlen) == 0;
    close(socket_fd);
  }
  freeaddrinfo(found);
  return connected;
}

enum class Finding { kGood, kWarning, kBad };

class Doctor {
 public:
  explicit Doctor(Session& session) : session_(session) {}

  int run() {
    const bool settings = check_settings();
    if (settings && check_server()) {
      check_tokens();
      check_parts();
    }
    if (session_.arguments().has("--server-config")) check_server_files();
    check_clock();
    if (session_.json()) {
      say(std::string("{\"good\":") + (worst_ == Finding::kBad ? "false" : "true") + "}\n");
    } else {
      say(worst_ == Finding::kGood      ? "\nall good\n"
          : worst_ == Finding::kWarning ? "\nworks, with warnings\n"
                                        : "\nsomething is wrong\n");
    }
    return worst_ == Finding::kBad ? kExitFailed : kExitOk;
  }

 private:
  void note(Finding finding, const std::string& what, const std::string& said,
            const std::string& advice = "") {
    worst_ = std::max(worst_, finding);
    const char* word = finding == Finding::kGood      ? "ok  "
                       : finding == Finding::kWarning ? "warn"
                                                      : "BAD ";
    FILE* out = session_.json() ? stderr : stdout;
    fprintf(out, "%s  %s: %s\n", word, what.c_str(), said.c_str());
    if (!advice.empty()) fprintf(out, "      %s\n", advice.c_str());
  }

  bool check_settings() {
    config::v1::ClientConfig settings;
    const std::string path = settings_path(session_.arguments());
    const auto loaded = client::load_settings(path, settings);
    if (!loaded.ok()) {
      note(Finding::kBad, "settings", std::string(loaded.message()),
           "deploy/quickstart.sh makes them");
      return false;
    }
    note(Finding::kGood, "settings",
         path + ", " + std::to_string(settings.profiles_size()) + " profiles, mode 0600");
    return session_.connect() == kExitOk;
  }

  bool check_server() {
    std::string status;
    const auto begun = std::chrono::steady_clock::now();
    const auto error = session_.server().health("", status, kHealthDeadlineMs);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::steady_clock::now() - begun)
                          .count();
    if (!error.ok()) {
      note(Finding::kBad, "server", "no answer at " + session_.address() + ": " + error.message,
           takes_connections(session_.address())
               ? "something takes connections there and is no taizhangd: another program has the "
                 "port"
               : "nothing listens there: start taizhangd, or name the right --address");
      return false;
    }
    const bool serving = status == "SERVING";
    note(!serving         ? Finding::kBad
         : took > kSlowMs ? Finding::kWarning
                          : Finding::kGood,
         "server",
         session_.address() + " is " + status + ", answered in " + std::to_string(took) + " ms",
         serving ? "" : "its log says why the writer does not decide");
    return true;
  }

  void check_tokens() {
    ledger::v1::ReadEventsRequest request;
    request.set_ledger(session_.ledger().empty() ? kDirectory : session_.ledger());
    request.mutable_page()->set_page_size(1);
    request.set_backward(true);
    for (const auto& profile : session_.settings().profiles()) {
      ledger::v1::ReadEventsResponse response;
      const auto error = session_.server().call(*client::find_method("ledger.ReadEvents"), request,
                                                response, profile.token(), session_.deadline_ms());
      const bool known = error.code_name != "UNAUTHENTICATED";
      note(known ? Finding::kGood : Finding::kBad, "token of " + profile.name(),
           known ? "known to the server" : "the server does not know it",
           known ? "" : "its SHA-256 must stand in the server's token file");
      if (error.ok())
        recorded_ = std::max(recorded_, response.freshness().recorded_time().seconds());
    }
  }

  // Journal, writer and views, where a profile is an operator's.
  void check_parts() {
    for (const auto& profile : session_.settings().profiles()) {
      admin::v1::GetStatusResponse status;
      const auto error = session_.server().call(*client::find_method("admin.GetStatus"),
                                                admin::v1::GetStatusRequest(), status,
                                                profile.token(), session_.deadline_ms());
      // Without a reason nobody answered at all.
      if (exit_code_of(error.code) == kExitUnavailable && error.reason.empty()) {
        note(Finding::kBad, "operators' address",
             "no answer at " + session_.admin_address() + ": " + error.message,
             "name the right admin_address in the settings, or --admin-address");
        return;
      }
      if (!error.ok()) continue;
      const auto& journal = status.journal();
      note(journal.disk_full() ? Finding::kBad : Finding::kGood, "journal",
           std::to_string(journal.records()) + " records" +
               (journal.disk_full() ? ", no space for more" : ""));
      if (status.has_writer()) {
        note(status.writer().serving() ? Finding::kGood : Finding::kBad, "writer",
             status.writer().serving() ? "decides" : "does not decide");
      }
      note_foreign(status);
      for (const auto& view : status.views()) {
        const bool stopped = !view.stopped_why().empty() || !view.stopped_ledgers().empty();
        note(stopped           ? Finding::kBad
             : view.building() ? Finding::kWarning
                               : Finding::kGood,
             "view " + view.name(),
             stopped           ? "stands still"
             : view.building() ? "is being built"
                               : "lag " + std::to_string(view.lag_ms()) + " ms",
             stopped ? "taizhang view status says where and why" : "");
      }
      if (status.has_disk_free_bytes()) note_disk(status.disk_free_bytes(), "server's disk");
      return;
    }
    note(Finding::kWarning, "journal, writer, views", "no profile here may ask for them",
         "give an operator's token");
  }

  // A writer counts what it met since its start, views what stands in all they read.
  void note_foreign(const admin::v1::GetStatusResponse& status) {
    int64_t read = 0;
    for (const auto& partition : status.journal().partitions()) read += partition.foreign_records();
    const int64_t foreign = std::max<int64_t>(read, status.writer().foreign_records());
    if (foreign == 0) return;
    note(Finding::kBad, "journal", std::to_string(foreign) + " records of another journal",
         "somebody else writes to it");
  }

  void note_disk(int64_t free_bytes, const std::string& what) {
    note(free_bytes < kDiskLowBytes ? Finding::kWarning : Finding::kGood, what,
         std::to_string(free_bytes >> 20) + " MiB free");
  }

  void check_server_files() {
    const std::string path = session_.arguments().get("--server-config");
    config::v1::Config config;
    if (const auto loaded = load_config(path, config); !loaded.ok()) {
      note(Finding::kBad, "server's settings", std::string(loaded.message()));
      return;
    }
    note(Finding::kGood, "server's settings", path);
    check_port("port", config.listen(), session_.address());
    check_port("operators' port", config.admin_listen(), session_.admin_address());
    check_mode(config.token_file(), "token file");
    config::v1::TokenFile tokens;
    if (const auto loaded = load_textproto(config.token_file(), tokens); !loaded.ok()) {
      note(Finding::kBad, "token file", std::string(loaded.message()));
    }
    struct stat facts {};
    if (stat(config.data_dir().c_str(), &facts) != 0) {
      note(Finding::kGood, "data", config.data_dir() + " is made at the first start");
      return;
    }
    if ((facts.st_mode & 077) != 0) {
      note(Finding::kBad, "data", config.data_dir() + ": others may enter it",
           "chmod 700 " + config.data_dir());
    } else {
      note(Finding::kGood, "data", config.data_dir() + ", mode 0700");
    }
    if (const auto kind = system_files().check_durable_kind(config.data_dir()); !kind.ok()) {
      note(Finding::kBad, "file system", std::string(kind.message()));
    }
    if (const auto left = system_files().free_bytes(config.data_dir()); left.ok())
      note_disk(*left, "disk");
  }

  // The settings of client and server must speak of one port; 0 is any.
  void check_port(const std::string& what, const std::string& listen, const std::string& asked) {
    const auto port = [](const std::string& address) {
      return address.substr(address.rfind(':') + 1);
    };
    if (asked.empty() || port(listen) == "0") return;
    const bool same = port(listen) == port(asked);
    note(same ? Finding::kGood : Finding::kWarning, what,
         same ? port(listen) + " in both settings"
              : "the server's settings say " + listen + ", the client asks " + asked);
  }

  void check_mode(const std::string& path, const std::string& what) {
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) {
      note(Finding::kBad, what, path + ": no such file");
    } else if ((facts.st_mode & 077) != 0) {
      note(Finding::kBad, what, path + ": others may read it", "chmod 600 " + path);
    } else {
      note(Finding::kGood, what, path + ", mode 0600");
    }
  }

  void check_clock() {
    const int64_t now = system_clock().wall_us() / 1'000'000;
    if (recorded_ > now + kClockSlackSeconds) {
      note(Finding::kBad, "clock",
           "the last event was recorded " + std::to_string(recorded_ - now) + " s after now",
           "this machine's clock is behind; set it right");
      return;
    }
    timex state{};
    const bool synchronised = adjtimex(&state) != TIME_ERROR;
    note(synchronised ? Finding::kGood : Finding::kWarning, "clock",
         synchronised ? "synchronised, not behind the last event"
                      : "not behind the last event; nothing keeps it synchronised",
         synchronised ? "" : "run chrony or systemd-timesyncd");
  }

  Session& session_;
  Finding worst_ = Finding::kGood;
  int64_t recorded_ = 0;
};

}  // namespace

int run_doctor(Session& session) { return Doctor(session).run(); }

}  // namespace taizhang::cli
