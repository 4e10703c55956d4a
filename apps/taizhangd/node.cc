// One process: every part, made from the settings, in the order in which each needs the ones
// before.
#include "apps/taizhangd/node.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>

#include "apps/taizhangd/admin.h"
#include "apps/taizhangd/clean_topic.h"
#include "apps/taizhangd/observe.h"
#include "apps/taizhangd/process_journal.h"
#include "apps/taizhangd/product_views.h"
#include "apps/taizhangd/subscriptions.h"
#include "platform/base/clock.h"
#include "platform/base/file.h"
#include "platform/base/log.h"
#include "platform/config/key_file.h"
#include "platform/delivery/delivery.h"
#include "platform/lists/list_service.h"
#include "platform/lists/reader_directory.h"
#include "platform/projection/views.h"
#include "platform/republish/republisher.h"
#include "platform/rpc/callers.h"
#include "platform/rpc/metrics.h"
#include "platform/rpc/remote_readers.h"
#include "platform/rpc/server.h"
#include "platform/writer/command_front.h"
#include "platform/writer/writers.h"
#include "services/contexts.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {
namespace {

using config::v1::Config;

StateSettings state_settings(const Config& config) {
  StateSettings settings;
  settings.store.cache_bytes_max = static_cast<size_t>(config.writer().block_cache_bytes());
  settings.cached_rows_max = static_cast<size_t>(config.writer().cached_rows_max());
  settings.flush_us = int64_t{config.writer().flush_s()} * 1'000'000;
  return settings;
}

WritersSettings writers_settings(const Config& config, const NodeOptions& options) {
  const auto& given = config.writer();
  WritersSettings all;
  all.takeover = options.takeover;
  all.liveness.silent_beats = given.silent_heartbeats();
  all.liveness.stuck_beats = given.stuck_heartbeats();
  WriterSettings& settings = all.writer;
  // An empty journal is a new one: that a Kafka topic was made anew shows on the local stores.
  settings.owner.create = true;
  settings.owner.address = given.advertise().empty() ? config.listen() : given.advertise();
  settings.owner.in_flight_records_max = static_cast<size_t>(given.in_flight_records_max());
  settings.owner.in_flight_bytes_max = static_cast<size_t>(given.in_flight_bytes_max());
  settings.owner.stall_us_max = int64_t{given.stall_ms()} * 1'000;
  settings.owner.clock_behind_confirmed = options.clock_behind_confirmed;
  settings.owner.clock_ahead_confirmed = options.clock_ahead_confirmed;
  settings.queued_commands_max = static_cast<size_t>(given.queued_commands_max());
  settings.queued_commands_per_ledger_max =
      static_cast<size_t>(given.queued_commands_per_ledger_max());
  settings.bulk_in_flight_max = static_cast<size_t>(given.bulk_in_flight_max());
  settings.state_mark_commits = given.state_mark_commits();
  settings.settles_per_s_max = given.settles_per_s_max();
  settings.heartbeat_us = int64_t{given.heartbeat_ms()} * 1'000;
  return all;
}

ViewsSettings views_settings(const Config& config) {
  ViewsSettings settings;
  settings.directory = config.data_dir() + "/views";
  settings.block_cache_bytes = config.views().block_cache_bytes();
  settings.write_buffers_bytes = config.views().write_buffers_bytes();
  settings.flush_us = int64_t{config.views().flush_s()} * 1'000'000;
  settings.row_cache_bytes_per_view = config.views().row_cache_bytes_per_view();
  settings.build_bytes_max = config.views().build_bytes();
  settings.build_filter_bytes_max = config.views().build_filter_bytes();
  settings.fold_threads_per_view = config.views().fold_threads_per_view();
  return settings;
}

}  // namespace

// Members stand in the order in which they are made; they go in the opposite order.
struct Node::Impl {
  std::string data_dir;
  int stop_grace_ms = 0;
  Metrics metrics;
  std::unique_ptr<Callers> callers;
  std::unique_ptr<ProcessJournal> journal;
  Key fingerprint_key;
  Key blind_index_key;
  BlindIndex blind_index;
  Registry registry;
  std::unique_ptr<CommandCatalogue> catalogue;
  std::unique_ptr<Fingerprinter> fingerprinter;
  std::unique_ptr<StateFolder> states;
  std::unique_ptr<Writers> writers;
  std::unique_ptr<Views> views;
  std::unique_ptr<lists::ReaderDirectory> readers;
  std::unique_ptr<republish::Republisher> republisher;
  std::unique_ptr<Admin> admin;
  Dispatcher dispatcher;
  std::unique_ptr<delivery::Delivery> delivery;
  std::unique_ptr<RpcServer> server;
  bool serving = true;
  bool stopped = false;

