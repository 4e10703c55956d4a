// Tests of maker and checker.
#include "services/common/same_actor.h"

#include <gtest/gtest.h>

#include "platform/state/memory_rows.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {
namespace {

common::v1::Actor actor(const std::string& subject, const std::string& worker_id) {
  common::v1::Actor value;
  value.set_subject(subject);
  value.set_worker_id(worker_id);
  return value;
}

TEST(SamePerson, GoesByWorkerWhereBothHaveOne) {
  EXPECT_TRUE(same_person(actor("a", "w1"), actor("b", "w1")));
  EXPECT_FALSE(same_person(actor("a", "w1"), actor("a", "w2")));
  EXPECT_TRUE(same_person(actor("a", "w1"), actor("a", "")));
  EXPECT_FALSE(same_person(actor("a", ""), actor("b", "")));
}

TEST(SameActor, IsRefusedWithoutTheRight) {
  MemoryRows rows;
  const auto me = actor("a", "w1");
  Occasion now;
  now.actor = &me;
  EXPECT_TRUE(acts_as_worker(Ledger(rows, now), "w1"));
  EXPECT_FALSE(acts_as_worker(Ledger(rows, now), "w2"));
  EXPECT_FALSE(same_actor(Ledger(rows, now), false, "approved_by"));
  const auto refusal = same_actor(Ledger(rows, now), true, "approved_by");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->value->number(), common::v1::COMMON_REFUSAL_SAME_ACTOR);
  EXPECT_EQ(refusal->field, "approved_by");
  now.may_self_approve = true;
  EXPECT_FALSE(same_actor(Ledger(rows, now), true, "approved_by"));
}

TEST(ActsAsWorker, NobodyIsTheWorkerWithoutAnId) {
  MemoryRows rows;
  const auto me = actor("a", "");
  Occasion now;
  now.actor = &me;
  EXPECT_FALSE(acts_as_worker(Ledger(rows, now), ""));
}

}  // namespace
}  // namespace taizhang
