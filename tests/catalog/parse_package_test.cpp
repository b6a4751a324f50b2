// Folders of BiomedParse and MedImageParse as people leave them, and what is refused in them.
#include "catalog/catalog.h"
#include "catalog/install.h"
#include "catalog/open.h"
#include "catalog/parse_open.h"
#include "catalog/parse_scene.h"
#include "catalog/segmentation_model.h"
#include "catalog/toml.h"
#include "catalog/verify.h"
#include "checkpoint/torch_writer.h"

namespace vesalius::catalog {
namespace {

struct Published {
  const char *model, *family, *file;
};
const Published kPublished[] = {
    {"biomedparse-v1", "biomedparse-v1", "biomedparse_v1.pt"},
    {"biomedparse-v2", "biomedparse-v2", "biomedparse_v2.ckpt"},
    {"medimageparse", "biomedparse-v2", "artifacts/checkpoints/boltzformer_focal_all.safetensors"},
    {"medimageparse3d", "biomedparse-v2",
     "artifacts/checkpoints/boltzformer_focal_all.safetensors"}};

/// Drops the card, as a download has none. What is then left must be as large as published.
void without_card(const fs::path& folder) { fs::remove(folder / "card.toml"); }

class ParsePackages : public ParseScene {};

TEST_F(ParsePackages, EveryPublishedLayoutIsWrittenFoundAndRemembered) {
  for (const auto& [model, family, file] : kPublished) {
    SCOPED_TRACE(model);
    const auto made = make(model);
    EXPECT_EQ(made.weights, tiny / file);
    EXPECT_EQ(find_package(tiny).family, family);
    EXPECT_EQ(find_package(made.weights.parent_path()).card.at("seeded"), true);
    const auto opened = open_parse_package(tiny);
    EXPECT_EQ(opened.store->taken().size(), made.tensors);
    const std::string published_recipe = card_of_package(find_package(tiny)).recipe;
    without_card(tiny);
    EXPECT_TRUE(is_package(tiny));
    const auto bare = find_package(tiny);
    EXPECT_EQ(bare.family, family);
    EXPECT_EQ(bare.weights, tiny / file);
    const auto card = card_of_package(bare);
    EXPECT_EQ(card.family, family);
    EXPECT_EQ(card.recipe, parse_version(bare) == 1 ? "biomedparse" : "biomedparse-v2");
    EXPECT_EQ(card.recipe, published_recipe);
    fs::remove_all(tiny);
  }
}

TEST_F(ParsePackages, NestedUnderTheMlflowFolderToo) {
  const auto made = make("biomedparse-v1");
  fs::create_directories(root / "mlflow/artifacts/checkpoints");
  fs::rename(made.weights, root / "mlflow/artifacts/checkpoints/biomedparse_v1.pt");
  EXPECT_EQ(find_package(root / "mlflow").family, "biomedparse-v1");
}

TEST_F(ParsePackages, AnotherNameIsToldByItsTensors) {
  for (const auto& [model, family, file] : kPublished) {
    const auto made = make(model);
    const auto name = "biomedparse_3D_AllData_MultiView_edge" + made.weights.extension().string();
    fs::create_directories(root / "other");
    fs::rename(made.weights, root / "other" / name);
    EXPECT_TRUE(is_package(root / "other")) << model;
    EXPECT_EQ(find_package(root / "other").family, family);
    write_file(root / "other/second.ckpt", "two of them");
    EXPECT_FALSE(is_package(root / "other")) << model;
    fs::remove_all(root / "other");
    fs::remove_all(tiny);
  }
  write_safetensors(root / "foreign/model.safetensors", {{"some.weight", at::ones({999})}});
  EXPECT_FALSE(is_package(root / "foreign"));
}

TEST_F(ParsePackages, AFolderWithBothVersionsAsksForTheName) {
  const auto first = make("biomedparse-v1");
  fs::create_directories(root / "both");
  fs::rename(first.weights, root / "both/biomedparse_v1.pt");
  fs::remove_all(tiny);
  const auto second = make("biomedparse-v2");
  fs::rename(second.weights, root / "both/biomedparse_v2.ckpt");
  write_file(root / "both/config.yaml", "MODEL: {}\n");  // as the download has one
  const auto text = refusal(ErrorCode::kModel, [&] { find_package(root / "both"); });
  EXPECT_TRUE(mentions(text, "biomedparse-v1")) << text;
  EXPECT_TRUE(mentions(text, "models add biomedparse-v2")) << text;
  for (const char* name : {"biomedparse-v1", "biomedparse-v2"})
    EXPECT_EQ(package_to_install(name, root / "both").family, name);
}

TEST_F(ParsePackages, StandInsAreRefusedPlainly) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 1487000000\n";
  struct Case {
    const char* file;
    std::string content;
    const char* says;
  };
  const Case cases[] = {
      {"biomedparse_v2.ckpt", pointer, "git-LFS pointer"},
      {"biomedparse_v1.pt", pointer, "git lfs pull"},
      {"biomedparse_v1.pt", "Not Found", "has 9 bytes"},
      {"biomedparse_v1.pt", "", "has 0 bytes"},
      {"boltzformer_focal_all.safetensors", std::string(4096, 'x'), "not a whole safetensors file"},
      {"biomedparse_v2.ckpt", "PK\x03\x04" + std::string(4096, 'x'), "biomedparse_v2.ckpt"}};
  for (const Case& one : cases) {
    write_file(root / "bad" / one.file, one.content);
    const auto text = refusal(ErrorCode::kModel, [&] { install_package("mine", root / "bad"); });
    EXPECT_TRUE(mentions(text, one.says)) << text;
    fs::remove_all(root / "bad");
  }
  make_tiny();
  write_file(tiny / "2024.09.27/vision_model/medimageinsigt-v1.0.0.pt", pointer);
  EXPECT_TRUE(mentions(refusal(ErrorCode::kModel, [&] { open_package(tiny); }), "git-LFS pointer"));
}

TEST_F(ParsePackages, OneErrorListsEveryTensorThatDoesNotFit) {
  const std::string head = "sem_seg_head.predictor.";
  const auto folder = changed("biomedparse-v2", [&](Tensors& tensors) {
    tensors.erase("backbone.norm0.weight");
    tensors.erase(head + "language_encoder.logit_scale");
    tensors[head + "query_feat_.weight"] = at::zeros({9, 64});
    tensors["extra.weight"] = at::zeros({2});
  });
  const auto text = refusal(ErrorCode::kModel, [&] { install_package("mine", folder); });
  for (const char* part :
       {"4 of its tensors", "missing backbone.norm0.weight [16]",
        "missing sem_seg_head.predictor.language_encoder.logit_scale []",
        "query_feat_.weight: [9, 64] in the file, [8, 64] expected", "extra extra.weight [2]"})
    EXPECT_TRUE(mentions(text, part)) << part << "\n" << text;
}

TEST_F(ParsePackages, TheUnusedBertIsCheckedAndTheTrainingsWeightsAreNot) {
  const std::string bert = "sem_seg_head.predictor.lang_encoder.biomed_encoder.pooler.dense.bias";
  auto folder = changed("biomedparse-v1", [](Tensors& tensors) {
    tensors["criterion.empty_weight"] = at::ones({17});
  });
  EXPECT_NO_THROW(open_parse_package(folder));
  fs::remove_all(folder);
  folder = changed("biomedparse-v1", [&](Tensors& tensors) { tensors[bert] = at::ones({33}); });
  const auto text = refusal(ErrorCode::kModel, [&] { open_parse_package(folder); });
  EXPECT_TRUE(mentions(text, bert + ": [33] in the file, [32] expected")) << text;
}

TEST_F(ParsePackages, QuantisedWeightsAndNansAreRefused) {
  auto folder = changed("biomedparse-v2", [](Tensors& tensors) {
    tensors["pixel_mean"] = tensors["pixel_mean"].to(at::kInt);
  });
  EXPECT_TRUE(mentions(refusal(ErrorCode::kModel, [&] { open_parse_package(folder); }),
                       "not floating-point (pixel_mean (Int))"));
  fs::remove_all(folder);
  folder = changed("biomedparse-v2", [](Tensors& tensors) { tensors["pixel_mean"].fill_(NAN); });
  EXPECT_TRUE(mentions(refusal(ErrorCode::kModel, [&] { install_package("mine", folder); }),
                       "not numbers"));
  EXPECT_FALSE(fs::exists(home() / "models/mine"));
}

TEST_F(ParsePackages, ACatalogNameTakesItsPublishedSizesAndFamilyAlone) {
  make("biomedparse-v2");
  for (const char* name : {"biomedparse-v2", "medimageparse", "medimageparse3d"}) {
    const auto text = refusal(ErrorCode::kModel, [&] { install_package(name, tiny); });
    EXPECT_TRUE(mentions(text, std::string("another model than ") + name)) << text;
    EXPECT_TRUE(mentions(text, "\"embed_dim\":16")) << text;
  }
  for (const char* name : {"biomedparse-v1", "medimageinsight"}) {
    const auto text = refusal(ErrorCode::kModel, [&] { install_package(name, tiny); });
    EXPECT_TRUE(mentions(text, "it is of the family biomedparse-v2")) << text;
  }
}

TEST_F(ParsePackages, EachTaskNamesTheCommandsOfTheOther) {
  make("biomedparse-v2");
  auto text = refusal(ErrorCode::kModel, [&] { open_embedding_model(tiny.string()); });
  EXPECT_TRUE(mentions(text, "vesalius segment")) << text;
  EXPECT_TRUE(mentions(text, "is a segmentation model (biomedparse-v2)")) << text;
  fs::remove_all(tiny);
  make_tiny();
  text = refusal(ErrorCode::kModel, [&] { open_segmentation_model(tiny.string()); });
  EXPECT_TRUE(mentions(text, "vesalius embed, classify")) << text;
  EXPECT_TRUE(mentions(text, "is an embedding model (medimageinsight)")) << text;
}

TEST_F(ParsePackages, AnUnknownFamilyIsNamed) {
  make("biomedparse-v2");
  write_file(tiny / "card.toml", "family = \"biomedparse-v9\"\n");
  const auto text = refusal(ErrorCode::kModel, [&] { find_package(tiny); });
  EXPECT_TRUE(mentions(text, "'biomedparse-v9'")) << text;
}

TEST_F(ParsePackages, WithoutANameTheFirstInstalledIsTaken) {
  ::setenv("VESALIUS_CATALOG", (root / "none").c_str(), 1);  // no starter comes along
  const auto text = refusal(ErrorCode::kModel, [&] { open_segmentation_model(""); });
  EXPECT_TRUE(mentions(text, "medimageparse, biomedparse-v2")) << text;
}

}  // namespace
}  // namespace vesalius::catalog
