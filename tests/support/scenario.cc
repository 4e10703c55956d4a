// A book on the table.
#include "tests/support/scenario.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <map>

#include "domain/dates.h"
#include "domain/uuid.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang::test {
namespace {

using google::protobuf::Message;

constexpr std::string_view kNamespace = "5f6f1d5e-0000-5000-8000-000000000001";
constexpr int64_t kDayUs = 86'400'000'000;
constexpr int64_t kNoonInShanghaiUs = 4 * 3'600'000'000;

bool is_command(const Message& message) {
  const auto* first = message.GetDescriptor()->FindFieldByNumber(1);
  return first && first->message_type() == common::v1::RequestContext::descriptor();
}

BlindIndex blind_index() {
  return [](std::string_view number) { return citizen_index(number); };
}

}  // namespace

std::string citizen_index(std::string_view normalised_number) {
  return blind_index_of("a key of the tests", normalised_number);
}

struct Scenario::World {
  Registry registry;
  std::unique_ptr<CommandCatalogue> catalogue;
  Fingerprinter fingerprinter{"a key of the tests", "test"};
  BlindIndex blind_index;
};

const Scenario::World& Scenario::world_of(const std::vector<Register>& contexts) {
  static std::map<std::vector<Register>, std::unique_ptr<World>> worlds;
  auto& world = worlds[contexts];
  if (!world) {
    world = std::make_unique<World>();
    for (const auto add : contexts) add(world->registry);
    world->catalogue = std::make_unique<CommandCatalogue>(world->registry);
    world->blind_index = test::blind_index();
  }
  return *world;
}

Scenario::Scenario(std::initializer_list<Register> contexts)
    : world_(world_of(contexts)), kind_(common::v1::LEDGER_KIND_COUNTY) {
  caller_.profile = "test";
  caller_.roles = {common::v1::ROLE_MAKER, common::v1::ROLE_CHECKER, common::v1::ROLE_OPERATOR};
  caller_.regions = {""};
  as("tester");
}

Scenario& Scenario::given_row(const Message& row) {
  const auto& type = RowType::of(row);
  rows_.edit(type, type.key_of(row)).CopyFrom(row);
  return *this;
}

Scenario& Scenario::on(int32_t effective_day) {
  effective_day_ = effective_day;
  return *this;
}

Scenario& Scenario::recorded_on(int32_t day) {
  today_ = day;
  return *this;
}

Scenario& Scenario::in_ledger(std::string ledger, int kind) {
  ledger_ = std::move(ledger);
  kind_ = kind;
  return *this;
}

Scenario& Scenario::named_seq(int64_t seq) {
  named_seq_ = seq;
  return *this;
}

Scenario& Scenario::as(std::string subject, std::string worker_id, std::string org_id) {
  caller_.subject = subject;
  caller_.worker_id = worker_id;
  caller_.org_id = org_id;
  actor_ = std::make_shared<common::v1::Actor>();
  actor_->set_subject(std::move(subject));
  actor_->set_worker_id(std::move(worker_id));
  actor_->set_org_id(std::move(org_id));
  return *this;
}

Scenario& Scenario::with_roles(std::initializer_list<int> roles) {
  caller_.roles = roles;
  return *this;
}

Scenario& Scenario::with_rights(std::initializer_list<std::string> rights) {
  caller_.rights = rights;
  return *this;
}

Scenario& Scenario::with_regions(std::initializer_list<std::string> regions) {
  caller_.regions = regions;
  return *this;
}

Scenario& Scenario::expecting_version(int64_t version) {
  expected_version_ = version;
  return *this;
}

Scenario& Scenario::because(std::string reason) {
  reason_ = std::move(reason);
  return *this;
}

Occasion Scenario::occasion() const {
  Occasion now;
  now.ledger = ledger_;
  now.kind = kind_;
  now.seq = seq_ + 1;
  now.named_seq = named_seq_;
  now.recorded_time_us = day_number(today_) * kDayUs + kNoonInShanghaiUs + seq_;
  now.effective_day = effective_day_;
  actor_->clear_regions();
  for (const auto& region : caller_.regions) actor_->add_regions(region);
  now.actor = actor_.get();
  now.may_self_approve = caller_.has_right("SELF_APPROVE");
  now.blind_index = &world_.blind_index;
  return now;
}

