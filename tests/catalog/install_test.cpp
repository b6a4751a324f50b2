#include "catalog/install.h"

#include "catalog/catalog.h"
#include "catalog/config_yaml.h"
#include "catalog/open.h"
#include "catalog/scene.h"
#include "catalog/verify.h"
#include "catalog/weights_hash.h"
#include "checkpoint/safetensors.h"
#include "text/clip_files.h"

namespace vesalius::catalog {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

class Install : public Scene {
 protected:
  /// The tiny package with its tensors changed.
  void change(const std::function<void(Tensors&)>& edit) const {
    const auto made = make_tiny();
    Tensors tensors = read_safetensors(made.weights);
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
    edit(tensors);
    fs::remove(tiny / "card.toml");
    write_safetensors(made.weights, tensors);
  }
  bool nothing_installed() const {
    std::error_code ignored;
    const fs::path models = root / "home/models";
    return !fs::exists(models, ignored) || fs::is_empty(models, ignored);
  }
};

TEST_F(Install, MakesAModelThatOpensByName) {
  const auto made = make_tiny();
  const auto added = install_package("mine", tiny);
  EXPECT_EQ(added.weights_sha256, made.sha256);
  EXPECT_TRUE(added.card.seeded);
  EXPECT_TRUE(mentions(added.remark, "seeded"));
  const auto model = open_embedding_model("mine");
  EXPECT_EQ(model->card().name, "mine");
  EXPECT_EQ(model->weights_sha256(), made.sha256);
  EXPECT_TRUE(provenance(*model, {}).at("seeded").get<bool>());
  EXPECT_TRUE(verify_model("mine").passed());
  EXPECT_EQ(find_card("mine")->folder, home() / "models/mine");
}

TEST_F(Install, TakesTheMlflowPackageToo) {
  make_tiny();
  fs::create_directories(root / "mlflow/artifacts");
  fs::rename(tiny / "2024.09.27", root / "mlflow/artifacts/checkpoints");
  const auto added = install_package("mine", root / "mlflow");
  EXPECT_FALSE(added.card.seeded);  // its card stayed behind: nothing says so any more
  EXPECT_EQ(open_embedding_model("mine")->dimension(), 48);
}

TEST_F(Install, LinksWhenAsked) {
  const auto made = make_tiny();
  install_package("mine", tiny, {.link = true});
  EXPECT_EQ(fs::hard_link_count(made.weights), 2U);
}

TEST_F(Install, SaysHowFarItIs) {
  make_tiny();
  int64_t told = 0;
  install_package("mine", tiny, {.advance = [&](int64_t bytes) { told += bytes; }});
  EXPECT_EQ(told, install_work(find_package(tiny)));
}

TEST_F(Install, StoppedOrFailedItLeavesNothing) {
  make_tiny();
  const auto stop = [](int64_t) { fail(ErrorCode::kFailed, "stopped"); };
  refusal(ErrorCode::kFailed, [&] { install_package("mine", tiny, {.advance = stop}); });
  EXPECT_TRUE(nothing_installed());
}

TEST_F(Install, ListsEverythingThatDoesNotFit) {
  change([](Tensors& tensors) {
    tensors.erase("image_encoder.norms.weight");
    tensors.erase("lang_projection");
    tensors["image_projection"] = at::zeros({128, 49});
    tensors["extra.weight"] = at::zeros({2});
  });
  const auto text = refusal(ErrorCode::kModel, [&] { install_package("mine", tiny); });
  for (const char* part : {"missing image_encoder.norms.weight [128]", "missing lang_projection",
                           "mis-shaped image_projection: [128, 49] in the file, [128, 48] expected",
                           "extra extra.weight [2]", "4 of its tensors"})
    EXPECT_TRUE(mentions(text, part)) << part << "\n" << text;
  EXPECT_TRUE(nothing_installed());
}

TEST_F(Install, RefusesValuesThatAreNoNumbers) {
  change([](Tensors& tensors) { tensors["image_projection"].fill_(NAN); });
  const auto text = refusal(ErrorCode::kModel, [&] { install_package("mine", tiny); });
  EXPECT_TRUE(mentions(text, "not numbers")) << text;
  EXPECT_TRUE(nothing_installed());
}

TEST_F(Install, TakesThePublishedArchitectureAloneForACatalogName) {
  make_tiny();
  const auto text = refusal(ErrorCode::kModel, [&] { install_package("medimageinsight", tiny); });
  EXPECT_TRUE(mentions(text, "DIM_EMBED: [32, 64, 96, 128]")) << text;
  EXPECT_TRUE(mentions(text, "DIM_EMBED: [256, 512, 1024, 2048]")) << text;
  EXPECT_TRUE(mentions(text, "another name")) << text;
}

TEST_F(Install, RefusesWrongFolders) {
  make_tiny();
  fs::create_directories(root / "empty");
  const fs::path weights = tiny / "2024.09.27/vision_model/medimageinsigt-v1.0.0.pt";
  struct Case {
    const char* what;
    std::function<void()> damage;
    fs::path from;
    const char* says;
  };
  const std::vector<Case> cases{
      {"absent", [] {}, root / "nowhere", "is no folder"},
      {"empty", [] {}, root / "empty", "config.yaml"},
      {"two weights", [&] { fs::copy_file(weights, weights.parent_path() / "b.pt"); }, tiny,
       "holds 2 weights files"},
      {"truncated",
       [&] {
         fs::remove(weights.parent_path() / "b.pt");
         fs::resize_file(weights, fs::file_size(weights) - 100);
       },
       tiny, "medimageinsigt-v1.0.0.pt: is not a whole safetensors file"},
      {"no weights", [&] { fs::remove(weights); }, tiny, "holds 0 weights files"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    one.damage();
    const auto text = refusal(ErrorCode::kModel, [&] { install_package("mine", one.from); });
    EXPECT_TRUE(mentions(text, one.says)) << text;
    EXPECT_TRUE(nothing_installed());
  }
}

TEST_F(Install, RefusesATokenizerOfAnotherModel) {
  make_tiny();
  const fs::path tokenizer = tiny / "2024.09.27/language_model/clip_tokenizer_4.16.2";
  std::string merges = read_text(tokenizer / "merges.txt");
  merges.resize(merges.rfind('\n', merges.size() - 2) + 1);  // one merge less
  write_file(root / "merges.txt", merges);
  text::write_clip_tokenizer(tokenizer, root / "merges.txt");
  const auto text = refusal(ErrorCode::kModel, [&] { install_package("mine", tiny); });
  EXPECT_TRUE(mentions(text, "49407 tokens")) << text;
}

TEST_F(Install, RefusesBadAndTakenNames) {
  make_tiny();
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "../up", "with space", "a\nb"})
    refusal(ErrorCode::kUsage, [&] { install_package(name, tiny); });
  install_package("mine", tiny);
  const auto text = refusal(ErrorCode::kUsage, [&] { install_package("mine", tiny); });
  EXPECT_TRUE(mentions(text, "models rm mine")) << text;
}

