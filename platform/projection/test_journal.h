// For tests of the read side: a partition of a journal in memory, written by hand.
#pragma once

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/command/registry.h"
#include "platform/journal/fold.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/journal/record.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::testing {

class TestJournal {
 public:
  // The topic must be empty when given.
  explicit TestJournal(uint32_t number = 0, uint32_t partitions = 1,
                       std::shared_ptr<journal::MemoryTopic> given = nullptr)
      : topic(given ? std::move(given) : std::make_shared<journal::MemoryTopic>()),
        log(topic, true),
        partition(number),
        fold_(number, journal::GenesisExpectation{uuid(), partitions}) {
    journal::v1::Genesis genesis;
    genesis.set_journal_uuid(std::string(16, 'J'));
    genesis.set_partition_count(partitions);
    genesis.set_rule_version(journal::kRuleVersion);
    journal::RecordHeader first;
    first.kind = journal::Kind::kGenesis;
    first.uuid = uuid();
    append(first, genesis);
    journal::v1::Claim claim;
    claim.set_rule_version(journal::kRuleVersion);
    journal::RecordHeader header;
    header.kind = journal::Kind::kClaim;
    header.uuid = uuid();
    header.epoch = 1;
    header.owner.fill(7);
    append(header, claim);
  }

  void open(const std::string& ledger) {
    journal::v1::LedgerOpened opened;
    opened.set_ledger(ledger);
    opened.set_generation(1);
    opened.set_next_seq(1);
    opened.set_kind(common::v1::LEDGER_KIND_COUNTY);
    opened.set_recorded_time_us(++time_us);
    write(journal::Kind::kLedgerOpened, opened);
  }

  void barrier() {
    journal::v1::Barrier barrier;
    barrier.set_recorded_time_us(++time_us);
    write(journal::Kind::kBarrier, barrier);
  }

  // Returns the last seq. Recorded at ++time_us.
  int64_t commit(const std::string& ledger,
                 const std::vector<const google::protobuf::Message*>& events,
                 int32_t effective_day = 20260101) {
    auto commit = begin(ledger, events.size());
    for (const auto* event : events) {
      auto& stored = *commit.add_events();
      stored.set_type(std::string(stored_type(event->GetDescriptor()->full_name())));
      stored.set_payload(event->SerializeAsString());
      stored.set_effective_date(effective_day);
    }
    write(journal::Kind::kCommit, commit);
    return commit.first_seq() + commit.events_size() - 1;
  }

  int64_t commit_raw(const std::string& ledger, const std::string& type,
                     const std::string& payload) {
    auto commit = begin(ledger, 1);
    auto& stored = *commit.add_events();
    stored.set_type(type);
    stored.set_payload(payload);
    stored.set_effective_date(20260101);
    write(journal::Kind::kCommit, commit);
    return commit.first_seq();
  }

  // A record of this very history that no program can read.
  void damage() {
    journal::RecordHeader header;
    header.kind = journal::Kind::kCommit;
    header.uuid = uuid();
    header.partition = partition;
    header.epoch = fold_.epoch();
    header.owner = fold_.owner();
    header.n = fold_.n() + 1;
    header.prev = journal::prev_of(fold_.head());
    const std::string body = "\xff";
    header.body_bytes = static_cast<uint32_t>(body.size());
    topic->append(journal::encode_record(header, body));
  }

  std::shared_ptr<journal::MemoryTopic> topic;
  journal::MemoryLog log;
  const uint32_t partition;
  int64_t time_us = 1'767'196'800'000'000;  // 2026-01-01 00:00 +08:00
  std::string actor = "maker-1";

 private:
  static journal::Id128 uuid() {
    journal::Id128 id;
    id.fill('J');
    return id;
  }

  journal::v1::Commit begin(const std::string& ledger, size_t events) {
    journal::v1::Commit commit;
    commit.set_ledger(ledger);
    commit.set_first_seq(fold_.ledger(ledger)->next_seq);
    commit.set_recorded_time_us(++time_us);
    auto& request = *commit.add_requests();
    request.set_request_id(std::string(16, 'r'));
    request.set_command("test.Command");
    request.mutable_actor()->set_subject(actor);
    request.set_reason("because");
    request.set_events(static_cast<uint32_t>(events));
    return commit;
  }

  void write(journal::Kind kind, const google::protobuf::Message& body) {
    journal::RecordHeader header;
    header.kind = kind;
    header.uuid = uuid();
    header.epoch = fold_.epoch();
    header.owner = fold_.owner();
    header.n = fold_.n() + 1;
    header.prev = journal::prev_of(fold_.head());
    append(header, body);
  }

  void append(journal::RecordHeader header, const google::protobuf::Message& body) {
    const std::string bytes = body.SerializeAsString();
    header.partition = partition;
    header.body_bytes = static_cast<uint32_t>(bytes.size());
    std::string record = journal::encode_record(header, bytes);
    const auto folded = fold_.apply(fold_.offset(), record);
    ASSERT_TRUE(folded.ok()) << folded.status();
    ASSERT_TRUE(folded->valid());
    topic->append(std::move(record));
  }

  journal::Fold fold_;
};

}  // namespace taizhang::testing