void Scenario::give(const Message& message) {
  if (!is_command(message)) {
    apply(message, effective_day_);
    return;
  }
  run(*completed(message));
  EXPECT_EQ(outcome_, Outcome::kAccepted)
      << "given " << message.GetDescriptor()->name() << ": " << outcome_text();
}

void Scenario::apply(const Message& event, int32_t effective_day) {
  Occasion now = occasion();
  now.effective_day = effective_day;
  apply_event(world_.registry, rows_, now, stored_type(event.GetDescriptor()->full_name()), event);
  seq_ = now.seq;
}

std::unique_ptr<Message> Scenario::completed(const Message& command) {
  std::unique_ptr<Message> full(command.New());
  full->CopyFrom(command);
  const auto& descriptor = *full->GetDescriptor();
  const auto& reflection = *full->GetReflection();
  const auto* ledger = descriptor.FindFieldByNumber(2);
  if (reflection.GetString(*full, ledger).empty())
    reflection.SetString(full.get(), ledger, ledger_);
  auto& context = static_cast<common::v1::RequestContext&>(
      *reflection.MutableMessage(full.get(), descriptor.FindFieldByNumber(1)));
  if (context.request_id().empty())
    context.set_request_id(uuid_v5(kNamespace, std::to_string(++requests_)));
  if (!context.has_source()) context.mutable_source()->set_kind(common::v1::Source::KIND_FORM);
  if (context.reason().empty()) context.set_reason(std::exchange(reason_, ""));
  if (context.expected_version() == 0)
    context.set_expected_version(std::exchange(expected_version_, 0));
  const auto* type = world_.catalogue->by_request(descriptor.full_name());
  if (type && type->effective == "context.effective_date" && !context.has_effective_date()) {
    *context.mutable_effective_date() = date_of(effective_day_);
  }
  return full;
}

Scenario& Scenario::when(const Message& command) { return when_exactly(*completed(command)); }

Scenario& Scenario::when_exactly(const Message& command) {
  run(command);
  return *this;
}

void Scenario::run(const Message& command) {
  outcome_ = Outcome::kNone;
  violations_ = Violations();
  rights_used_.clear();
  emitted_.clear();
  const auto* type = world_.catalogue->by_request(command.GetDescriptor()->full_name());
  ASSERT_NE(type, nullptr) << "no context of this scenario has "
                           << command.GetDescriptor()->full_name();

  check_stateless(*type, command, violations_);
  if (!violations_.empty()) {
    outcome_ = Outcome::kViolations;
    return;
  }
  auto refusal = check_authority(*type, command, caller_);
  if (!refusal) refusal = check_kind(*type, kind_);
  if (refusal) {
    refusal_ = *refusal;
    outcome_ = Outcome::kRefused;
    return;
  }
  Occasion now = occasion();
  now.effective_day = type->effective_day(command);
  now.expected_version = static_cast<const common::v1::RequestContext&>(
                             command.GetReflection()->GetMessage(
                                 command, command.GetDescriptor()->FindFieldByNumber(1)))
                             .expected_version();
  const auto prints = world_.fingerprinter.of(*type, command);
  Decision decision =
      decide_command(world_.registry, *type, Ledger(rows_, now), command, prints.creating);
  if (const auto* no = decision.refusal()) {
    refusal_ = *no;
    outcome_ = Outcome::kRefused;
  } else if (decision.unchanged()) {
    outcome_ = Outcome::kUnchanged;
  } else {
    outcome_ = Outcome::kAccepted;
    commit(*type, command, *decision.events());
    expect_unchanged_when_repeated(*type, command);
  }
}

