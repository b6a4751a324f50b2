// BiomedParse at small sizes equals the published code, whose outputs make_biomedparse_golden.py
// stored: end to end, stage by stage, and block by block on the inputs that the published blocks
// had. What the usual slips would have given lies outside of the gates.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "models/seeded_biomedparse.h"
#include "nn/trace.h"

using namespace vesalius;
using namespace vesalius::models;
using namespace vesalius::testing;

namespace {

constexpr double kBlock = 1e-5, kStage = 2e-5, kEnd = 4e-5;  // of the largest value
const auto kPrompts = tiny_prompts();

/// [tokens, batch, dim] of the published code -> [batch, tokens, dim]
at::Tensor batch_first(const at::Tensor& x) { return x.transpose(0, 1).contiguous(); }
at::Tensor channels_last(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous(); }

/// A version with its stored outputs.
template <class Model>
struct Case {
  Tensors golden;
  std::shared_ptr<TensorStore> store;
  Model model;
  const c10::InferenceMode inference;

  explicit Case(const char* file)
      : golden(golden_of(file)),
        store(
            std::make_shared<TensorStore>("seeded", seeded_biomedparse<Model>(tiny_biomedparse()))),
        model(Weights(store), tiny_biomedparse()) {}

  const at::Tensor& in(const std::string& block, int i) const {
    return golden.at(block + ".in." + std::to_string(i));
  }

  /// Ours against `block`'s output on its inputs.
  void expect_block(const std::string& block, const at::Tensor& ours) const {
    const auto& out = golden.at(block + ".out");
    const auto theirs = out.dim() == 4 ? channels_last(out) : out;
    EXPECT_LT(difference(ours.reshape(-1), theirs.reshape(-1)), kBlock) << block;
  }

