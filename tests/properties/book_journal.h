// Random books, and the journal that the writer would have made of one.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/command/commit.h"
#include "platform/journal/fold.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/journal/owner.h"
#include "platform/journal/testing/history.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "tests/properties/memory_book.h"
#include "tests/support/book_rows.h"
#include "tests/support/random_book.h"

namespace taizhang::test {

inline constexpr const char* kBookLedger = "990101";

// A random book of about so many commits, also of what comes late in the life of things.
inline std::vector<MemoryBook::Commit> random_commits(uint64_t seed, int count) {
  MemoryBook book(kBookLedger, common::v1::LEDGER_KIND_COUNTY);
  RandomBook random(seed, kBookLedger);
  while (static_cast<int>(book.commits().size()) < count) {
    const auto asked = random.next(book.rows(), book.today());
    book.send(*asked.request, *asked.caller);
  }
  return book.commits();
}

// A journal in memory that is written record by record.
class BookJournal : public journal::OwnerListener {
 public:
  BookJournal() : topic(std::make_shared<journal::MemoryTopic>()), log_(topic, true), random_(1) {
    journal::OwnerSettings settings;
    settings.create = true;
    owner_ = std::make_unique<journal::Owner>(log_, clock_, random_, *this, journal::Fold(0),
                                              settings, [] {});
    EXPECT_TRUE(owner_->claim().ok());
    journal::v1::LedgerOpened opened;
    opened.set_ledger(kBookLedger);
    opened.set_generation(1);
    opened.set_next_seq(1);
    opened.set_kind(common::v1::LEDGER_KIND_COUNTY);
    opened.set_recorded_time_us(1);
    write(journal::Kind::kLedgerOpened, opened);
  }

  void write(const MemoryBook::Commit& made) {
    journal::v1::Commit commit;
    commit.set_ledger(kBookLedger);
    commit.set_first_seq(made.first_seq);
    commit.set_recorded_time_us(made.recorded_time_us);
    auto& request = *commit.add_requests();
    request.set_request_id(uuid_bytes(made.request_id));
    request.set_fingerprint(made.fingerprints.request);
    request.set_creating_fingerprint(made.fingerprints.creating);
    *request.mutable_actor() = made.actor;
    request.set_events(static_cast<uint32_t>(made.events.size()));
    for (const auto& event : made.events) {
      auto& stored = *commit.add_events();
      stored.set_type(event.type);
      stored.set_payload(event.bytes);
      stored.set_effective_date(event.effective_day);
    }
    write(journal::Kind::kCommit, commit);
  }

  std::shared_ptr<journal::MemoryTopic> topic;

 private:
  absl::Status on_record(const journal::Folded&) override { return absl::OkStatus(); }
  void on_confirmed(uint64_t, int64_t) override {}
  void on_epoch_ended(const absl::Status& why) override { ADD_FAILURE() << why; }

  void write(journal::Kind kind, const google::protobuf::Message& body) {
    const auto n = owner_->append(kind, body.SerializeAsString());
    ASSERT_TRUE(n.ok()) << n.status();
    owner_->flush(true);
    owner_->poll();
  }

  journal::MemoryLog log_;
  journal::testing::ManualClock clock_;
  journal::testing::SeededRandom random_;
  std::unique_ptr<journal::Owner> owner_;
};

}  // namespace taizhang::test
