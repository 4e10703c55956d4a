// What callers send and hear, and the judge.
#include "tests/simulation/callers.h"

#include <algorithm>
#include <cstdlib>

#include "domain/dates.h"
#include "platform/command/commit.h"
#include "platform/journal/fold.h"
#include "services/contexts.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::test {

using google::protobuf::Message;
using journal::testing::ManualClock;
using journal::testing::SeededRandom;
using ledger::v1::GetOutcomeResponse;

namespace {

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int64_t kZoneUs = int64_t{8} * 3'600 * 1'000'000;
// The second is no county of the book's regions: almost everything is refused there.
constexpr const char* kLedgers[] = {"990101", "510102"};

const common::v1::RequestContext& context_of(const Message& request) {
  return static_cast<const common::v1::RequestContext&>(
      request.GetReflection()->GetMessage(request, request.GetDescriptor()->FindFieldByNumber(1)));
}

const common::v1::Receipt& receipt_of(const Message& response) {
  return static_cast<const common::v1::Receipt&>(response.GetReflection()->GetMessage(
      response, response.GetDescriptor()->FindFieldByName("receipt")));
}

std::string judge_calls(const std::vector<Call>& calls, const Book& book) {
  if (!book.wrong.empty()) return book.wrong;
  std::map<std::pair<std::string, std::string>, std::vector<const Call*>> by_request;
  for (const auto& call : calls) by_request[{call.ledger, call.request_id}].push_back(&call);
  const auto commits_of = [&](const std::string& ledger) -> const auto& {
    static const std::map<std::string, Standing> none;
    const auto found = book.commits.find(ledger);
    return found == book.commits.end() ? none : found->second;
  };

  for (const auto& [ledger, commits] : book.commits) {
    if (ledger == "000000") continue;  // what the platform writes of a ledger's place
    for (const auto& [request_id, standing] : commits) {
      const auto& said = by_request[{ledger, request_id}];
      const bool explained =
          std::any_of(said.begin(), said.end(), [&, &own = standing](const Call* call) {
            return call->asked.request && call->fingerprint == own.fingerprint &&
                   (call->told == Call::Told::kAcknowledged || call->told == Call::Told::kUnknown ||
                    call->told == Call::Told::kNothing);
          });
      if (!explained) return "request " + request_id + " was refused or never sent, and is there";
    }
  }
  for (const auto& call : calls) {
    const auto& commits = commits_of(call.ledger);
    const auto found = commits.find(call.request_id);
    const bool there = found != commits.end();
    const bool in_place = there && found->second.first_seq == call.first_seq &&
                          found->second.last_seq == call.last_seq;
    const std::string name = "request " + call.request_id + " ";
    switch (call.told) {
      case Call::Told::kAcknowledged:
        if (!there) return name + "was acknowledged and is lost";
        if (!in_place) return name + "stands elsewhere than its receipt says";
        if (found->second.fingerprint != call.fingerprint) return name + "has another body";
        break;
      case Call::Told::kUnchanged:
        if (std::none_of(commits.begin(), commits.end(), [&](const auto& commit) {
              return commit.second.first_seq == call.first_seq &&
                     commit.second.last_seq == call.last_seq;
            })) {
          return name + "was answered unchanged by a commit that is not there";
        }
        break;
      case Call::Told::kNone:
        if (call.reason == "REQUEST_ID_REUSED" && !there)
          return name + "is said to be taken and is not there";
        if (call.reason == "REQUEST_CANCELLED" && there)
          return name + "is said to be cancelled and is there";
        break;
      case Call::Told::kCommitted:
        if (!in_place) return name + "was told committed elsewhere";
        break;
      case Call::Told::kCancelled: {
        const auto settled = book.cancelled.find(call.ledger);
        if (there || settled == book.cancelled.end() || !settled->second.contains(call.request_id))
          return name + "was told cancelled and is not";
        break;
      }
      case Call::Told::kAbsent: {
        const auto& said = by_request[{call.ledger, call.request_id}];
        if (there && std::none_of(said.begin(), said.end(), [&](const Call* other) {
              return other->asked.request && (other->ended == 0 || other->ended > call.begun);
            })) {
          return name + "was told absent and is there";
        }
        break;
      }
      default: break;
    }
  }
  // Of two acknowledged calls, one answered before the other was sent stands first.
  std::map<std::string, int64_t> highest;
  std::multimap<int64_t, const Call*> events;
  for (const auto& call : calls) {
    if (call.told != Call::Told::kAcknowledged || call.duplicate) continue;
    events.emplace(call.begun * 2 + 1, &call);
    events.emplace(call.ended * 2, &call);
  }
  for (const auto& [at, call] : events) {
    if (at == call->ended * 2 && call->ended != call->begun) {
      highest[call->ledger] = std::max(highest[call->ledger], call->last_seq);
    } else if (at == call->begun * 2 + 1 && call->first_seq <= highest[call->ledger]) {
      return "request " + call->request_id + " stands before one that was answered earlier";
    }
  }
  return "";
}

}  // namespace

