#include "nn/attention.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace vesalius::nn;

namespace {

at::Tensor random(at::IntArrayRef shape, uint64_t seed = 5) {
  at::manual_seed(seed);
  return at::randn(shape);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return ((a.to(at::kDouble) - b.to(at::kDouble)).abs().max() / b.abs().max()).item<double>();
}

/// One sequence in double precision: [length, 3 * dim], further keys [more, 3 * dim] -> [length,
/// dim].
at::Tensor exact_attention(const at::Tensor& qkv, int64_t heads, const at::Tensor& more = {}) {
  const auto all = (more.defined() ? at::cat({qkv, more}) : qkv).to(at::kDouble);
  const auto split = all.view({all.size(0), 3, heads, -1}).permute({1, 2, 0, 3});  // 3 H N D
  const auto q = split[0].narrow(1, 0, qkv.size(0));
  const auto scores = at::matmul(q, split[1].transpose(1, 2)) / std::sqrt(1.0 * q.size(-1));
  return at::matmul(at::softmax(scores, -1), split[2]).transpose(0, 1).reshape({qkv.size(0), -1});
}

at::Tensor exact_packed(const at::Tensor& qkv, int64_t heads, const std::vector<Sequences>& groups,
                        const PadKeys& pads = {}) {
  std::vector<at::Tensor> out;
  int64_t row = 0;
  for (const auto& [count, length] : groups)
    for (int64_t i = 0; i < count; ++i, row += length) {
      const int64_t missing = std::max<int64_t>(0, pads.length - length);
      const auto more = pads.qkv.defined() ? pads.qkv.expand({missing, -1}) : at::Tensor();
      out.push_back(exact_attention(qkv.narrow(0, row, length), heads, more));
    }
  return at::cat(out);
}

struct PackedCase {
  int64_t heads, head_dim;
  std::vector<Sequences> groups;
};

const PackedCase kPacked[] = {
    {1, 32, {{1, 1}}},        {2, 32, {{3, 144}}}, {4, 64, {{2, 2}, {1, 5}, {3, 11}, {1, 77}}},
    {3, 8, {{4, 7}, {2, 1}}}, {1, 136, {{2, 9}}},
};

TEST(PackedAttention, EverySequenceForItself) {
  for (const auto& c : kPacked) {
    int64_t rows = 0;
    for (const auto& group : c.groups) rows += group.count * group.length;
    const auto qkv = random({rows, 3 * c.heads * c.head_dim});
    EXPECT_LT(
        difference(packed_attention(qkv, c.heads, c.groups), exact_packed(qkv, c.heads, c.groups)),
        1e-5)
        << c.heads << " x " << c.head_dim;
  }
}

TEST(PackedAttention, OnePadKeyStandsForMany) {
  const std::vector<Sequences> groups{{2, 144}, {1, 72}, {1, 36}, {2, 1}};
  const auto qkv = random({398, 3 * 64}), pad = random({3 * 64}, 2);
  const PadKeys pads{pad, 144};
  const auto expected = exact_packed(qkv, 2, groups, pads);
  EXPECT_LT(difference(packed_attention(qkv, 2, groups, pads), expected), 1e-5);
  // Hiding the padding, or counting it once, is another function.
  EXPECT_GT(difference(packed_attention(qkv, 2, groups), expected), 1e-2);
  EXPECT_GT(
      difference(exact_packed(qkv, 2, {{2, 144}, {1, 72}, {1, 36}, {2, 1}}, {pad, 37}), expected),
      1e-2);
}

TEST(PackedAttention, LargeScoresStayFinite) {
  const auto qkv = random({20, 3 * 32}) * 100, pad = random({3 * 32}, 2) * 100;
  const auto y = packed_attention(qkv, 1, {{2, 10}}, {pad, 16});
  EXPECT_LT(difference(y, exact_packed(qkv, 1, {{2, 10}}, {pad, 16})), 1e-4);
}

TEST(PackedAttention, GradientsReachQueriesAndPadKeys) {
  const auto plain = random({30, 3 * 32}), pad = random({3 * 32}, 2), seen = random({30, 32}, 3);
  const auto run = [&](const auto& attention) {
    const auto x = plain.clone().requires_grad_(), p = pad.clone().requires_grad_();
    (attention(x, 1, std::vector<Sequences>{{1, 16}, {2, 7}}, PadKeys{p, 16}) * seen)
        .sum()
        .backward();
    return std::pair{x.grad(), p.grad()};
  };
  const auto [x, p] = run([](auto&&... a) { return packed_attention(a...); });
  const auto [expected_x, expected_p] = run([](auto&&... a) { return exact_packed(a...); });
  EXPECT_LT(difference(x, expected_x), 1e-4);
  EXPECT_LT(difference(p, expected_p), 1e-4);
}

struct GridCase {
  int64_t batch, height, width, window;
  std::vector<std::pair<int64_t, int64_t>> groups;  // count, length
};

const GridCase kGrids[] = {
    {1, 24, 24, 12, {{4, 144}}},
    {1, 30, 30, 12, {{4, 144}, {2, 72}, {2, 72}, {1, 36}}},
    {1, 15, 15, 12, {{1, 144}, {1, 36}, {1, 36}, {1, 9}}},
    {3, 7, 5, 12, {{3, 35}}},
    {2, 12, 14, 12, {{2, 144}, {2, 24}}},
    {2, 13, 12, 12, {{2, 144}, {2, 12}}},
    {1, 1, 1, 5, {{1, 1}}},
};

TEST(Windows, SequencesAreTheWindowsRows) {
  for (const auto& g : kGrids) {
    const Windows windows(g.batch, g.height, g.width, g.window, at::kCPU);
    ASSERT_EQ(windows.groups().size(), g.groups.size()) << g.height << " x " << g.width;
    for (size_t i = 0; i < g.groups.size(); ++i) {
      EXPECT_EQ(windows.groups()[i].count, g.groups[i].first);
      EXPECT_EQ(windows.groups()[i].length, g.groups[i].second);
    }
    EXPECT_EQ(windows.area(), g.window * g.window);
    const auto x = random({g.batch, g.height, g.width, 4});
    EXPECT_TRUE(windows.reverse(windows.partition(x)).equal(x));
  }
}

TEST(Windows, EachSequenceIsOneWindowInRowOrder) {
  const Windows windows(2, 7, 8, 3, at::kCPU);
  const auto y = at::arange(7).view({1, 7, 1}).expand({2, 7, 8});
  const auto x = at::arange(8).view({1, 1, 8}).expand({2, 7, 8});
  const auto rows = windows.partition(at::stack({y, x}, -1).to(at::kFloat)).to(at::kLong);
  int64_t row = 0;
  for (const auto& [count, length] : windows.groups())
    for (int64_t i = 0; i < count; ++i, row += length) {
      const auto places = rows.narrow(0, row, length);
      const auto window = at::div(places, 3, "floor");
      EXPECT_TRUE(window.eq(window[0]).all().item<bool>());
      const auto order = places.select(1, 0) * 8 + places.select(1, 1);
      EXPECT_TRUE(
          (order.narrow(0, 1, length - 1) > order.narrow(0, 0, length - 1)).all().item<bool>());
    }
  EXPECT_EQ(row, 2 * 7 * 8);
}

/// The reference's way: pad behind the norm, run everything, crop.
TEST(Windows, EqualPaddedWindowAttention) {
  const int64_t height = 15, width = 14, dim = 32, window = 6;
  const auto x = random({1, height, width, dim}), weight = random({3 * dim, dim}, 2) / 5;
  const auto bias = random({3 * dim}, 3);
  const Windows windows(1, height, width, window, at::kCPU);
  const auto ours = windows.reverse(packed_attention(at::linear(windows.partition(x), weight, bias),
                                                     1, windows.groups(), {bias, windows.area()}));
  const auto padded = at::constant_pad_nd(x, {0, 0, 0, 4, 0, 3});  // 18 x 18
  const Windows whole(1, 18, 18, window, at::kCPU);
  const auto theirs = whole.reverse(
      exact_packed(at::linear(whole.partition(padded), weight, bias), 1, whole.groups()));
  EXPECT_LT(difference(ours, theirs.narrow(1, 0, height).narrow(2, 0, width)), 1e-5);
}

TEST(ChannelAttention, ScaledByTokensInThisOrder) {
  for (const auto& [batch, tokens, groups, channels] :
       {std::array<int64_t, 4>{1, 225, 3, 32}, {2, 50, 4, 32}, {3, 1, 1, 32}, {2, 17, 2, 12}}) {
    const auto qkv = random({batch, tokens, 3 * groups * channels});
    const auto d =
        qkv.to(at::kDouble).view({batch, tokens, 3, groups, channels}).permute({2, 0, 3, 1, 4});
    const auto scores = at::matmul(d[0].transpose(-1, -2), d[1]) / std::sqrt(1.0 * tokens);
    const auto expected = at::matmul(at::softmax(scores, -1), d[2].transpose(-1, -2))
                              .permute({0, 3, 1, 2})
                              .reshape({batch, tokens, groups * channels});
    EXPECT_LT(difference(channel_attention(qkv, groups), expected), 1e-5) << tokens;
  }
}

TEST(ChannelAttention, Differentiable) {
  const auto qkv = random({2, 9, 3 * 32}).requires_grad_();
  channel_attention(qkv, 1).square().sum().backward();
  EXPECT_GT(qkv.grad().abs().max().item<double>(), 0);
  EXPECT_TRUE(at::isfinite(qkv.grad()).all().item<bool>());
}

}  // namespace
