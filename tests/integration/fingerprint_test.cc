// Fingerprints are stored with every request for ever: what they cover and their very bytes stay.
#include "platform/command/fingerprint.h"

#include <gtest/gtest.h>

#include <functional>

#include "platform/base/sha256.h"
#include "services/contexts.h"
#include "taizhang/registry/v1/commands.pb.h"

namespace taizhang {
namespace {

using registry::v1::RegisterHouseholdRequest;

std::string text_of(char c, size_t count) { return std::string(count, c); }

TEST(HmacSha256, GivesThePublishedAnswersOfRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(text_of('\x0b', 20), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // A key longer than one block of the hash.
  EXPECT_EQ(hex(hmac_sha256(text_of('\xaa', 131),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

class FingerprintTest : public testing::Test {
 protected:
  FingerprintTest() {
    auto& context = *request_.mutable_context();
    context.set_request_id("11111111-1111-4111-8111-111111111111");
    context.mutable_effective_date()->set_year(2016);
    context.mutable_effective_date()->set_month(1);
    context.mutable_effective_date()->set_day(2);
    context.mutable_source()->set_kind(common::v1::Source::KIND_FORM);
    context.set_reason("建档");
    request_.set_ledger("990101");
    request_.set_household_id("22222222-2222-4222-8222-222222222222");
    request_.set_region("990101100201");
    auto& member = *request_.add_members();
    member.set_person_id("33333333-3333-4333-8333-333333333333");
    member.set_is_head(true);
    member.mutable_identity()->set_name(text_of('n', 200));
  }
  Fingerprints of(const RegisterHouseholdRequest& request) const {
    return Fingerprinter(text_of('k', 32), "k1")
        .of(*catalogue().by_request(request.GetDescriptor()->full_name()), request);
  }
  Fingerprints changed(const std::function<void(RegisterHouseholdRequest&)>& change) const {
    auto request = request_;
    change(request);
    return of(request);
  }
  static const CommandCatalogue& catalogue() {
    static const CommandCatalogue made{[]() -> const Registry& {
      static Registry registry;
      register_contexts(registry);
      return registry;
    }()};
    return made;
  }
  RegisterHouseholdRequest request_;
};

TEST_F(FingerprintTest, ItsBytesAreThoseOfTheFirstRelease) {
  EXPECT_EQ(hex(of(request_).request), "16246cf372ac5fc25b26bea5b570107b");
  EXPECT_EQ(hex(of(request_).creating), "0fe4e5d504eedff2039478fa15b41c65");
}

TEST_F(FingerprintTest, SaysNothingOfTheRequestIdAndOfValidateOnly) {
  const auto other = changed([](auto& request) {
    request.mutable_context()->set_request_id("99999999-1111-4111-8111-111111111111");
    request.mutable_context()->set_validate_only(true);
  });
  EXPECT_EQ(other.request, of(request_).request);
  EXPECT_EQ(other.creating, of(request_).creating);
}

TEST_F(FingerprintTest, CoversContextLedgerAndBody) {
  const auto base = of(request_);
  const auto reason = changed([](auto& r) { r.mutable_context()->set_reason("另"); });
  const auto version = changed([](auto& r) { r.mutable_context()->set_expected_version(3); });
  const auto correlation = changed([](auto& r) { r.mutable_context()->set_correlation_id("c"); });
  const auto ledger = changed([](auto& r) { r.set_ledger("990102"); });
  for (const auto& other : {reason, version, correlation, ledger}) {
    EXPECT_NE(other.request, base.request);
    EXPECT_EQ(other.creating, base.creating);
  }
  const auto day =
      changed([](auto& r) { r.mutable_context()->mutable_effective_date()->set_day(3); });
  const auto body = changed([](auto& r) { r.mutable_members(0)->set_is_head(false); });
  for (const auto& other : {day, body}) {
    EXPECT_NE(other.request, base.request);
    EXPECT_NE(other.creating, base.creating);
  }
}

}  // namespace
}  // namespace taizhang
