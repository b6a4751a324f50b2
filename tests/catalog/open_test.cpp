#include "catalog/open.h"

#include "catalog/catalog.h"
#include "catalog/scene.h"
#include "checkpoint/safetensors.h"

namespace vesalius::catalog {
namespace {

class Open : public Scene {
 protected:
  std::unique_ptr<EmbeddingModel> open(OpenOptions options = {}) const {
    options.precision = options.precision == "auto" ? "fp32" : options.precision;
    return open_embedding_model(tiny.string(), options);
  }
  void change(const std::function<void(std::map<std::string, at::Tensor>&)>& edit) const {
    const auto made = make_tiny();
    auto tensors = read_safetensors(made.weights);
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
    edit(tensors);
    write_safetensors(made.weights, tensors);
  }
};

TEST_F(Open, SaysWhatItIs) {
  const auto made = make_tiny();
  const auto model = open();
  EXPECT_EQ(model->card().family, "medimageinsight");
  EXPECT_EQ(model->input().size, 96);
  EXPECT_EQ(model->dimension(), 48);
  EXPECT_EQ(model->precision(), "fp32");
  EXPECT_EQ(model->weights_sha256(), made.sha256);
  EXPECT_NEAR(model->logit_scale(), 1.0695350170135498, 1e-7);
}

TEST_F(Open, TextsKeepTheirOrderHoweverOften) {
  make_tiny();
  const auto model = open();
  const std::vector<std::string> texts{"heart", "lung, left upper lobe", "heart", "", "lung"};
  const auto all = model->embed_texts(texts);
  ASSERT_EQ(all.sizes(), (std::vector<int64_t>{5, 48}));
  EXPECT_TRUE(all[0].equal(all[2]));
  for (size_t i = 0; i < texts.size(); ++i)
    EXPECT_TRUE(
        at::allclose(open()->embed_texts({texts[i]})[0], all[static_cast<int64_t>(i)], 1e-4, 1e-5))
        << texts[i];
  EXPECT_EQ(model->embed_texts({}).sizes(), (std::vector<int64_t>{0, 48}));
}

TEST_F(Open, ForImagesAloneItRefusesTexts) {
  make_tiny();
  const auto model = open({.images = true, .texts = false});
  EXPECT_EQ(model->embed_images(at::zeros({2, 3, 96, 96})).sizes(), (std::vector<int64_t>{2, 48}));
  refusal(ErrorCode::kFailed, [&] { model->embed_texts({"heart"}); });
}

TEST_F(Open, TakesFilesOfOtherTypes) {
  make_tiny();
  const auto whole = open()->embed_texts({"heart"});
  change([](auto& tensors) {
    for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kBFloat16);
  });
  const auto rounded = open()->embed_texts({"heart"});
  EXPECT_FALSE(rounded.equal(whole));
  EXPECT_TRUE(at::allclose(rounded, whole, 0.1, 0.05 * whole.abs().max().item<double>()));
}

TEST_F(Open, StretchesPositions) {
  change([](auto& tensors) {
    auto& positions = tensors["lang_encoder.positional_embedding"];
    positions = positions.slice(0, 0, 40).clone();
  });
  const auto opened = open_package(tiny);
  const auto& positions = opened.model->lang_encoder.positional_embedding;
  EXPECT_EQ(positions.size(0), 77);
  EXPECT_TRUE(positions.isfinite().all().item<bool>());
}

TEST_F(Open, RefusesWeightsThatAreNoNumbersOfItsKind) {
  change([](auto& tensors) {
    tensors["image_projection"] = tensors["image_projection"].to(at::kLong);
    tensors["lang_encoder.ln_final.bias"] = tensors["lang_encoder.ln_final.bias"].to(at::kChar);
  });
  const auto text = refusal(ErrorCode::kModel, [&] { open(); });
  EXPECT_TRUE(mentions(text, "image_projection (Long)")) << text;
  EXPECT_TRUE(mentions(text, "lang_encoder.ln_final.bias (Char)")) << text;
}

TEST_F(Open, ListsAllThatDoesNotFit) {
  change([](auto& tensors) {
    tensors.erase("logit_scale");
    tensors["lang_encoder.positional_embedding"] = at::zeros({0, 64});
    tensors["image_encoder.norms.bias"] = at::zeros({127});
    tensors["decoder.weight"] = at::zeros({2});
  });
  const auto text = refusal(ErrorCode::kModel, [&] { open(); });
  for (const char* part :
       {"missing logit_scale", "mis-shaped lang_encoder.positional_embedding: [0, 64]",
        "mis-shaped image_encoder.norms.bias: [127] in the file, [128] expected",
        "extra decoder.weight [2]", "medimageinsigt-v1.0.0.pt"})
    EXPECT_TRUE(mentions(text, part)) << part << " in " << text;
}

TEST_F(Open, IsSeededFromTheFolderInsideToo) {
  make_tiny();
  for (const fs::path& folder : {tiny, tiny / "2024.09.27", tiny / "2024.09.27/"})
    EXPECT_TRUE(open_embedding_model(folder.string())->card().seeded) << folder;
}

TEST_F(Open, ABrokenInstalledCardBlocksNoOtherModel) {
  make_tiny();
  fs::create_directories(root / "home/models");
  fs::copy(tiny, root / "home/models/broken", fs::copy_options::recursive);
  write_file(root / "home/models/broken/card.toml", "name = ");
  EXPECT_EQ(open()->dimension(), 48);
  EXPECT_FALSE(find_card("broken"));
}

struct Wrong {
  ErrorCode code;
  const char *device, *precision, *says;
};

TEST_F(Open, RefusesDevicesAndPrecisionsThatAreNot) {
  make_tiny();
  std::vector<Wrong> cases{{ErrorCode::kUsage, "tpu", "auto", "cuda:N"},
                           {ErrorCode::kUsage, "", "auto", "cuda:N"},
                           {ErrorCode::kUsage, "cpu", "int3", "int3"},
                           {ErrorCode::kUsage, "cpu", "fp16", "fp16"}};
  if (!at::globalContext().hasCUDA()) cases.push_back({ErrorCode::kDevice, "cuda", "auto", "GPU"});
  for (const Wrong& one : cases) {
    const auto text = refusal(one.code, [&] {
      open_embedding_model(tiny.string(), {.device = one.device, .precision = one.precision});
    });
    EXPECT_TRUE(mentions(text, one.says)) << text;
  }
}

TEST_F(Open, SaysWhichModelsThereAre) {
  const auto text = refusal(ErrorCode::kModel, [&] { model_folder("medimagineinsight"); });
  EXPECT_TRUE(mentions(text, "medimageinsight (not installed)")) << text;
  refusal(ErrorCode::kModel, [&] { model_folder("medimageinsight"); });
  ::setenv("VESALIUS_CATALOG", root.c_str(), 1);
  EXPECT_TRUE(mentions(refusal(ErrorCode::kModel, [] { model_folder(""); }), "models add"));
}

TEST_F(Open, TheCardsOfTheProgramAreWhole) {
  const auto card = find_card("medimageinsight");
  ASSERT_TRUE(card);
  for (const std::string* field : {&card->title, &card->publisher, &card->licence, &card->source,
                                   &card->intended_use, &card->limits})
    EXPECT_FALSE(field->empty());
  EXPECT_EQ(card->recipe, "community");
  EXPECT_EQ(card->details.at("/files/weights/bytes"_json_pointer), 2'464'060'700);
  EXPECT_FALSE(find_card("no-such-model"));
}

TEST_F(Open, ADamagedCardIsSaid) {
  make_tiny();
  write_file(tiny / "card.toml", "name = ");
  EXPECT_TRUE(mentions(refusal(ErrorCode::kModel, [&] { open(); }), "card.toml"));
}

}  // namespace
}  // namespace vesalius::catalog
