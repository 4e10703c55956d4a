// Operators' queries over the parts of this process.
#include "apps/taizhangd/admin.h"

#include <optional>
#include <utility>

#include "apps/taizhangd/process_journal.h"
#include "apps/taizhangd/view_answers.h"
#include "platform/base/file.h"
#include "platform/base/sha256.h"
#include "platform/command/dispatcher.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/projection/views.h"
#include "platform/writer/writers.h"
#include "taizhang/admin/v1/queries.pb.h"

namespace taizhang {
namespace {

using journal::segments::SegmentLog;

constexpr char kService[] = "taizhang.admin.v1.AdminService.";

void fill(const SegmentLog& log, admin::v1::JournalStatus& out) {
  const auto stats = log.stats();
  out.set_uuid(hex(log.uuid()));
  out.set_segments(static_cast<int64_t>(stats.segments));
  out.set_groups(static_cast<int64_t>(stats.groups));
  out.set_group_records(static_cast<int64_t>(stats.records));
  out.set_group_bytes(static_cast<int64_t>(stats.bytes));
  out.set_disk_full(stats.disk_full);
}

void fill(ProcessJournal& journal, const Writers* writers, admin::v1::JournalStatus& out) {
  out.set_engine(journal.segments() ? "segments" : "kafka");
  out.set_reachable(journal.reachable());
  out.set_unsafe_why(journal.unsafe_why());
  if (journal.segments()) fill(*journal.segments(), out);
  uint32_t number = 0;
  for (const auto* log : journal.partitions()) {
    auto& partition = *out.add_partitions();
    partition.set_partition(number++);
    partition.set_records(log->end());
    out.set_records(out.records() + partition.records());
  }
  if (!writers) return;
  int at = 0;
  for (const auto& standing : writers->standings()) {
    auto& partition = *out.mutable_partitions(at++);
    partition.set_position(standing.offset);
    partition.set_epoch(standing.epoch);
    partition.set_owner_address(standing.owner_address);
    partition.set_leading(standing.leading);
    partition.set_failure(standing.failure);
    if (standing.has_genesis) out.set_uuid(hex(journal::bytes_of(standing.uuid)));
  }
}

void fill(const Writers& writers, admin::v1::WriterStatus& out) {
  const auto stats = writers.stats();
  out.set_serving(stats.serving);
  out.set_queued(static_cast<int64_t>(stats.queued));
  out.set_in_flight(static_cast<int64_t>(stats.in_flight));
  out.set_commits(static_cast<int64_t>(stats.commits));
  out.set_refusals(static_cast<int64_t>(stats.refusals));
  out.set_duplicates(static_cast<int64_t>(stats.duplicates));
  out.set_epochs(static_cast<int64_t>(stats.epochs));
  out.set_void_records(static_cast<int64_t>(stats.void_records));
  out.set_foreign_records(static_cast<int64_t>(stats.foreign_records));
  out.set_standing_by(writers.standing_by());
}

// What a long comparison and the stream that waits for it share: the first of answer and cancel
// counts.
class Waiting {
 public:
  // False: the caller is gone already.
  bool arm(Done ready) {
    const std::lock_guard lock(mutex_);
    if (gone_) {
      ready(failure(kCancelled, "CANCELLED", "the caller is gone"));
      return false;
    }
    pending_ = std::move(ready);
    return true;
  }
  void answer(Answer with) {
    std::optional<Done> ready;
    {
      const std::lock_guard lock(mutex_);
      ready.swap(pending_);
    }
    if (ready) (*ready)(std::move(with));
  }
  void cancel() {
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
    }
    answer(failure(kCancelled, "CANCELLED", "the caller is gone"));
  }
  bool gone() {
    const std::lock_guard lock(mutex_);
    return gone_;
  }

 private:
  std::mutex mutex_;
  std::optional<Done> pending_;
  bool gone_ = false;
};

// One message, then the end.
class OneAnswer final : public ServerStream {
 public:
  using Begin = std::function<void(std::shared_ptr<Waiting>)>;
  explicit OneAnswer(Begin begin) : begin_(std::move(begin)) {}

