// Differences: what was added, removed and changed between two moments, and by which events.
#include <map>
#include <random>

#include "platform/lists/diff_stream.h"
#include "platform/lists/lists_fixture.h"

namespace taizhang::lists {
namespace {

using ledger::v1::EventEnvelope;
using ledger::v1::ReadEventsRequest;
using ledger::v1::ReadEventsResponse;
using v1::DiffRequest;
using v1::DiffResponse;

class Diff : public testing::ListsTest {
 protected:
  static DiffRequest between(int64_t from, int64_t to,
                             const ReadEventsRequest& query = question()) {
    DiffRequest request;
    request.mutable_query()->PackFrom(query);
    request.mutable_from()->set_seq(from);
    if (to != 0) request.mutable_to()->set_seq(to);
    return request;
  }
  // "+b=2 -c=3 ~a=1>a=4(seq,commit_first_seq) [4]": the seqs of the changes in brackets.
  static std::string text_of(const std::vector<DiffResponse>& messages) {
    std::string text;
    for (const auto& message : messages) {
      for (const auto& difference : message.rows().differences()) {
        text += text_of(difference) + " [";
        for (const auto& change : difference.changes())
          text += (text.back() == '[' ? "" : ",") + std::to_string(change.seq());
        text += "] ";
      }
    }
    return text;
  }
  static std::string text_of(const v1::Difference& difference) {
    switch (difference.kind()) {
      case v1::DIFFERENCE_KIND_ADDED: return "+" + ListsTest::text(difference.after());
      case v1::DIFFERENCE_KIND_REMOVED: return "-" + ListsTest::text(difference.before());
      default: break;
    }
    std::string fields;
    for (const auto& field : difference.changed_fields())
      fields += (fields.empty() ? "" : ",") + field;
    return "~" + ListsTest::text(difference.before()) + ">" + ListsTest::text(difference.after()) +
           "(" + fields + ")";
  }
  // The list as it was, by key.
  std::map<std::string, std::string> list_at(int64_t seq) {
    std::map<std::string, std::string> rows;
    auto request = std::make_shared<ReadEventsRequest>(question());
    request->mutable_read()->set_seq(seq);
    request->mutable_page()->set_page_size(1'000);
    std::promise<Answer> told;
    views_->ask("taizhang.ledger.v1.LedgerService.ReadEvents",
                Call{&caller_, system_clock().boot_us() + 5'000'000}, request,
                [&](Answer answer) { told.set_value(std::move(answer)); });
    const auto answer = told.get_future().get();
    for (const auto& row : static_cast<const ReadEventsResponse&>(*std::get<0>(answer)).events())
      rows[row.id()] = row.SerializeAsString();
    return rows;
  }
};

TEST_F(Diff, TellsWhatWasAddedRemovedAndChanged) {
  add("a", 1);
  add("b", 2);
  add("c", 3);
  add("a", 3);  // 4
  erase("c");   // 5
  add("d", 5);  // 6
  start();
  const auto messages = all<DiffResponse>(between(3, 6));
  const auto& header = messages.front().header();
  EXPECT_EQ(header.from().seq(), 3);
  EXPECT_EQ(header.to().seq(), 6);
  EXPECT_EQ(header.row_type(), "taizhang.ledger.v1.EventEnvelope");
  EXPECT_EQ(text_of(messages), "~a=1>a=4(seq,commit_first_seq) [4] -c=3 [5] +d=5 [6] ");
  const auto& trailer = messages.back().trailer();
  EXPECT_EQ(trailer.added(), 1);
  EXPECT_EQ(trailer.removed(), 1);
  EXPECT_EQ(trailer.changed(), 1);
  EXPECT_EQ(trailer.unchanged(), 1);
}

TEST_F(Diff, UpToTheNewestWhenNoEndIsSaid) {
  add("a", 1);
  add("b", 2);
  start();
  const auto messages = all<DiffResponse>(between(1, 0));
  EXPECT_EQ(messages.front().header().to().seq(), 2);
  EXPECT_EQ(text_of(messages), "+b=2 [2] ");
}

TEST_F(Diff, OfAMomentWithItselfIsNothing) {
  for (int i = 0; i < 30; ++i) add("k" + std::to_string(i), 1);
  start();
  const auto messages = all<DiffResponse>(between(20, 20));
  EXPECT_EQ(text_of(messages), "");
  EXPECT_EQ(messages.back().trailer().unchanged(), 20);
}

TEST_F(Diff, NamesTheNewestChangesAndSaysThatThereAreMore) {
  for (int i = 0; i < 30; ++i) add("a", 8);
  start();
  const auto messages = all<DiffResponse>(between(1, 30));
  const auto& difference = messages.at(1).rows().differences(0);
  EXPECT_EQ(difference.changes_size(), 20);
  EXPECT_EQ(difference.changes(0).seq(), 30);
  EXPECT_TRUE(difference.more_changes());
  const auto fewer = all<DiffResponse>(between(10, 30));
  EXPECT_EQ(fewer.at(1).rows().differences(0).changes_size(), 20);
  EXPECT_FALSE(fewer.at(1).rows().differences(0).more_changes());
}

TEST_F(Diff, OfAHistoryIsWhatCameSince) {
  for (int i = 0; i < 5; ++i) add("a", 1);
  start();
  auto query = question();
  query.set_from_seq(1);
  EXPECT_EQ(text_of(all<DiffResponse>(between(3, 5, query))), "+a=5 [] +a=4 [] ");
}

TEST_F(Diff, RefusesListsWithoutPlacesAndMomentsInTheWrongOrder) {
  add("a", 1);
  add("a", 1);
  start();
  auto query = question();
  query.set_to_seq(1);
  EXPECT_EQ(error_of(between(1, 2, query)).violations.at(0).field, "query");
  EXPECT_EQ(error_of(between(2, 1)).violations.at(0).field, "to");
  query = question();
  query.mutable_read()->set_seq(1);
  EXPECT_EQ(error_of(between(1, 2, query)).violations.at(0).field, "query.read");
  DiffRequest request;
  request.mutable_query()->PackFrom(question());
  EXPECT_EQ(error_of(request).violations.at(0).field, "from");
}

// Over random histories, filters at work: what differs, applied to the earlier list, gives the
// later one; and nothing is named that is the same.
TEST_F(Diff, AppliedToTheEarlierListGivesTheLaterOne) {
  std::mt19937 random(20261123);
  int64_t last = 0;
  for (int i = 0; i < 3'000; ++i) {
    const std::string key = "k" + std::to_string(random() % 1'500);
    last = random() % 5 == 0 ? erase(key) : add(key, random() % 9);
  }
  start();
  for (int round = 0; round < 12; ++round) {
    const int64_t from = 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(last));
    const int64_t to =
        from + static_cast<int64_t>(random() % static_cast<uint64_t>(last - from + 1));
    auto rows = list_at(from);
    const size_t before = rows.size();
    int64_t changed = 0;
    const auto messages = all<DiffResponse>(between(from, to));
    for (const auto& message : messages) {
      for (const auto& difference : message.rows().differences()) {
        EventEnvelope row;
        if (difference.has_before()) {
          difference.before().UnpackTo(&row);
          ASSERT_EQ(rows[row.id()], row.SerializeAsString());
          rows.erase(row.id());
        }
        if (difference.has_after()) {
          difference.after().UnpackTo(&row);
          ASSERT_FALSE(rows.contains(row.id()));
          rows[row.id()] = row.SerializeAsString();
          if (difference.has_before()) {
            ASSERT_NE(difference.before().value(), difference.after().value());
            ++changed;
          }
        }
      }
    }
    EXPECT_EQ(rows, list_at(to)) << from << " to " << to;
    const auto& trailer = messages.back().trailer();
    EXPECT_EQ(trailer.changed(), changed);
    EXPECT_EQ(trailer.unchanged() + trailer.changed() + trailer.removed(),
              static_cast<int64_t>(before));
  }
}

}  // namespace
}  // namespace taizhang::lists
