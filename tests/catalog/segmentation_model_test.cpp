// The interface over both versions: what goes in and out, who sees whom, what is kept.
#include "catalog/segmentation_model.h"

#include <numeric>
#include <thread>

#include "catalog/parse_open.h"
#include "catalog/parse_scene.h"

namespace vesalius::catalog {
namespace {

const std::vector<std::string> kPrompts{"liver", "left kidney", "enhancing tumor in brain MRI"};

at::Tensor planes(int64_t count, int64_t side) {
  const auto ramp = at::arange(count * 3 * side * side, at::kFloat);
  return (ramp.mul(0.37).sin() * 60 + 120 + 60 * ramp.div(side * 3).sin())
      .view({count, 3, side, side});
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

class Segmentation : public ParseScene {
 protected:
  std::unique_ptr<SegmentationModel> open(const std::string& name) const {
    make(name);
    return open_segmentation_model(tiny.string(), {.device = "cpu", .precision = "fp32"});
  }
  /// The shapes that version 2 asked for.
  std::vector<std::vector<int64_t>> asked_;
  models::Uniforms counting() {
    return [this, draws = seeded_uniforms(3)](at::IntArrayRef shape) {
      asked_.push_back(shape.vec());
      return draws(shape);
    };
  }
};

TEST_F(Segmentation, Version1) {
  const auto model = open("biomedparse-v1");
  EXPECT_EQ(model->version(), 1);
  EXPECT_EQ(model->side(), 64);
  EXPECT_TRUE(model->card().seeded);
  EXPECT_EQ(model->precision(), "fp32");
  const auto prompts = model->encode(kPrompts);
  const auto never = [](at::IntArrayRef) -> at::Tensor { throw std::logic_error("asked"); };
  const auto masks = model->segment(planes(2, 64), prompts, never, Company::kTogether);
  EXPECT_EQ(masks.logits.sizes(), (std::vector<int64_t>{2, 3, 16, 16}));
  EXPECT_FALSE(masks.existence.defined());
  // Plane by plane is what it is anyway.
  const auto second =
      model->segment(planes(2, 64).narrow(0, 1, 1), prompts, never, Company::kTogether);
  EXPECT_LT(difference(second.logits[0], masks.logits[1]), 1e-5);
}

TEST_F(Segmentation, Version1NormalisesAsPublished) {
  const auto model = open("biomedparse-v1");
  const auto opened = open_parse_package(tiny);
  const c10::InferenceMode inference;
  const auto& network = std::get<models::BiomedParseV1>(*opened.model);
  const auto mean = at::tensor({123.675F, 116.28F, 103.53F}).view({1, 3, 1, 1});
  const auto std = at::tensor({58.395F, 57.12F, 57.375F}).view({1, 3, 1, 1});
  const auto prompts = model->encode(kPrompts);
  const auto expected = network((planes(1, 64) - mean) / std, prompts).masks;
  const auto ours = model->segment(planes(1, 64), prompts, {}, Company::kTogether).logits[0];
  EXPECT_LT(difference(ours, expected), 1e-5);
}

TEST_F(Segmentation, Version2) {
  const auto model = open("medimageparse");
  EXPECT_EQ(model->version(), 2);
  EXPECT_EQ(model->heads(), 4);
  const auto prompts = model->encode(kPrompts);
  const auto masks = model->segment(planes(2, 64), prompts, counting(), Company::kTogether);
  EXPECT_EQ(masks.logits.sizes(), (std::vector<int64_t>{2, 3, 16, 16}));
  EXPECT_EQ(masks.existence.sizes(), (std::vector<int64_t>{2, 3}));
  ASSERT_EQ(asked_.size(), 5U);  // once before the four layers
  EXPECT_EQ(asked_[0], (std::vector<int64_t>{2 * 3 * 4, 8, 2 * 2}));
  // The stored mean and deviation normalise.
  const auto opened = open_parse_package(tiny);
  const c10::InferenceMode inference;
  const auto& network = std::get<models::BiomedParseV2>(*opened.model);
  const auto expected = network((planes(2, 64) - 114.495) / 57.63, prompts, seeded_uniforms(3));
  EXPECT_LT(difference(masks.logits, expected.masks), 1e-4);
  EXPECT_LT(difference(masks.existence, expected.existence), 1e-4);
}

TEST_F(Segmentation, InIsolationAPromptIsAsAlone) {
  for (const char* name : {"biomedparse-v1", "biomedparse-v2"}) {
    SCOPED_TRACE(name);
    const auto model = open(name);
    const auto together = model->segment(planes(1, 64), model->encode(kPrompts), seeded_uniforms(3),
                                         Company::kTogether);
    const auto isolated = model->segment(planes(1, 64), model->encode(kPrompts), seeded_uniforms(3),
                                         Company::kIsolated);
    // Draws go on from prompt to prompt, so the first alone is comparable.
    const auto alone = model->segment(planes(1, 64), model->encode({kPrompts[0]}),
                                      seeded_uniforms(3), Company::kTogether);
    EXPECT_EQ(isolated.logits.sizes(), together.logits.sizes());
    EXPECT_LT(difference(isolated.logits.narrow(1, 0, 1), alone.logits), 1e-5);
    EXPECT_GT(difference(together.logits.narrow(1, 0, 1), alone.logits), 1e-3);
    fs::remove_all(tiny);
  }
}

TEST_F(Segmentation, PromptsAreEncodedOnceAndInOrder) {
  const auto model = open("biomedparse-v2");
  const auto first = model->encode({"liver", "spleen", "liver"});
  ASSERT_EQ(first.tokens.size(), 3U);
  EXPECT_TRUE(at::equal(first.tokens[0], first.tokens[2]));
  EXPECT_EQ(first.tokens[0].sizes(), (std::vector<int64_t>{3, 64}));
  EXPECT_EQ(first.classes.sizes(), (std::vector<int64_t>{3, 64}));
  const auto again = model->encode({"spleen"});
  EXPECT_TRUE(again.tokens[0].is_same(first.tokens[1]));
  EXPECT_TRUE(model->encode({}).tokens.empty());
}

TEST_F(Segmentation, NoPromptIsRefused) {
  const auto model = open("biomedparse-v2");
  refusal(ErrorCode::kUsage,
          [&] { model->segment(planes(1, 64), {}, seeded_uniforms(1), Company::kTogether); });
}

TEST_F(Segmentation, ThreadsGetTheSame) {
  const auto model = open("biomedparse-v2");
  const auto run = [&] {
    return model
        ->segment(planes(1, 64), model->encode(kPrompts), seeded_uniforms(5), Company::kTogether)
        .logits;
  };
  const auto expected = run();
  std::vector<at::Tensor> found(4);
  std::vector<std::thread> threads;
  for (auto& one : found) threads.emplace_back([&] { one = run(); });
  for (auto& thread : threads) thread.join();
  for (const auto& one : found) EXPECT_LT(difference(one, expected), 1e-5);
}

TEST_F(Segmentation, ResultsSayWhereTheyComeFrom) {
  const auto model = open("medimageparse3d");
  const Json said = provenance(*model, {.name = "biomedparse-v2"});
  EXPECT_EQ(said.at("model"), "medimageparse3d");
  EXPECT_EQ(said.at("weights_sha256"), model->weights_sha256());
  EXPECT_EQ(said.at("seeded"), true);
  EXPECT_EQ(said.at("research_use_only"), true);
}

TEST(SeededUniforms, AreTheStreamOfTheirNumber) {
  const auto draws = seeded_uniforms(7);
  const auto first = draws({2, 3}), second = draws({4});
  std::vector<float> unit(4);
  seeded_stream("draw.1", 7, 0, unit);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(second[i].item<float>(), (unit[static_cast<size_t>(i)] + 1) / 2);
  EXPECT_GE(first.min().item<float>(), 0);
  EXPECT_LT(first.max().item<float>(), 1);
}

}  // namespace
}  // namespace vesalius::catalog
