#include "levels.h"
#include "nn/attention.h"

namespace vesalius::nn {
namespace {

class AttentionTest : public LevelTest {};
INSTANTIATE_TEST_SUITE_P(Cpu, AttentionTest, testing::ValuesIn(levels()), level_name);

/// One sequence in float64, every pad key written out. [length, 3 * dim] -> [length, dim]
at::Tensor exact(const at::Tensor& qkv, int64_t heads, const at::Tensor& pad, int64_t pads) {
  auto all = qkv.to(at::kDouble);
  if (pads > 0) all = at::cat({all, pad.to(at::kDouble).expand({pads, -1})});
  const auto x = all.view({all.size(0), 3, heads, -1}).permute({1, 2, 0, 3});
  const auto scale = 1 / std::sqrt(static_cast<double>(x.size(3)));
  const auto weights = at::softmax(at::matmul(x[0], x[1].transpose(1, 2)) * scale, -1);
  return at::matmul(weights, x[2]).permute({1, 0, 2}).flatten(1).narrow(0, 0, qkv.size(0));
}

at::Tensor exact(const at::Tensor& qkv, int64_t heads, const std::vector<Sequences>& groups,
                 const PadKeys& pads = {}) {
  std::vector<at::Tensor> parts;
  int64_t row = 0;
  for (const auto& group : groups)
    for (int64_t i = 0; i < group.count; ++i, row += group.length)
      parts.push_back(
          exact(qkv.narrow(0, row, group.length), heads, pads.qkv,
                pads.qkv.defined() ? std::max<int64_t>(pads.length - group.length, 0) : 0));
  return at::cat(parts);
}

struct Case {
  int64_t heads, head_dim;
  std::vector<Sequences> groups;
};

// One token, one off a tile, several lengths, more keys than a block of 256 or (bf16) 512 steps,
// odd heads.
const Case kCases[] = {{1, 32, {{1, 1}}},
                       {2, 32, {{3, 144}}},
                       {4, 32, {{2, 14}, {1, 15}}},
                       {2, 64, {{1, 77}, {2, 11}, {1, 2}}},
                       {1, 32, {{1, 257}}},
                       {2, 16, {{1, 600}}},
                       {3, 40, {{2, 33}}},
                       {1, 128, {{1, 50}}},
                       {1, 7, {{4, 5}}}};

TEST_P(AttentionTest, EqualsFloat64) {
  for (const auto& one : kCases) {
    SCOPED_TRACE(std::to_string(one.head_dim) + " channels, " +
                 std::to_string(one.groups[0].length) + " tokens");
    int64_t rows = 0;
    for (const auto& group : one.groups) rows += group.count * group.length;
    const auto qkv = at::randn({rows, 3 * one.heads * one.head_dim});
    expect_close(packed_attention(qkv, one.heads, one.groups), exact(qkv, one.heads, one.groups));
  }
}

TEST_P(AttentionTest, PadKeysCountAsOftenAsTheyStand) {
  const std::vector<Sequences> groups{{2, 36}, {1, 18}, {1, 9}};
  const auto qkv = at::randn({99, 3 * 64});
  const PadKeys pads{at::randn({3 * 64}) * 2, 36};  // the first group has none
  expect_close(packed_attention(qkv, 2, groups, pads), exact(qkv, 2, groups, pads));
}

TEST_P(AttentionTest, LargeScoresDoNotOverflow) {
  const auto qkv = at::randn({20, 3 * 32}) * 60;
  expect_close(packed_attention(qkv, 1, {{1, 20}}), exact(qkv, 1, {{1, 20}}), /*slack=*/20);
}

TEST_P(AttentionTest, ManyChannelsTakeThePlainWay) {
  const auto qkv = at::randn({12, 3 * 160});
  expect_close(packed_attention(qkv, 1, {{1, 12}}), exact(qkv, 1, {{1, 12}}));
}

TEST_P(AttentionTest, LeavesAutogradAlone) {
  const auto qkv = at::randn({12, 3 * 32}).requires_grad_();
  packed_attention(qkv, 1, {{1, 12}}).sum().backward();
  EXPECT_TRUE(qkv.grad().defined());
}

at::Tensor exact_channels(const at::Tensor& qkv, int64_t groups) {
  const int64_t batch = qkv.size(0), tokens = qkv.size(1);
  const auto x = qkv.to(at::kDouble).view({batch, tokens, 3, groups, -1}).permute({2, 0, 3, 1, 4});
  const auto scores = at::matmul(x[0].transpose(-1, -2), x[1]) / std::sqrt(double(tokens));
  return at::matmul(at::softmax(scores, -1), x[2].transpose(-1, -2))
      .permute({0, 3, 1, 2})
      .reshape({batch, tokens, -1});
}

TEST_P(AttentionTest, BetweenChannels) {
  for (const auto& [batch, tokens, groups] :
       {std::array{1, 1, 1}, {2, 13, 2}, {1, 129, 3}, {3, 225, 4}, {1, 900, 2}}) {
    SCOPED_TRACE(std::to_string(tokens) + " tokens");
    const auto qkv = at::randn({batch, tokens, 3 * 32 * groups});
    expect_close(channel_attention(qkv, groups), exact_channels(qkv, groups));
  }
}

TEST_P(AttentionTest, BetweenChannelsOfOtherWidths) {
  const auto qkv = at::randn({2, 50, 3 * 24});
  expect_close(channel_attention(qkv, 3), exact_channels(qkv, 3));
}

}  // namespace
}  // namespace vesalius::nn
