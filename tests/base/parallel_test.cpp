#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace vesalius {
namespace {

using namespace std::chrono_literals;

TEST(ParallelFor, UsesNoMoreThreadsThanAllowed) {
  for (const int allowed : {1, 2, 5}) {
    std::atomic<int> inside{0}, most{0};
    parallel_for(
        40,
        [&](int64_t) {
          const int now = ++inside;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          std::this_thread::sleep_for(1ms);
          --inside;
        },
        allowed);
    EXPECT_LE(most, allowed);
    EXPECT_GE(most, std::min(allowed, 2)) << "it takes part itself, with one more at least";
  }
}

TEST(ParallelFor, OneThreadIsTheCallersAndInOrder) {
  std::vector<int64_t> order;
  std::set<std::thread::id> threads;
  parallel_for(
      7,
      [&](int64_t i) {
        order.push_back(i);
        threads.insert(std::this_thread::get_id());
      },
      1);
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(ParallelFor, FewerItemsThanThreadsAndNoneAtAll) {
  for (const int64_t count : {int64_t{0}, int64_t{1}, int64_t{3}}) {
    std::atomic<int64_t> sum{0};
    parallel_for(
        count, [&](int64_t i) { sum += i + 1; }, 16);
    EXPECT_EQ(sum, count * (count + 1) / 2);
  }
  parallel_for(-5, [](int64_t) { ADD_FAILURE() << "called for less than nothing"; });
}

TEST(ParallelFor, OfManyErrorsOneComesBackWithItsType) {
  for (const int threads : {1, 4}) {
    std::atomic<int> done{0};
    try {
      parallel_for(
          30,
          [&](int64_t i) {
            ++done;
            throw std::out_of_range("item " + std::to_string(i));
          },
          threads);
      ADD_FAILURE() << "no error";
    } catch (const std::out_of_range& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("item "));
    }
    EXPECT_EQ(done, 30) << threads;
  }
}

TEST(ParallelFor, CanBeNested) {
  std::atomic<int> calls{0};
  parallel_for(
      4,
      [&](int64_t) {
        parallel_for(
            4, [&](int64_t) { ++calls; }, 2);
      },
      2);
  EXPECT_EQ(calls, 16);
}

}  // namespace
}  // namespace vesalius
