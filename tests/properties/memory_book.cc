// One ledger's book in memory.
#include "tests/properties/memory_book.h"

#include "platform/command/commit.h"
#include "services/contexts.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/platform/state/v1/state.pb.h"

namespace taizhang::test {

using google::protobuf::Message;
using platform::state::v1::SettledRequest;

namespace {

constexpr int64_t kFirstNoonUs = 1'514'779'200'000'000;  // 2018-01-01 12:00 +08:00
constexpr int64_t kCommandEveryUs = int64_t{9'000} * 1'000'000;

const Fingerprinter& fingerprinter() {
  static const Fingerprinter made{std::string(32, 'k'), "test"};
  return made;
}

const BlindIndex& blind_index() {
  static const BlindIndex made = [](std::string_view number) {
    return blind_index_of("a key of the tests", number);
  };
  return made;
}

const common::v1::RequestContext& context_of(const Message& request) {
  return static_cast<const common::v1::RequestContext&>(
      request.GetReflection()->GetMessage(request, request.GetDescriptor()->FindFieldByNumber(1)));
}

const common::v1::Actor& nobody() {
  static const common::v1::Actor actor;
  return actor;
}

}  // namespace

const Registry& MemoryBook::registry() {
  static const Registry* made = [] {
    auto* fresh = new Registry;
    register_contexts(*fresh);
    return fresh;
  }();
  return *made;
}

const CommandCatalogue& MemoryBook::catalogue() {
  static const auto* made = new CommandCatalogue(registry());
  return *made;
}

MemoryBook::MemoryBook(std::string ledger, int kind) : ledger_(std::move(ledger)), kind_(kind) {}

Occasion MemoryBook::occasion() const {
  Occasion now;
  now.ledger = ledger_;
  now.kind = kind_;
  now.seq = last_seq_ + 1;
  now.recorded_time_us = kFirstNoonUs + commands_ * kCommandEveryUs;
  now.actor = &nobody();
  now.named_seq = named_seq_;
  now.blind_index = &blind_index();
  return now;
}

int32_t MemoryBook::today() const {
  CountingRows none;
  const Occasion now = occasion();
  return Ledger(none, now).today();
}

MemoryBook::Answer MemoryBook::refused(const google::protobuf::EnumValueDescriptor& value) const {
  return {Outcome::kRefused, value.name()};
}

MemoryBook::Answer MemoryBook::send(const Message& request, const Caller& caller) {
  ++commands_;
  const auto& type = *catalogue().by_request(request.GetDescriptor()->full_name());
  Violations found;
  check_stateless(type, request, found);
  if (!found.empty()) return refused(*found.findings().front().reason);
  if (const auto no = check_authority(type, request, caller)) return refused(*no->value);
  const auto* opening = dynamic_cast<const admin::v1::OpenLedgerRequest*>(&request);
  if (const auto no = check_kind(type, opening ? static_cast<int>(opening->kind()) : kind_))
    return refused(*no->value);

  common::v1::Actor actor;
  actor.set_subject(caller.subject);
  actor.set_worker_id(caller.worker_id);
  actor.set_org_id(caller.org_id);
  for (const auto& region : caller.regions) actor.add_regions(region);
  Occasion now = occasion();
  now.effective_day = type.effective_day(request);
  now.actor = &actor;
  now.may_self_approve = caller.has_right("SELF_APPROVE");
  now.expected_version = context_of(request).expected_version();
  const Ledger book(rows_, now);
  const auto prints = fingerprinter().of(type, request);
  if (const auto* settled = book.find<SettledRequest>(context_of(request).request_id());
      settled && !forgetful_) {
    if (settled->fingerprint() == prints.request) return {Outcome::kDuplicate, ""};
    return {Outcome::kRefused, "COMMON_REFUSAL_REQUEST_ID_REUSED"};
  }
  Decision decision = decide_command(registry(), type, book, request, prints.creating);
  if (const auto* no = decision.refusal()) return refused(*no->value);
  if (decision.unchanged()) {
    if (eager_) rows_.edit(row_type<SettledRequest>(), make_key(context_of(request).request_id()));
    return {Outcome::kUnchanged, ""};
  }
  commit(type, request, now, *decision.events());
  return {Outcome::kAccepted, ""};
}

void MemoryBook::apply(Rows& rows, const Occasion& occasion, std::string_view type,
                       const Message& event) const {
  const auto wrong = wrong_.find(type);
  if (wrong == wrong_.end()) return apply_event(registry(), rows, occasion, type, event);
  const auto* registered = registry().find_event(type);
  Occasion own = occasion;
  own.context = registered->context;
  Ledger ledger(rows, own);
  wrong->second(ledger, event, registered->evolve);
}

void MemoryBook::commit(const CommandType& type, const Message& request, const Occasion& decided,
                        Events& events) {
  Commit made;
  made.first_seq = decided.seq;
  made.recorded_time_us = decided.recorded_time_us;
  made.actor = *decided.actor;
  made.request_id = context_of(request).request_id();
  made.fingerprints = fingerprinter().of(type, request);
  Occasion at = decided;
  for (const auto& emitted : events.list()) {
    at.seq = ++last_seq_;
    at.effective_day = emitted.effective_day != 0 ? emitted.effective_day : decided.effective_day;
    const std::string stored(stored_type(emitted.event->GetDescriptor()->full_name()));
    apply(rows_, at, stored, *emitted.event);
    made.events.push_back({stored, emitted.event->SerializeAsString(), at.effective_day});
  }
  apply_request(rows_, at, {made.request_id, made.fingerprints.request, made.fingerprints.creating},
                made.first_seq, last_seq_, *events.list().front().event);
  commits_.push_back(std::move(made));
}

std::map<std::string, std::string> MemoryBook::replayed() const {
  MemoryRows rows;
  for (const auto& made : commits_) {
    Occasion at = occasion();
    at.recorded_time_us = made.recorded_time_us;
    at.actor = &made.actor;
    at.seq = made.first_seq - 1;
    std::unique_ptr<Message> first;
    for (const auto& stored : made.events) {
      std::unique_ptr<Message> event(registry().find_event(stored.type)->prototype->New());
      event->ParseFromString(stored.bytes);
      ++at.seq;
      at.effective_day = stored.effective_day;
      apply(rows, at, stored.type, *event);
      if (!first) first = std::move(event);
    }
    apply_request(rows, at,
                  {made.request_id, made.fingerprints.request, made.fingerprints.creating},
                  made.first_seq, at.seq, *first);
  }
  return rows.dump();
}

}  // namespace taizhang::test