TEST_F(Install, RemovesWhatWasInstalledAndNothingElse) {
  make_tiny();
  install_package("mine", tiny);
  remove_package("mine");
  EXPECT_TRUE(nothing_installed());
  EXPECT_TRUE(fs::exists(tiny / "card.toml"));
  for (const char* name : {"mine", "", ".", "..", "../home", "medimageinsight"})
    refusal(ErrorCode::kModel, [&] { remove_package(name); });
  EXPECT_TRUE(fs::exists(root / "home"));
}

TEST_F(Install, OpensOtherSpellings) {
  change([](Tensors& tensors) {
    Tensors old;
    for (auto& [name, tensor] : tensors) {
      std::string key = name;
      const auto swap = [&](const std::string& from, const std::string& to) {
        if (const auto at = key.find(from); at != std::string::npos)
          key.replace(at, from.size(), to);
      };
      swap("image_encoder.", "visual.");
      swap("lang_encoder.", "text.");
      swap("image_projection", "vision_projection");
      swap("lang_projection", "text_projection");
      swap(".convs.", ".conv_embeds.");
      swap(".blocks.", ".main_blocks.");
      swap("spatial_block.conv1.fn.dw", "0.cpe.0.proj");
      swap("channel_block.ffn.fn.net", "1.mlp");
      old[key] = tensor;
    }
    tensors = old;
  });
  EXPECT_EQ(open_embedding_model(tiny.string())->dimension(), 48);
}

}  // namespace
}  // namespace vesalius::catalog
