// Processes that the benchmark starts and ends.
#include "tests/bench/child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "platform/base/sha256.h"

namespace taizhang::bench {

void Child::start(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  // Whoever ends the benchmark by force leaves no server behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execv(arguments[0], arguments.data());
  _exit(127);
}

Child::~Child() { end(SIGKILL); }

std::string Child::wait_for_line(const std::string& file, double seconds) const {
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(int64_t(seconds * 1'000));
  while (std::chrono::steady_clock::now() < end) {
    std::ifstream in(file);
    std::string line;
    if (std::getline(in, line) && !line.empty()) return line;
    if (pid_ < 0 || kill(pid_, 0) != 0) return "";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return "";
}

void Child::end(int signal) {
  if (pid_ < 0) return;
  kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int64_t Child::peak_kib() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
  }
  return 0;
}

namespace {

double cpu_seconds_of(const std::string& process) {
  std::ifstream stat("/proc/" + process + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string word;
  double ticks = 0;
  for (int field = 3; rest >> word && field <= 15; ++field) {
    if (field >= 14) ticks += std::stod(word);
  }
  return ticks / double(sysconf(_SC_CLK_TCK));
}

}  // namespace

double Child::cpu_seconds() const { return cpu_seconds_of(std::to_string(pid_)); }

double own_cpu_seconds() { return cpu_seconds_of("self"); }

double machine_cpu_seconds() {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  stat >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  return (user + nice + system + irq + softirq) / double(sysconf(_SC_CLK_TCK));
}

void Daemon::prepare() const {
  std::filesystem::create_directories(folder);
  std::filesystem::remove(address_file());
  std::ofstream tokens(folder + "/tokens.textproto");
  for (const auto& [profile, role] : {std::pair("operator", "ROLE_OPERATOR"),
                                      {"maker", "ROLE_MAKER"},
                                      {"reader", "ROLE_READER"}}) {
    tokens << "profiles { name: \"" << profile << "\" subject: \"" << profile
           << "\" roles: " << role << " everywhere: true token_sha256: \"";
    for (const auto byte : sha256(token(profile))) {
      char hex[3];
      snprintf(hex, sizeof hex, "%02x", byte);
      tokens << hex;
    }
    tokens << "\" }\n";
  }
  tokens.close();
  chmod((folder + "/tokens.textproto").c_str(), 0600);
  std::ofstream config(folder + "/taizhangd.textproto");
  config << "data_dir: \"data\"\nlisten: \"127.0.0.1:0\"\nadmin_listen: "
            "\"127.0.0.1:0\"\nmetrics_port: 0\nlog_level: "
            "LOG_LEVEL_ERROR\n"
         << "limits { request_log_every: 0 }\n"
         << settings;
}

std::vector<std::string> Daemon::command() const {
  return {binary, "--config", folder + "/taizhangd.textproto", "--role=" + role};
}

}  // namespace taizhang::bench
