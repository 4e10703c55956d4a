// Metrics on prometheus-cpp.
#include "platform/rpc/metrics.h"

#include <arpa/inet.h>
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <future>
#include <limits>
#include <mutex>
#include <utility>

namespace taizhang {
namespace {

// Values that are read when somebody asks.
class ReadOnScrape : public prometheus::Collectable {
 public:
  using Fill = std::function<void(prometheus::ClientMetric&)>;
  using FillFamily = std::function<void(prometheus::MetricFamily&)>;

  struct Row {
    std::string help;
    prometheus::MetricType type;
    std::vector<FillFamily> parts;
  };

  void add(const std::string& name, const std::string& help, prometheus::MetricType type,
           FillFamily read) {
    const std::lock_guard lock(mutex_);
    auto& row = rows_[name];
    row.help = help;
    row.type = type;
    row.parts.push_back(std::move(read));
  }
  void add(const std::string& name, const std::string& help, prometheus::MetricType type,
           const Metrics::Labels& labels, Fill read) {
    add(name, help, type, [labels, read = std::move(read)](prometheus::MetricFamily& family) {
      read(metric_of(family, labels));
    });
  }

  static prometheus::ClientMetric& metric_of(prometheus::MetricFamily& family,
                                             const Metrics::Labels& labels) {
    auto& metric = family.metric.emplace_back();
    for (const auto& [label, value] : labels) metric.label.push_back({label, value});
    return metric;
  }

  void clear() {
    const std::lock_guard lock(mutex_);
    rows_.clear();
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard lock(mutex_);
    std::vector<prometheus::MetricFamily> families;
    for (const auto& [name, row] : rows_) {
      auto& family = families.emplace_back();
      family.name = name;
      family.help = row.help;
      family.type = row.type;
      for (const auto& fill : row.parts) fill(family);
    }
    return families;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Row> rows_;
};

void connect_once(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  close(fd);
}

}  // namespace

struct Metrics::Impl {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::shared_ptr<ReadOnScrape> read_on_scrape = std::make_shared<ReadOnScrape>();
  std::unique_ptr<prometheus::Exposer> exposer;
};

void Counter::add(double amount) { counter_->Increment(amount); }
void Histogram::observe(double value) { histogram_->Observe(value); }

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() { stop(); }

Counter Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return Counter(
      prometheus::BuildCounter().Name(name).Help(help).Register(*impl_->registry).Add(labels));
}

Histogram Metrics::histogram(const std::string& name, const std::string& help, const Labels& labels,
                             const std::vector<double>& bounds) {
  return Histogram(prometheus::BuildHistogram()
                       .Name(name)
                       .Help(help)
                       .Register(*impl_->registry)
                       .Add(labels, bounds));
}

void Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels,
                    std::function<double()> read) {
  impl_->read_on_scrape->add(
      name, help, prometheus::MetricType::Gauge, labels,
      [read = std::move(read)](prometheus::ClientMetric& out) { out.gauge.value = read(); });
}

void Metrics::total(const std::string& name, const std::string& help, const Labels& labels,
                    std::function<double()> read) {
  impl_->read_on_scrape->add(
      name, help, prometheus::MetricType::Counter, labels,
      [read = std::move(read)](prometheus::ClientMetric& out) { out.counter.value = read(); });
}

void Metrics::gauges(const std::string& name, const std::string& help,
                     std::function<std::vector<Sample>()> read) {
  impl_->read_on_scrape->add(name, help, prometheus::MetricType::Gauge,
                             [read = std::move(read)](prometheus::MetricFamily& family) {
                               for (const auto& [labels, value] : read())
                                 ReadOnScrape::metric_of(family, labels).gauge.value = value;
                             });
}

void Metrics::totals(const std::string& name, const std::string& help,
                     std::function<std::vector<Sample>()> read) {
  impl_->read_on_scrape->add(name, help, prometheus::MetricType::Counter,
                             [read = std::move(read)](prometheus::MetricFamily& family) {
                               for (const auto& [labels, value] : read())
                                 ReadOnScrape::metric_of(family, labels).counter.value = value;
                             });
}

void Metrics::distribution(const std::string& name, const std::string& help, const Labels& labels,
                           std::function<Reading()> read) {
  impl_->read_on_scrape->add(name, help, prometheus::MetricType::Histogram, labels,
                             [read = std::move(read)](prometheus::ClientMetric& out) {
                               const Reading reading = read();
                               uint64_t count = 0;
                               for (size_t i = 0; i < reading.counts.size(); ++i) {
                                 count += static_cast<uint64_t>(reading.counts[i]);
                                 const double bound = i < reading.bounds.size()
                                                          ? reading.bounds[i]
                                                          : std::numeric_limits<double>::infinity();
                                 out.histogram.bucket.push_back({count, bound});
                               }
                               out.histogram.sample_count = count;
                               out.histogram.sample_sum = reading.sum;
                             });
}

absl::Status Metrics::expose(int port) {
  const std::string address = "127.0.0.1:" + std::to_string(port);
  // The library reports a port that is taken by an exception, which stops here.
  try {
    impl_->exposer = std::make_unique<prometheus::Exposer>(address, 1);
    impl_->exposer->RegisterCollectable(impl_->registry);
    impl_->exposer->RegisterCollectable(impl_->read_on_scrape);
  } catch (const std::exception&) {
    return absl::UnavailableError("metrics_port: cannot listen on " + address +
                                  "; is the port taken?");
  }
  return absl::OkStatus();
}

void Metrics::stop() {
  impl_->read_on_scrape->clear();
  if (!impl_->exposer) return;
  const int port = impl_->exposer->GetListeningPorts().front();
  auto closed = std::async(std::launch::async, [this] { impl_->exposer.reset(); });
  // The library looks whether it should stop at each connection, and else every two seconds.
  while (closed.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready)
    connect_once(port);
}

std::string Metrics::text() const {
  auto families = impl_->registry->Collect();
  for (auto& family : impl_->read_on_scrape->Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

const std::vector<double>& latency_bounds_seconds() {
  static const std::vector<double> bounds = {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002,
                                             0.005,   0.01,   0.02,   0.05,   0.1,   0.2,
                                             0.5,     1,      2,      5,      10};
  return bounds;
}

}  // namespace taizhang
