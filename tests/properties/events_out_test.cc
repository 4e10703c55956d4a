// A subscription from every seq, with any filter, is told the log's tail and nothing else; so is
// who reads pages, forward or backward.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <random>
#include <thread>

#include "platform/base/log.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/envelope.h"
#include "platform/projection/subjects.h"
#include "platform/projection/views.h"
#include "projections/ledger/ledger_view.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "tests/properties/book_journal.h"

namespace taizhang::test {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Message;
using ledger::v1::EventEnvelope;
using ledger::v1::EventFilter;
using ledger::v1::ReadEventsRequest;
using ledger::v1::ReadEventsResponse;
using ledger::v1::SubscribeRequest;
using ledger::v1::SubscribeResponse;

constexpr uint64_t kSeeds = 2;
constexpr int kCommits = 150;
constexpr int kBatchEvents = 16;  // so that every tail takes several messages
constexpr int kFilters = 14;

// An event as the journal has it, made into what must be told by way of messages.
struct Event {
  EventEnvelope envelope;
  std::vector<Subject> subjects;
};

std::vector<Event> events_of(const journal::MemoryTopic& topic) {
  std::vector<Event> events;
  journal::Fold fold(0);
  const projection::FindType find = [](std::string_view type) {
    const auto* descriptor = projection::find_event_type(type);
    return std::pair(
        descriptor,
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor));
  };
  for (int64_t offset = 0; offset < topic.end(); ++offset) {
    const auto record = topic.at(offset);
    const auto folded = fold.apply(offset, record->bytes);
    EXPECT_TRUE(folded.ok()) << folded.status();
    if (!folded->commit) continue;
    projection::Batch batch;
    const std::string body(folded->body);
    EXPECT_TRUE(projection::decode_commit(body, find, batch));
    for (const auto& meta : batch.commits[0].events) {
      auto& event = events.emplace_back();
      fill_envelope(meta, event.envelope);
      fill_payload(meta, true, event.envelope);
      event.subjects = subjects_of(*meta.event);
    }
  }
  return events;
}

bool passes(const EventFilter& filter, const Event& event) {
  const std::string& type = event.envelope.type();
  const auto has = [](const auto& list, const auto& one) {
    return list.empty() || std::find(list.begin(), list.end(), one) != list.end();
  };
  const std::string context = type.substr(9, type.find('.', 9) - 9);  // behind "taizhang."
  if (!has(filter.types(), type) || !has(filter.contexts(), context)) return false;
  if (filter.subjects().empty()) return true;
  for (const auto& asked : filter.subjects()) {
    for (const auto& named : event.subjects) {
      if (named.kind == asked.kind() && named.id == asked.id()) return true;
    }
  }
  return false;
}

