// Contributions from row versions.
#include "platform/projection/explain.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <map>
#include <optional>

#include "platform/projection/formula.h"
#include "platform/projection/row_change.h"
#include "platform/projection/subjects.h"
#include "platform/projection/view_tables.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;
using views::v1::Contribution;
using views::v1::ExplainRequest;
using views::v1::ExplainResponse;

constexpr int64_t kRetryMs = 1'000;

// What one version shows of the figure.
struct Shown {
  int64_t number = 0;
  int64_t of_split_month = 0;  // of the number
  std::string text;
};

// A version that shows something else than the one before.
struct Step {
  int64_t seq = 0;
  std::string key;
  Shown before;
  Shown after;
  int64_t amount = 0;
};

// Everything that is asked about, and what was found wrong while reading it.
struct Reading {
  const RowType* table = nullptr;
  Formula formula;
  std::string asked;  // the field, as it was asked
  std::string named;  // formula of a figure; empty: a field
  std::string key;
  bool whole_key = false;
  bool splits_month = false;  // the day is asked of figures of whole months
  int64_t after_seq = 0;
  size_t steps_max = 0;
  std::optional<Error> error;
};

constexpr char kEffectiveDate[] = "read.effective_date";

Error too_large(const std::string& field) {
  return failure(kOutOfRange, "SUM_OUT_OF_RANGE", field + " does not fit into 64 bits");
}

Error unknown_table(const std::string& view) {
  std::string known;
  for (const auto* table : tables_of(view)) known += (known.empty() ? "" : ", ") + table->name;
  return invalid_field("table", "the tables of view " + view + " are " + known);
}

std::optional<Shown> shown(Reading& reading, const RowVersion& version, const Message& row) {
  if (version.erased) return Shown();
  if (!reading.formula.is_number()) {
    if (!reading.splits_month || !reading.formula.splits_month(row))
      return Shown{0, 0, reading.formula.text(row)};
    reading.error =
        invalid_field(kEffectiveDate, reading.asked + ": rows of table " + reading.table->name +
                                          " hold whole months: name the last day of one, a number "
                                          "inside them, or a table by days");
    return std::nullopt;
  }
  const auto number = reading.formula.number(row);
  const auto of_split_month =
      reading.splits_month ? reading.formula.of_split_month(row) : std::optional<int64_t>(0);
  if (number && of_split_month) return Shown{*number, *of_split_month, std::to_string(*number)};
  reading.error = too_large("a figure of a row");
  return std::nullopt;
}

// Makes steps of versions that come row after row, of each the newest first.
class Steps {
 public:
  Steps(const Snapshot& snapshot, Reading& reading)
      : snapshot_(snapshot),
        reading_(reading),
        ends_early_(reading.whole_key && !reading.splits_month) {}

  // False: enough.
  bool version(std::string_view key, const RowVersion& version, const Message& row) {
    auto now = shown(reading_, version, row);
    if (!now) return false;
    if (newer_ && key != newer_->key) finish_row();
    if (newer_) {
      newer_->before = *now;
      keep();
      if (reading_.error) return false;
    }
    if (version.seq <= reading_.after_seq && ends_early_) {
      newer_.reset();
      opening_ = now->number;
      return false;
    }
    newer_ = Step{version.seq, std::string(key), {}, std::move(*now)};
    if (!ends_early_ || steps_.size() < reading_.steps_max) return true;
    opening_ = newer_->after.number;
    newer_.reset();
    truncated_ = true;
    return false;
  }
  // The version before the oldest one is no row.
  void finish_row() {
    if (newer_) keep();
    newer_.reset();
  }

