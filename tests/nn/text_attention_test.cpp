#include "levels.h"
#include "nn/attention.h"

namespace vesalius::nn {
namespace {

struct Sizes {
  int64_t batch, heads, kv_heads, head_dim, length, tokens, window;
};

/// One query and key after another, in float64.
at::Tensor by_definition(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                         const Sizes& s) {
  const auto query = q.to(at::kDouble), k = keys.to(at::kDouble), v = values.to(at::kDouble);
  auto y = at::zeros({s.batch, s.tokens, s.heads, s.head_dim}, at::kDouble);
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t t = 0; t < s.tokens; ++t)
      for (int64_t h = 0; h < s.heads; ++h) {
        const int64_t shared = h / (s.heads / s.kv_heads), end = s.length - s.tokens + t + 1;
        const int64_t begin = s.window > 0 ? std::max<int64_t>(0, end - s.window) : 0;
        const auto rows = [&](const at::Tensor& x) {
          return x[b][shared].narrow(0, begin, end - begin);
        };
        const auto scores =
            at::mv(rows(k), query[b][t][h]) / std::sqrt(static_cast<double>(s.head_dim));
        y[b][t][h] = at::mv(rows(v).t(), at::softmax(scores, 0));
      }
  return y.flatten(2);
}

class TextAttentionTest : public LevelTest {
 protected:
  void check(const Sizes& s, at::ScalarType type = at::kFloat) {
    const auto q = at::randn({s.batch, s.tokens, s.heads, s.head_dim});
    // As a cache has it: with room behind the text.
    const auto room = at::randn({2, s.batch, s.kv_heads, s.length + 5, s.head_dim}).to(type);
    const auto keys = room[0].narrow(2, 0, s.length), values = room[1].narrow(2, 0, s.length);
    expect_close(text_attention(q, keys, values, s.window), by_definition(q, keys, values, s), 4);
  }
};
INSTANTIATE_TEST_SUITE_P(Cpu, TextAttentionTest, testing::ValuesIn(levels()), level_name);

TEST_P(TextAttentionTest, OneToken) {
  check({1, 4, 4, 128, 77, 1, 0});
  check({1, 2, 2, 96, 1, 1, 0});
  check({1, 6, 2, 16, 33, 1, 0});
  check({1, 1, 1, 256, 40, 1, 0});
  check({1, 2, 1, 20, 19, 1, 0});  // a rest of channels
}

TEST_P(TextAttentionTest, AFewTokensBehindAText) {
  check({1, 4, 2, 64, 50, 9, 0});
  check({2, 4, 4, 32, 16, 16, 0});
}

TEST_P(TextAttentionTest, ManyTokens) {
  check({1, 2, 2, 128, 70, 70, 0});
  check({1, 4, 1, 96, 131, 40, 0});
  check({2, 2, 2, 20, 45, 45, 0});
}

TEST_P(TextAttentionTest, Windows) {
  for (const int64_t window : {1, 7, 40, 500}) {
    check({1, 2, 2, 64, 90, 1, window});
    check({1, 2, 2, 64, 90, 5, window});
    check({1, 2, 1, 64, 90, 60, window});
  }
}

TEST_P(TextAttentionTest, KeysAndValuesInBf16) {
  check({1, 4, 2, 128, 60, 1, 0}, at::kBFloat16);
  check({1, 4, 2, 100, 60, 30, 21}, at::kBFloat16);
}

TEST_P(TextAttentionTest, CompanyDoesNotChangeARow) {
  const auto q = at::randn({1, 9, 2, 64}), keys = at::randn({1, 2, 80, 64});
  const auto values = at::randn({1, 2, 80, 64});
  if (GetParam().cpu == CpuLevel::kGeneric) GTEST_SKIP() << "LibTorch's own";
  const auto together = text_attention(q, keys, values);
  const auto first =
      text_attention(q.narrow(1, 0, 1), keys.narrow(2, 0, 72), values.narrow(2, 0, 72));
  EXPECT_TRUE(at::equal(together.narrow(1, 0, 1), first));
}

TEST_P(TextAttentionTest, LargeScoresDoNotOverflow) {
  const auto q = at::randn({1, 20, 2, 64}) * 100, keys = at::randn({1, 2, 40, 64}) * 100;
  const auto values = at::randn({1, 2, 40, 64});
  for (const int64_t tokens : {1, 20})
    EXPECT_TRUE(text_attention(q.narrow(1, 0, tokens), keys, values).isfinite().all().item<bool>());
}

TEST(TextAttention, GradientsFlow) {
  auto q = at::randn({2, 7, 4, 8}), k = at::randn({2, 2, 7, 8}), v = at::randn({2, 2, 7, 8});
  const auto direct = text_attention(q, k, v, 3);
  for (auto* x : {&q, &k, &v}) x->requires_grad_();
  const auto y = text_attention(q, k, v, 3);
  EXPECT_LT((y - direct).abs().max().item<double>(), 1e-5);
  y.square().sum().backward();
  for (const auto* x : {&q, &k, &v}) EXPECT_GT(x->grad().abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace vesalius::nn
