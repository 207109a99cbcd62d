#include "telemetry/exposition.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "telemetry/page_testing.h"
#include "telemetry/process.h"

namespace telemetry {
namespace {

class Exposition : public testing::Test {
 protected:
  std::string page() {
    const WorkerMetrics* const workers[] = {a.get(), b.get()};
    Page page;
    expose(page, workers);
    return page.take();
  }
  std::unique_ptr<WorkerMetrics> a = std::make_unique<WorkerMetrics>(), b = std::make_unique<WorkerMetrics>();
};

TEST_F(Exposition, AddsWorkersUp) {
  const LabelId photos = routes().intern("/photos/");
  const LabelId bucket = origins().intern("photos");
  a->routes[photos].request(200, Outcome::kServed);
  b->routes[photos].request(200, Outcome::kServed);
  b->routes[photos].request(418, Outcome::kServed);
  b->routes[photos].cache[CacheResult::kHit].add(3);
  b->origins[bucket].requests[OriginOutcome::kTimeout].add();
  b->origins[bucket].duration.record(base::Millis(3));
  a->connections_active.add(5);
  a->connections_active.add(-2);
  a->denials[base::Code::kUnauthorized].add(7);
  a->phases[Phase::kCache].record(base::Nanos(10'000));
  auto values = parse(page());
  EXPECT_EQ(values.at(R"(sekisho_requests_total{route="/photos/",code="200",outcome="served"})"), 2);
  EXPECT_EQ(values.at(R"(sekisho_requests_total{route="/photos/",code="4xx",outcome="served"})"), 1);
  EXPECT_EQ(values.at(R"(sekisho_cache_requests_total{route="/photos/",result="hit"})"), 3);
  EXPECT_EQ(values.at(R"(sekisho_origin_requests_total{origin="photos",outcome="timeout"})"), 1);
  EXPECT_EQ(values.at(R"(sekisho_origin_duration_seconds_bucket{origin="photos",le="0.005"})"), 1);
  EXPECT_EQ(values.at(R"(sekisho_origin_duration_seconds_bucket{origin="photos",le="0.002"})"), 0);
  EXPECT_EQ(values.at(R"(sekisho_phase_duration_seconds_bucket{phase="cache",le="1e-05"})"), 1);
  EXPECT_EQ(values.at("sekisho_connections_active"), 3);
  EXPECT_EQ(values.at(R"(sekisho_denials_total{reason="unauthorized"})"), 7);
}

TEST_F(Exposition, HistogramsAreCumulativeAndEndAtTheCount) {
  for (const int ms : {1, 4, 70'000}) a->request_duration.record(base::Millis(ms));
  auto values = parse(page());
  const std::string name = "sekisho_request_duration_seconds";
  EXPECT_EQ(values.at(name + R"(_bucket{le="0.001"})"), 1);
  EXPECT_EQ(values.at(name + R"(_bucket{le="60"})"), 2);
  EXPECT_EQ(values.at(name + R"(_bucket{le="+Inf"})"), 3);
  EXPECT_EQ(values.at(name + "_count"), 3);
  EXPECT_DOUBLE_EQ(values.at(name + "_sum"), 70.005);
}

// Each reason for which a request can be denied, and no other.
TEST_F(Exposition, ShowsReasonsThatCanBeCounted) {
  auto values = parse(page());
  EXPECT_EQ(values.at(R"(sekisho_denials_total{reason="no_route"})"), 0);
  EXPECT_FALSE(values.contains(R"(sekisho_denials_total{reason="origin_timeout"})"));
  EXPECT_FALSE(values.contains(R"(sekisho_denials_total{reason="client_gone"})"));
}

TEST_F(Exposition, EscapesHostileLabels) {
  a->routes[routes().intern("/a\"b\\c\nd\xff/")].request(200, Outcome::kServed);
  auto values = parse(page());
  EXPECT_TRUE(values.contains(
      "sekisho_requests_total{route=\"/a\\\"b\\\\c\\nd\xef\xbf\xbd/\",code=\"200\",outcome=\"served\"}"));
}

TEST(Process, TellsAboutItself) {
  Page page;
  expose(page, read_process());
  auto values = parse(page.take());
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
  EXPECT_GE(values.at("process_threads"), 1);
  EXPECT_GT(values.at("process_start_time_seconds"), 1.5e9);
}

TEST_F(Exposition, ReadsWhileWorkersCount) {
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    for (LabelId id = 0; !stop; id = (id + 1) % 50) {
      a->routes[id].request(200, Outcome::kServed);
      a->request_duration.record(base::Nanos(1));
    }
  });
  for (int i = 0; i < 20; ++i) parse(page());
  stop = true;
  worker.join();
}

TEST(Labels, ShareOneIdPastTheBound) {
  LabelRegistry registry(4);
  const LabelId a = registry.intern("a");
  EXPECT_EQ(registry.intern("a"), a);
  EXPECT_NE(registry.intern("b"), a);
  EXPECT_EQ(registry.intern("c"), LabelRegistry::kOther);
  EXPECT_EQ(registry.names(), (std::vector<std::string>{"other", "none", "a", "b"}));
}

TEST(Labels, EveryCodeAndStatusHasOne) {
  for (std::size_t i = 0; i < kSize<base::Code>; ++i) EXPECT_FALSE(label(static_cast<base::Code>(i)).empty());
  EXPECT_EQ(status_label(status_slot(504)), "504");
  EXPECT_EQ(status_label(status_slot(599)), "5xx");
  EXPECT_EQ(status_label(status_slot(0)), "other");
  EXPECT_EQ(status_label(status_slot(999)), "other");
}

}  // namespace
}  // namespace telemetry