  // In the order of the events, the newest ones; the others go into the opening. False: over int64.
  bool settle() {
    std::sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) {
      return a.seq != b.seq ? a.seq < b.seq : a.key < b.key;
    });
    if (reading_.splits_month && reading_.formula.is_number() && !tell_running_sums()) return false;
    auto first = std::partition_point(steps_.begin(), steps_.end(), [&](const Step& step) {
      return step.seq <= reading_.after_seq;
    });
    if (steps_.end() - first > static_cast<ptrdiff_t>(reading_.steps_max)) {
      first = steps_.end() - static_cast<ptrdiff_t>(reading_.steps_max);
      truncated_ = true;
    }
    bool fits = true;
    for (auto step = steps_.begin(); step != first; ++step) fits = fits && add(*step, opening_);
    steps_.erase(steps_.begin(), first);
    return fits;
  }

  static bool add(const Step& step, int64_t& sum) {
    return !__builtin_add_overflow(sum, step.amount, &sum);
  }

  const std::vector<Step>& steps() const { return steps_; }
  int64_t opening() const { return opening_; }
  // Of what the rows hold: of the month of the day, and later than the day.
  int64_t later() const { return later_; }
  bool truncated() const { return truncated_; }

 private:
  void keep() {
    Step& step = *newer_;
    bool changed = step.before.text != step.after.text;
    if (reading_.formula.is_number()) {
      const bool fits =
          !__builtin_sub_overflow(step.after.number, step.before.number, &step.amount) &&
          leave_out_later(step);
      if (!fits && !reading_.error) reading_.error = too_large("what an event added");
      changed = step.amount != 0;
    }
    if (changed && !reading_.error) steps_.push_back(std::move(step));
    newer_.reset();
  }

  // What an event made of the month in which the day lies is until the day when the event is.
  // False: an error, or over int64.
  bool leave_out_later(Step& step) {
    int64_t of_month = 0;
    if (__builtin_sub_overflow(step.after.of_split_month, step.before.of_split_month, &of_month))
      return false;
    if (of_month == 0) return true;
    const int32_t day = reading_.formula.day();
    int32_t effective_day = 0;
    snapshot_.event(step.seq, [&](const EventMeta& meta) { effective_day = meta.effective_day; });
    if (effective_day == 0) {
      reading_.error = failure(kUnavailable, "EVENT_NOT_KNOWN",
                               "event " + event_id(snapshot_.ledger(), step.seq) +
                                   " cannot be read now, and its effective date is needed",
                               {{"ledger", snapshot_.ledger()}}, kRetryMs);
    } else if (effective_day / 100 != day / 100) {
      reading_.error = invalid_field(
          kEffectiveDate, reading_.asked + ": event " + event_id(snapshot_.ledger(), step.seq) +
                              " changed what stands in that month and is effective in another: "
                              "name the last day of a month, or a table by days");
    } else if (effective_day > day) {
      return !__builtin_sub_overflow(step.amount, of_month, &step.amount) &&
             !__builtin_add_overflow(later_, of_month, &later_);
    }
    return !reading_.error;
  }

  // The figure of each row as the steps that count make it.
  bool tell_running_sums() {
    std::map<std::string_view, int64_t> sums;
    for (Step& step : steps_) {
      int64_t& sum = sums[step.key];
      step.before.text = std::to_string(sum);
      if (!add(step, sum)) return false;
      step.after.text = std::to_string(sum);
    }
    return true;
  }

  const Snapshot& snapshot_;
  Reading& reading_;
  const bool ends_early_;
  int64_t later_ = 0;
  std::optional<Step> newer_;
  std::vector<Step> steps_;
  int64_t opening_ = 0;
  bool truncated_ = false;
};

void read_steps(const Snapshot& snapshot, Reading& reading, Steps& steps) {
  // A row alone is read until enough is told, unless each of its versions counts.
  const bool bounded = !reading.whole_key || reading.splits_month;
  int64_t read = 0;
  const auto version = [&](std::string_view key, const RowVersion& one, const Message& row) {
    if (bounded && ++read > kExplainVersionsMax) {
      const std::string many = "more than " + std::to_string(kExplainVersionsMax) + " row versions";
      reading.error = reading.whole_key
                          ? invalid_field(kEffectiveDate, many + ": name the last day of a month")
                          : invalid_field("key", many + " begin so: name more of the key fields");
      return false;
    }
    return steps.version(key, one, row);
  };
  if (reading.whole_key) {
    snapshot.rows().history(
        *reading.table, reading.key, snapshot.seq(),
        [&](const RowVersion& one, const Message& row) { return version(reading.key, one, row); });
  } else {
    snapshot.rows().versions(*reading.table, reading.key, version);
  }
  if (!reading.error) steps.finish_row();
}

// The figure as the rows show it at that moment; `later` of it is left out.
void read_total(const Snapshot& snapshot, Reading& reading, int64_t later,
                ExplainResponse& response) {
  int64_t total = 0;
  int64_t rows = 0;
  std::string text;
  const auto add = [&](const Message& row) {
    const auto now = shown(reading, {}, row);
    if (!now) return false;
    ++rows;
    if (__builtin_add_overflow(total, now->number, &total)) {
      reading.error = too_large("the sum");
      return false;
    }
    text = now->text;
    return true;
  };
  if (reading.whole_key) {
    const std::unique_ptr<Message> row(reading.table->prototype->New());
    if (snapshot.rows().read(*reading.table, reading.key, *row)) add(*row);
  } else {
    snapshot.rows().scan(*reading.table, reading.key, {},
                         [&](std::string_view, const Message& row) { return add(row); });
  }
  if (__builtin_sub_overflow(total, later, &total)) reading.error = too_large("the sum");
  response.set_rows(rows);
  if (reading.formula.is_number()) {
    response.set_total(total);
  } else {
    response.set_text(std::move(text));
  }
}

