// Token files: profiles, tokens by digest, and what is refused.
#include "platform/rpc/callers.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace taizhang {
namespace {

std::string profile(const std::string& name, const std::string& token, const std::string& rest) {
  return "profiles { name: '" + name + "' subject: 's-" + name + "' roles: ROLE_MAKER " + rest +
         " token_sha256: '" + hex(bytes_of(sha256(token))) + "' }\n";
}

TEST(Callers, AreFoundByTheirToken) {
  const auto callers =
      Callers::parse("t", profile("maker", "secret-1", "regions: '990101' rights: 'SELF_APPROVE'") +
                              profile("root", "secret-2", "everywhere: true"));
  ASSERT_TRUE(callers.ok()) << callers.status();
  const Caller* maker = callers->find("secret-1");
  ASSERT_NE(maker, nullptr);
  EXPECT_EQ(maker->profile, "maker");
  EXPECT_EQ(maker->subject, "s-maker");
  EXPECT_EQ(maker->regions, std::vector<std::string>{"990101"});
  EXPECT_EQ(maker->rights, std::vector<std::string>{"SELF_APPROVE"});
  EXPECT_EQ(callers->find("secret-2")->regions, std::vector<std::string>{""});
  EXPECT_EQ(callers->find("secret-3"), nullptr);
  EXPECT_EQ(callers->find(""), nullptr);
  EXPECT_EQ(callers->find(hex(bytes_of(sha256(std::string_view("secret-1"))))), nullptr);
}

TEST(Callers, OneTokenStandsForOneProfile) {
  const auto callers = Callers::parse(
      "t", profile("a", "secret", "everywhere: true") + profile("b", "secret", "everywhere: true"));
  EXPECT_EQ(callers.status().message(), "t: profile \"b\": one token stands twice in the file");
}

TEST(Callers, HaveRegionsOrGoEverywhere) {
  EXPECT_FALSE(Callers::parse("t", profile("a", "x", "")).ok());
  EXPECT_FALSE(Callers::parse("t", profile("a", "x", "everywhere: true regions: '99'")).ok());
}

TEST(Callers, AreRefusedFromAFileThatOthersMayRead) {
  const auto path = std::filesystem::path(testing::TempDir()) / "callers_test.textproto";
  std::ofstream(path) << profile("a", "x", "everywhere: true");
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(Callers::load(path).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  EXPECT_TRUE(Callers::load(path).ok());
}

}  // namespace
}  // namespace taizhang
