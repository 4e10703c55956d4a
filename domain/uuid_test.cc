// Tests of UUIDs made from names.
#include "domain/uuid.h"

#include <gtest/gtest.h>

namespace taizhang {
namespace {

TEST(UuidV5, IsThatOfOtherImplementations) {
  // Python: uuid.uuid5(uuid.NAMESPACE_DNS, "python.org") and uuid.uuid5(uuid.NAMESPACE_URL, "").
  EXPECT_EQ(uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "python.org"),
            "886313e1-3b8a-5372-9b90-0c9aee199e5d");
  EXPECT_EQ(uuid_v5("6ba7b811-9dad-11d1-80b4-00c04fd430c8", ""),
            "1b4db7eb-4057-5ddf-91e0-36dec72071f5");
}

TEST(UuidV5, DiffersByNamespaceAndName) {
  const std::string payment = "886313e1-3b8a-5372-9b90-0c9aee199e5d";
  EXPECT_NE(uuid_v5(payment, "allocation"), uuid_v5(payment, "commitment"));
  EXPECT_EQ(uuid_v5(payment, "allocation"), uuid_v5(payment, "allocation"));
}

}  // namespace
}  // namespace taizhang
