// Settings files into settings of the engine.
#include "platform/journal/kafka/config.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "platform/config/key_file.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang::journal::kafka {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSecretBytesMax = 65'536;

// "ssl.ca.location", "ssl.key.location" …, but not one of several paths.
bool is_path(std::string_view name) {
  constexpr std::string_view kSuffix = ".location";
  return name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix;
}

absl::StatusOr<std::string> read_secret(const std::string& path) {
  if (absl::Status status = check_private_file(path); !status.ok()) return status;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  std::string secret = out.str();
  if (!in || secret.size() > kSecretBytesMax) {
    return absl::FailedPreconditionError(path + ": cannot be read, or is larger than " +
                                         std::to_string(kSecretBytesMax) + " bytes");
  }
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.empty()) return absl::FailedPreconditionError(path + ": is empty");
  return secret;
}

absl::StatusOr<KafkaProperty> property_of(const config::v1::KafkaProperty& config,
                                          const fs::path& folder) {
  const std::string& name = config.name();
  const std::string where = "kafka.properties: " + name + ": ";
  if (absl::Status status = check_property(name); !status.ok()) return status;
  if (config.has_value() == config.has_value_file()) {
    return absl::InvalidArgumentError(where + "expected one of value and value_file");
  }
  if (config.has_value_file()) {
    absl::StatusOr<std::string> secret = read_secret(folder / config.value_file());
    if (!secret.ok()) {
      return absl::FailedPreconditionError(where + std::string(secret.status().message()));
    }
    return KafkaProperty{name, *std::move(secret)};
  }
  if (is_secret(name)) {
    return absl::InvalidArgumentError(where +
                                      "is a secret; write it to a file of mode 0600 and "
                                      "name that in value_file");
  }
  return KafkaProperty{name, is_path(name) ? (folder / config.value()).string() : config.value()};
}

}  // namespace

absl::StatusOr<KafkaSettings> settings_of(const config::v1::KafkaJournal& config,
                                          const std::string& folder) {
  KafkaSettings settings;
  settings.bootstrap_servers = config.bootstrap_servers();
  settings.topic = config.topic();
  settings.power_domains = config.power_domains();
  settings.replication_factor = config.replication_factor();
  settings.min_insync_replicas = config.min_insync_replicas();
  settings.linger_ms = config.linger_ms();
  settings.in_flight_records_max = config.in_flight_records_max();
  settings.in_flight_bytes_max = config.in_flight_bytes_max();
  settings.tail_bytes_max = config.tail_bytes_max();
  settings.read_ahead_bytes_max = config.read_ahead_bytes_max();
  settings.request_ms_max = config.request_ms_max();
  settings.verify_interval_ms = config.verify_interval_ms();
  for (const config::v1::KafkaProperty& property : config.properties()) {
    absl::StatusOr<KafkaProperty> read = property_of(property, folder);
    if (!read.ok()) return read.status();
    settings.properties.push_back(*std::move(read));
  }
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  return settings;
}

}  // namespace taizhang::journal::kafka
