// A view folded from commits: equal to the engine's, at every seq; and what it cannot do.
#include "platform/replay/replay.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "platform/base/test_folder.h"
#include "platform/projection/row_digests.h"
#include "platform/projection/row_reader.h"
#include "platform/replay/test_commits.h"
#include "taizhang/common/v1/enums.pb.h"

namespace taizhang::replay {
namespace {

using projection::row_digests;
using projection::RowComparison;
using projection::RowDifference;
using projection::RowDigestsWish;
using testing::exported;
using testing::kExported;
using testing::sum_view;
using testing::SumRow;

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

class ReplayTest : public ::testing::Test {
 protected:
  std::unique_ptr<Replay> begin() {
    auto made =
        Replay::begin(sum_view(), kExported, folder_.path() + "/" + std::to_string(++replays_));
    EXPECT_TRUE(made.ok()) << made.status();
    return std::move(*made);
  }
  // Commits 1 to `last`; of commit `odd` the first event adds another number.
  std::unique_ptr<Replay> of(int64_t last, int64_t odd = 0) {
    auto replay = begin();
    for (int64_t i = 1; i <= last; ++i) {
      const auto added = replay->add(exported(i, i == odd ? 100 : 1));
      EXPECT_TRUE(added.ok()) << added;
    }
    EXPECT_TRUE(replay->finish().ok());
    return replay;
  }
  static std::string digest(const Replay& replay, int64_t seq) {
    const auto found = replay.digest(seq);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? found->digest : "";
  }
  static uint64_t sum_at(const Replay& replay, int64_t seq) {
    uint64_t sum = 0;
    EXPECT_TRUE(replay
                    .rows(row_type<SumRow>(), make_key(std::string("a")), seq,
                          [&](std::string_view, const google::protobuf::Message& row) {
                            sum = static_cast<const SumRow&>(row).generation();
                            return true;
                          })
                    .ok());
    return sum;
  }

