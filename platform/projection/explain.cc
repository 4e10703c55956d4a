// Contributions from row versions.
#include "platform/projection/explain.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
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

constexpr int kFirstRowsMax = 3;

// What one version shows of the figure.
struct Shown {
  int64_t number = 0;
  std::string text;
};

// A version that shows something else than the one before.
struct Step {
  int64_t seq = 0;
  std::string key;
  Shown before;
  Shown after;
};

// Everything that is asked about, and what was found wrong while reading it.
struct Reading {
  const RowType* table = nullptr;
  Formula formula;
  std::string named;  // formula of a figure; empty: a field
  std::string key;
  bool whole_key = false;
  int64_t after_seq = 0;
  size_t steps_max = 0;
  std::optional<Error> error;
};

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
  if (reading.formula.splits_month(row)) {
    reading.error = invalid_field("read.effective_date",
                                  "rows of table " + reading.table->name +
                                      " hold whole months: name the last day of one, or ask of a "
                                      "table by days");
    return std::nullopt;
  }
  if (!reading.formula.is_number()) return Shown{0, reading.formula.text(row)};
  const auto number = reading.formula.number(row);
  if (number) return Shown{*number, std::to_string(*number)};
  reading.error = too_large("a figure of a row");
  return std::nullopt;
}

// Makes steps of versions that come row after row, of each the newest first.
class Steps {
 public:
  explicit Steps(Reading& reading) : reading_(reading) {}

  // False: enough.
  bool version(std::string_view key, const RowVersion& version, const Message& row) {
    auto now = shown(reading_, version, row);
    if (!now) return false;
    if (newer_ && key != newer_->key) finish_row();
    if (newer_) {
      newer_->before = *now;
      keep();
    }
    if (version.seq <= reading_.after_seq && reading_.whole_key) {
      newer_.reset();
      opening_ = now->number;
      return false;
    }
    newer_ = Step{version.seq, std::string(key), {}, std::move(*now)};
    if (!reading_.whole_key || steps_.size() < reading_.steps_max) return true;
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
    return !__builtin_add_overflow(sum, step.after.number, &sum) &&
           !__builtin_sub_overflow(sum, step.before.number, &sum);
  }

  const std::vector<Step>& steps() const { return steps_; }
  int64_t opening() const { return opening_; }
  bool truncated() const { return truncated_; }

 private:
  void keep() {
    const bool changed = reading_.formula.is_number()
                             ? newer_->before.number != newer_->after.number
                             : newer_->before.text != newer_->after.text;
    if (changed) steps_.push_back(std::move(*newer_));
    newer_.reset();
  }

  Reading& reading_;
  std::optional<Step> newer_;
  std::vector<Step> steps_;
  int64_t opening_ = 0;
  bool truncated_ = false;
};

void read_steps(const Snapshot& snapshot, Reading& reading, Steps& steps) {
  if (reading.whole_key) {
    snapshot.rows().history(*reading.table, reading.key, snapshot.seq(),
                            [&](const RowVersion& version, const Message& row) {
                              return steps.version(reading.key, version, row);
                            });
    steps.finish_row();
    return;
  }
  int64_t read = 0;
  snapshot.rows().versions(
      *reading.table, reading.key,
      [&](std::string_view key, const RowVersion& version, const Message& row) {
        if (++read > kExplainVersionsMax) {
          reading.error =
              invalid_field("key", "more than " + std::to_string(kExplainVersionsMax) +
                                       " row versions begin so: name more of the key fields");
          return false;
        }
        return steps.version(key, version, row);
      });
  steps.finish_row();
}

// The figure as the rows show it at that moment.
void read_total(const Snapshot& snapshot, Reading& reading, ExplainResponse& response) {
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
  if (reading.formula.is_number()) out.set_amount(step.after.number - step.before.number);
  out.set_withheld(withheld);
  if (withheld) return;
  out.set_before(step.before.text);
  out.set_after(step.after.text);
}

std::optional<Error> open(const std::string& view, const std::vector<View::Figure>& figures,
                          const ExplainRequest& request, Reading& reading) {
  reading.table = find_table(view, request.table());
  if (!reading.table) return unknown_table(view);
  const auto& row = *reading.table->prototype->GetDescriptor();
  std::string wanted = request.field();
  for (const auto& figure : figures) {
    if (figure.row == &row && figure.name == wanted) wanted = reading.named = figure.formula;
  }
  auto formula = Formula::parse(row, wanted);
  if (!formula.ok()) return invalid_field("field", std::string(formula.status().message()));
  reading.formula = std::move(*formula);
  if (request.read().has_effective_date()) {
    const auto& date = request.read().effective_date();
    const auto until =
        reading.formula.until(date.year() * 10'000 + date.month() * 100 + date.day());
    if (!until.ok()) {
      return invalid_field("read.effective_date",
                           request.field() + ": " + std::string(until.message()));
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
  reading.after_seq = request.after_seq();
  reading.steps_max = static_cast<size_t>(
      request.contributions_max() == 0 ? kContributionsDefault : request.contributions_max());
  return std::nullopt;
}

}  // namespace

Answer explain(const std::string& view, const std::vector<View::Figure>& figures,
               const Snapshot& snapshot, const ExplainRequest& request) {
  Reading reading;
  if (auto error = open(view, figures, request, reading)) return std::move(*error);
  auto response = std::make_unique<ExplainResponse>();
  Steps steps(reading);
  // First, because it is what ends when there is too much to read.
  read_steps(snapshot, reading, steps);
  if (!reading.error && !steps.settle()) reading.error = too_large("the sum");
  if (!reading.error) read_total(snapshot, reading, *response);
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

Answer list_tables(const std::string& view, const std::vector<View::Figure>& figures,
                   const Snapshot& snapshot) {
  auto response = std::make_unique<views::v1::ListTablesResponse>();
  for (const auto* table : tables_of(view)) {
    auto& out = *response->add_tables();
    const auto& row = *table->prototype->GetDescriptor();
    out.set_name(table->name);
    for (const auto* field : table->key_fields) out.add_key_fields(field->name());
    const auto add = [&](const std::string& name, bool is_number, const std::string& formula) {
      auto& field = *out.add_fields();
      field.set_name(name);
      field.set_is_number(is_number);
      field.set_formula(formula);
    };
    for (const auto& path : field_paths(row)) add(path.path, path.is_number, "");
    add(std::string(Formula::kCount), true, "");
    for (const auto& figure : figures) {
      if (figure.row == &row) add(figure.name, true, figure.formula);
    }
    snapshot.rows().scan(*table, {}, {}, [&](std::string_view key, const Message&) {
      auto& first = *out.add_first_rows();
      for (auto& part : key_text(*table, key)) first.add_parts(std::move(part));
      return out.first_rows_size() < kFirstRowsMax;
    });
  }
  return response;
}

}  // namespace taizhang::projection
