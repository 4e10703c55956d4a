// What a random system ledger is asked next.
#include "tests/properties/system_commands.h"

#include <algorithm>
#include <array>

#include "domain/uuid.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"

namespace taizhang::test {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using namespace subscriptions::v1;
using subscriptions::state::v1::Parked;

namespace {

constexpr std::string_view kRequests = "11111111-0000-4000-8000-000000000000";
constexpr const char* kFollowed = "990101";
constexpr const char* kDirectory = "000000";
constexpr int kSpoiltPercent = 25;
constexpr int64_t kFewNames = 6;
constexpr int64_t kManyNames = 130;
constexpr int64_t kFewSubjects = 8;
constexpr int64_t kManySubjects = 8'000;

const FieldDescriptor* field_of(const Message& message, const char* name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

common::v1::RequestContext& context_of(Message& request) {
  return static_cast<common::v1::RequestContext&>(
      *request.GetReflection()->MutableMessage(&request, field_of(request, "context")));
}

void set_text(Message& request, const char* name, const std::string& text) {
  request.GetReflection()->SetString(&request, field_of(request, name), text);
}

void add_range(RecordProgressRequest& request, int64_t first, int64_t last) {
  auto& range = *request.add_done();
  range.set_first(first);
  range.set_last(last);
}

template <class Request>
std::unique_ptr<Request> about(const std::string& name) {
  auto made = std::make_unique<Request>();
  made->set_name(name);
  return made;
}

}  // namespace

const SystemCommands::Subscription& SystemCommands::row() const {
  const Occasion now = book_->occasion();
  return Ledger(book_->rows(), now).get<Subscription>(std::string(kFollowed), name_);
}

bool SystemCommands::there() const { return row().version() > 0; }

std::string SystemCommands::some_name() {
  if (life_ == Life::kParked || life_ == Life::kRanges || life_ == Life::kSkipped) return "s0";
  return "s" + std::to_string(below(life_ == Life::kNames ? kManyNames : kFewNames));
}

std::string SystemCommands::some_subject() {
  return "HOUSEHOLD/h" +
         std::to_string(below(life_ == Life::kParked ? kManySubjects : kFewSubjects));
}

int64_t SystemCommands::some_seq() {
  if (chance(20)) return 1 + below(end_);
  return std::min(end_, row().position() + 1 + below(40));
}

SystemCommands::MessagePtr SystemCommands::create() {
  auto made = about<CreateSubscriptionRequest>(name_);
  if (chance(30)) made->mutable_selection()->add_contexts("registry");
  if (chance(20)) made->mutable_rules()->set_attempts_max(static_cast<int32_t>(1 + below(3)));
  if (life_ == Life::kOrdinary && chance(50)) {
    made->set_from_now(true);
  } else if (life_ == Life::kOrdinary) {
    made->set_after_seq(below(end_ + 1));
  }
  return made;
}

SystemCommands::MessagePtr SystemCommands::remove() {
  auto made = about<DeleteSubscriptionRequest>(name_);
  if (chance(30)) made->mutable_context()->set_expected_version(row().version());
  return made;
}

SystemCommands::MessagePtr SystemCommands::park() {
  auto made = about<ParkSubjectRequest>(name_);
  made->set_subject(some_subject());
  // The position stands still where many are parked: the same event may have many subjects.
  made->set_seq(life_ == Life::kParked ? row().position() + 1 : some_seq());
  made->set_attempts(static_cast<int32_t>(below(6)));
  return made;
}

SystemCommands::MessagePtr SystemCommands::replay() {
  auto made = about<ReplayParkedRequest>(name_);
  made->set_subject(some_subject());
  return made;
}

SystemCommands::MessagePtr SystemCommands::skip() {
  auto made = about<SkipEventRequest>(name_);
  made->set_seq(life_ == Life::kSkipped ? row().position() + 2 + below(4'000) : some_seq());
  // What a parked subject waits at, also behind the position.
  const Occasion now = book_->occasion();
  if (chance(40)) {
    Ledger(book_->rows(), now)
        .scan<Parked>([&](const Parked& parked) { made->set_seq(parked.seq()); },
                      std::string(kFollowed), name_);
  }
  return made;
}

SystemCommands::MessagePtr SystemCommands::start() { return about<RecordProgressRequest>(name_); }

SystemCommands::MessagePtr SystemCommands::progress() {
  auto made = about<RecordProgressRequest>(name_);
  made->set_generation(row().generation());
  const bool stands = life_ == Life::kRanges || life_ == Life::kSkipped;
  // Also below what was recorded: it says nothing new.
  if (!stands) made->set_position(chance(20) ? below(end_ + 1) : some_seq());
  int64_t seq = made->position() + 2;
  if (life_ == Life::kRanges) {
    // Even ones only, which never touch each other.
    seq += 2 * below(end_ / 2);
    for (int64_t i = below(900); i > 0 && seq <= end_; --i, seq += 2 + 2 * below(4))
      add_range(*made, seq, seq);
  } else {
    for (int64_t i = below(5); i > 0 && seq + 3 <= end_; --i, seq += 2 + below(4)) {
      const int64_t first = seq;
      seq += below(4);
      add_range(*made, first, seq);
    }
  }
  const Occasion now = book_->occasion();
  Ledger(book_->rows(), now)
      .scan<Parked>(
          [&](const Parked& parked) {
            if (!parked.replaying() || !chance(60) || made->replays_size() == 10) return;
            auto& one = *made->add_replays();
            one.set_subject(parked.subject());
            // Also of an earlier parking, which ends nothing.
            one.set_parked_version(parked.changed_seq() - below(2));
            one.set_after_seq(std::min(end_, parked.after_seq() + below(10)));
            one.set_finished(chance(50));
          },
          std::string(kFollowed), name_);
  return made;
}

SystemCommands::MessagePtr SystemCommands::skip_for_view() {
  auto made = std::make_unique<admin::v1::SkipViewEventRequest>();
  made->set_view(chance(50) ? "duties" : "history");
  made->set_view_version(static_cast<int32_t>(below(3)));
  made->set_seq(1 + below(std::min<int64_t>(end_, 30)));
  return made;
}

SystemCommands::MessagePtr SystemCommands::some_command() {
  if (!there() && chance(80)) return create();
  using Make = MessagePtr (SystemCommands::*)();
  static constexpr std::array<Make, 8> kMakes = {
      &SystemCommands::create,   &SystemCommands::remove,       &SystemCommands::park,
      &SystemCommands::replay,   &SystemCommands::skip,         &SystemCommands::start,
      &SystemCommands::progress, &SystemCommands::skip_for_view};
  // In the order of kMakes, of 100.
  using Mixture = std::array<int, 8>;
  static constexpr Mixture kOrdinary = {12, 4, 20, 14, 16, 4, 25, 5};
  static constexpr Mixture kNamesMix = {78, 6, 4, 2, 2, 4, 3, 1};
  static constexpr Mixture kParkedMix = {1, 0, 88, 2, 2, 2, 4, 1};
  static constexpr Mixture kRangesMix = {1, 0, 5, 4, 10, 5, 74, 1};
  static constexpr Mixture kSkippedMix = {1, 0, 0, 2, 94, 1, 1, 1};
  static constexpr std::array<const Mixture*, 5> kMixtures = {&kOrdinary, &kNamesMix, &kParkedMix,
                                                              &kRangesMix, &kSkippedMix};
  int64_t roll = below(100);
  size_t which = 0;
  const Mixture& mixture = *kMixtures[static_cast<size_t>(life_)];
  while (roll >= mixture[which]) roll -= mixture[which++];
  return (this->*kMakes[which])();
}

void SystemCommands::complete(Message& request, const char* ledger) {
  set_text(request, "ledger", ledger);
  auto& context = context_of(request);
  context.set_request_id(uuid_v5(kRequests, std::to_string(++requests_)));
  context.mutable_effective_date()->set_year(2017);
  context.mutable_effective_date()->set_month(1);
  context.mutable_effective_date()->set_day(1);
  context.mutable_source()->set_kind(common::v1::Source::KIND_FORM);
  context.set_reason("decided by phone");
}

RandomBook::Asked SystemCommands::spoilt(MessagePtr request) {
  auto& context = context_of(*request);
  auto* created = dynamic_cast<CreateSubscriptionRequest*>(request.get());
  auto* removed = dynamic_cast<DeleteSubscriptionRequest*>(request.get());
  auto* progress = dynamic_cast<RecordProgressRequest*>(request.get());
  auto* switched = dynamic_cast<admin::v1::SwitchViewRequest*>(request.get());
  const auto* seq = field_of(*request, "seq");
  const char* caller = "operator";
  const int64_t beyond = end_ + 1 + below(3);
  switch (below(9)) {
    case 0: caller = "neighbour"; break;
    case 1: caller = "village"; break;
    case 2: context.clear_reason(); break;
    case 3: context.clear_effective_date(); break;
    case 4:
      if (field_of(*request, "name")) set_text(*request, "name", "nobody");
      if (switched) switched->set_view_version(0);
      break;
    case 5:
      if (removed) context.set_expected_version(9'999'999);
      if (progress) progress->set_generation(progress->generation() + 1);
      break;
    case 6:
      if (progress && progress->replays_size() > 0)
        progress->mutable_replays(0)->set_after_seq(beyond);
      break;
    default:
      if (seq) request->GetReflection()->SetInt64(request.get(), seq, beyond);
      if (created) created->set_after_seq(beyond);
      if (progress) progress->set_position(beyond);
      if (progress) progress->clear_done();
  }
  return {std::move(request), &RandomBook::caller(caller)};
}

RandomBook::Asked SystemCommands::next(MemoryBook& book) {
  book_ = &book;
  end_ = std::max<int64_t>(end_, life_ == Life::kOrdinary ? 30 : 6'000) + below(2);
  book.named_seq(end_);
  name_ = some_name();
  auto request = some_command();
  complete(*request, kFollowed);
  if (chance(kSpoiltPercent)) return spoilt(std::move(request));
  return {std::move(request), &RandomBook::caller("operator")};
}

RandomBook::Asked SystemCommands::next_switch() {
  auto request = std::make_unique<admin::v1::SwitchViewRequest>();
  request->set_view(chance(50) ? "duties" : "history");
  request->set_view_version(static_cast<int32_t>(1 + below(3)));
  complete(*request, kDirectory);
  if (chance(kSpoiltPercent)) return spoilt(std::move(request));
  return {std::move(request), &RandomBook::caller("operator")};
}

}  // namespace taizhang::test
