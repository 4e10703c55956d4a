// Counters, histograms and gauges for operators, served to Prometheus. No Prometheus header behind
// this one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace taizhang {

// Thread-safe; valid as long as its Metrics.
class Counter {
 public:
  void add(double amount = 1);

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  prometheus::Counter* counter_;
};

// Thread-safe; valid as long as its Metrics.
class Histogram {
 public:
  void observe(double value);

 private:
  friend class Metrics;
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  prometheus::Histogram* histogram_;
};

// Thread-safe. Names are `taizhang_…` with the unit last: taizhang_call_seconds. Labels are few and
// bounded: methods, outcomes, views, subscriptions up to a number; never ids.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();

  // The same name and labels give the same counter or histogram.
  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  // `bounds`: upper ends of the buckets, ascending.
  Histogram histogram(const std::string& name, const std::string& help, const Labels& labels,
                      const std::vector<double>& bounds);
  // `read` is called at each scrape, on a thread of this object, until stop().
  void gauge(const std::string& name, const std::string& help, const Labels& labels,
             std::function<double()> read);
  // The same for a number that only grows.
  void total(const std::string& name, const std::string& help, const Labels& labels,
             std::function<double()> read);

  // Gauges, or totals, whose labels come and go: all are read at once.
  struct Sample {
    Labels labels;
    double value = 0;
  };
  void gauges(const std::string& name, const std::string& help,
              std::function<std::vector<Sample>()> read);
  void totals(const std::string& name, const std::string& help,
              std::function<std::vector<Sample>()> read);

  // A histogram that somebody else keeps: read at each scrape like a gauge.
  struct Reading {
    std::vector<double> bounds;  // upper ends, ascending
    std::vector<int64_t>
        counts;  // per bucket, not cumulative; one more than bounds: the last has no upper end
    double sum = 0;
  };
  void distribution(const std::string& name, const std::string& help, const Labels& labels,
                    std::function<Reading()> read);

  // Serves http://127.0.0.1:<port>/metrics. UNAVAILABLE: the port is taken.
  absl::Status expose(int port);
  // After it no callback is running or will run.
  void stop();
  // What a scrape would get.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// 50 us to 10 s, about three a decade.
const std::vector<double>& latency_bounds_seconds();

}  // namespace taizhang
