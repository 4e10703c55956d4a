// As-of reads over versioned keys.
#include "platform/projection/row_reader.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>

#include "platform/projection/wire.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;

constexpr char kErased = '\0';
constexpr char kPresent = '\1';
// Above every version of a row, below the next row.
constexpr std::string_view kBehindVersions = "\xff\xff\xff\xff\xff\xff\xff\xff\xff";

std::string behind_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// The field of a stored value; 0: it does not say, or is erased; null: damaged. Fields stand in
// the order of their numbers, so what lies behind is not looked at.
std::optional<int64_t> number_in(std::string_view value, int number) {
  if (is_erased(value)) return 0;
  if (value.empty() || value[0] != kPresent) return std::nullopt;
  int64_t found = 0;
  bool behind = false;
  const bool whole = walk_fields(
      value.substr(1),
      [&](int at, std::string_view) {
        behind = at > number;
        return !behind;
      },
      [&](int at, uint64_t bits) {
        if (at == number) found = static_cast<int64_t>(bits);
      });
  if (!whole && !behind) return std::nullopt;
  return found;
}

}  // namespace

std::string_view erased_value() { return {&kErased, 1}; }

std::string_view present_value() { return {&kPresent, 1}; }

bool is_only_key(const RowType& type) {
  return type.prototype->GetDescriptor()->field_count() == static_cast<int>(type.key_fields.size());
}

void append_row_value(const RowType& type, const Message& row, std::string& out) {
  out += kPresent;
  if (is_only_key(type)) return;
  const size_t at = out.size();
  const size_t size = row.ByteSizeLong();
  out.resize(at + size);
  auto* begin = reinterpret_cast<uint8_t*>(out.data() + at);
  constexpr bool kDeterministic = true;  // the same row gives the same bytes in every fold
  google::protobuf::io::EpsCopyOutputStream stream(begin, static_cast<int>(size), kDeterministic);
  row._InternalSerialize(begin, &stream);
}

bool parse_row_value(const RowType& type, std::string_view key, std::string_view value,
                     Message& row) {
  if (value.empty() || value[0] != kPresent) return false;
  if (is_only_key(type)) {
    type.fill_key(row, key);
    return true;
  }
  value.remove_prefix(1);
  return row.ParseFromArray(value.data(), static_cast<int>(value.size()));
}

RowReader::RowReader(std::shared_ptr<const Store> store, std::string ledger, int64_t seq)
    : store_(std::move(store)), ledger_(std::move(ledger)), seq_(seq) {}

bool RowReader::at_row(const StoreCursor& cursor) {
  if (cursor.valid()) return true;
  if (status_.ok()) status_ = cursor.status();
  return false;
}

bool RowReader::parse(const RowType& type, std::string_view key, std::string_view value,
                      Message& row) {
  if (parse_row_value(type, key, value, row)) return true;
  damaged_row(type);
  return false;
}

void RowReader::damaged_row(const RowType& type) {
  status_ = absl::DataLossError("a row of table " + type.name + " cannot be read");
}

bool RowReader::stand_on(std::string_view row_key) {
  if (!versions_) versions_ = store_->cursor(CursorKind::kVersions);
  std::string target(row_key);
  store_key::append_version(target, seq_);
  if (target != sought_) {
    sought_ = std::move(target);
    versions_->seek(sought_);
  }
  return on_version_of(*versions_, row_key);
}

bool RowReader::on_version_of(const StoreCursor& cursor, std::string_view row_key) {
  return at_row(cursor) && store_key::without_version(cursor.key()) == row_key;
}

std::optional<std::string_view> RowReader::value_of(std::string_view row_key) {
  if (!stand_on(row_key) || is_erased(versions_->value())) return std::nullopt;
  return versions_->value();
}

bool RowReader::read(const RowType& type, std::string_view key, Message& row) {
  const auto value = value_of(store_key::row(ledger_, type.prefix, key));
  return value && parse(type, key, *value, row);
}

void RowReader::scan(const RowType& type, std::string_view prefix, std::string_view after,
                     const VisitRow& visit) {
  const size_t head = store_key::row(ledger_, type.prefix, {}).size();
  const std::string within = store_key::row(ledger_, type.prefix, prefix);
  std::string from = within;
  if (!after.empty())
    from =
        std::max(from, store_key::row(ledger_, type.prefix, after) + std::string(kBehindVersions));
  const auto cursor = store_->cursor(CursorKind::kOrder);
  const std::unique_ptr<Message> row(type.prototype->New());
  std::string row_key;
  std::string target;
  cursor->seek(from);
  while (at_row(*cursor) && cursor->key().starts_with(within)) {
    row_key = store_key::without_version(cursor->key());
    if (store_key::version_of(cursor->key()) > seq_) {
      target = row_key;
      store_key::append_version(target, seq_);
      cursor->seek(target);
      if (!at_row(*cursor)) return;
      if (store_key::without_version(cursor->key()) != row_key)
        continue;  // did not exist at that moment
    }
    if (!is_erased(cursor->value())) {
      const auto key = std::string_view(row_key).substr(head);
      row->Clear();
      if (!parse(type, key, cursor->value(), *row) || !visit(key, *row)) return;
    }
    cursor->next();
    if (cursor->valid() && store_key::without_version(cursor->key()) == row_key) {
      cursor->seek(row_key + std::string(kBehindVersions));
    }
  }
}

