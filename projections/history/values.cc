// The last values of a subject's figures and states.
#include "projections/history/values.h"

#include <algorithm>
#include <string_view>

#include "platform/projection/subjects.h"

namespace taizhang::history {
namespace {

using state::v1::SubjectValues;
using Values = google::protobuf::RepeatedPtrField<SubjectValues::Value>;

// Of the first one whose path is not below this.
int place_of(const Values& values, std::string_view path) {
  const auto found = std::lower_bound(
      values.begin(), values.end(), path,
      [](const auto& value, std::string_view wanted) { return value.path() < wanted; });
  return static_cast<int>(found - values.begin());
}

SubjectValues::Value& add_at(Values& values, int place, std::string_view path) {
  values.Add()->set_path(path.data(), path.size());
  std::rotate(values.pointer_begin() + place, values.pointer_end() - 1, values.pointer_end());
  return values[place];
}

void set(SubjectValues::Value& value, std::string_view text, int64_t seq, bool withheld,
         Changes& changes) {
  auto& change = *changes.Add();
  change.set_path(value.path());
  if (!value.text().empty()) change.set_before(value.text());
  change.set_before_seq(value.seq());
  change.set_after(text.data(), text.size());
  change.set_withheld(withheld);
  value.set_text(text.data(), text.size());
  value.set_seq(seq);
}

// The field is not there: nor is anything below it.
void empty(Values& values, std::string_view path, int64_t seq, Changes& changes) {
  for (int i = place_of(values, path); i < values.size(); ++i) {
    const std::string_view known = values[i].path();
    // '.' sorts before every other character of a path: what is below follows at once.
    const bool is_below =
        known.size() > path.size() && known.starts_with(path) && known[path.size()] == '.';
    if (known != path && !is_below) break;
    if (!values[i].text().empty()) set(values[i], {}, seq, false, changes);
  }
}

// The subject's id, or a reference to it.
bool is_itself(std::string_view text, const SubjectValues& subject) {
  const std::string& id = subject.id();
  if (!text.ends_with(id)) return false;
  if (text.size() == id.size()) return true;
  text.remove_suffix(id.size());
  return text.ends_with(' ') &&
         text.substr(0, text.size() - 1) == subject_kind_name(subject.kind());
}

}  // namespace

void take(SubjectValues& subject, const std::vector<Leaf>& leaves, const std::string& prefix,
          int64_t seq, Changes& changes) {
  auto& values = *subject.mutable_values();
  std::string prefixed;
  for (const auto& leaf : leaves) {
    if (is_itself(leaf.text, subject)) continue;
    std::string_view path = leaf.path;
    if (!prefix.empty()) {
      prefixed = prefix;
      prefixed += leaf.path;
      path = prefixed;
    }
    if (leaf.text.empty() && !leaf.withheld) {
      empty(values, path, seq, changes);
      continue;
    }
    const int place = place_of(values, path);
    const bool known = place < values.size() && values[place].path() == path;
    if (!known && leaf.is_default) continue;
    if (known && !leaf.withheld && values[place].text() == leaf.text) continue;
    set(known ? values[place] : add_at(values, place, path), leaf.text, seq, leaf.withheld,
        changes);
  }
}

}  // namespace taizhang::history