uint64_t seeds(uint64_t in_ci) {
  const char* given = getenv("TAIZHANG_SEEDS");
  return given ? strtoull(given, nullptr, 10) : in_ci;
}

const Registry& registry() {
  static const Registry* made = [] {
    auto* fresh = new Registry;
    register_contexts(*fresh);
    return fresh;
  }();
  return *made;
}

const CommandCatalogue& catalogue() {
  static const auto* made = new CommandCatalogue(registry());
  return *made;
}

const Fingerprinter& fingerprinter() {
  static const Fingerprinter made{std::string(32, 'k'), "k1"};
  return made;
}

const BlindIndex& blind_index() {
  static const BlindIndex made = [](std::string_view number) {
    return blind_index_of("blind", number);
  };
  return made;
}

void Book::add(const journal::v1::Commit& commit) {
  auto& next = next_seq.try_emplace(commit.ledger(), 1).first->second;
  if (commit.first_seq() != next)
    wrong = "gap in " + commit.ledger() + " before " + std::to_string(commit.first_seq());
  next = commit.first_seq() + commit.events_size();
  for (const auto& request : commit.requests()) {
    const Standing standing{commit.first_seq(), next - 1, request.fingerprint()};
    if (!commits[commit.ledger()].emplace(uuid_text(request.request_id()), standing).second) {
      wrong = "request " + uuid_text(request.request_id()) + " took effect twice";
    }
  }
}

absl::StatusOr<Book> read_book(journal::Log& log) {
  journal::Fold fold(0);
  Book book;
  const auto cursor = log.read(0);
  while (true) {
    const auto record = cursor->next();
    if (!record.ok()) return record.status();
    if (!*record) return book;
    const auto folded = fold.apply((*record)->offset, (*record)->bytes);
    if (!folded.ok()) return folded.status();
    if (folded->commit) book.add(*folded->commit);
    if (folded->request_settled) {
      book.cancelled[folded->request_settled->ledger()].insert(
          uuid_text(folded->request_settled->request_id()));
    }
  }
}

Callers::Callers(uint64_t seed, SeededRandom& random, ManualClock& clock)
    : random_(random), clock_(clock) {
  for (const auto* ledger : kLedgers) books_.emplace(ledger, RandomBook(seed, ledger));
}

std::string Callers::judge(const Book& book) const {
  return answered_twice_ ? "a call was answered twice" : judge_calls(calls_, book);
}

void Callers::end(const Target& target) {
  if (target.alive) *target.alive = false;
  for (auto& call : calls_) {
    if (call.ended == 0 && call.process == target.alive) call.ended = now_;
  }
}

void Callers::send_new(const Target& target) {
  auto& book = books_.at(kLedgers[random_.one_in(8) ? 1 : 0]);
  const int64_t days = (clock_.wall_us() + kZoneUs) / kDayUs;
  send(target, book.next(target.state->ledger(book.ledger()), add_days(19700101, static_cast<int32_t>(days))));
}