void RowReader::scan_back(const RowType& type, std::string_view prefix, std::string_view before,
                          const VisitRow& visit) {
  const size_t head = store_key::row(ledger_, type.prefix, {}).size();
  const std::string within = store_key::row(ledger_, type.prefix, prefix);
  std::string until = behind_prefix(within);
  if (!before.empty()) until = std::min(until, store_key::row(ledger_, type.prefix, before));
  const auto cursor = store_->cursor(CursorKind::kOrder);
  const std::unique_ptr<Message> row(type.prototype->New());
  std::string row_key;
  cursor->seek_for_prev(until);
  while (at_row(*cursor) && cursor->key().starts_with(within)) {
    row_key = store_key::without_version(cursor->key());
    if (const auto value = value_of(row_key)) {
      const auto key = std::string_view(row_key).substr(head);
      row->Clear();
      if (!parse(type, key, *value, *row) || !visit(key, *row)) return;
    }
    if (!status_.ok()) return;
    cursor->seek_for_prev(row_key);
  }
}

void RowReader::history(const RowType& type, std::string_view key, int64_t from_seq,
                        const VisitVersion& visit) {
  const std::string row_key = store_key::row(ledger_, type.prefix, key);
  const auto cursor = store_->cursor(CursorKind::kVersions);
  const std::unique_ptr<Message> row(type.prototype->New());
  std::string target = row_key;
  store_key::append_version(target, std::min(from_seq, seq_));
  for (cursor->seek(target); on_version_of(*cursor, row_key); cursor->next()) {
    RowVersion version;
    if (!parse_version(type, key, *cursor, version, *row) || !visit(version, *row)) return;
  }
}

void RowReader::number_history(const RowType& type, std::string_view key, int number,
                               const VisitNumber& visit) {
  const std::string row_key = store_key::row(ledger_, type.prefix, key);
  bool there = stand_on(row_key);
  for (; there; there = on_version_of(*versions_, row_key)) {
    const auto value = number_in(versions_->value(), number);
    if (!value) return damaged_row(type);
    if (!visit(store_key::version_of(versions_->key()), *value)) return;
    sought_.clear();
    versions_->next();
  }
}

bool RowReader::parse_version(const RowType& type, std::string_view key, const StoreCursor& cursor,
                              RowVersion& version, Message& row) {
  version = {store_key::version_of(cursor.key()), is_erased(cursor.value())};
  row.Clear();
  if (!version.erased) return parse(type, key, cursor.value(), row);
  type.fill_key(row, key);
  return true;
}

void RowReader::versions(const RowType& type, std::string_view prefix,
                         const VisitRowVersion& visit) {
  const size_t head = store_key::row(ledger_, type.prefix, {}).size();
  const std::string within = store_key::row(ledger_, type.prefix, prefix);
  const auto cursor = store_->cursor(CursorKind::kOrder);
  const std::unique_ptr<Message> row(type.prototype->New());
  for (cursor->seek(within); at_row(*cursor) && cursor->key().starts_with(within); cursor->next()) {
    if (store_key::version_of(cursor->key()) > seq_) continue;
    const auto key = store_key::without_version(cursor->key()).substr(head);
    RowVersion version;
    if (!parse_version(type, key, *cursor, version, *row) || !visit(key, version, *row)) return;
  }
}

std::shared_ptr<const LedgerStretch> RowReader::stretch(const StoreCursor& cursor, char area) {
  if (!at_row(cursor) || !cursor.key().starts_with(store_key::of_ledger(area, ledger_)))
    return nullptr;
  auto parsed = CommitStretch::parse(cursor.value());
  if (!parsed) {
    status_ = absl::DataLossError("the index of commits cannot be read");
    return nullptr;
  }
  auto found = std::make_shared<const LedgerStretch>(LedgerStretch{ledger_, *std::move(parsed)});
  store_->set_last_stretch(found);
  return found;
}

int64_t RowReader::seq_at(int64_t recorded_time_us) {
  const auto cursor = store_->cursor(CursorKind::kOrder);
  cursor->seek_for_prev(store_key::of_ledger(store_key::kByTime, ledger_, recorded_time_us));
  const auto found = stretch(*cursor, store_key::kByTime);
  if (!found) return 0;
  int64_t seq = 0;
  for (const auto& commit : found->stretch.commits) {
    if (commit.recorded_time_us > recorded_time_us) break;
    seq = commit.last_seq;
  }
  return std::min(seq, seq_);
}

int64_t RowReader::time_of(int64_t seq) {
  auto found = store_->last_stretch();
  if (!found || !found->holds(ledger_, seq)) {
    const auto cursor = store_->cursor(CursorKind::kOrder);
    cursor->seek(store_key::of_ledger(store_key::kBySeq, ledger_, seq));
    found = stretch(*cursor, store_key::kBySeq);
  }
  return found ? found->time_of(seq) : 0;
}

}  // namespace taizhang::projection
