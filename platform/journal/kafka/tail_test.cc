// Which own records a tail takes from their reports, and which have to be read.
#include "platform/journal/kafka/tail.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace taizhang::journal::kafka {
namespace {

constexpr Route kRoute{.producer = 1, .connections = 2};

class TailFeed : public ::testing::Test {
 protected:
  TailFeed() {
    tail_.on_gap([this] { ++gaps_; });
  }

  static std::vector<OwnRecord> records(int64_t from, int64_t until, const std::string& what = "") {
    std::vector<OwnRecord> made;
    for (int64_t i = from; i < until; ++i) {
      made.push_back({i, what + "record " + std::to_string(i)});
    }
    return made;
  }
  // What the follower does with what it read.
  void read(int64_t from, int64_t until) {
    tail_.push(std::make_shared<const Block>(records(from, until)));
  }
  // The route is known: an own record that took it was read.
  void trust(const Route& route) {
    const int64_t at = tail_.next();
    tail_.feed(records(at, at + 1), route);
    read(at, at + 1);
    gaps_ = 0;
  }
  std::string at(int64_t offset) const {
    const BlockPtr block = tail_.find(offset);
    if (!block) return "nothing";
    const LogRecord record = block->record(block->index_of(offset));
    EXPECT_EQ(record.offset, offset);
    return std::string(record.bytes);
  }

  Tail tail_{1 << 20};
  int gaps_ = 0;
};

TEST_F(TailFeed, TheFirstRecordsOfARouteAreRead) {
  tail_.feed(records(0, 3), kRoute);
  EXPECT_EQ(tail_.end(), 3);
  EXPECT_EQ(tail_.next(), 0);
  EXPECT_EQ(tail_.fed(), 0u);
  EXPECT_EQ(gaps_, 1);
  EXPECT_EQ(at(0), "nothing");
}

TEST_F(TailFeed, OnceOneWasReadTheNextComeFromTheirReports) {
  trust(kRoute);
  tail_.feed(records(1, 3), kRoute);
  tail_.feed(records(3, 4), kRoute);
  EXPECT_EQ(tail_.next(), 4);
  EXPECT_EQ(tail_.fed(), 3u);
  for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(at(i), "record " + std::to_string(i));
}

TEST_F(TailFeed, ARecordReadBeforeItsReportMakesTheRouteKnownToo) {
  read(0, 5);
  tail_.feed(records(3, 5), kRoute);
  tail_.feed(records(5, 6), kRoute);
  EXPECT_EQ(tail_.next(), 6);
}

TEST_F(TailFeed, OtherBytesWhereTheReportSaidMakeNoRouteKnown) {
  tail_.feed(records(0, 1, "another "), kRoute);
  read(0, 1);
  tail_.feed(records(1, 2), kRoute);
  EXPECT_EQ(tail_.next(), 1);
  // The next one that is read does.
  read(1, 2);
  tail_.feed(records(2, 3), kRoute);
  EXPECT_EQ(tail_.next(), 3);
}

TEST_F(TailFeed, ANewConnectionOrProducerIsAnotherRoute) {
  trust(kRoute);
  const Route reconnected{.producer = 1, .connections = 3};
  tail_.feed(records(1, 2), reconnected);
  EXPECT_EQ(tail_.next(), 1);
  const Route renewed{.producer = 2, .connections = 2};
  tail_.feed(records(1, 2), renewed);
  EXPECT_EQ(tail_.next(), 1);
  read(1, 2);
  tail_.feed(records(2, 3), renewed);
  EXPECT_EQ(tail_.next(), 3);
}

TEST_F(TailFeed, BehindAnotherWritersRecordTheFollowerIsNeeded) {
  trust(kRoute);
  tail_.feed(records(2, 3), kRoute);
  EXPECT_EQ(gaps_, 1);
  EXPECT_EQ(tail_.next(), 1);
  EXPECT_EQ(tail_.end(), 3);
  read(1, 3);
  tail_.feed(records(3, 4), kRoute);
  EXPECT_EQ(gaps_, 1);
  EXPECT_EQ(tail_.next(), 4);
}

TEST_F(TailFeed, WhatIsReadAfterItsReportCountsOnce) {
  trust(kRoute);
  tail_.feed(records(1, 4), kRoute);
  const BlockPtr fed = tail_.newest();
  read(1, 3);
  EXPECT_EQ(tail_.newest(), fed);
  EXPECT_EQ(tail_.next(), 4);
  // Half of it new.
  read(3, 6);
  EXPECT_EQ(tail_.next(), 6);
  for (int64_t i = 0; i < 6; ++i) EXPECT_EQ(at(i), "record " + std::to_string(i));
}

TEST_F(TailFeed, OldOnesGoWhenTooMuchIsKept) {
  trust(kRoute);
  tail_.feed(records(1, 2, std::string(1 << 20, 'x')), kRoute);
  tail_.feed(records(2, 3), kRoute);
  EXPECT_EQ(at(0), "nothing");
  EXPECT_EQ(at(2), "record 2");
}

}  // namespace
}  // namespace taizhang::journal::kafka