  void next(Done ready) override {
    if (!begin_) return ready(std::unique_ptr<google::protobuf::Message>());
    const Begin begin = std::exchange(begin_, nullptr);
    if (waiting_->arm(std::move(ready))) begin(waiting_);
  }
  void cancel() override { waiting_->cancel(); }

 private:
  Begin begin_;
  const std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
};

}  // namespace

Admin::Admin(ProcessJournal& journal, const Writers* writers, Views* views, std::string data_dir)
    : journal_(journal),
      writers_(writers),
      views_(views),
      data_dir_(std::move(data_dir)),
      thread_([this] { loop(); }) {}

Admin::~Admin() { stop(); }

void Admin::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Admin::later(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void Admin::loop() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

template <class Request>
void Admin::serve_slowly(Dispatcher& dispatcher, const char* method,
                         Answer (*answer)(Views&, const Request&)) {
  dispatcher.handle_stream(
      std::string(kService) + method,
      [this, answer](const Call&,
                     auto request) -> std::variant<std::unique_ptr<ServerStream>, Error> {
        return std::make_unique<OneAnswer>(
            [this, answer, request = std::move(request)](std::shared_ptr<Waiting> waiting) {
              later([this, answer, request, waiting] {
                if (!waiting->gone())
                  waiting->answer(answer(*views_, static_cast<const Request&>(*request)));
              });
            });
      });
}

void Admin::serve(Dispatcher& dispatcher) {
  dispatcher.handle(std::string(kService) + "GetStatus", [this](const Call&, auto, Done done) {
    auto response = std::make_unique<admin::v1::GetStatusResponse>();
    fill(journal_, writers_, *response->mutable_journal());
    if (writers_) fill(*writers_, *response->mutable_writer());
    if (views_) {
      for (const auto& view : views_->status()) fill(view, *response->add_views());
      for (const auto& files : views_->unknown_files()) {
        auto& unknown = *response->add_unknown_views();
        unknown.set_name(files.name);
        unknown.set_version(files.version);
      }
      fill_partitions(*views_, writers_ == nullptr, *response->mutable_journal());
    }
    if (const auto left = system_files().free_bytes(data_dir_); left.ok())
      response->set_disk_free_bytes(*left);
    done(std::move(response));
  });
  if (!views_) return;
  dispatcher.handle(
      std::string(kService) + "RebuildView", [this](const Call&, auto request, Done done) {
        later([this, request = std::move(request), done = std::move(done)] {
          const auto& asked = static_cast<const admin::v1::RebuildViewRequest&>(*request);
          if (const auto begun = views_->rebuild(asked.view(), asked.version()); !begun.ok())
            return done(view_error(begun, asked.view()));
          done(std::make_unique<admin::v1::RebuildViewResponse>());
        });
      });
  dispatcher.handle(
      std::string(kService) + "DropView", [this](const Call&, auto request, Done done) {
        later([this, request = std::move(request), done = std::move(done)] {
          const auto& asked = static_cast<const admin::v1::DropViewRequest&>(*request);
          if (const auto dropped = views_->drop(asked.view(), asked.version()); !dropped.ok())
            return done(view_error(dropped, asked.view()));
          done(std::make_unique<admin::v1::DropViewResponse>());
        });
      });
  dispatcher.handle(
      std::string(kService) + "GetViewDigest", [this](const Call&, auto request, Done done) {
        later([this, request = std::move(request), done = std::move(done)] {
          done(view_digest(*views_, static_cast<const admin::v1::GetViewDigestRequest&>(*request)));
        });
      });
  serve_slowly<admin::v1::VerifyViewRequest>(dispatcher, "VerifyView", verify_view);
  serve_slowly<admin::v1::CompareViewsRequest>(dispatcher, "CompareViews", compare_views);
}

}  // namespace taizhang