class EventsOut : public testing::TestWithParam<uint64_t> {
 protected:
  EventsOut()
      : random_(GetParam()),
        folder_(fs::path(fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") /
                ("events_out_test." + std::to_string(getpid()))),
        log_(topic_, true) {
    set_log_level(LogLevel::kError);
    BookJournal journal;
    for (const auto& commit : random_commits(GetParam(), kCommits)) journal.write(commit);
    whole_ = journal.topic;
    events_ = events_of(*whole_);
    fs::remove_all(folder_);
    ViewsSettings settings;
    settings.directory = folder_;
    views_ = std::make_unique<Views>(std::vector<journal::Log*>{&log_}, system_clock(), settings,
                                     [](std::string_view number) { return std::string(number); });
    ledger_view::SubscribeLimits limits;
    limits.batch_events_max = kBatchEvents;
    views_->add(ledger_view::ledger_view(limits));
    EXPECT_TRUE(views_->start().ok());
    views_->register_queries(dispatcher_);
  }
  ~EventsOut() override {
    views_.reset();
    fs::remove_all(folder_);
  }

  // Gives the views records of the whole book up to `end`.
  void grow_to(int64_t end) {
    while (topic_->end() < end) topic_->append(whole_->at(topic_->end())->bytes);
  }
  void grow_whole() {
    grow_to(whole_->end());
    ASSERT_TRUE(views_->catch_up(20'000'000));
  }
  int64_t last_seq() const { return static_cast<int64_t>(events_.size()); }
  int below(size_t bound) { return static_cast<int>(random_() % bound); }

  // What an event of the book has, of one or several kinds of lists.
  EventFilter filter(int kinds) {
    EventFilter filter;
    const auto some = [&]() -> const Event& { return events_[below(events_.size())]; };
    if (kinds & 1) {
      for (int i = 0; i <= below(3); ++i) filter.add_types(some().envelope.type());
    }
    for (int i = 0; kinds & 2 && i <= below(3); ++i) {
      const auto& subjects = some().subjects;
      if (subjects.empty()) continue;
      const auto& one = subjects[below(subjects.size())];
      auto& subject = *filter.add_subjects();
      subject.set_kind(static_cast<common::v1::SubjectKind>(one.kind));
      subject.set_id(one.id);
    }
    if (kinds & 4) {
      for (int i = 0; i <= below(2); ++i) {
        const std::string type = some().envelope.type();
        filter.add_contexts(type.substr(9, type.find('.', 9) - 9));
      }
    }
    return filter;
  }

  std::string expected(const EventFilter& filter, int64_t after_seq) const {
    std::string text;
    for (const auto& event : events_) {
      if (event.envelope.seq() > after_seq && passes(filter, event))
        text += event.envelope.SerializeAsString();
    }
    return text;
  }

  static const google::protobuf::MethodDescriptor& method(const char* name) {
    return *google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        std::string("taizhang.ledger.v1.LedgerService.") + name);
  }
  static Call call() {
    return {&RandomBook::caller("both"), system_clock().boot_us() + 20'000'000};
  }

  std::unique_ptr<ServerStream> subscribe(const EventFilter& filter, int64_t after_seq) {
    auto request = std::make_shared<SubscribeRequest>();
    request->set_ledger(kBookLedger);
    request->set_after_seq(after_seq);
    request->set_heartbeat_ms(100);
    *request->mutable_filter() = filter;
    return std::move(std::get<0>(dispatcher_.stream(method("Subscribe"), call(), request)));
  }
  static SubscribeResponse next(ServerStream& stream) {
    std::promise<SubscribeResponse> told;
    stream.next([&](Answer answer) {
      SubscribeResponse response;
      response.ParseFromString(std::get<0>(answer)->SerializeAsString());
      told.set_value(std::move(response));
    });
    return told.get_future().get();
  }
  // What is told until the position is `until`.
  static std::string tell(ServerStream& stream, int64_t until) {
    std::string text;
    for (int64_t position = 0; position < until;) {
      const auto message = next(stream);
      EXPECT_LE(message.batch().events_size(), kBatchEvents);
      for (const auto& event : message.batch().events()) {
        EXPECT_GT(event.seq(), position);
        position = event.seq();
        text += event.SerializeAsString();
      }
      position = std::max({position, message.checkpoint().seq(), message.heartbeat().seq(),
                           message.caught_up().seq()});
    }
    return text;
  }

  std::string pages(const EventFilter& filter, bool backward, int32_t page_size) {
    auto request = std::make_shared<ReadEventsRequest>();
    request->set_ledger(kBookLedger);
    request->set_backward(backward);
    request->mutable_page()->set_page_size(page_size);
    *request->mutable_filter() = filter;
    std::vector<std::string> events;
    for (;;) {
      std::promise<ReadEventsResponse> said;
      dispatcher_.unary(method("ReadEvents"), call(), request, [&](Answer answer) {
        said.set_value(static_cast<const ReadEventsResponse&>(*std::get<0>(answer)));
      });
      const auto response = said.get_future().get();
      for (const auto& event : response.events()) events.push_back(event.SerializeAsString());
      if (response.next_page_token().empty()) break;
      request = std::make_shared<ReadEventsRequest>(*request);
      request->mutable_page()->set_page_token(response.next_page_token());
    }
    if (backward) std::reverse(events.begin(), events.end());
    std::string text;
    for (const auto& event : events) text += event;
    return text;
  }

