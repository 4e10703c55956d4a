// SHA-256 against FIPS 180-4 examples.
#include "platform/base/sha256.h"

#include <gtest/gtest.h>

namespace taizhang {
namespace {

TEST(Sha256, GivesTheStandardsValues) {
  EXPECT_EQ(hex(bytes_of(sha256(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(bytes_of(sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, OfPartsIsTheSameAsOfTheWhole) {
  EXPECT_EQ(sha256("a", "bc"), sha256("abc"));
  Sha256 digest;
  digest.add("a");
  EXPECT_EQ(digest.digest(), sha256("a"));
  digest.add("bc");
  EXPECT_EQ(digest.digest(), sha256("abc"));
}

}  // namespace
}  // namespace taizhang
