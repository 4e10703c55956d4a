// The state of one ledger as decide and evolve see it: typed tables, and the occasion of the
// command or event.
//
// decide gets a const Ledger and only reads; evolve gets a Ledger and may edit. Pointers and
// references it returns are valid until the present decide or evolve returns. Not thread-safe: one
// deciding loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "platform/state/key.h"
#include "platform/state/row_type.h"

namespace taizhang {
namespace common::v1 {
class Actor;
class Date;
}  // namespace common::v1

// Where a Ledger's rows live: overlay over store (writer), or a plain map (tests). Keys are without
// table prefix.
class Rows {
 public:
  virtual ~Rows() = default;
  // Null: absent. Valid until the next edit or erase of the same row.
  virtual const google::protobuf::Message* find(const RowType& type,
                                                std::string_view key) const = 0;
  // The row for writing, made with its key fields when absent.
  virtual google::protobuf::Message& edit(const RowType& type, std::string_view key) = 0;
  // The same with nothing but its key fields, whatever it held: where looking for it costs, it is
  // not looked for.
  virtual google::protobuf::Message& replace(const RowType& type, std::string_view key);
  virtual void erase(const RowType& type, std::string_view key) = 0;
  // Rows whose key starts with `prefix`, in key order, until `visit` returns false. No edits
  // meanwhile.
  virtual void scan(const RowType& type, std::string_view prefix,
                    const std::function<bool(const google::protobuf::Message&)>& visit) const = 0;
};

// Makes the blind index of a citizen number: keyed, the same number gives the same index for ever.
using BlindIndex = std::function<std::string(std::string_view normalised_number)>;

// What is known of a command or event besides its body.
struct Occasion {
  std::string ledger;            // six digits
  int kind = 0;                  // common.v1.LedgerKind
  int64_t seq = 0;               // evolve: of this event; decide: of the first event it would emit
  int64_t recorded_time_us = 0;  // microseconds since 1970, UTC
  int32_t effective_day = 0;     // yyyymmdd
  const common::v1::Actor* actor = nullptr;  // never null
  bool may_self_approve = false;             // decide only
  int64_t expected_version = 0;              // decide only; 0: not stated
  // decide on a system ledger only: last seq of the ledger that the command names.
  int64_t named_seq = 0;
  const BlindIndex* blind_index = nullptr;   // decide only
  // "rules", "registry" …: evolve may edit tables of this context only. Empty: any (tests).
  std::string_view context;
};

class Ledger {
 public:
  Ledger(Rows& rows, const Occasion& occasion) : rows_(rows), occasion_(occasion) {}

  // Null: absent.
  template <class Row, class... Key>
  const Row* find(const Key&... key) const {
    return static_cast<const Row*>(rows_.find(row_type<Row>(), key_of(key...)));
  }
  // An empty row when absent.
  template <class Row, class... Key>
  const Row& get(const Key&... key) const {
    const Row* row = find<Row>(key...);
    return row ? *row : Row::default_instance();
  }
  template <class Row, class... Key>
  bool has(const Key&... key) const {
    return find<Row>(key...) != nullptr;
  }
  // visit(const Row&) -> bool (false stops) or void. `prefix`: the first parts of the key.
  template <class Row, class Visit, class... Prefix>
  void scan(const Visit& visit, const Prefix&... prefix) const {
    rows_.scan(row_type<Row>(), make_key(prefix...), [&](const google::protobuf::Message& row) {
      if constexpr (std::is_void_v<decltype(visit(static_cast<const Row&>(row)))>) {
        visit(static_cast<const Row&>(row));
        return true;
      } else {
        return visit(static_cast<const Row&>(row));
      }
    });
  }

  // evolve only. The row is made with its key fields set when absent; a field `version` is stamped
  // with seq().
  template <class Row, class... Key>
  Row& edit(const Key&... key) {
    return static_cast<Row&>(edit_row(row_type<Row>(), key_of(key...), &Rows::edit));
  }
  // The same for a row of which nothing is kept: it begins with its key fields only.
  template <class Row, class... Key>
  Row& replace(const Key&... key) {
    return static_cast<Row&>(edit_row(row_type<Row>(), key_of(key...), &Rows::replace));
  }
  template <class Row, class... Key>
  void erase(const Key&... key) {
    erase_row(row_type<Row>(), key_of(key...));
  }

  const std::string& code() const { return occasion_.ledger; }
  int kind() const { return occasion_.kind; }
  int64_t seq() const { return occasion_.seq; }
  int64_t recorded_time_us() const { return occasion_.recorded_time_us; }
  // Day of the recorded time in +08:00, yyyymmdd.
  int32_t today() const;
  // yyyymmdd of the command's effective field, or of the event.
  int32_t effective_day() const { return occasion_.effective_day; }
  common::v1::Date effective_date() const;
  const common::v1::Actor& actor() const { return *occasion_.actor; }
  // `region` lies inside one of the actor's regions.
  bool actor_covers(std::string_view region) const;
  bool may_self_approve() const { return occasion_.may_self_approve; }
  int64_t expected_version() const { return occasion_.expected_version; }
  int64_t named_seq() const { return occasion_.named_seq; }
  // decide only: 32 lower-case hexadecimal digits.
  std::string blind_index(std::string_view normalised_number) const {
    return (*occasion_.blind_index)(normalised_number);
  }

 private:
  using EditRow = google::protobuf::Message& (Rows::*)(const RowType&, std::string_view key);
  google::protobuf::Message& edit_row(const RowType& type, std::string_view key, EditRow edit);
  void erase_row(const RowType& type, std::string_view key);
  // Valid until the next one.
  template <class... Key>
  std::string_view key_of(const Key&... key) const {
    key_.clear();
    (append_key_part(key_, key), ...);
    return key_;
  }

  Rows& rows_;
  const Occasion& occasion_;
  mutable std::string key_;  // of the row looked for: its memory is used again
};

}  // namespace taizhang
