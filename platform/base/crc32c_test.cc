// CRC-32C against the vectors of RFC 3720 appendix B.4.
#include "platform/base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace taizhang {
namespace {

std::string ascending() {
  std::string bytes;
  for (char c = 0; c < 32; ++c) bytes += c;
  return bytes;
}

TEST(Crc32c, GivesTheStandardsValues) {
  EXPECT_EQ(crc32c(0, std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(0, std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(0, ascending()), 0x46dd794eu);
  EXPECT_EQ(crc32c(0, "123456789"), 0xe3069283u);
}

TEST(Crc32c, IsTheSameWithoutTheInstruction) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(crc32c(7, bytes), crc32c_portable(7, bytes)) << i;
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Crc32c, CanBeBuiltPieceByPiece) {
  const std::string bytes = ascending();
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(crc32c(crc32c(0, bytes.substr(0, cut)), bytes.substr(cut)), crc32c(0, bytes));
  }
}

}  // namespace
}  // namespace taizhang