void Scenario::commit(const CommandType& type, const Message& command, Events& events) {
  ASSERT_FALSE(events.list().empty()) << "accepted without an event: " << type.name;
  rights_used_ = events.rights_used();
  const int64_t first_seq = seq_ + 1;
  const Occasion at = occasion();
  const int32_t day = type.effective_day(command);
  for (auto& emitted : events.list()) {
    const auto& name = emitted.event->GetDescriptor()->name();
    EXPECT_TRUE(std::any_of(
        type.options->emits().begin(), type.options->emits().end(),
        [&](const std::string& said) { return said == name || said.ends_with("." + name); }))
        << type.name << " does not say that it emits " << name;
    apply(*emitted.event, emitted.effective_day != 0 ? emitted.effective_day : day);
    emitted_.push_back(std::move(emitted.event));
  }
  const auto prints = world_.fingerprinter.of(type, command);
  apply_request(rows_, at,
                {uuid_v5(kNamespace, "request " + std::to_string(first_seq)), prints.request,
                 prints.creating},
                first_seq, seq_, *emitted_.front());
}

void Scenario::expect_unchanged_when_repeated(const CommandType& type, const Message& command) {
  if (type.creates.empty()) return;
  Occasion now = occasion();
  now.effective_day = type.effective_day(command);
  const auto prints = world_.fingerprinter.of(type, command);
  Decision again =
      decide_command(world_.registry, type, Ledger(rows_, now), command, prints.creating);
  EXPECT_NE(again.unchanged(), nullptr) << "the same " << type.name << " again is not unchanged";
}

std::string Scenario::outcome_text() const {
  switch (outcome_) {
    case Outcome::kNone: return "nothing was decided";
    case Outcome::kUnchanged: return "unchanged";
    case Outcome::kAccepted: {
      std::string text = "accepted:";
      for (const auto& event : emitted_) text += " " + event->GetDescriptor()->name();
      return text;
    }
    case Outcome::kRefused:
      return "refused: " + refusal_.value->name() + " of \"" + refusal_.field + "\"";
    case Outcome::kViolations: break;
  }
  std::string text = "malformed:";
  for (const auto& found : violations_.findings()) {
    text += "\n  " + found.reason->name() + " of \"" + found.field + "\": " + found.description;
  }
  return text;
}

Scenario& Scenario::refused_as(const google::protobuf::EnumValueDescriptor& value,
                               std::string_view field) {
  bool as_said = false;
  if (outcome_ == Outcome::kRefused) {
    as_said = refusal_.value == &value && refusal_.field == field;
  } else if (outcome_ == Outcome::kViolations) {
    const auto& first = violations_.findings().front();
    as_said = first.reason == &value && first.field == field;
  }
  EXPECT_TRUE(as_said) << "expected " << value.name() << " of \"" << field << "\", was "
                       << outcome_text();
  return *this;
}

Scenario& Scenario::accepted() {
  EXPECT_EQ(outcome_, Outcome::kAccepted) << outcome_text();
  return *this;
}

Scenario& Scenario::unchanged() {
  EXPECT_EQ(outcome_, Outcome::kUnchanged) << outcome_text();
  return *this;
}

Scenario& Scenario::used_right(std::string_view right) {
  EXPECT_NE(std::find(rights_used_.begin(), rights_used_.end(), right), rights_used_.end())
      << "the right " << right << " was not used";
  return *this;
}

Scenario& Scenario::emitted_are(std::initializer_list<const Message*> expected) {
  EXPECT_EQ(emitted_.size(), expected.size()) << outcome_text();
  size_t i = 0;
  for (const auto* message : expected) {
    if (i == emitted_.size()) break;
    const auto& event = *emitted_[i++];
    if (event.GetDescriptor() != message->GetDescriptor()) {
      ADD_FAILURE() << "event " << i << " is " << event.GetDescriptor()->name() << ", not "
                    << message->GetDescriptor()->name();
      continue;
    }
    google::protobuf::util::MessageDifferencer differencer;
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(*message, event))
        << event.GetDescriptor()->name() << ": " << difference;
  }
  return *this;
}

const Message* Scenario::find_event(const google::protobuf::Descriptor& type, int n) {
  for (const auto& event : emitted_) {
    if (event->GetDescriptor() == &type && n-- == 0) return event.get();
  }
  ADD_FAILURE() << "no such event: " << type.name() << "; " << outcome_text();
  return nullptr;
}

}  // namespace taizhang::test
