#include "models/clip_text.h"

#include <gtest/gtest.h>

#include "nn/trace.h"

using namespace vesalius;
using namespace vesalius::models;

namespace {

using Ids = std::vector<std::vector<int32_t>>;

ClipTextConfig tiny() {
  return {.vocabulary = 300, .context = 20, .width = 64, .heads = 2, .layers = 2};
}

ClipText tower() { return {Weights(TensorStore::initialised(1)), tiny()}; }

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

ErrorCode error_of(const Ids& ids) {
  try {
    tower()(ids);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kFailed;
}

TEST(ClipText, PublishedDepthHasThePublishedTensors) {
  const auto store = TensorStore::initialised(1);
  auto c = tiny();
  c.layers = 16;
  const ClipText text(Weights(store) / "lang_encoder", c);
  EXPECT_EQ(store->taken().size(), 196U);
  EXPECT_TRUE(store->has("lang_encoder.resblocks.15.attn.in_proj_weight"));
  EXPECT_TRUE(store->has("lang_encoder.positional_embedding"));
}

TEST(ClipText, OrderAndCompanyDoNotMatter) {
  const auto text = tower();
  const Ids ids{
      {298, 1, 2, 3, 299}, {298, 299}, {298, 9, 9, 9, 9, 9, 299}, {298, 4, 299}, {298, 299}};
  const auto together = text(ids);
  EXPECT_EQ(together.sizes(), (std::vector<int64_t>{5, 64}));
  for (size_t i = 0; i < ids.size(); ++i)
    EXPECT_LT(difference(text({ids[i]})[0], together[static_cast<int64_t>(i)]), 1e-5) << i;
  EXPECT_LT(difference(together[1], together[4]), 1e-6);
}

TEST(ClipText, LongListsRunInSeveralPasses) {
  const auto text = tower();
  Ids ids;
  for (int i = 0; i < 700; ++i)
    ids.push_back(std::vector<int32_t>(static_cast<size_t>(2 + i % 17), i % 290));
  const nn::TraceSink sink;
  const auto y = text(ids);
  EXPECT_TRUE(sink.tensors().contains("resblocks.1#2"));  // more than one pass
  for (const size_t i : {0, 333, 699})
    EXPECT_LT(difference(text({ids[i]})[0], y[static_cast<int64_t>(i)]), 1e-5) << i;
}

TEST(ClipText, PoolsAtTheFirstOfTheLargestIds) {
  const auto text = tower();
  const auto a = text({{298, 5, 299, 7, 299}}), b = text({{298, 5, 299, 8, 299}});
  EXPECT_GT(difference(a, b), 1e-4);  // bidirectional: what follows is seen
  const nn::TraceSink sink;
  text({{298, 5, 299, 7, 299}});
  const auto hidden = sink.tensors().at("resblocks.1")[2];
  EXPECT_LT(difference(text.ln_final(hidden), a[0]), 1e-6);
}

TEST(ClipText, NoTexts) { EXPECT_EQ(tower()({}).sizes(), (std::vector<int64_t>{0, 64})); }

TEST(ClipText, WrongIdsAreRefused) {
  EXPECT_EQ(error_of({{298, 299}, {}}), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of({std::vector<int32_t>(21, 3)}), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of({{298, 300}}), ErrorCode::kModel);
  EXPECT_EQ(error_of({{-1, 299}}), ErrorCode::kModel);
}

TEST(ClipText, CausalTokensDoNotSeeWhatFollows) {
  auto c = tiny();
  c.autoregressive = true;
  const ClipText text(Weights(TensorStore::initialised(1)), c);
  const auto hidden = text.tokens({{298, 5, 299, 7}, {298, 5}, {298, 5, 299, 8}});
  ASSERT_EQ(hidden.size(), 3U);
  EXPECT_EQ(hidden[1].sizes(), (std::vector<int64_t>{2, 64}));
  EXPECT_LT(difference(hidden[0].narrow(0, 0, 3), hidden[2].narrow(0, 0, 3)), 1e-6);
  EXPECT_LT(difference(hidden[0].narrow(0, 0, 2), hidden[1]), 1e-5);
  EXPECT_GT(difference(hidden[0][3], hidden[2][3]), 1e-4);
}

TEST(ClipText, PooledIsTheEndsToken) {
  const auto text = tower();
  const Ids ids{{298, 1, 2, 3, 299}, {298, 299}, {298, 4, 299}};
  const auto pooled = text(ids);
  const auto hidden = text.tokens(ids);
  for (size_t i = 0; i < ids.size(); ++i)
    EXPECT_LT(difference(hidden[i][-1], pooled[static_cast<int64_t>(i)]), 1e-6) << i;
}

TEST(ClipText, EveryParameterLearns) {
  const auto store = TensorStore::initialised(1);
  const ClipText text(Weights(store), tiny());
  for (auto [name, parameter] : store->taken()) parameter.requires_grad_();
  at::manual_seed(2);
  (text({{298, 5, 6, 299}, {298, 299}, {298, 7, 299}}) * at::randn({3, 64})).sum().backward();
  for (const auto& [name, parameter] : store->taken()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    EXPECT_GT(parameter.grad().abs().max().item<double>(), 0) << name;
  }
}

}  // namespace
