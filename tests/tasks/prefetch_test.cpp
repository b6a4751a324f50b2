#include "tasks/prefetch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace vesalius::tasks {
namespace {

/// All values of a run, in the order of next().
std::vector<int> drain(Prefetch<int>& ahead) {
  std::vector<int> values;
  while (auto value = ahead.next()) values.push_back(*value);
  return values;
}

TEST(Prefetch, KeepsOrderWhateverTheThreads) {
  for (const int workers : {1, 2, 8}) {
    Prefetch<int> ahead(
        200,
        [](int64_t i, const Prefetch<int>::Emit& emit) {
          if (i % 7 == 0) std::this_thread::yield();
          emit(static_cast<int>(i));
        },
        workers, 5);
    std::vector<int> expected(200);
    for (int i = 0; i < 200; ++i) expected[static_cast<size_t>(i)] = i;
    EXPECT_EQ(drain(ahead), expected) << workers;
  }
}

TEST(Prefetch, OneJobMayEmitManyOrNone) {
  Prefetch<int> ahead(
      4,
      [](int64_t i, const Prefetch<int>::Emit& emit) {
        for (int k = 0; k < (i == 1 ? 0 : 50); ++k)
          if (!emit(static_cast<int>(i) * 100 + k)) return;
      },
      3, 2, 1);
  const auto values = drain(ahead);
  ASSERT_EQ(values.size(), 150U);
  EXPECT_EQ(values[49], 49);
  EXPECT_EQ(values[50], 200);
  EXPECT_EQ(values[149], 349);
}

TEST(Prefetch, NeverHoldsMoreThanItsBounds) {
  std::atomic<int> begun{0};
  int taken = 0;
  Prefetch<int> ahead(
      100,
      [&](int64_t i, const Prefetch<int>::Emit& emit) {
        ++begun;
        emit(static_cast<int>(i));
      },
      4, 3);
  while (ahead.next()) {
    ++taken;
    // A job leaves the window at the call after its last value.
    EXPECT_LE(begun.load(), taken + 3);
  }
  EXPECT_EQ(taken, 100);
}

TEST(Prefetch, StopsEarlyWithoutWaitingForTheRest) {
  std::atomic<int> begun{0};
  {
    Prefetch<int> ahead(
        1000000,
        [&](int64_t i, const Prefetch<int>::Emit& emit) {
          ++begun;
          emit(static_cast<int>(i));
        },
        2, 4);
    EXPECT_EQ(ahead.next().value(), 0);
  }
  EXPECT_LT(begun.load(), 20);
}

TEST(Prefetch, ThrowsOnWhatAJobThrew) {
  Prefetch<int> ahead(
      3,
      [](int64_t i, const Prefetch<int>::Emit& emit) {
        if (i == 1) throw std::runtime_error("job 1");
        emit(static_cast<int>(i));
      },
      2, 3);
  EXPECT_EQ(ahead.next().value(), 0);
  EXPECT_THROW(ahead.next(), std::runtime_error);
}

TEST(Prefetch, NothingToDoEndsAtOnce) {
  Prefetch<int> ahead(
      0, [](int64_t, const Prefetch<int>::Emit&) {}, 2, 2);
  EXPECT_FALSE(ahead.next().has_value());
}

}  // namespace
}  // namespace vesalius::tasks
