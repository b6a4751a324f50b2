#include "catalog/dino_package.h"

#include "catalog/open.h"
#include "catalog/vision_architecture.h"
#include "checkpoint/safetensors.h"
#include "scene.h"

namespace vesalius::catalog {
namespace {

class DinoPackage : public Scene {
 protected:
  SeededPackage make() const {
    return write_seeded_package("rad-dino", "tiny", {.seed = 7, .gains = {}}, tiny);
  }
  void change(const char* file, const char* key, const Json& value) const {
    Json table = read_json(tiny / file);
    table[key] = value;
    write_file(tiny / file, dump_json(table));
  }
};

TEST_F(DinoPackage, IsKnownByItsConfig) {
  make();
  fs::remove(tiny / "card.toml");
  EXPECT_EQ(find_package(tiny).family, "rad-dino");
  const auto model = open_embedding_model(tiny.string(), {.precision = "fp32", .texts = false});
  EXPECT_EQ(model->card().recipe, "rad-dino");
  EXPECT_EQ(model->dimension(), 32);
  EXPECT_EQ(model->input().size, 70);
  EXPECT_FLOAT_EQ(model->input().mean[1], 0.5307F);
}

TEST_F(DinoPackage, FullSizeIsThePublishedOne) {
  const auto card = find_card("rad-dino");
  ASSERT_TRUE(card);
  const auto config =
      read_vision_config(ConfigValues(card->details.at("architecture"), "the card"));
  EXPECT_EQ(write_vision_config(config), write_vision_config({}));
  const auto store = TensorStore::recording();
  const models::Dinov2 model(Weights(store), config);
  int64_t values = 0;
  for (const auto& [name, tensor] : store->taken()) values += tensor.numel();
  EXPECT_EQ(values, card->details.at("/files/weights/values"_json_pointer));
}

TEST_F(DinoPackage, TakesTheNamesOfNewerClasses) {
  const auto made = make();
  const auto before = dino_outputs(tiny, {.precision = "fp32"}, "");
  std::map<std::string, at::Tensor> renamed;
  for (const auto& [name, tensor] : read_safetensors(made.weights)) {
    std::string now = name;
    for (const auto& [newer, published] :
         {std::pair{"attention.q_proj", "attention.attention.query"},
          {"attention.k_proj", "attention.attention.key"},
          {"attention.v_proj", "attention.attention.value"},
          {"attention.o_proj", "attention.output.dense"}})
      if (const auto at = now.find(published); at != std::string::npos)
        now.replace(at, std::string_view(published).size(), newer);
    renamed[now] = tensor.clone();
  }
  ASSERT_TRUE(renamed.contains("encoder.layer.1.attention.o_proj.bias"));
  write_safetensors(made.weights, renamed);
  EXPECT_EQ(dino_outputs(tiny, {.precision = "fp32"}, "").at("image"), before.at("image"));
}

TEST_F(DinoPackage, HasNoTexts) {
  make();
  auto text = refusal(ErrorCode::kModel, [&] { open_embedding_model(tiny.string()); });
  EXPECT_TRUE(mentions(text, "rad-dino has no text encoder")) << text;
  const auto model = open_embedding_model(tiny.string(), {.texts = false});
  text = refusal(ErrorCode::kModel, [&] { model->embed_texts({"a film"}); });
  EXPECT_TRUE(mentions(text, "no text encoder")) << text;
  refusal(ErrorCode::kModel, [&] { model->logit_scale(); });
  text = refusal(ErrorCode::kModel, [&] { open_package(tiny); });
  EXPECT_TRUE(mentions(text, "of the family rad-dino")) << text;
}

TEST_F(DinoPackage, RefusesWhatItCannotBuild) {
  const std::tuple<const char*, const char*, Json> cases[] = {
      {"config.json", "use_swiglu_ffn", true},
      {"config.json", "hidden_act", "relu"},
      {"config.json", "num_attention_heads", 3},
      {"config.json", "image_size", 71},
      {"preprocessor_config.json", "crop_size", 56},
      {"preprocessor_config.json", "image_mean", {0.5}}};
  for (const auto& [file, key, value] : cases) {
    fs::remove_all(tiny);
    make();
    change(file, key, value);
    const auto text = refusal(ErrorCode::kModel, [&] { open_dino_package(tiny); });
    EXPECT_TRUE(mentions(text, file)) << text;
  }
}

}  // namespace
}  // namespace vesalius::catalog
