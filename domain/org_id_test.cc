// Tests of ids of organisations.
#include "domain/org_id.h"

#include <gtest/gtest.h>

namespace taizhang {
namespace {

TEST(OrgId, HoldsACreditCodeOrNone) {
  EXPECT_EQ(credit_code_of_org_id("uscc:91350100M000100Y43"), "91350100M000100Y43");
  EXPECT_FALSE(credit_code_of_org_id("8d3c7a52-54a6-5b2e-9b0e-3f7f6a6c0001"));
}

}  // namespace
}  // namespace taizhang
