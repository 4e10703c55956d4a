// A code list: versions one after the other, each in force until the next begins.
#include <google/protobuf/util/message_differencer.h>

#include <set>

#include "domain/dates.h"
#include "platform/command/registry.h"
#include "services/rules/aggregates.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::rules {
namespace {

using google::protobuf::util::MessageDifferencer;
using state::v1::Code;
using state::v1::CodeList;
using v1::CodeListPublished;
using v1::PublishCodeListRequest;

std::string entry_field(int index, std::string_view name) {
  return "entries[" + std::to_string(index) + "]." + std::string(name);
}

void validate(const PublishCodeListRequest& command, Violations& found) {
  std::set<std::string_view> codes;
  for (const auto& entry : command.entries()) codes.insert(entry.code());
  for (int i = 0; i < command.entries_size(); ++i) {
    const auto& entry = command.entries(i);
    if (entry.parent().empty()) continue;
    if (entry.parent() == entry.code() || !codes.contains(entry.parent())) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, entry_field(i, "parent"),
                "must be another code of the same list");
    }
  }
}

const CodeList::Published* find_version(const CodeList& list, const std::string& name) {
  for (const auto& version : list.versions()) {
    if (version.name() == name) return &version;
  }
  return nullptr;
}

bool says_the_same(const Ledger& ledger, const CodeList::Published& version,
                   const PublishCodeListRequest& command) {
  if (version.effective_day() != ledger.effective_day()) return false;
  if (version.from_day() != day_of(command.valid_from_date())) return false;
  if (version.standard() != command.standard() || version.entries_size() != command.entries_size())
    return false;
  for (int i = 0; i < version.entries_size(); ++i) {
    if (!MessageDifferencer::Equals(version.entries(i), command.entries(i))) return false;
  }
  return true;
}

std::optional<Refusal> check_entries(const PublishCodeListRequest& command) {
  std::set<std::string_view> codes;
  for (int i = 0; i < command.entries_size(); ++i) {
    if (!codes.insert(command.entries(i).code()).second) {
      return refuse(v1::RULES_REFUSAL_CODE_REPEATED, entry_field(i, "code"));
    }
  }
  for (int i = 0; i < command.entries_size(); ++i) {
    for (const auto& successor : command.entries(i).successors()) {
      if (!codes.contains(successor))
        return refuse(v1::RULES_REFUSAL_SUCCESSOR_UNKNOWN, entry_field(i, "successors"));
    }
  }
  return std::nullopt;
}

Decision decide(const Ledger& ledger, const PublishCodeListRequest& command) {
  const auto& list = ledger.get<CodeList>(command.list_id());
  const auto* known = find_version(list, command.version());
  if (known && says_the_same(ledger, *known, command)) {
    return Unchanged{known->seq(), known->seq(), known->recorded_time_us()};
  }
  if (auto no = version_mismatch(ledger, list.version())) return *no;
  if (known) return refuse(v1::RULES_REFUSAL_LIST_VERSION_EXISTS, "version");
  if (auto no = check_entries(command)) return *no;
  const auto& versions = list.versions();
  if (!versions.empty() && day_of(command.valid_from_date()) <= versions.rbegin()->from_day()) {
    return refuse(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
  }
  return emit(copy_inputs<CodeListPublished>(command));
}

void end_codes_of(Ledger& ledger, const std::string& list_id, const CodeList::Published& version,
                  int32_t to_day) {
  for (const auto& entry : version.entries()) {
    auto& code = ledger.edit<Code>(list_id, entry.code());
    code.mutable_validities()->rbegin()->set_to_day(to_day);
  }
}

void evolve(Ledger& ledger, const CodeListPublished& event) {
  const int32_t from_day = day_of(event.valid_from_date());
  auto& list = ledger.edit<CodeList>(event.list_id());
  if (!list.versions().empty()) {
    end_codes_of(ledger, event.list_id(), *list.versions().rbegin(), add_days(from_day, -1));
  }
  for (const auto& entry : event.entries()) {
    auto& validity = *ledger.edit<Code>(event.list_id(), entry.code()).add_validities();
    validity.set_from_day(from_day);
    validity.set_label(entry.label());
    validity.set_class_(entry.class_());
    validity.set_parent(entry.parent());
    *validity.mutable_successors() = entry.successors();
  }
  auto& version = *list.add_versions();
  version.set_name(event.version());
  version.set_from_day(from_day);
  version.set_standard(event.standard());
  *version.mutable_entries() = event.entries();
  version.set_effective_day(ledger.effective_day());
  version.set_seq(ledger.seq());
  version.set_recorded_time_us(ledger.recorded_time_us());
}

}  // namespace

void register_code_list(Registry& registry) {
  registry.command<PublishCodeListRequest>(decide)
      .validate<PublishCodeListRequest>(validate)
      .event<CodeListPublished>(evolve);
}

}  // namespace taizhang::rules
