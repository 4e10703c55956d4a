// The last values of a subject's figures and states.
#include "projections/history/values.h"

#include <algorithm>

#include "platform/projection/subjects.h"

namespace taizhang::history {
namespace {

using state::v1::SubjectValues;
using Values = google::protobuf::RepeatedPtrField<SubjectValues::Value>;

// Of the first one whose path is not below this.
int place_of(const Values& values, const std::string& path) {
  const auto found =
      std::lower_bound(values.begin(), values.end(), path,
                       [](const auto& value, const auto& wanted) { return value.path() < wanted; });
  return static_cast<int>(found - values.begin());
}

SubjectValues::Value& add_at(Values& values, int place, const std::string& path) {
  values.Add()->set_path(path);
  std::rotate(values.pointer_begin() + place, values.pointer_end() - 1, values.pointer_end());
  return values[place];
}

void set(SubjectValues::Value& value, const std::string& text, int64_t seq, bool withheld,
         Changes& changes) {
  auto& change = *changes.Add();
  change.set_path(value.path());
  change.set_before(value.text());
  change.set_before_seq(value.seq());
  change.set_after(text);
  change.set_withheld(withheld);
  value.set_text(text);
  value.set_seq(seq);
}

// The field is not there: nor is anything below it.
void empty(Values& values, const std::string& path, int64_t seq, Changes& changes) {
  const std::string below = path + ".";
  for (int i = place_of(values, path); i < values.size(); ++i) {
    // '.' sorts before every other character of a path: what is below follows at once.
    if (values[i].path() != path && !values[i].path().starts_with(below)) break;
    if (!values[i].text().empty()) set(values[i], {}, seq, false, changes);
  }
}

}  // namespace

void take(SubjectValues& subject, const std::vector<Leaf>& leaves, const std::string& prefix,
          int64_t seq, Changes& changes) {
  const std::string reference = subject_kind_name(subject.kind()) + " " + subject.id();
  auto& values = *subject.mutable_values();
  for (const auto& leaf : leaves) {
    if (leaf.text == subject.id() || leaf.text == reference) continue;  // that it is itself
    const std::string path = prefix + leaf.path;
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