  absl::Status start(const Config& config, const NodeOptions& options);
  absl::Status open_journal(const Config& config, const std::string& folder);
  absl::Status open_keys(const Config& config);
  absl::Status start_writers(const Config& config, const NodeOptions& options);
  absl::Status start_views(const Config& config);
  absl::Status serve(const Config& config);
  void tick();
  // Writes an address into a file of the data folder.
  absl::Status tell(const std::string& name, const std::string& address) const;
};

absl::Status Node::Impl::start(const Config& config, const NodeOptions& options) {
  data_dir = config.data_dir();
  stop_grace_ms = config.limits().stop_grace_ms();
  auto known = Callers::load(config.token_file());
  if (!known.ok()) return known.status();
  callers = std::make_unique<Callers>(std::move(*known));
  // First, because it goes on beside the opening of the journal.
  if (config.role() != config::v1::PROCESS_ROLE_READER)
    states = std::make_unique<StateFolder>(config.data_dir() + "/state", state_settings(config));
  if (auto opened = open_journal(config, options.config_folder); !opened.ok()) return opened;
  if (auto opened = open_keys(config); !opened.ok()) return opened;
  observe_disk(metrics, data_dir);
  if (config.role() != config::v1::PROCESS_ROLE_READER) {
    if (auto started = start_writers(config, options); !started.ok()) return started;
  }
  if (config.role() != config::v1::PROCESS_ROLE_WRITER) {
    if (auto started = start_views(config); !started.ok()) return started;
  }
  auto mirrored = start_republisher(config, options.config_folder, *journal);
  if (!mirrored.ok()) return mirrored.status();
  republisher = std::move(*mirrored);
  if (republisher) observe_republisher(metrics, *republisher);
  admin = std::make_unique<Admin>(*journal, writers.get(), views.get(), data_dir);
  admin->serve(dispatcher);
  delivery = make_delivery(
      dispatcher, views.get(), writers.get(), static_cast<uint32_t>(journal->partitions().size()),
      config.metrics_port() != 0, static_cast<size_t>(config.views().delivery_held_bytes_max()));
  if (delivery) {
    delivery->start();
    observe_subscriptions(metrics, *delivery);
  }
  return serve(config);
}

absl::Status Node::Impl::open_journal(const Config& config, const std::string& folder) {
  if (auto made = system_files().make_directory(data_dir); !made.ok()) return made;
  auto opened = ProcessJournal::open(config, folder);
  if (!opened.ok()) return opened.status();
  journal = std::move(*opened);
  observe_journal(metrics, *journal);
  return absl::OkStatus();
}

absl::Status Node::Impl::open_keys(const Config& config) {
  // A journal with records was written under keys that must still be there.
  const bool may_make = journal->empty() && config.role() != config::v1::PROCESS_ROLE_READER;
  if (auto made = system_files().make_directory(config.keys_dir()); !made.ok()) return made;
  for (auto [key, name] :
       {std::pair(&fingerprint_key, "/fingerprint.key"), {&blind_index_key, "/blind_index.key"}}) {
    auto loaded = load_or_make_key(config.keys_dir() + name, may_make, system_random());
    if (!loaded.ok()) return loaded.status();
    *key = std::move(*loaded);
  }
  blind_index = [this](std::string_view number) {
    return blind_index_of(blind_index_key.bytes, number);
  };
  return absl::OkStatus();
}

absl::Status Node::Impl::start_writers(const Config& config, const NodeOptions& options) {
  register_contexts(registry);
  registry.check_complete();
  catalogue = std::make_unique<CommandCatalogue>(registry);
  fingerprinter = std::make_unique<Fingerprinter>(fingerprint_key.bytes, fingerprint_key.id);
  writers = std::make_unique<Writers>(
      Writers::Parts{journal->partitions(), journal->heartbeats(), system_clock(), system_random(),
                     registry, blind_index, fingerprint_key.id, *states},
      writers_settings(config, options));
  if (auto started = writers->start(); !started.ok()) return started;
  serve_commands(*catalogue, *fingerprinter, *writers, dispatcher);
  observe_writer(metrics, *writers);
  return absl::OkStatus();
}

