#include "cache/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <list>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace cache {
namespace {

using base::Mono;
using base::Seconds;

const Mono kNow = base::mono_now();

base::Ref<const Entry> entry_of(std::string_view key, std::size_t body = 100,
                                Seconds freshness = Seconds(60)) {
  Entry::Parts parts{.key = KeyView(key), .etag = "\"1\"", .stored_at = kNow, .freshness = freshness};
  for (std::size_t left = body; left > 0;) {
    const std::size_t piece = std::min(left, base::Chunk::kMaxCapacity);
    parts.body.push_back(base::Chunk::copy_of(std::string(piece, 'b')));
    left -= piece;
  }
  return Entry::make(std::move(parts));
}

std::string name(std::size_t i) {
  return "/object/" + std::to_string(i);
}

bool has(Memory& memory, std::string_view key) {
  return static_cast<bool>(memory.find(KeyView(key), kNow));
}

TEST(Memory, FindsWhatWasPut) {
  Memory memory(1 << 20);
  const auto entry = entry_of("/a");
  EXPECT_TRUE(memory.put(entry));
  EXPECT_EQ(memory.find(KeyView("/a"), kNow), entry);
  EXPECT_FALSE(has(memory, "/b"));
  const MemoryStats stats = memory.stats();
  EXPECT_EQ(stats.entries, 1u);
  EXPECT_EQ(stats.bytes, entry->cost());
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.misses, 1u);
  EXPECT_EQ(stats.insertions, 1u);
}

base::Ref<const Entry> entry_about(Resource resource, std::string_view key, Mono asked_at = kNow) {
  return Entry::make({.key = KeyView(key),
                      .stored_at = kNow,
                      .freshness = Seconds(60),
                      .resource = resource,
                      .asked_at = asked_at});
}

TEST(Memory, AWriteTakesAllEntriesOfItsResourceAndNoOther) {
  Memory memory(1 << 20);
  for (const char* key : {"/a", "/b", "/c"}) EXPECT_TRUE(memory.put(entry_about(7, key)));
  EXPECT_TRUE(memory.put(entry_about(8, "/other")));
  EXPECT_TRUE(memory.put(entry_about(7, "/b")));  // in the place of the one before
  EXPECT_TRUE(memory.erase(KeyView("/c")));
  memory.invalidate(7);
  for (const char* key : {"/a", "/b", "/c"}) EXPECT_FALSE(has(memory, key));
  EXPECT_TRUE(has(memory, "/other"));
  EXPECT_EQ(memory.stats().entries, 1U);
  EXPECT_EQ(memory.stats().invalidations, 2U);
}

TEST(Memory, DoesNotTakeWhatAWriteOvertook) {
  Memory memory(1 << 20);
  memory.invalidate(7);
  EXPECT_FALSE(memory.put(entry_about(7, "/a", kNow)));
  EXPECT_TRUE(memory.put(entry_about(8, "/b", kNow)));
  EXPECT_TRUE(memory.put(entry_about(7, "/a", base::mono_now() + base::Millis(1))));
}

TEST(Memory, GrantsAFewFetchesAnewAndThenOneInAWhile) {
  Memory memory(1 << 20);
  memory.put(entry_of("/a"));
  const auto granted = [&](Mono at) {
    int count = 0;
    while (memory.find(KeyView("/a"), kNow)->grant_anew(at)) {
      ++count;
      memory.put(entry_of("/a"));  // what came of it knows of it
    }
    return count;
  };
  EXPECT_EQ(granted(kNow), Entry::kAnewAtOnce);
  EXPECT_EQ(granted(kNow + Entry::kAnewEvery - base::Millis(1)), 0);
  EXPECT_EQ(granted(kNow + Entry::kAnewEvery), 1);
}

