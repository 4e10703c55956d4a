// Field names of a difference, found by reflection.
#include "platform/projection/difference_text.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <memory>
#include <vector>

#include "platform/projection/row_reader.h"
#include "platform/projection/view_tables.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// More names help nobody.
constexpr size_t kFieldsToldMax = 5;

// Paths only: what stands there may be personal.
class Paths : public MessageDifferencer::Reporter {
 public:
  using Field = MessageDifferencer::SpecificField;
  void ReportAdded(const Message&, const Message&, const std::vector<Field>& path) override {
    add(path);
  }
  void ReportDeleted(const Message&, const Message&, const std::vector<Field>& path) override {
    add(path);
  }
  void ReportModified(const Message&, const Message&, const std::vector<Field>& path) override {
    add(path);
  }
  std::string text() const {
    std::string text;
    for (const auto& path : paths_) text += (text.empty() ? "" : ", ") + path;
    return more_ ? text + " and more" : text;
  }

 private:
  void add(const std::vector<Field>& path) {
    std::string words;
    for (const auto& step : path) {
      if (!step.field) continue;
      words += (words.empty() ? "" : ".") + step.field->name();
    }
    if (!paths_.empty() && paths_.back() == words) return;
    if (paths_.size() == kFieldsToldMax) {
      more_ = true;
    } else {
      paths_.push_back(std::move(words));
    }
  }
  std::vector<std::string> paths_;
  bool more_ = false;
};

// Ledger and table of a store key, and what follows them.
bool take_place(std::string_view& key, std::string& ledger, std::string& table) {
  if (key.empty()) return false;
  key.remove_prefix(1);
  return take_key_text(key, ledger) && take_key_text(key, table);
}

}  // namespace

std::string difference_place(std::string_view view, std::string_view store_key) {
  std::string_view rest = store_key;
  std::string ledger;
  std::string table;
  const std::string place = place_of(view, store_key);
  return take_place(rest, ledger, table) ? "ledger " + ledger + ", " + place : place;
}

std::string differing_fields(std::string_view view, std::string_view row_key, std::string_view one,
                             std::string_view other) {
  if (is_erased(one) != is_erased(other)) return "erased on one side";
  std::string ledger;
  std::string name;
  std::string_view key = row_key;
  const auto* table = take_place(key, ledger, name) ? find_table(view, name) : nullptr;
  if (!table) return "the bytes";
  const std::unique_ptr<Message> left(table->prototype->New());
  const std::unique_ptr<Message> right(table->prototype->New());
  if (!parse_row_value(*table, key, one, *left)) return "one side cannot be read";
  if (!parse_row_value(*table, key, other, *right)) return "one side cannot be read";
  Paths paths;
  MessageDifferencer differencer;
  differencer.ReportDifferencesTo(&paths);
  if (differencer.Compare(*left, *right)) return "the encoding only";
  return paths.text();
}

}  // namespace taizhang::projection
