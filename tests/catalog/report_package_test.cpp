#include "catalog/report_package.h"

#include "catalog/install.h"
#include "catalog/report_model.h"
#include "catalog/shards.h"
#include "catalog/verify.h"
#include "checkpoint/safetensors.h"
#include "scene.h"

namespace vesalius::catalog {
namespace {

class ReportPackage : public Scene {
 protected:
  SeededPackage make(const std::string& name = "maira-2") const {
    return write_seeded_package(name, "tiny", {.seed = 7, .gains = {}}, tiny);
  }
  Json config() const { return read_json(tiny / "config.json"); }
  void write_config(const Json& config) const {
    write_file(tiny / "config.json", dump_json(config));
  }
  void change_text(const char* key, const Json& value) const {
    Json changed = config();
    changed["text_config"][key] = value;
    write_config(changed);
  }
};

TEST_F(ReportPackage, IsKnownByItsConfig) {
  make();
  fs::remove(tiny / "card.toml");
  EXPECT_EQ(find_package(tiny).family, "maira-2");
  const auto model = open_report_model(tiny.string(), {.precision = "fp32"});
  EXPECT_EQ(model->card().recipe, "maira-2");
  EXPECT_EQ(model->architecture().stop, std::vector<int32_t>{2});
  EXPECT_EQ(model->architecture().context, 6144);
  EXPECT_EQ(model->architecture().model.text.rope.factor, 1.5);
}

TEST_F(ReportPackage, TakesTheNamesOfNewerClasses) {
  make();
  const auto before = read_report_weights(tiny / "model.safetensors");
  std::map<std::string, at::Tensor> renamed;
  for (const auto& [name, tensor] : before) {
    std::string now = name;
    const auto swap = [&](std::string_view from, std::string_view to) {
      if (const auto at = now.find(from); at != std::string::npos) now.replace(at, from.size(), to);
    };
    swap("attention.attention.query", "attention.q_proj");
    swap("attention.attention.key", "attention.k_proj");
    swap("attention.attention.value", "attention.v_proj");
    swap("attention.output.dense", "attention.o_proj");
    if (name.starts_with("language_model.lm_head"))
      now = name.substr(15);
    else if (name.starts_with("language_model.model."))
      now = "model.language_model." + name.substr(21);
    else
      now = "model." + now;
    renamed[now] = tensor.clone();
  }
  renamed["model.language_model.layers.0.self_attn.rotary_emb.inv_freq"] = at::ones({8});
  write_safetensors(tiny / "model.safetensors", renamed);
  const auto after = read_report_weights(tiny / "model.safetensors");
  ASSERT_EQ(after.size(), before.size());
  for (const auto& [name, tensor] : before) EXPECT_TRUE(at::equal(after.at(name), tensor)) << name;
}

TEST_F(ReportPackage, TakesShards) {
  make();
  const auto all = read_safetensors(tiny / "model.safetensors");
  const auto outputs = report_outputs(tiny, {.precision = "fp32"}, "");
  std::map<std::string, at::Tensor> parts[2];
  Json map = Json::object();
  size_t number = 0;
  for (const auto& [name, tensor] : all) {
    map[name] = fmt::format("part-{}.safetensors", number % 2);
    parts[number++ % 2][name] = tensor.clone();
  }
  for (size_t i = 0; i < 2; ++i)
    write_safetensors(tiny / fmt::format("part-{}.safetensors", i), parts[i]);
  write_file(tiny / kShardIndex, dump_json(Json{{"weight_map", map}}));
  fs::remove(tiny / "model.safetensors");

  const auto package = find_package(tiny);
  EXPECT_EQ(weight_files(package.weights).size(), 2U);
  const auto again = report_outputs(tiny, {.precision = "fp32"}, "");
  EXPECT_EQ(again.at("output_ids"), outputs.at("output_ids"));
  EXPECT_EQ(again.at("logits"), outputs.at("logits"));
  const auto installed = install_package("mine", tiny, {});
  EXPECT_TRUE(fs::exists(home() / "models/mine/part-1.safetensors"));
  EXPECT_EQ(installed.weights_sha256, again.at("weights_sha256").get<std::string>());
  EXPECT_TRUE(verify_model("mine", {}).passed());

  fs::remove(tiny / "part-1.safetensors");
  EXPECT_NE(refusal(ErrorCode::kModel, [&] { weight_bytes(package.weights); }).find("part-1"),
            std::string::npos);
}

TEST_F(ReportPackage, RefusesAnIndexThatPointsElsewhere) {
  make();
  write_file(tiny / kShardIndex, R"({"weight_map": {"a": "../model.safetensors"}})");
  EXPECT_NE(refusal(ErrorCode::kModel, [&] { weight_files(tiny / kShardIndex); })
                .find("no file beside it"),
            std::string::npos);
  write_file(tiny / kShardIndex, R"({"weight_map": {"a": "model.safetensors"}})");
  refusal(ErrorCode::kModel, [&] { read_shards(tiny / kShardIndex); });
  write_file(tiny / kShardIndex, "[]");
  refusal(ErrorCode::kModel, [&] { weight_files(tiny / kShardIndex); });
}

TEST_F(ReportPackage, CxrReportGenHasPhi3sDecoder) {
  make("cxrreportgen");
  const auto model = open_report_model(tiny.string(), {.precision = "fp32"});
  const auto& text = model->architecture().model.text;
  EXPECT_TRUE(text.fused);
  EXPECT_EQ(text.vocabulary, 32218);
  EXPECT_EQ(text.sliding_window, 2047);
  EXPECT_EQ(model->architecture().stop, std::vector<int32_t>{32000});
  EXPECT_EQ(model->tokenizer().id_of("<image>"), 32215);
  EXPECT_EQ(report_outputs(tiny, {.precision = "fp32"}, "").at("output_ids").size(), 8U);
}

TEST_F(ReportPackage, ReadsBothSpellingsOfRopeAndWhatACardChanges) {
  make();
  const auto where = (tiny / "config.json").string();
  Json table = config();
  table["text_config"].erase("rope_scaling");
  table["text_config"].erase("rope_theta");
  table["text_config"]["rope_parameters"] = {
      {"rope_theta", 5000.0}, {"rope_type", "linear"}, {"factor", 2.0}};
  const auto five = read_report_config(table, Json::object(), where);
  EXPECT_EQ(five.text.rope.theta, 5000);
  EXPECT_EQ(five.text.rope.factor, 2);
  table["text_config"].erase("rms_norm_eps");
  const auto changed =
      read_report_config(table,
                         {{"vision_config", {{"apply_layernorm", false}, {"out_indices", {1}}}},
                          {"text_config", {{"sliding_window", 9}, {"model_type", "phi3"}}}},
                         where);
  EXPECT_FALSE(changed.vision.final_norm);
  EXPECT_EQ(changed.vision.tap, 1);
  EXPECT_EQ(changed.text.sliding_window, 9);
  EXPECT_EQ(read_report_config(table, Json::object(), where).text.eps, 1e-6);
}

TEST_F(ReportPackage, SaysWhatItCannotBuild) {
  make();
  const auto refused = [&](const char* key, const Json& value) {
    const auto before = config();
    change_text(key, value);
    const auto message = refusal(ErrorCode::kModel, [&] { open_report_package(tiny); });
    write_config(before);
    EXPECT_NE(message.find(key), std::string::npos) << message;
  };
  refused("model_type", "mamba");
  refused("hidden_act", "gelu");
  refused("num_hidden_layers", "two");
  refused("hidden_size", -4);
  refused("num_key_value_heads", 3);
  refused("attention_bias", true);
  refused("rms_norm_eps", "small");
  Json table = config();
  table["vision_config"]["use_swiglu_ffn"] = true;
  write_config(table);
  EXPECT_NE(refusal(ErrorCode::kModel, [&] { open_report_package(tiny); }).find("swiglu"),
            std::string::npos);
}

TEST_F(ReportPackage, RefusesATokenizerOfAnotherModel) {
  make();
  Json table = config();
  table["image_token_index"] = 5;
  write_config(table);
  const auto opened = open_report_package(tiny);
  EXPECT_NE(refusal(ErrorCode::kModel,
                    [&] { open_report_tokenizer(opened.package, opened.architecture); })
                .find("config.json says 5"),
            std::string::npos);
}

TEST_F(ReportPackage, ACardHasItsOwnWords) {
  make();
  write_file(tiny / "card.toml",
             read_text(tiny / "card.toml") + "\n[wording]\nabsent = \"none\"\n");
  const auto model = open_report_model(tiny.string(), {.precision = "fp32"});
  EXPECT_EQ(model->architecture().wording.absent, "none");
}

TEST_F(ReportPackage, KnowsSeededValues) {
  make();
  EXPECT_TRUE(verify_model(tiny.string(), {}).passed());
  auto tensors = read_safetensors(tiny / "model.safetensors");
  for (auto& [name, tensor] : tensors) tensor = tensor.clone();
  tensors.at("language_model.model.norm.weight")[0] += 1;
  write_safetensors(tiny / "model.safetensors", tensors);
  EXPECT_FALSE(verify_model(tiny.string(), {}).passed());
}

}  // namespace
}  // namespace vesalius::catalog