void tell(const Snapshot& snapshot, const Reading& reading, const Step& step, bool withheld,
          Contribution& out) {
  *out.mutable_change() = row_change(snapshot.ledger(), step.seq, [&](const auto& visit) {
    return snapshot.event(step.seq, visit);
  });
  snapshot.event(step.seq, [&](const EventMeta& meta) {
    if (meta.event) {
      for (auto& id : document_ids(*meta.event)) out.add_document_ids(std::move(id));
    }
    const std::string& source = meta.source->document().document_id();
    const auto& told = out.document_ids();
    if (!source.empty() && std::find(told.begin(), told.end(), source) == told.end())
      out.add_document_ids(source);
  });
  for (auto& part : key_text(*reading.table, step.key)) *out.mutable_row()->add_parts() = part;
  if (reading.formula.is_number()) out.set_amount(step.amount);
  out.set_withheld(withheld);
  if (withheld) return;
  out.set_before(step.before.text);
  out.set_after(step.after.text);
}

std::optional<Error> open(const std::string& view, const std::vector<View::Figure>& figures,
                          const Snapshot& snapshot, const ExplainRequest& request,
                          Reading& reading) {
  reading.table = find_table(view, request.table());
  if (!reading.table) return unknown_table(view);
  const auto& row = *reading.table->prototype->GetDescriptor();
  std::string wanted = reading.asked = request.field();
  for (const auto& figure : figures) {
    if (figure.row == &row && figure.name == wanted) wanted = reading.named = figure.formula;
  }
  auto formula = Formula::parse(row, wanted);
  if (!formula.ok()) return invalid_field("field", std::string(formula.status().message()));
  reading.formula = std::move(*formula);
  if (request.read().has_effective_date()) {
    const auto& date = request.read().effective_date();
    const auto dated = reading.formula.on(date.year() * 10'000 + date.month() * 100 + date.day());
    if (!dated.ok()) {
      return invalid_field(kEffectiveDate,
                           "table " + reading.table->name + ", " + std::string(dated.message()));
    }
  }
  auto key = key_of_text(*reading.table, {request.key().begin(), request.key().end()});
  if (!key.ok()) return invalid_field("key", std::string(key.status().message()));
  reading.key = std::move(*key);
  reading.whole_key = request.key_size() == static_cast<int>(reading.table->key_fields.size());
  if (!reading.whole_key && !reading.formula.is_number()) {
    return invalid_field("field",
                         "it is no number, so it has no sum: name one row by all of its "
                         "key fields");
  }
  const std::unique_ptr<Message> newest(reading.table->prototype->New());
  if (reading.whole_key) snapshot.rows().read(*reading.table, reading.key, *newest);
  reading.splits_month = reading.formula.may_split_month(*newest);
  reading.after_seq = request.after_seq();
  reading.steps_max = static_cast<size_t>(
      request.contributions_max() == 0 ? kContributionsDefault : request.contributions_max());
  return std::nullopt;
}

}  // namespace

Answer explain(const std::string& view, const std::vector<View::Figure>& figures,
               const Snapshot& snapshot, const ExplainRequest& request) {
  Reading reading;
  if (auto error = open(view, figures, snapshot, request, reading)) return std::move(*error);
  auto response = std::make_unique<ExplainResponse>();
  Steps steps(snapshot, reading);
  // First, because it is what ends when there is too much to read.
  read_steps(snapshot, reading, steps);
  if (!reading.error && !steps.settle()) reading.error = too_large("the sum");
  if (!reading.error) read_total(snapshot, reading, steps.later(), *response);
  if (reading.error) return std::move(*reading.error);

  int64_t sum = steps.opening();
  const bool withheld = reading.formula.is_personal() && !snapshot.may_see_personal();
  for (const auto& step : steps.steps()) {
    if (!Steps::add(step, sum)) return too_large("the sum");
    tell(snapshot, reading, step, withheld, *response->add_contributions());
  }
  if (reading.formula.is_number() && sum != response->total()) {
    return failure(kDataLoss, "EXPLANATION_DIFFERS",
                   "the versions of the rows add up to " + std::to_string(sum) +
                       ", the rows hold " + std::to_string(response->total()) +
                       "; verify the view, or build it anew",
                   {{"view", view}, {"ledger", snapshot.ledger()}});
  }
  response->set_is_number(reading.formula.is_number());
  response->set_opening(steps.opening());
  if (reading.formula.is_fen()) response->set_unit("fen");
  response->set_withheld(withheld);
  if (withheld) response->clear_text();
  response->set_truncated(steps.truncated());
  response->set_formula(reading.named);
  return response;
}

}  // namespace taizhang::projection