  void expect_slips_far(const at::Tensor& masks, const at::Tensor& classes) const {
    const auto ours = at::cat({sample(masks), sample(classes)});
    int slips = 0;
    for (const auto& [name, value] : golden)
      if (name.starts_with("slip.")) {
        EXPECT_GT(difference(value, ours), 2 * kEnd) << name;
        ++slips;
      }
    EXPECT_GE(slips, 10);
  }
};

struct V1 : Case<BiomedParseV1> {
  V1() : Case("biomedparse_v1_tiny.safetensors") {}
};
struct V2 : Case<BiomedParseV2> {
  V2() : Case("biomedparse_v2_tiny.safetensors") {}
};

const std::string kPredictor = "sem_seg_head.predictor.";

/// The published cross attention of `block`, on its inputs: queries, memory, mask, positions.
template <class C>
at::Tensor cross_attention(const C& of, const std::string& block, const CrossAttentionLayer& layer,
                           int64_t heads) {
  const auto memory = batch_first(of.in(block, 1));
  const auto& mask = of.in(block, 2);
  const auto blocked = mask.view({-1, heads, mask.size(1), mask.size(2)}) > 0.5;
  const auto keys = memory + batch_first(of.in(block, 3));
  return layer(batch_first(of.in(block, 0)), batch_first(of.in(block, 4)),
               layer.multihead_attn.memory(keys, memory), blocked)
      .transpose(0, 1);
}

template <class C>
void expect_shared_blocks(const C& of) {
  const auto& backbone = of.model.backbone;
  const auto& image = of.golden.at("image");
  of.expect_block("backbone.patch_embed", backbone.patch_embed(channels_last(image)));
  for (size_t stage = 0; stage < backbone.layers.size(); ++stage) {
    const int64_t stride = int64_t{4} << stage;
    for (const auto& block : backbone.layers[stage]) {
      const auto& x = of.in(block.name, 0);
      of.expect_block(
          block.name,
          block(x.view({x.size(0), image.size(2) / stride, image.size(3) / stride, x.size(2)})));
    }
  }
  for (const auto& down : backbone.downsamples)
    of.expect_block(down.name, down(channels_last(of.in(down.name, 0))));
  for (const auto& layer : of.model.pixel_decoder.encoder)
    of.expect_block(layer.name,
                    layer(batch_first(of.in(layer.name, 0)), batch_first(of.in(layer.name, 1)))
                        .transpose(0, 1));
}

template <class C>
void expect_text_blocks(const C& of, const ClipText& tower) {
  for (const auto& block : tower.resblocks) {
    const auto x = batch_first(of.in(block.name, 0));
    const auto y = block(x.flatten(0, 1), {{x.size(0), x.size(1)}}).view_as(x);
    of.expect_block(block.name, y.transpose(0, 1));
  }
}

template <class C>
void expect_stages(const C& of, const nn::TraceSink& sink) {
  int compared = 0;
  for (const auto& [name, ours] : sink.tensors()) {
    const auto found = of.golden.find(name + ".out");
    if (found == of.golden.end()) continue;
    auto theirs = found->second;
    if (theirs.dim() == 4) theirs = channels_last(theirs);
    if (theirs.dim() == 3 && name.starts_with("sem_seg_head")) theirs = batch_first(theirs);
    if (theirs.numel() != ours.numel()) continue;  // padded texts
    EXPECT_LT(difference(ours.reshape(-1), theirs.reshape(-1)), kStage) << name;
    ++compared;
  }
  EXPECT_GE(compared, 18);
}

TEST(BiomedParseV1Parity, BlockByBlock) {
  const V1 of;
  expect_shared_blocks(of);
  expect_text_blocks(of, of.model.lang_encoder.transformer);
  const auto& p = of.model.predictor;
  for (size_t i = 0; i < p.cross_attention.size(); ++i) {
    const auto n = std::to_string(i);
    const auto cross = kPredictor + "transformer_cross_attention_layers." + n;
    of.expect_block(cross, cross_attention(of, cross, p.cross_attention[i], 4));
    const auto self = kPredictor + "transformer_self_attention_layers." + n;
    of.expect_block(self,
                    p.self_attention[i](batch_first(of.in(self, 0)), batch_first(of.in(self, 2)))
                        .transpose(0, 1));
    const auto feed = kPredictor + "transformer_ffn_layers." + n;
    of.expect_block(feed, p.feedforward[i](of.in(feed, 0)));
  }
}

TEST(BiomedParseV2Parity, BlockByBlock) {
  const V2 of;
  expect_shared_blocks(of);
  expect_text_blocks(of, of.model.language_encoder.transformer);
  const auto& p = of.model.predictor;
  for (size_t i = 0; i < p.cross_attention.size(); ++i) {
    const auto n = std::to_string(i);
    // Ours has the prompts of an image in one row of queries; here each prompt is an image.
    const auto cross = kPredictor + "transformer_cross_attention_layers." + n;
    of.expect_block(cross, cross_attention(of, cross, p.cross_attention[i], 4));
    const auto self = kPredictor + "transformer_self_attention_layers." + n;
    of.expect_block(self,
                    p.self_attention[i](batch_first(of.in(self, 0)), batch_first(of.in(self, 1)))
                        .transpose(0, 1));
    const auto feed = kPredictor + "transformer_ffn_layers." + n;
    of.expect_block(feed, p.feedforward[i](of.in(feed, 0)));
    const auto look = kPredictor + "classifier_cross_attention_layers." + n;
    const auto memory = batch_first(of.in(look, 1));
    const auto& existence = p.existence_attention[i];
    of.expect_block(look, existence(batch_first(of.in(look, 0)), {},
                                    existence.multihead_attn.memory(
                                        memory + batch_first(of.in(look, 2)), memory))
                              .transpose(0, 1));
  }
}

TEST(BiomedParseV1Parity, EndToEndAndStages) {
  const V1 of;
  const nn::TraceSink sink;
  const auto prompts = of.model.lang_encoder(kPrompts);
  EXPECT_LT(difference(prompts.classes, of.golden.at("result.classes")), kEnd);
  const auto result = of.model(of.golden.at("image"), prompts);
  EXPECT_LT(difference(result.scores, of.golden.at("result.scores")), kEnd);
  EXPECT_TRUE(at::equal(result.queries.to(at::kFloat), of.golden.at("result.chosen")));
  const auto masks = sink.tensors().at("sem_seg_head.predictor.masks")[0];
  EXPECT_LT(difference(masks, of.golden.at("result.masks")), kEnd);
  EXPECT_TRUE(at::equal(result.masks, masks.index_select(0, result.queries)));
  expect_stages(of, sink);
  of.expect_slips_far(masks, prompts.classes);
}

TEST(BiomedParseV2Parity, EndToEndAndStages) {
  const V2 of;
  const nn::TraceSink sink;
  const auto prompts = of.model.language_encoder(kPrompts);
  EXPECT_LT(difference(prompts.classes, of.golden.at("result.classes")), kEnd);
  const auto result = of.model(of.golden.at("image"), prompts, seeded_draws());
  EXPECT_LT(difference(result.existence, of.golden.at("result.existence")), kEnd);
  const auto& theirs = of.golden.at("result.masks");  // [batch, prompts, queries, height, width]
  const auto masks = sink.tensors().at("sem_seg_head.predictor.masks");
  EXPECT_LT(difference(masks, theirs), kEnd);
  EXPECT_LT(difference(result.masks, theirs.narrow(2, 0, 2).mean(2)), kEnd);
  EXPECT_LT(difference(result.edges, theirs.narrow(2, 2, 4).mean(2)), kEnd);
  expect_stages(of, sink);
  of.expect_slips_far(masks, prompts.classes);
}

TEST(BiomedParseV1, PromptsInteractAndTheirOrderDoesNot) {
  const V1 of;
  const auto& image = of.golden.at("image");
  const auto features = of.model.features(image);
  const auto together = of.model.ground(features, of.model.lang_encoder(kPrompts));
  const auto alone = of.model.ground(features, of.model.lang_encoder({kPrompts[0]}));
  EXPECT_GT(difference(together.scores.narrow(0, 0, 1), alone.scores), 1e-3);
  const auto turned =
      of.model.ground(features, of.model.lang_encoder({kPrompts[2], kPrompts[0], kPrompts[1]}));
  EXPECT_LT(difference(turned.scores.roll(-1, 0), together.scores), kEnd);
}

TEST(BiomedParseV2, SizesThatArePadded) {
  const V2 of;
  const auto prompts = of.model.language_encoder({kPrompts[1]});
  const auto result = of.model(at::randn({1, 3, 61, 70}), prompts, seeded_draws());
  EXPECT_EQ(result.masks.sizes(), (std::vector<int64_t>{1, 1, 16, 18}));
}

}  // namespace