absl::Status Node::Impl::start_views(const Config& config) {
  views = std::make_unique<Views>(journal->partitions(), system_clock(), views_settings(config),
                                  blind_index);
  add_product_views(config.views(), *views);
  if (writers)
    views->close_times_with([this](int partition) { return writers->close_time(partition); });
  if (auto started = views->start(); !started.ok()) return started;
  views->register_queries(dispatcher);
  readers = connect_readers(config.readers());
  serve_lists(*views, config.limits().lists_open_max(), readers.get(), dispatcher);
  observe_views(metrics, *views);
  return absl::OkStatus();
}

absl::Status Node::Impl::serve(const Config& config) {
  if (config.metrics_port() != 0) {
    if (auto exposed = metrics.expose(config.metrics_port()); !exposed.ok()) return exposed;
  }
  auto started = RpcServer::start(config.listen(), config.limits(), dispatcher, *callers, metrics,
                                  config.admin_listen());
  if (!started.ok()) return started.status();
  server = std::move(*started);
  tick();  // before anybody is told the address
  // Where to find it, for whoever let the system choose the ports. `address` comes last: who sees
  // it finds both.
  if (auto told = tell("/admin_address", server->admin_address()); !told.ok()) return told;
  return tell("/address", server->address());
}

void Node::Impl::tick() {
  journal->remember();
  // Without the claim no command is answered, with a view that stands its queries are not: load
  // balancers and people should hear it before callers do.
  const bool writing = !writers || writers->stats().serving;
  const auto all = views ? views->status() : std::vector<ViewStatus>();
  // A process that only reads is of use once all its views answer; a ledger that stands still in
  // one of them is told by that view alone.
  const bool reading = std::all_of(all.begin(), all.end(), [](const ViewStatus& view) {
    return !view.live || (view.status.ok() && !view.building);
  });
  // First the whole, which speaks for every service, then the views for theirs.
  if (const bool now = writing && (writers || reading); std::exchange(serving, now) != now)
    server->set_serving("", now);
  for (const auto& view : all) {
    if (!view.live) continue;
    // Package taizhang.ledger also holds the bulk stream, which needs no view.
    const std::string services =
        view.name == "ledger" ? "ledger.v1.LedgerService" : view.name + ".";
    const bool good = view.status.ok() && !view.building && view.stopped.empty();
    server->set_serving("taizhang." + services, good && writing);
  }
}

absl::Status Node::Impl::tell(const std::string& name, const std::string& address) const {
  const std::string part = data_dir + name + ".part";
  std::ofstream(part, std::ios::trunc) << address << "\n";
  return system_files().rename(part, data_dir + name);
}

absl::StatusOr<std::unique_ptr<Node>> Node::start(const Config& config,
                                                  const NodeOptions& options) {
  std::unique_ptr<Node> node(new Node(std::make_unique<Impl>()));
  if (auto started = node->impl_->start(config, options); !started.ok()) return started;
  return node;
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() { stop(); }

const std::string& Node::address() const { return impl_->server->address(); }

void Node::tick() { impl_->tick(); }

void Node::stop() {
  if (std::exchange(impl_->stopped, true)) return;
  impl_->metrics.stop();
  const auto stop_parts = [this] {
    if (impl_->delivery) impl_->delivery->stop();
    if (impl_->republisher) impl_->republisher->stop();
    if (impl_->views) impl_->views->stop();
    if (impl_->writers) impl_->writers->stop();
  };
  if (impl_->server) {
    // The views answer what still waits in them only when they stop, so they stop while the server
    // does.
    auto answered = std::async(std::launch::async, [this] { impl_->server->stop(); });
    answered.wait_for(std::chrono::milliseconds(impl_->stop_grace_ms));
    stop_parts();
    answered.wait();
    for (const char* name : {"/address", "/admin_address"})
      std::remove((impl_->data_dir + name).c_str());
  } else {
    stop_parts();
  }
  if (impl_->admin) impl_->admin->stop();
  if (impl_->journal) impl_->journal->close();
}

}  // namespace taizhang