void Callers::send_again(const Target& target) {
  std::vector<size_t> unsure;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const bool nobody_knows =
        calls_[i].told == Call::Told::kNothing || calls_[i].told == Call::Told::kUnknown;
    if (calls_[i].asked.request && nobody_knows) unsure.push_back(i);
  }
  if (calls_.empty()) return;
  const size_t which = unsure.empty() || random_.one_in(3) ? random_.below(calls_.size())
                                                           : unsure[random_.below(unsure.size())];
  if (calls_[which].asked.request) send(target, calls_[which].asked);
}

size_t Callers::new_call(const Target& target, std::string ledger, std::string request_id) {
  Call call;
  call.ledger = std::move(ledger);
  call.request_id = std::move(request_id);
  call.begun = now_;
  call.process = target.alive;
  calls_.push_back(std::move(call));
  return calls_.size() - 1;
}

void Callers::send(const Target& target, RandomBook::Asked asked) {  // a copy: calls_ grows
  const auto& message = *asked.request;
  const auto& type = *catalogue().by_request(message.GetDescriptor()->full_name());
  const auto& reflection = *message.GetReflection();
  const size_t index =
      new_call(target, reflection.GetString(message, message.GetDescriptor()->FindFieldByNumber(2)),
               context_of(message).request_id());
  calls_[index].asked = asked;
  calls_[index].fingerprint = fingerprinter().of(type, message).request;
  unary(target, *type.descriptor, asked.caller, asked.request, index);
}

void Callers::ask_outcome(const Target& target) {
  if (calls_.empty()) return;
  const Call about = calls_[random_.below(calls_.size())];
  auto question = std::make_shared<ledger::v1::GetOutcomeRequest>();
  question->set_ledger(about.ledger);
  question->set_request_id(about.request_id);
  question->set_settle(random_.one_in(2));
  const size_t index = new_call(target, about.ledger, about.request_id);
  const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      "taizhang.ledger.v1.LedgerService.GetOutcome");
  unary(target, *method, &RandomBook::caller("maker"), std::move(question), index);
}

void Callers::unary(const Target& target, const google::protobuf::MethodDescriptor& method,
                    const Caller* caller, std::shared_ptr<const Message> request, size_t index) {
  taizhang::Call transport;
  transport.caller = caller;
  transport.deadline_boot_us =
      clock_.boot_us() + static_cast<int64_t>(200'000 + random_.below(10'000'000));
  transport.bulk = random_.one_in(4);
  target.dispatcher->unary(method, transport, std::move(request),
                           [this, index, alive = target.alive](Answer answer) {
                             if (*alive) hear(calls_[index], answer);
                           });
}

void Callers::hear(Call& call, const Answer& answer) {
  if (call.ended != 0) {
    answered_twice_ = true;
    return;
  }
  call.ended = now_;
  if (const auto* error = std::get_if<Error>(&answer)) {
    call.reason = error->reason;
    const bool lost = error->code == kUnavailable || error->code == kDataLoss;
    bool none = !lost;
    for (const auto& [key, value] : error->metadata) none |= key == "outcome" && value == "none";
    call.told = none ? Call::Told::kNone : Call::Told::kUnknown;
    return;
  }
  const auto& response = *std::get<std::unique_ptr<Message>>(answer);
  if (const auto* said = dynamic_cast<const GetOutcomeResponse*>(&response)) {
    switch (said->outcome()) {
      case GetOutcomeResponse::OUTCOME_COMMITTED: call.told = Call::Told::kCommitted; break;
      case GetOutcomeResponse::OUTCOME_ABSENT: call.told = Call::Told::kAbsent; break;
      case GetOutcomeResponse::OUTCOME_CANCELLED: call.told = Call::Told::kCancelled; break;
      default: call.told = Call::Told::kUnknown;  // pending
    }
  } else {
    const auto& receipt = receipt_of(response);
    call.told = receipt.unchanged() ? Call::Told::kUnchanged : Call::Told::kAcknowledged;
    call.duplicate = receipt.duplicate();
  }
  call.first_seq = receipt_of(response).first_seq();
  call.last_seq = receipt_of(response).last_seq();
}

}  // namespace taizhang::test
