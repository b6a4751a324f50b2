#include "nn/trace.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "base/error.h"

using namespace vesalius;
using namespace vesalius::nn;

namespace {

TEST(Trace, NobodyListens) {
  EXPECT_FALSE(tracing());
  trace("stage", at::ones({1}));  // goes nowhere
  const TraceSink sink;
  EXPECT_TRUE(sink.tensors().empty());
}

TEST(Trace, KeepsCopiesByName) {
  const TraceSink sink;
  EXPECT_TRUE(tracing());
  auto x = at::ones({2, 3});
  trace("blocks.0", "ffn", x);
  trace("input", x.t());
  x.zero_();
  ASSERT_EQ(sink.tensors().size(), 2U);
  EXPECT_TRUE(sink.tensors().at("blocks.0.ffn").equal(at::ones({2, 3})));
  EXPECT_TRUE(sink.tensors().at("input").is_contiguous());
}

TEST(Trace, LaterBatchesAreNumbered) {
  const TraceSink sink;
  for (int i = 1; i <= 3; ++i) trace("pooled", at::full({1}, i));
  EXPECT_EQ(sink.tensors().at("pooled").item<int>(), 1);
  EXPECT_EQ(sink.tensors().at("pooled#2").item<int>(), 2);
  EXPECT_EQ(sink.tensors().at("pooled#3").item<int>(), 3);
}

TEST(Trace, HearsOtherThreads) {
  const TraceSink sink;
  std::thread([] { trace("elsewhere", at::ones({1})); }).join();
  EXPECT_TRUE(sink.tensors().contains("elsewhere"));
}

TEST(Trace, LosesNothingWhenManySpeakAtOnce) {
  const TraceSink sink;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([i] {
      for (int j = 0; j < 50; ++j) trace("x", at::full({1}, 50 * i + j, at::kLong));
    });
  for (auto& thread : threads) thread.join();
  std::set<int64_t> heard;
  for (const auto& [name, tensor] : sink.tensors()) heard.insert(tensor.item<int64_t>());
  EXPECT_EQ(heard.size(), 200U);
  EXPECT_TRUE(sink.tensors().contains("x#200"));
}

TEST(Trace, RecordsNoGradient) {
  const TraceSink sink;
  trace("x", at::ones({1}).requires_grad_());
  EXPECT_FALSE(sink.tensors().at("x").requires_grad());
}

TEST(Trace, OneAtATime) {
  {
    const TraceSink sink;
    EXPECT_THROW(TraceSink(), Error);
    EXPECT_TRUE(tracing());
  }
  EXPECT_FALSE(tracing());
}

}  // namespace
