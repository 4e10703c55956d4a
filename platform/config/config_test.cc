// Settings and token files: what is wrong is named with file, line, column and what is expected.
#include "platform/config/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "platform/config/address.h"
#include "platform/config/textproto.h"
#include "taizhang/config/v1/config.pb.h"
#include "taizhang/config/v1/tokens.pb.h"

namespace taizhang {
namespace {

std::string refusal_of(std::string_view text) {
  config::v1::Config config;
  return std::string(parse_textproto("f", text, config).message());
}

TEST(Config, HasTheDefaultsOfItsProto) {
  config::v1::Config config;
  ASSERT_TRUE(parse_textproto("f", "data_dir: 'data'", config).ok());
  EXPECT_EQ(config.listen(), "127.0.0.1:7610");
  EXPECT_EQ(config.admin_listen(), "127.0.0.1:7612");
  EXPECT_EQ(config.limits().request_bytes_max(), 512 * 1024);
  EXPECT_EQ(config.limits().bulk_message_bytes_max(), 1024 * 1024);
}

TEST(Config, NamesTheMissingField) { EXPECT_EQ(refusal_of(""), "f: data_dir: required in Config"); }

TEST(Config, NamesPlaceAndKnownFieldsForAnUnknownOne) {
  const std::string said = refusal_of("data_dir: 'd'\nlimits {\n  request_bytes: 5\n}\n");
  EXPECT_TRUE(said.starts_with("f:3:3: ")) << said;
  EXPECT_NE(said.find("expected one of: request_bytes_max, "), std::string::npos) << said;
}

TEST(Config, NamesPlaceAndTypeForAMalformedValue) {
  const std::string said = refusal_of("data_dir: 'd'\nmetrics_port: 'high'\n");
  EXPECT_TRUE(said.starts_with("f:2:15: Expected integer")) << said;
}

TEST(Config, NamesPlaceAndBoundsForAValueOutOfRange) {
  EXPECT_EQ(refusal_of("data_dir: 'd'\nlimits {\n  calls_in_flight_max: 0\n}\n"),
            "f:3:3: calls_in_flight_max: expected 1 to 1000000, got 0");
}

TEST(Config, NamesPlaceAndBoundForAListThatIsTooLong) {
  std::string serve = "data_dir: 'd' views {\n";
  for (int i = 0; i < 64; ++i) serve += "  serve: 'duties'\n";
  EXPECT_EQ(refusal_of(serve + "}"), "");
  EXPECT_EQ(refusal_of(serve + "  serve: 'duties'\n  serve: 'duties'\n}"),
            "f:66:3: serve: expected at most 64, got 66");
  // The default, where the options of the field say nothing.
  std::string regions = "profiles { name: 'm' subject: 's' roles: ROLE_MAKER token_sha256: '" +
                        std::string(64, 'a') + "'\n";
  for (int i = 0; i < 1'000; ++i) regions += "regions: '99'\n";
  config::v1::TokenFile file;
  EXPECT_TRUE(parse_textproto("t", regions + "}", file).ok());
  EXPECT_EQ(parse_textproto("t", regions + "regions: '99' }", file).message(),
            "t:1002:1: regions: expected at most 1000, got 1001");
}

TEST(Config, NamesTheValuesOfAnEnum) {
  const std::string said = refusal_of("data_dir: 'd'\nrole: BOTH\n");
  EXPECT_TRUE(said.starts_with("f:2:7:")) << said;
  EXPECT_NE(said.find("expected one of: PROCESS_ROLE_ALL, PROCESS_ROLE_WRITER"), std::string::npos)
      << said;
}

TEST(Config, RefusesAFieldSetTwice) {
  EXPECT_TRUE(refusal_of("data_dir: 'd'\ndata_dir: 'e'\n").starts_with("f:2:"))
      << refusal_of("data_dir: 'd'\ndata_dir: 'e'\n");
}

TEST(Config, NamesAllViolationsAtOnce) {
  EXPECT_EQ(refusal_of("metrics_port: 70000\n"),
            "f: data_dir: required in Config\nf:1:1: metrics_port: expected 0 to 65535, got 70000");
}

TEST(Config, ResolvesPathsAgainstItsFolder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "config_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "c.textproto") << "data_dir: 'data'\n";
  config::v1::Config config;
  ASSERT_TRUE(load_config(folder / "c.textproto", config).ok());
  EXPECT_EQ(config.data_dir(), (folder / "data").string());
  EXPECT_EQ(config.token_file(), (folder / "tokens.textproto").string());
}

TEST(Config, RefusesAnAddressThatLeavesTheMachine) {
  const auto folder = std::filesystem::path(testing::TempDir());
  std::ofstream(folder / "open.textproto") << "data_dir: 'data' listen: '0.0.0.0:7610'\n";
  config::v1::Config config;
  const auto said = load_config(folder / "open.textproto", config);
  EXPECT_NE(said.message().find(": listen: expected a loopback address"), std::string::npos)
      << said;
  std::ofstream(folder / "open.textproto") << "data_dir: 'data' admin_listen: '0.0.0.0:7612'\n";
  const auto admin = load_config(folder / "open.textproto", config);
  EXPECT_NE(admin.message().find(": admin_listen: expected a loopback address"), std::string::npos)
      << admin;
}

TEST(Config, ReadersHaveNamesOfTheirOwnOnThisMachineAndAreNotTooMany) {
  const auto said = [](const std::string& readers) {
    const auto path = std::filesystem::path(testing::TempDir()) / "readers.textproto";
    std::ofstream(path) << "data_dir: 'data' readers { " << readers << " }\n";
    config::v1::Config config;
    return std::string(load_config(path, config).message());
  };
  const auto reader = [](const std::string& name, const std::string& address) {
    return "reader { name: '" + name + "' address: '" + address + "' } ";
  };
  EXPECT_EQ(said(reader("a", "127.0.0.1:1") + reader("b", "127.0.0.1:1")), "");
  EXPECT_TRUE(said(reader("a", "127.0.0.1:1") + reader("a", "127.0.0.1:2"))
                  .ends_with(": readers.reader.name: \"a\" stands twice"));
  EXPECT_NE(said(reader("a", "10.0.0.1:7610"))
                .find(": readers.reader.address: expected a loopback address"),
            std::string::npos);
  EXPECT_NE(said("reader { address: '127.0.0.1:1' }").find("name: required in Reader"),
            std::string::npos);
  std::string many;
  for (int i = 0; i <= 64; ++i) many += reader(std::to_string(i), "127.0.0.1:1");
  EXPECT_TRUE(said(many).ends_with(": reader: expected at most 64, got 65"));
}

TEST(LoopbackAddress, TakesLoopbackOnly) {
  for (const char* good : {"127.0.0.1:0", "127.8.9.1:7610", "localhost:1", "[::1]:65535"}) {
    EXPECT_TRUE(loopback_address(good).ok()) << good;
  }
  for (const char* bad : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "127.0.0.1",
                          "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", ":7610",
                          "", "unix:socket:1", "127.0.0.1.evil.org:1"}) {
    EXPECT_FALSE(loopback_address(bad).ok()) << bad;
  }
}

TEST(TokenFile, NamesAHashThatIsNone) {
  config::v1::TokenFile file;
  const auto said = parse_textproto(
      "t", "profiles { name: 'm' subject: 's' roles: ROLE_MAKER\n token_sha256: 'secret' }", file);
  EXPECT_EQ(said.message(), "t:2:2: token_sha256: expected 64 lower-case hexadecimal digits");
}

}  // namespace
}  // namespace taizhang