TEST(Memory, ComparesTheWholeKeyWhenHashesCollide) {
  Memory memory(1 << 20);
  const KeyView a("/a", 42), b("/b", 42);
  memory.put(Entry::make({.key = a, .stored_at = kNow, .freshness = Seconds(60)}));
  EXPECT_FALSE(memory.find(b, kNow));
  memory.put(Entry::make({.key = b, .stored_at = kNow, .freshness = Seconds(60)}));
  EXPECT_EQ(memory.find(a, kNow)->key().bytes, "/a");
  EXPECT_TRUE(memory.erase(a));
  EXPECT_EQ(memory.find(b, kNow)->key().bytes, "/b");
}

TEST(Memory, DoesNotServeWhatIsStale) {
  Memory memory(1 << 20);
  memory.put(entry_of("/a", 100, Seconds(10)));
  EXPECT_TRUE(memory.find(KeyView("/a"), kNow + Seconds(9)));
  EXPECT_FALSE(memory.find(KeyView("/a"), kNow + Seconds(10)));
  EXPECT_EQ(memory.stats().misses, 1u);
}

TEST(Memory, ReplacesTheEntryOfTheSameKey) {
  Memory memory(1 << 20);
  memory.put(entry_of("/a", 100));
  const auto second = entry_of("/a", 5000);
  memory.put(second);
  EXPECT_EQ(memory.find(KeyView("/a"), kNow), second);
  EXPECT_EQ(memory.stats().entries, 1u);
  EXPECT_EQ(memory.stats().bytes, second->cost());
  EXPECT_EQ(memory.stats().evictions, 0u);
}

