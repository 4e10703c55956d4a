// What a view is: a name, a version, a pure fold per event type, and its queries.
//
// How to write one (projections/<name>/<name>.cc; rows in
// proto/taizhang/<name>/state/v1/state.proto with the (table) option; queries in
// proto/taizhang/<name>/v1/service.proto with the (query) option):
//
//   void fold(Ledger& rows, const EventMeta& meta, const assistance::v1::VisitRecorded& event) {
//     auto& counts = rows.edit<VisitCounts>(event.visited().id(), quarter_of(event.date()));
//     counts.set_visits(counts.visits() + 1);       // `version` is stamped with meta.seq by the
//     platform
//   }
//
//   Result<v1::DueResponse> due(const Snapshot& snapshot, const v1::DueRequest& request) {
//     v1::DueResponse response;
//     snapshot.page_scan<PairingRow>([&](const PairingRow& row) {
//       if (!owed(snapshot, row)) return false;      // not on the page
//       fill(*response.add_rows(), row);
//       return true;
//     }, request.region());
//     return response;                                // `freshness` and `next_page_token` are set
//     by the platform
//   }
//
//   View duties_view() {
//     View view("duties", 1);
//     view.on<assistance::v1::VisitRecorded>(fold).query(due);
//     return view;
//   }
//
// and one line in apps/taizhangd: views.add(duties_view()).
//
// A request has `string ledger`, and may have `common.v1.ReadOptions read` and
// `common.v1.PageRequest page`; a response may have `common.v1.Freshness freshness` and `string
// next_page_token`. The platform reads and fills them by these names and types: as-of,
// at_least_seq, paging and freshness need no code in a view.
//
// A fold is total and pure: no clock, disk, randomness or log; the same events give the same rows,
// byte for byte. It reads and writes only rows of its own tables, never fails and never skips. An
// event that changes what a view means raises the view's version, and the view is built anew from
// the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "platform/command/answer.h"
#include "platform/command/dispatcher.h"
#include "platform/projection/event_meta.h"
#include "platform/projection/snapshot.h"
#include "platform/state/ledger.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace taizhang {

// What a query returns: its response, or an error (platform/command/answer.h).
template <class Response>
using Result = std::variant<Response, Error>;

// Nothing of that kind under this id at this moment: NOT_FOUND. `reason` is upper-case
// ("HOUSEHOLD_NOT_FOUND"), `zh` what a clerk reads.
Error not_found(std::string reason, std::string zh, std::string resource_type,
                std::string resource_name);
// A request that is malformed in a way field options cannot say: INVALID_ARGUMENT naming the field.
Error invalid_field(std::string field, std::string description);

// One commit as a fold sees it.
struct CommitMeta {
  std::string_view ledger;
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  int64_t recorded_time_us = 0;
  // The stored body, a journal.v1.Commit.
  std::string_view bytes;
};

// What a view's own streams (Subscribe) see of the running view. Thread-safe; may outlive the
// engine's stop.
class LiveView {
 public:
  struct Progress {
    int64_t seq = 0;          // last one the view holds
    int64_t journal_seq = 0;  // last one the reader knows of
    int64_t lag_ms = 0;
  };
  virtual ~LiveView() = default;
  // DATA_LOSS, UNAVAILABLE, or NOT_FOUND when the ledger does not exist.
  virtual std::variant<Progress, Error> progress(const std::string& ledger) const = 0;
  // Reads rows as of `seq`. An error is seen in status() of the rows' owner: `read` answers it.
  virtual std::optional<Error> read(const std::string& ledger, int64_t seq,
                                    const std::function<void(SnapshotRows&)>& reading) const = 0;
  // Calls `ready` once on a thread of the engine: when the view holds more than `seq`, at the
  // deadline (boot-time clock), or when the view stands still. A cancelled one may still be
  // running.
  virtual uint64_t when_beyond(const std::string& ledger, int64_t seq, int64_t deadline_boot_us,
                               std::function<void()> ready) = 0;
  virtual void cancel(uint64_t waiting) = 0;
  virtual int64_t boot_us() const = 0;
};