  std::mt19937_64 random_;
  const fs::path folder_;
  std::shared_ptr<journal::MemoryTopic> whole_;
  std::shared_ptr<journal::MemoryTopic> topic_ = std::make_shared<journal::MemoryTopic>();
  journal::MemoryLog log_;
  std::vector<Event> events_;
  std::unique_ptr<Views> views_;
  Dispatcher dispatcher_;
};

TEST_P(EventsOut, ASubscriptionFromEverySeqIsTheTail) {
  grow_whole();
  int64_t passed = 0;
  for (int i = 0; i < kFilters; ++i) {
    const EventFilter asked = filter(i % 7);  // every kind alone, together, and none
    for (int64_t after = 0; after <= last_seq(); ++after) {
      const std::string tail = expected(asked, after);
      ASSERT_EQ(tell(*subscribe(asked, after), last_seq()), tail)
          << asked.ShortDebugString() << " after " << after;
      passed += !tail.empty();
    }
  }
  EXPECT_GT(passed, kFilters * last_seq() / 3);
}

TEST_P(EventsOut, OneThatBeganInThePastGoesOnIntoThePresent) {
  grow_to(whole_->end() / 3);
  ASSERT_TRUE(views_->catch_up(20'000'000));
  struct Follower {
    EventFilter filter;
    int64_t after = 0;
    std::unique_ptr<ServerStream> stream;
    std::future<std::string> told;
  };
  std::vector<Follower> followers(3 * kFilters);
  for (size_t i = 0; i < followers.size(); ++i) {
    auto& one = followers[i];
    one.filter = filter(static_cast<int>(i % 7));
    one.after = below(events_.size());  // also one that is not written yet
    one.stream = subscribe(one.filter, one.after);
    one.told =
        std::async(std::launch::async, [&one, this] { return tell(*one.stream, last_seq()); });
  }
  for (int64_t end = topic_->end(); end <= whole_->end(); end += 1 + below(5)) {
    grow_to(end);
    if (below(3) == 0) {
      ASSERT_TRUE(views_->catch_up(20'000'000));
    }
  }
  grow_whole();
  for (auto& one : followers) {
    EXPECT_EQ(one.told.get(), expected(one.filter, one.after))
        << one.filter.ShortDebugString() << " after " << one.after;
  }
}

TEST_P(EventsOut, PagesAreTheWholeInBothDirections) {
  grow_whole();
  for (int i = 0; i < 3 * kFilters; ++i) {
    const EventFilter asked = filter(i % 7);
    EXPECT_EQ(pages(asked, i % 2 == 1, 1 + below(30)), expected(asked, 0))
        << asked.ShortDebugString();
  }
}

// Bytes of the heap in use: what is kept for each of so many would be seen.
TEST_P(EventsOut, TenThousandThatComeAndGoLeaveNothing) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has a heap of its own";
#endif
  constexpr int kStreams = 10'000;
  constexpr size_t kKeptBytesMax = kStreams * size_t{16};
  grow_whole();
  std::vector<EventFilter> filters;
  for (int i = 0; i < kFilters; ++i) filters.push_back(filter(i % 7));
  // What they share is there as long as somebody follows.
  const auto stays = subscribe(filters[0], last_seq());
  EXPECT_EQ(next(*stays).caught_up().seq(), last_seq());
  const auto come_and_go = [&] {
    std::atomic<int> ended{0};
    for (int i = 0; i < kStreams; ++i) {
      const auto stream = subscribe(filters[static_cast<size_t>(i) % filters.size()], last_seq());
      EXPECT_EQ(next(*stream).caught_up().seq(), last_seq());
      stream->next([&](const Answer&) { ++ended; });
    }
    while (ended < kStreams) std::this_thread::yield();
  };
  come_and_go();
  const size_t before = mallinfo2().uordblks;
  come_and_go();
  const size_t after = mallinfo2().uordblks;
  EXPECT_LT(after, before + kKeptBytesMax);
}

INSTANTIATE_TEST_SUITE_P(Seeds, EventsOut, testing::Range<uint64_t>(1, kSeeds + 1));

}  // namespace
}  // namespace taizhang::test
