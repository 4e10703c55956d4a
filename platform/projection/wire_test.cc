// Fields taken from bytes in place are those that protobuf's own parser finds, and what it refuses
// is refused.
#include "platform/projection/wire.h"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Lengths and varints in order, as text; "refused".
std::string walked(std::string_view bytes) {
  std::string fields;
  const bool whole = walk_fields(
      bytes,
      [&](int number, std::string_view view) {
        fields += std::to_string(number) + "=" + std::string(view) + ";";
        return true;
      },
      [&](int number, uint64_t value) {
        fields += std::to_string(number) + ":" + std::to_string(value) + ";";
      });
  return whole ? fields : "refused";
}

// The same by protobuf's parser.
std::string parsed(const std::string& bytes) {
  UnknownFieldSet set;
  if (!set.ParseFromString(bytes)) return "refused";
  std::string fields;
  for (int i = 0; i < set.field_count(); ++i) {
    const auto& field = set.field(i);
    const std::string number = std::to_string(field.number());
    if (field.type() == UnknownField::TYPE_LENGTH_DELIMITED)
      fields += number + "=" + field.length_delimited() + ";";
    if (field.type() == UnknownField::TYPE_VARINT)
      fields += number + ":" + std::to_string(field.varint()) + ";";
    if (field.type() == UnknownField::TYPE_GROUP) return "refused";
  }
  return fields;
}

std::string some_commit() {
  journal::v1::Commit commit;
  commit.set_ledger("990101");
  commit.set_first_seq(300);
  commit.set_recorded_time_us(1'700'000'000'123'456);
  commit.add_requests()->set_request_id(std::string(200, '\x5a'));
  commit.add_events()->set_payload(std::string("\x09pay-load\x0d abc", 14));
  commit.add_events();
  return commit.SerializeAsString();
}

TEST(WalkFields, FindsWhatAParserFinds) {
  EXPECT_EQ(walked(some_commit()), parsed(some_commit()));
  EXPECT_EQ(walked(""), "");
  const std::string fixed(
      "\x09"
      "12345678"
      "\x15"
      "1234"
      "\x08\x01",
      16);
  EXPECT_EQ(walked(fixed), "1:1;");
  EXPECT_EQ(walked(fixed.substr(0, 8)), "refused");
  EXPECT_EQ(walked(fixed.substr(0, 12)), "refused");
}

TEST(WalkFields, RefusesWhatAParserRefuses) {
  std::mt19937 random(7);
  int refused = 0;
  int stricter = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = some_commit();
    for (int changes = 0; changes < 2; ++changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const std::string expected = parsed(bytes);
    const std::string found = walked(bytes);
    refused += found == "refused";
    // The parser cuts off what a tag has above 32 bits.
    if (found == "refused" && expected != found) {
      ++stricter;
      continue;
    }
    ASSERT_EQ(found, expected) << i;
  }
  EXPECT_GT(refused, 1'000);
  EXPECT_LT(refused, 19'000);
  EXPECT_LT(stricter, 200);
}

TEST(WalkFields, EndsWhereItIsToldTo) {
  int seen = 0;
  EXPECT_FALSE(walk_fields(
      some_commit(), [&](int, std::string_view) { return ++seen < 2; }, [](int, uint64_t) {}));
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace taizhang::projection