class View {
 public:
  using Fold = std::function<void(Ledger&, const EventMeta&)>;
  using CommitFold = std::function<void(Ledger&, const CommitMeta&)>;
  using Query = std::function<Answer(const Snapshot&, const google::protobuf::Message&)>;
  using Stream = std::function<std::variant<std::unique_ptr<ServerStream>, Error>(
      std::shared_ptr<LiveView>, const Call&, std::shared_ptr<const google::protobuf::Message>)>;

  // `version` stands in the name of its files: raise it when the fold or the rows change meaning.
  View(std::string name, int32_t version) : name_(std::move(name)), version_(version) {}

  // At most one fold per event type.
  template <class Event>
  View& on(void (*fold)(Ledger&, const EventMeta&, const Event&)) {
    return add_fold(Event::default_instance(), [fold](Ledger& rows, const EventMeta& meta) {
      fold(rows, meta, static_cast<const Event&>(*meta.event));
    });
  }
  // Every event, after the fold of its type; meta.event is the parsed message.
  View& on_any(void (*fold)(Ledger&, const EventMeta&));
  // Every commit, before the folds of its events; rows it writes carry the commit's first seq.
  View& on_commit(void (*fold)(Ledger&, const CommitMeta&));

  // The rpc with a (query) option that takes Request and returns Response. Several threads run
  // queries at once.
  template <class Request, class Response>
  View& query(Result<Response> (*answer)(const Snapshot&, const Request&)) {
    return add_query(
        Request::default_instance(),
        [answer](const Snapshot& snapshot, const google::protobuf::Message& request) -> Answer {
          auto result = answer(snapshot, static_cast<const Request&>(request));
          if (auto* error = std::get_if<Error>(&result)) return std::move(*error);
          return std::make_unique<Response>(std::move(std::get<Response>(result)));
        });
  }
  // The same from a function with a state of its own.
  template <class Request>
  View& query_of(Query answer) {
    return add_query(Request::default_instance(), std::move(answer));
  }
  // A server stream: the rpc with a (query) option that takes Request.
  template <class Request>
  View& stream(Stream open) {
    return add_stream(Request::default_instance(), std::move(open));
  }

  // Only of the view that stores the events themselves: finds one for the answers of all views. See
  // EventSource.
  using EventLookup =
      std::function<bool(SnapshotRows&, int64_t seq, const std::function<void(const EventMeta&)>&)>;
  View& events(EventLookup lookup) {
    event_lookup_ = std::move(lookup);
    return *this;
  }

  // A figure that people ask for by name and that no field holds: "balance_fen" is
  // "months.sums.arrived_fen - months.sums.paid_fen". Syntax: platform/projection/formula.h.
  template <class Row>
  View& figure(std::string name, std::string formula) {
    figures_.push_back({Row::descriptor(), std::move(name), std::move(formula)});
    return *this;
  }

  const std::string& name() const { return name_; }
  int32_t version() const { return version_; }

  // For the engine. Null: not taken.
  const Fold* fold_of(const google::protobuf::Descriptor* event) const;
  const Fold& any_fold() const { return any_; }
  const CommitFold& commit_fold() const { return commit_; }
  struct Method {
    const google::protobuf::MethodDescriptor* descriptor = nullptr;
    Query query;  // exactly one of the two
    Stream stream;
  };
  const std::vector<Method>& methods() const { return methods_; }
  const EventLookup& event_lookup() const { return event_lookup_; }
  struct Figure {
    const google::protobuf::Descriptor* row = nullptr;
    std::string name;
    std::string formula;
  };
  const std::vector<Figure>& figures() const { return figures_; }
  // Whether a fold looks at the parsed message of this type.
  bool wants(const google::protobuf::Descriptor* event) const {
    return any_ || commit_ || fold_of(event);
  }

 private:
  View& add_fold(const google::protobuf::Message& event, Fold fold);
  View& add_query(const google::protobuf::Message& request, Query query);
  View& add_stream(const google::protobuf::Message& request, Stream stream);

  std::string name_;
  int32_t version_;
  std::unordered_map<const google::protobuf::Descriptor*, Fold> folds_;
  Fold any_;
  CommitFold commit_;
  std::vector<Method> methods_;
  EventLookup event_lookup_;
  std::vector<Figure> figures_;
};

}  // namespace taizhang
