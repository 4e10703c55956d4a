// What a Kafka journal's settings refuse, and how secrets come in.
#include "platform/journal/kafka/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "platform/config/textproto.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/config.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang::journal::kafka {
namespace {

KafkaSettings good() {
  KafkaSettings settings;
  settings.bootstrap_servers = "127.0.0.1:9092";
  settings.topic = "journal";
  return settings;
}

class SettingsFile : public ::testing::Test {
 protected:
  SettingsFile() {
    folder_ = ::testing::TempDir() + "taizhang-kafka-settings";
    mkdir(folder_.c_str(), 0700);
  }
  ~SettingsFile() override { EXPECT_EQ(system(("rm -rf " + folder_).c_str()), 0); }

  void secret(const std::string& name, const std::string& content, mode_t mode) {
    std::ofstream(folder_ + "/" + name) << content;
    ASSERT_EQ(chmod((folder_ + "/" + name).c_str(), mode), 0);
  }
  absl::StatusOr<KafkaSettings> read(const std::string& text) {
    config::v1::KafkaJournal config;
    const absl::Status parsed = parse_textproto("f", "bootstrap_servers: 'b:9092' " + text, config);
    EXPECT_TRUE(parsed.ok()) << parsed;
    return settings_of(config, folder_);
  }
  std::string refusal(const std::string& text) {
    return std::string(read(text).status().message());
  }

  std::string folder_;
};

TEST(KafkaSettings, TakeWhatIsSafe) {
  EXPECT_TRUE(check_settings(good()).ok());
  KafkaSettings trial = good();
  trial.replication_factor = 1;
  trial.min_insync_replicas = 1;
  EXPECT_TRUE(check_settings(trial).ok());
}

TEST(KafkaSettings, NameTheFieldThatIsWrong) {
  const auto refusal = [](auto change) {
    KafkaSettings settings = good();
    change(settings);
    const absl::Status status = check_settings(settings);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_EQ(refusal([](auto& s) { s.bootstrap_servers = ""; }),
            "kafka.bootstrap_servers: is empty");
  EXPECT_EQ(refusal([](auto& s) { s.topic = "a b"; }).find("kafka.topic: expected"), 0u);
  EXPECT_EQ(refusal([](auto& s) { s.linger_ms = -1; }), "kafka.linger_ms: -1 is below 0");
  EXPECT_EQ(refusal([](auto& s) { s.min_insync_replicas = 4; }),
            "kafka.min_insync_replicas: 4 is above replication_factor 3");
  EXPECT_EQ(refusal([](auto& s) {
              s.min_insync_replicas = 1;
            }).find("kafka.min_insync_replicas: 1 would"),
            0u);
}

TEST(KafkaSettings, WhatTheProtocolNeedsCannotBeSet) {
  for (const char* name :
       {"acks", "request.required.acks", "enable.idempotence", "auto.offset.reset",
        "isolation.level", "message.timeout.ms", "delivery.timeout.ms", "transactional.id",
        "group.id", "check.crcs", "max.in.flight", "retries", "socket.timeout.ms",
        "message.max.bytes", "plugin.library.paths", "sasl.kerberos.kinit.cmd",
        "ssl.endpoint.identification.algorithm", "no.such.thing"}) {
    const absl::Status status = check_property(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_NE(status.message().find(name), absl::string_view::npos) << status;
  }
  EXPECT_TRUE(check_property("ssl.ca.location").ok());
  EXPECT_TRUE(check_property("sasl.username").ok());
  EXPECT_TRUE(check_property("security.protocol").ok());
}

TEST(KafkaSettings, WhatLibrdkafkaRefusesIsNamedWithoutASecret) {
  KafkaSettings settings = good();
  settings.properties = {{"security.protocol", "smoke_signals"}};
  const absl::Status wrong = Client::make(settings, Use::kAdmin).status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(wrong.message().find("kafka.security.protocol: "), 0u) << wrong;

  settings.properties = {{"ssl.key.pem", "not a key at all"}};
  const absl::Status secret = Client::make(settings, Use::kAdmin).status();
  EXPECT_EQ(secret.message().find("not a key"), absl::string_view::npos) << secret;
}

TEST_F(SettingsFile, HasTheDefaultsOfItsProto) {
  const auto settings = read("");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const KafkaSettings defaults;
  EXPECT_EQ(settings->bootstrap_servers, "b:9092");
  EXPECT_EQ(settings->topic, "taizhang.journal");
  EXPECT_EQ(settings->power_domains, defaults.power_domains);
  EXPECT_EQ(settings->replication_factor, defaults.replication_factor);
  EXPECT_EQ(settings->min_insync_replicas, defaults.min_insync_replicas);
  EXPECT_EQ(settings->linger_ms, defaults.linger_ms);
  EXPECT_EQ(settings->in_flight_records_max, defaults.in_flight_records_max);
  EXPECT_EQ(settings->in_flight_bytes_max, defaults.in_flight_bytes_max);
  EXPECT_EQ(settings->tail_bytes_max, defaults.tail_bytes_max);
  EXPECT_EQ(settings->read_ahead_bytes_max, defaults.read_ahead_bytes_max);
  EXPECT_EQ(settings->request_ms_max, defaults.request_ms_max);
  EXPECT_EQ(settings->verify_interval_ms, defaults.verify_interval_ms);
}

TEST_F(SettingsFile, ReadsSecretsFromPrivateFiles) {
  secret("password", "s3cret\n", 0600);
  const auto settings = read(
      "properties {name: 'sasl.password' value_file: 'password'} "
      "properties {name: 'ssl.ca.location' value: 'ca.pem'} "
      "properties {name: 'ssl.key.location' value: '/etc/key.pem'}");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->properties[0].value, "s3cret");
  EXPECT_EQ(settings->properties[1].value, folder_ + "/ca.pem");
  EXPECT_EQ(settings->properties[2].value, "/etc/key.pem");
}

TEST_F(SettingsFile, RefusesSecretsThatOthersMaySee) {
  secret("password", "s3cret", 0640);
  EXPECT_NE(refusal("properties {name: 'sasl.password' value_file: 'password'}").find("0600"),
            std::string::npos);
  EXPECT_NE(refusal("properties {name: 'sasl.password' value: 's3cret'}").find("is a secret"),
            std::string::npos);
  EXPECT_EQ(refusal("properties {name: 'sasl.password' value: 's3cret'}").find("s3cret"),
            std::string::npos);
  EXPECT_NE(refusal("properties {name: 'sasl.password' value_file: 'gone'}").find("cannot be read"),
            std::string::npos);
  secret("empty", "\n", 0600);
  EXPECT_NE(refusal("properties {name: 'sasl.password' value_file: 'empty'}").find("is empty"),
            std::string::npos);
}

TEST_F(SettingsFile, WantsExactlyOneValue) {
  EXPECT_NE(refusal("properties {name: 'client.id'}").find("expected one of value and value_file"),
            std::string::npos);
  EXPECT_NE(refusal("properties {name: 'client.id' value: 'a' value_file: 'b'}").find("expected"),
            std::string::npos);
  EXPECT_NE(refusal("properties {name: 'acks' value: '1'}").find("acks cannot be set"),
            std::string::npos);
}

}  // namespace
}  // namespace taizhang::journal::kafka
