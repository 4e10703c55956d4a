// Commits judged by their bytes are judged as the parser judges them.
#include "platform/journal/plain_commit.h"

#include <gtest/gtest.h>

#include "platform/journal/testing/history.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

using testing::SeededRandom;

std::string random_commit(SeededRandom& random) {
  v1::Commit commit;
  commit.set_ledger(std::to_string(510101 + random.below(9)));
  commit.set_first_seq(static_cast<int64_t>(random.next()));
  commit.set_recorded_time_us(static_cast<int64_t>(random.below(1 << 30)));
  for (uint64_t i = random.below(3); i > 0; --i) {
    auto& request = *commit.add_requests();
    request.set_request_id(random.bytes(16));
    request.set_reason("补充依据");
    request.set_events(static_cast<uint32_t>(random.below(300)));
    request.set_self_approved(random.one_in(2));
    auto& actor = *request.mutable_actor();
    actor.set_subject("clerk");
    actor.add_roles(common::v1::Role(random.below(4)));
    actor.add_roles(common::v1::Role(1));
    actor.add_regions("510101");
    request.mutable_source()->mutable_document()->set_document_id("d1");
  }
  for (uint64_t i = random.below(4); i > 0; --i) {
    auto& event = *commit.add_events();
    event.set_type("funds.v1.FundsDisbursed");
    event.set_payload(random.bytes(random.below(200)));
    event.set_effective_date(20'170'815);
  }
  if (random.one_in(4)) commit.add_inbox()->set_offset(static_cast<int64_t>(random.next()));
  return commit.SerializeAsString();
}

void expect_same(const Effect& plain, const Effect& parsed) {
  EXPECT_EQ(plain.kind, parsed.kind);
  EXPECT_EQ(plain.ledger, parsed.ledger);
  EXPECT_EQ(plain.first_seq, parsed.first_seq);
  EXPECT_EQ(plain.event_count, parsed.event_count);
  EXPECT_EQ(plain.recorded_time_us, parsed.recorded_time_us);
}

TEST(PlainCommit, EveryCommitOfAWriterIsPlain) {
  SeededRandom random(1);
  for (int i = 0; i < 2'000; ++i) {
    const std::string body = random_commit(random);
    v1::Commit commit;
    ASSERT_TRUE(commit.ParseFromString(body));
    const auto plain = effect_of_plain_commit(body);
    ASSERT_TRUE(plain);
    expect_same(*plain, effect_of(Kind::kCommit, commit));
  }
}

TEST(PlainCommit, WhatIsTakenForPlainIsParsedToTheSame) {
  SeededRandom random(2);
  int plain_ones = 0;
  int refused = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string body = random_commit(random);
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
      const size_t at = random.below(body.size());
      switch (random.below(4)) {
        case 0: body[at] = static_cast<char>(random.next()); break;
        case 1: body.insert(at, random.bytes(1 + random.below(3))); break;
        case 2: body.erase(at, 1); break;
        default: body += body.substr(at, 1 + random.below(8));
      }
      if (body.empty()) body = "x";
    }
    v1::Commit commit;
    const bool parsed = commit.ParseFromString(body);
    const auto plain = effect_of_plain_commit(body);
    if (!parsed) ++refused;
    if (!plain) continue;
    ++plain_ones;
    ASSERT_TRUE(parsed);
    expect_same(*plain, effect_of(Kind::kCommit, commit));
  }
  // Both kinds were tried.
  EXPECT_GT(plain_ones, 1'000);
  EXPECT_GT(refused, 1'000);
}

TEST(PlainCommit, WhatAnotherProgramMayHaveWrittenIsLeftToTheParser) {
  v1::Commit commit;
  commit.set_ledger("510101");
  const std::string body = commit.SerializeAsString();
  const std::string unknown_field = "\xba\x3e\x01x";  // number 999
  for (const std::string& odd : {body + unknown_field, body + std::string("\x13\x14", 2),
                                 body + std::string("\x92\x80\x00\x01", 4)}) {
    EXPECT_FALSE(effect_of_plain_commit(odd));
  }
}

}  // namespace
}  // namespace taizhang::journal