  const testing::TestFolder folder_;
  int replays_ = 0;
};

// What a comparison finds, as `taizhang replay` makes it: stretches, then versions one by one.
RowDifference difference(const Replay& here, const Replay& there, int64_t seq, int64_t per_digest) {
  RowComparison comparison(here.store(), kExported, seq);
  RowDigestsWish wish{kExported, seq, "", "", per_digest, 3, 1'000};
  std::string differs;
  for (;;) {
    const auto found = row_digests(there.store(), wish);
    EXPECT_TRUE(found.ok());
    for (const auto& digest : found->digests) {
      if (comparison.same(digest)) continue;
      differs = digest.last_key;
      break;
    }
    if (!differs.empty()) break;
    if (found->end) return comparison.end({});
    wish.after_key = found->next_after_key;
  }
  wish.after_key = comparison.same_up_to();
  wish.up_to_key = differs;
  wish.versions_per_digest = 1;
  for (;;) {
    const auto found = row_digests(there.store(), wish);
    EXPECT_TRUE(found.ok());
    for (const auto& digest : found->digests) {
      const auto one = comparison.compare(digest);
      if (one.kind != RowDifference::Kind::kNone) return one;
    }
    if (found->end) return comparison.end(differs);
    wish.after_key = found->next_after_key;
  }
}

TEST_F(ReplayTest, IsOfAnyMomentUpToItsEnd) {
  const auto replay = of(20);
  EXPECT_EQ(replay->seq(), 40);
  EXPECT_EQ(sum_at(*replay, kAll), 20U);
  EXPECT_EQ(sum_at(*replay, 7), 4U);
  EXPECT_EQ(replay->seq_at(1'767'196'800'000'003), 6);
  EXPECT_EQ(replay->seq_at(1'767'196'800'000'000), 0);
  for (int64_t commits = 1; commits <= 20; commits += 3) {
    const auto prefix = of(commits);
    EXPECT_EQ(digest(*replay, 2 * commits), digest(*prefix, 2 * commits));
  }
  EXPECT_NE(digest(*replay, 40), digest(*replay, 39));
  EXPECT_EQ(replay->digest(41).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(ReplayTest, IsRemovedWhenItEnds) {
  of(3).reset();
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/1/CURRENT"));
}

TEST_F(ReplayTest, EqualFoldsCompareEqualHoweverTheyAreCut) {
  const auto here = of(30);
  const auto there = of(30);
  for (const int64_t per_digest : {1, 2, 7, 1'000}) {
    for (const int64_t seq : {1, 13, 60})
      EXPECT_EQ(difference(*here, *there, seq, per_digest).kind, RowDifference::Kind::kNone);
  }
}

TEST_F(ReplayTest, TheFirstDifferingVersionIsFound) {
  const auto here = of(30);
  const auto there = of(30, 9);
  for (const int64_t per_digest : {1, 2, 7, 1'000}) {
    EXPECT_EQ(difference(*here, *there, 16, per_digest).kind, RowDifference::Kind::kNone);
    // In key order the newest version of a row comes first: at seq 17 it is the one that differs.
    const auto found = difference(*here, *there, 17, per_digest);
    EXPECT_EQ(found.kind, RowDifference::Kind::kDifferent);
    EXPECT_EQ(projection::store_key::version_of(found.key), 17);
  }
}

TEST_F(ReplayTest, AVersionThatIsMissingOnOneSideIsFound) {
  const auto here = of(30);
  const auto there = of(29);
  for (const int64_t per_digest : {1, 7, 1'000}) {
    const auto only_here = difference(*here, *there, 60, per_digest);
    EXPECT_EQ(only_here.kind, RowDifference::Kind::kOnlyHere);
    EXPECT_EQ(projection::store_key::version_of(only_here.key), 59);
    const auto only_there = difference(*there, *here, 60, per_digest);
    EXPECT_EQ(only_there.kind, RowDifference::Kind::kOnlyThere);
    EXPECT_EQ(only_there.key, only_here.key);
  }
}

TEST_F(ReplayTest, SaysWhichEventsItCouldNotSee) {
  auto replay = begin();
  ASSERT_TRUE(replay->add(exported(1)).ok());
  ASSERT_TRUE(replay->add(testing::withheld(2)).ok());
  ASSERT_TRUE(replay->add(testing::withheld(3)).ok());
  ASSERT_TRUE(replay->finish().ok());
  EXPECT_EQ(replay->unseen(), 2);
  EXPECT_EQ(replay->first_unseen(), (std::vector<int64_t>{3, 5}));
  EXPECT_FALSE(replay->digest(2).ok());
}

TEST_F(ReplayTest, ACommitThatDoesNotFollowIsRefused) {
  auto replay = begin();
  ASSERT_TRUE(replay->add(exported(1)).ok());
  EXPECT_EQ(replay->add(exported(3)).code(), absl::StatusCode::kDataLoss);
  auto other = begin();
  ledger::v1::ExportedCommit none;
  none.set_commit("\xff\xff");
  EXPECT_EQ(other->add(none).code(), absl::StatusCode::kDataLoss);
}

TEST_F(ReplayTest, AnEventOfALaterProgramIsNamed) {
  auto commit = exported(1);
  journal::v1::Commit body;
  ASSERT_TRUE(body.ParseFromString(commit.commit()));
  body.mutable_events(1)->set_type("funds.v9.Unheard");
  commit.set_commit(body.SerializeAsString());
  auto replay = begin();
  ASSERT_TRUE(replay->add(commit).ok());
  const auto status = replay->finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(), "event 990101/2: unknown event type: funds.v9.Unheard");
}

TEST_F(ReplayTest, PassesOverWhatWasDecidedOfThisViewAndVersion) {
  auto replay = begin();
  ledger::v1::SkippedEvent skipped;
  skipped.set_view(replay->view().name());
  skipped.set_view_version(replay->view().version());
  skipped.set_seq(4);
  skipped.set_decided_by("000001/7");
  skipped.set_reason("cannot be understood");
  replay->skip(skipped);
  skipped.set_seq(1);
  skipped.set_view_version(replay->view().version() + 1);
  replay->skip(skipped);
  skipped.set_view_version(replay->view().version());
  skipped.set_view("another");
  replay->skip(skipped);
  // Event 4 is of a later program and withheld: neither matters any more.
  auto commit = testing::withheld(2);
  journal::v1::Commit body;
  ASSERT_TRUE(body.ParseFromString(commit.commit()));
  body.mutable_events(1)->set_type("funds.v9.Unheard");
  body.mutable_events(0)->set_payload(testing::placed("a", 1).SerializeAsString());
  commit.set_commit(body.SerializeAsString());
  commit.clear_withheld_seqs();
  commit.add_withheld_seqs(4);
  ASSERT_TRUE(replay->add(exported(1)).ok());
  ASSERT_TRUE(replay->add(commit).ok());
  ASSERT_TRUE(replay->add(exported(3)).ok());
  const auto finished = replay->finish();
  ASSERT_TRUE(finished.ok()) << finished;
  EXPECT_EQ(replay->unseen(), 0);
  EXPECT_EQ(sum_at(*replay, kAll), 3U);
  ASSERT_EQ(replay->skipped(6).size(), 1U);
  EXPECT_EQ(replay->skipped(6).front().first, 4);
  EXPECT_EQ(replay->skipped(6).front().second.decided_by, "000001/7");
  EXPECT_TRUE(replay->skipped(3).empty());
}

TEST_F(ReplayTest, AnswersTheQueriesOfItsView) {
  const auto replay = of(5);
  ledger::v1::ReadEventsRequest request;
  request.set_ledger(kExported);
  request.mutable_read()->set_seq(5);
  Caller caller;
  caller.roles = {common::v1::ROLE_READER};
  caller.regions = {""};
  auto answer = replay->ask(request, caller, nullptr);
  ASSERT_EQ(answer.index(), 0U);
  const auto& response = static_cast<const ledger::v1::ReadEventsResponse&>(*std::get<0>(answer));
  ASSERT_EQ(response.events_size(), 1);  // rows whose sum is 7 are filtered by that view
  EXPECT_EQ(response.events(0).commit_first_seq(), 3);
  request.mutable_read()->set_seq(11);
  answer = replay->ask(request, caller, nullptr);
  EXPECT_EQ(std::get<Error>(answer).reason, "SEQ_NOT_REACHED");
}

}  // namespace
}  // namespace taizhang::replay
