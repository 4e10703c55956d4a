// The client's settings file.
#include "client/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "taizhang/config/v1/client.pb.h"

namespace taizhang::client {
namespace {

absl::Status load(const std::string& text, config::v1::ClientConfig& out, mode_t mode = 0600) {
  const std::string path = testing::TempDir() + "/client.textproto";
  std::ofstream(path, std::ios::trunc) << text;
  chmod(path.c_str(), mode);
  return load_settings(path, out);
}

constexpr char kGood[] =
    "address: '127.0.0.1:7610'\nprofiles { name: 'maker' token: 'a' }\nprofiles { name: 'reader' "
    "token: 'b' }\n";

TEST(Settings, GiveTheTokenOfAProfile) {
  config::v1::ClientConfig settings;
  ASSERT_TRUE(load(kGood, settings).ok());
  std::string token;
  EXPECT_TRUE(find_token(settings, "reader", token).ok());
  EXPECT_EQ(token, "b");
  const auto unknown = find_token(settings, "clerk", token);
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(unknown.message().find("there are: maker, reader"), std::string::npos) << unknown;
}

TEST(Settings, KnowWhereOperatorsCall) {
  config::v1::ClientConfig settings;
  settings.set_address("127.0.0.1:7610");
  EXPECT_EQ(admin_address_of(settings), "127.0.0.1:7612");
  settings.set_address("[::1]:17610");
  EXPECT_EQ(admin_address_of(settings), "[::1]:17612");
  settings.set_address("nowhere");
  EXPECT_EQ(admin_address_of(settings), "nowhere");
  settings.set_admin_address("127.0.0.1:9");
  EXPECT_EQ(admin_address_of(settings), "127.0.0.1:9");
}

TEST(Settings, ThatOthersMayReadAreRefused) {
  config::v1::ClientConfig settings;
  for (const mode_t mode : {0640, 0604, 0644}) {
    const auto loaded = load(kGood, settings, mode);
    EXPECT_EQ(loaded.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(loaded.message().find("chmod 600"), std::string::npos) << loaded;
  }
}

TEST(Settings, NameThePlaceOfAnError) {
  config::v1::ClientConfig settings;
  const auto loaded = load("address: 'x'\nprofile { }\n", settings);
  EXPECT_EQ(loaded.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(loaded.message().find("client.textproto:2:"), std::string::npos) << loaded;
  EXPECT_FALSE(load("profiles { name: 'a' token: 'b' }", settings).ok());
  EXPECT_FALSE(load("address: 'x' profiles { name: 'a' }", settings).ok());
  EXPECT_EQ(load_settings("/nowhere/client.textproto", settings).code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace taizhang::client