TEST(Memory, ForgetsTheOldReplyWhenTheNewOneDoesNotFit) {
  Memory memory(10'000);
  memory.put(entry_of("/a", 100));
  EXPECT_FALSE(memory.put(entry_of("/a", 20'000)));
  EXPECT_FALSE(has(memory, "/a"));
  EXPECT_EQ(memory.stats().bytes, 0u);
}

TEST(Memory, ErasesAndClears) {
  Memory memory(1 << 20);
  for (std::size_t i = 0; i < 100; ++i) memory.put(entry_of(name(i)));
  EXPECT_TRUE(memory.erase(KeyView(name(7))));
  EXPECT_FALSE(memory.erase(KeyView(name(7))));
  EXPECT_FALSE(has(memory, name(7)));
  EXPECT_TRUE(has(memory, name(8)));
  memory.clear();
  EXPECT_FALSE(has(memory, name(8)));
  EXPECT_EQ(memory.stats().entries, 0u);
  EXPECT_EQ(memory.stats().bytes, 0u);
  EXPECT_TRUE(memory.put(entry_of(name(8))));
  EXPECT_TRUE(has(memory, name(8)));
}

TEST(Memory, KeepsNothingWhenItsSizeIsZero) {
  Memory memory(0);
  EXPECT_FALSE(memory.put(entry_of("/a")));
  EXPECT_FALSE(has(memory, "/a"));
}

TEST(Memory, StaysWithinItsBytesWhateverTheSizes) {
  const std::uint64_t capacity = 1 << 20;
  Memory memory(capacity);
  std::mt19937 random(1);
  for (std::size_t i = 0; i < 20'000; ++i) {
    memory.put(entry_of(name(random() % 3000), random() % 100 == 0 ? random() % 300'000 : random() % 2000));
    has(memory, name(random() % 300));
    ASSERT_LE(memory.stats().bytes, capacity);
  }
  EXPECT_GT(memory.stats().bytes, capacity / 2) << "and makes use of them";
  EXPECT_GT(memory.stats().evictions, 1000u);
}

TEST(Memory, TakesAnObjectOfAQuarterOfItsSizeWhateverItsHash) {
  Memory memory(64 << 20);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(memory.put(entry_of(name(i), 16 << 20)));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(has(memory, name(i)));
}

TEST(Memory, LetsALargeObjectCrowdOthersOutOnlyWhenItIsAskedForAgain) {
  Memory memory(1 << 20);
  for (std::size_t i = 0; i < 900; ++i) memory.put(entry_of(name(i), 1000));
  const std::uint64_t before = memory.stats().entries;
  EXPECT_FALSE(memory.put(entry_of("/large", 500'000)));
  EXPECT_EQ(memory.stats().entries, before);
  EXPECT_TRUE(memory.put(entry_of("/large", 500'000)));
  EXPECT_TRUE(has(memory, "/large"));
}

TEST(Memory, KeepsWhatIsHotThroughAScan) {
  Memory memory(1 << 20);
  for (std::size_t i = 0; i < 100; ++i) memory.put(entry_of("/hot" + name(i), 1000));
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < 100; ++i) has(memory, "/hot" + name(i));
  for (std::size_t i = 0; i < 20'000; ++i) memory.put(entry_of(name(i), 1000));
  int kept = 0;
  for (std::size_t i = 0; i < 100; ++i) kept += has(memory, "/hot" + name(i));
  EXPECT_EQ(kept, 100);
}

TEST(Memory, ShrinksAndGrowsWithANewSize) {
  Memory memory(1 << 20);
  for (std::size_t i = 0; i < 800; ++i) memory.put(entry_of(name(i), 1000));
  memory.resize(100'000);
  EXPECT_LE(memory.stats().bytes, 100'000u);
  EXPECT_GT(memory.stats().entries, 50u);
  memory.resize(1 << 20);
  for (std::size_t i = 0; i < 800; ++i) memory.put(entry_of(name(i), 1000));
  EXPECT_GT(memory.stats().entries, 700u);
  memory.resize(0);
  EXPECT_EQ(memory.stats().entries, 0u);
}

TEST(Memory, LeavesWhatIsBeingReadToItsReaderWhenItEvicts) {
  Memory memory(10'000);
  memory.put(entry_of("/a", 20));
  const auto reader = memory.find(KeyView("/a"), kNow);
  memory.clear();
  EXPECT_EQ(reader->key().bytes, "/a");
  EXPECT_EQ(reader->inline_body(), std::string(20, 'b'));
}

TEST(Memory, AgreesWithAMapOverRandomPutsAndErasures) {
  Memory memory(1 << 30);
  std::map<std::string, base::Ref<const Entry>> model;
  std::mt19937 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = name(random() % 2000);
    switch (random() % 3) {
      case 0: {
        const auto entry = entry_of(key, 10);
        EXPECT_TRUE(memory.put(entry));
        model[key] = entry;
        break;
      }
      case 1:
        ASSERT_EQ(memory.erase(KeyView(key)), model.erase(key) == 1);
        break;
      default: {
        const auto at = model.find(key);
        ASSERT_EQ(memory.find(KeyView(key), kNow), at == model.end() ? nullptr : at->second);
      }
    }
  }
  EXPECT_EQ(memory.stats().entries, model.size());
}

// ---- hit ratios

class Lru {
 public:
  explicit Lru(std::size_t entries) : entries_(entries) {}
  bool get(std::size_t key) {
    if (const auto at = index_.find(key); at != index_.end()) {
      order_.splice(order_.begin(), order_, at->second);
      return true;
    }
    order_.push_front(key);
    index_[key] = order_.begin();
    if (order_.size() > entries_) index_.erase(order_.back()), order_.pop_back();
    return false;
  }

 private:
  std::size_t entries_;
  std::list<std::size_t> order_;
  std::unordered_map<std::size_t, std::list<std::size_t>::iterator> index_;
};

class Zipf {
 public:
  Zipf(std::size_t n, double alpha) : sums_(n) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sums_[i] = sum += 1 / std::pow(static_cast<double>(i + 1), alpha);
  }
  std::size_t operator()(std::mt19937_64& random) const {
    const double at = sums_.back() * static_cast<double>(random() >> 11) * 0x1p-53;
    return static_cast<std::size_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

struct Ratios {
  double s3_fifo, lru;
};

Ratios replay(const std::vector<std::size_t>& trace, std::size_t entries) {
  Memory memory(entries * entry_of(name(1'000'000))->cost());
  Lru lru(entries);
  std::size_t hits = 0, lru_hits = 0;
  for (const std::size_t key : trace) {
    const std::string text = name(1'000'000 + key);  // keys of one length, so that all cost the same
    if (has(memory, text)) {
      ++hits;
    } else {
      memory.put(entry_of(text));
    }
    lru_hits += lru.get(key);
  }
  const auto total = static_cast<double>(trace.size());
  return {static_cast<double>(hits) / total, static_cast<double>(lru_hits) / total};
}

std::vector<std::size_t> zipf_trace(double alpha, bool with_scans) {
  std::mt19937_64 random(11);
  const Zipf zipf(20'000, alpha);
  std::vector<std::size_t> trace;
  std::size_t scanned = 100'000;
  while (trace.size() < 100'000) {
    trace.push_back(zipf(random));
    if (with_scans && trace.size() % 20'000 == 0)
      for (int i = 0; i < 5000; ++i) trace.push_back(scanned++);
  }
  return trace;
}

TEST(Memory, HitsAsOftenAsLruOnZipf) {
  for (const double alpha : {0.7, 0.9, 1.1})
    for (const std::size_t entries : {200u, 2000u}) {
      const Ratios ratios = replay(zipf_trace(alpha, false), entries);
      EXPECT_GE(ratios.s3_fifo, ratios.lru) << "alpha " << alpha << ", " << entries << " entries";
      RecordProperty("zipf_" + std::to_string(alpha) + "_" + std::to_string(entries),
                     std::to_string(ratios.s3_fifo) + " against " + std::to_string(ratios.lru));
    }
}

TEST(Memory, HitsAsOftenAsLruOnZipfWithScans) {
  for (const std::size_t entries : {200u, 2000u}) {
    const Ratios ratios = replay(zipf_trace(0.9, true), entries);
    EXPECT_GE(ratios.s3_fifo, ratios.lru) << entries << " entries";
  }
}

TEST(Memory, KeepsUpWithLruWhenPopularityMoves) {
  std::mt19937_64 random(13);
  const Zipf zipf(5000, 0.9);
  std::vector<std::size_t> trace;
  trace.reserve(100'000);
  for (std::size_t i = 0; i < 100'000; ++i) trace.push_back(zipf(random) + i / 10'000 * 500);
  const Ratios ratios = replay(trace, 1000);
  RecordProperty("zipf_moving", std::to_string(ratios.s3_fifo) + " against " + std::to_string(ratios.lru));
  EXPECT_GE(ratios.s3_fifo, ratios.lru * 0.97);
}

// ---- threads

TEST(Memory, ServesManyThreadsAtOnce) {
  Memory memory(200'000);  // a fraction of what is asked for, so that everything happens all the time
  std::atomic<std::uint64_t> asked{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&memory, &asked, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 20'000; ++i) {
        const std::string key = name(std::min(random() % 1000, random() % 1000));
        const auto found = memory.find(KeyView(key), kNow);
        ++asked;
        if (found) {
          ASSERT_EQ(found->key().bytes, key);
          ASSERT_EQ(found->etag(), "\"1\"");
        } else {
          memory.put(entry_of(key, random() % 1000));
        }
        if (random() % 100 == 0) memory.erase(KeyView(name(random() % 1000)));
        if (random() % 5000 == 0) memory.clear();
        if (random() % 1000 == 0) memory.resize(100'000 + random() % 100'000);
        if (random() % 1000 == 0) memory.stats();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked, 80'000u);
  const MemoryStats stats = memory.stats();
  EXPECT_LE(stats.bytes, stats.capacity);
  memory.resize(0);
  EXPECT_EQ(memory.stats().entries, 0u);
  EXPECT_EQ(memory.stats().bytes, 0u);
}

}  // namespace
}  // namespace cache
