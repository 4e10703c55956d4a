// Metrics: what is counted is what a scrape shows.
#include "platform/rpc/metrics.h"

#include <gtest/gtest.h>

namespace taizhang {
namespace {

TEST(Metrics, ShowCountersHistogramsAndGauges) {
  Metrics metrics;
  metrics.counter("taizhang_calls_total", "h", {{"method", "m"}}).add();
  metrics.counter("taizhang_calls_total", "h", {{"method", "m"}}).add(2);
  metrics.histogram("taizhang_call_seconds", "h", {}, {0.1, 1}).observe(0.5);
  metrics.gauge("taizhang_queue_depth", "h", {{"queue", "q"}}, [] { return 7.0; });
  metrics.total("taizhang_groups_total", "h", {}, [] { return 9.0; });
  metrics.distribution("taizhang_sync_seconds", "h", {}, [] {
    return Metrics::Reading{{0.1, 1}, {1, 2, 3}, 4.5};
  });
  const std::string text = metrics.text();
  for (const char* line :
       {"taizhang_calls_total{method=\"m\"} 3", "taizhang_call_seconds_bucket{le=\"0.1\"} 0",
        "taizhang_call_seconds_bucket{le=\"1\"} 1", "taizhang_queue_depth{queue=\"q\"} 7",
        "taizhang_sync_seconds_bucket{le=\"1\"} 3", "taizhang_sync_seconds_bucket{le=\"+Inf\"} 6",
        "taizhang_sync_seconds_sum 4.5", "taizhang_groups_total 9",
        "# TYPE taizhang_groups_total counter"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
  }
}

TEST(Metrics, ShowWhatComesAndGoes) {
  Metrics metrics;
  std::vector<Metrics::Sample> now = {{{{"subscription", "990101/a"}}, 3}};
  metrics.gauges("taizhang_lag", "h", [&] { return now; });
  metrics.totals("taizhang_again_total", "h", [&] { return now; });
  EXPECT_NE(metrics.text().find("taizhang_lag{subscription=\"990101/a\"} 3"), std::string::npos);
  EXPECT_NE(metrics.text().find("# TYPE taizhang_again_total counter"), std::string::npos);
  now = {{{{"subscription", "990101/b"}}, 4}};
  EXPECT_EQ(metrics.text().find("990101/a"), std::string::npos);
  EXPECT_NE(metrics.text().find("taizhang_again_total{subscription=\"990101/b\"} 4"),
            std::string::npos);
}

TEST(Metrics, NamesThePortThatIsTaken) {
  Metrics first;
  int port = 17611;
  while (port < 17700 && !first.expose(port).ok()) ++port;
  Metrics second;
  const auto said = second.expose(port);
  EXPECT_EQ(said.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(said.message().find("metrics_port"), std::string::npos);
}

TEST(Metrics, CallNothingAfterStop) {
  Metrics metrics;
  metrics.gauge("taizhang_g", "h", {}, [] { return 1.0; });
  metrics.stop();
  EXPECT_EQ(metrics.text().find("taizhang_g"), std::string::npos);
}

}  // namespace
}  // namespace taizhang
