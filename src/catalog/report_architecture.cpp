#include "catalog/report_architecture.h"

#include <cmath>

#include "catalog/config_values.h"
#include "catalog/hugging_face.h"
#include "catalog/vision_architecture.h"

namespace vesalius::catalog {
namespace {

constexpr int64_t kMost = 1 << 24;

/// What transformers takes for a decoder where its config is silent.
struct DecoderDefaults {
  int64_t vocabulary, intermediate, positions;
  double eps;
};
constexpr DecoderDefaults kLlama{32000, 11008, 2048, 1e-6}, kPhi3{32064, 8192, 4096, 1e-5};

/// `rope_scaling` beside `rope_theta` (transformers 4), or `rope_parameters` with all (5).
nn::Rope read_rope(const ConfigValues& text, int64_t positions) {
  const bool joined = text.has("rope_parameters");
  const auto scaling = text.table(joined ? "rope_parameters" : "rope_scaling");
  nn::Rope rope;
  rope.theta = joined ? scaling.number("rope_theta", 10000) : text.number("rope_theta", 10000);
  const char* type = scaling.has("rope_type") ? "rope_type" : "type";
  scaling.require(type, "default", {"default", "linear", "longrope", "su"});
  const auto kind = scaling.word(type, "default");
  if (kind == "linear") rope.factor = scaling.number("factor", 1);
  if (kind == "default" || kind == "linear") return rope;
  rope.short_factors = scaling.numbers("short_factor");
  rope.long_factors = scaling.numbers("long_factor");
  rope.original_length = scaling.has("original_max_position_embeddings")
                             ? scaling.whole("original_max_position_embeddings", 0, 1, kMost)
                             : text.whole("original_max_position_embeddings", positions, 1, kMost);
  rope.amplitude =
      scaling.number("attention_factor", nn::longrope_amplitude(positions, rope.original_length));
  return rope;
}

models::DecoderConfig read_decoder(const ConfigValues& text, int64_t& positions) {
  text.require("model_type", "llama", {"llama", "phi3"});
  text.require("hidden_act", "silu", {"silu"});
  if (text.flag("attention_bias", false)) text.refuse("attention_bias", "false");
  const bool phi = text.word("model_type", "llama") == "phi3";
  const auto& standard = phi ? kPhi3 : kLlama;
  models::DecoderConfig c;
  c.vocabulary = text.whole("vocab_size", standard.vocabulary, 2, kMost);
  c.hidden = text.whole("hidden_size", phi ? 3072 : 4096, 1, 65536);
  c.intermediate = text.whole("intermediate_size", standard.intermediate, 1, 1 << 20);
  c.layers = text.whole("num_hidden_layers", 32, 1, 1024);
  c.heads = text.whole("num_attention_heads", 32, 1, 1024);
  c.kv_heads = text.whole("num_key_value_heads", c.heads, 1, 1024);
  c.head_dim = text.whole("head_dim", std::max<int64_t>(1, c.hidden / c.heads), 2, 4096);
  c.eps = text.number("rms_norm_eps", standard.eps);
  c.tied_head = text.flag("tie_word_embeddings", false);
  c.fused = phi;
  if (phi && text.has("sliding_window"))
    c.sliding_window = text.whole("sliding_window", 0, 1, kMost);
  if (c.heads % c.kv_heads != 0)
    text.refuse("num_key_value_heads", "a divisor of the number of heads");
  if (c.head_dim % 2 != 0) text.refuse("head_dim", "an even number");
  if (text.number("partial_rotary_factor", 1) != 1) text.refuse("partial_rotary_factor", "1");
  positions = text.whole("max_position_embeddings", standard.positions, 1, kMost);
  c.rope = read_rope(text, positions);
  const auto pairs = static_cast<size_t>(c.head_dim / 2);
  if (!c.rope.long_factors.empty() &&
      (c.rope.long_factors.size() != pairs || c.rope.short_factors.size() != pairs))
    text.refuse("rope_scaling", fmt::format("{} short and as many long factors", pairs));
  return c;
}

void read_grounding(const Package& package, text::GroundingTokens& tokens) {
  const auto folder = package.config.parent_path();
  const ConfigValues table(read_beside(folder, "processor_config.json"),
                           (folder / "processor_config.json").string());
  tokens.begin = table.word("phrase_start_token", tokens.begin);
  tokens.end = table.word("phrase_end_token", tokens.end);
  tokens.box_begin = table.word("box_start_token", tokens.box_begin);
  tokens.box_end = table.word("box_end_token", tokens.box_end);
  tokens.bins = static_cast<int>(table.whole("num_box_coord_bins", tokens.bins, 1, 10000));
}

/// The card's [wording]: any of the pieces.
void read_wording(const ConfigValues& table, text::ReportWording& w) {
  for (const auto& [key, piece] : std::initializer_list<std::pair<const char*, std::string*>>{
           {"system", &w.system},
           {"user", &w.user},
           {"assistant", &w.assistant},
           {"turn_end", &w.turn_end},
           {"image", &w.image},
           {"frontal_only", &w.frontal_only},
           {"frontal", &w.frontal},
           {"lateral", &w.lateral},
           {"lateral_before_prior", &w.lateral_before_prior},
           {"prior", &w.prior},
           {"findings", &w.findings},
           {"grounded", &w.grounded},
           {"phrase", &w.phrase},
           {"absent", &w.absent}})
    *piece = table.word(key, *piece);
}

void read_stop(const Package& package, const Json& config, ReportArchitecture& a) {
  const auto folder = package.config.parent_path();
  const ConfigValues generation(read_beside(folder, "generation_config.json"),
                                (folder / "generation_config.json").string());
  const ConfigValues whole(config, package.config.string());
  std::vector<int64_t> ids = generation.wholes("eos_token_id");
  if (ids.empty()) ids = whole.table("text_config").wholes("eos_token_id");
  if (ids.empty()) ids = {2};
  a.stop.assign(ids.begin(), ids.end());
}

Json table_of(const Json& card, const char* key) {
  return card.contains(key) ? card.at(key) : Json::object();
}

Json with_changes(Json config, const Json& changes) {
  config.merge_patch(changes);
  return config;
}

}  // namespace

models::Maira2Config read_report_config(const Json& config, const Json& changes,
                                        const std::string& where) {
  const ConfigValues whole(with_changes(config, changes), where);
  models::Maira2Config c;
  int64_t positions = 0;
  c.vision = read_vision_config(whole.table("vision_config"));
  c.text = read_decoder(whole.table("text_config"), positions);
  whole.require("projector_hidden_act", "gelu", {"gelu"});
  whole.require("vision_feature_select_strategy", "default", {"default"});
  c.projector = {.in = c.vision.hidden,
                 .out = c.text.hidden,
                 .layers = whole.whole("projector_n_layers", 4, 1, 64),
                 .bias = whole.flag("multimodal_projector_bias", true)};
  const char* key = whole.has("image_token_index") ? "image_token_index" : "image_token_id";
  c.image_token = static_cast<int32_t>(whole.whole(key, 32204, 0, c.text.vocabulary - 1));
  return c;
}

ReportArchitecture read_report_architecture(const Package& package) {
  const Json config = read_json(package.config);
  const Json changes = table_of(package.card, "architecture");
  const std::string where = package.config.string();
  ReportArchitecture a;
  a.model = read_report_config(config, changes, where);
  read_decoder(ConfigValues(with_changes(config, changes), where).table("text_config"), a.context);
  a.input = read_vision_input(package.config.parent_path(), a.model.vision.image_size);
  read_grounding(package, a.grounding);
  read_wording(ConfigValues(table_of(package.card, "wording"), "card.toml, wording"), a.wording);
  read_stop(package, config, a);
  return a;
}

ReportArchitecture sized_report_architecture(const std::string& size, bool fused) {
  ReportArchitecture a;
  a.stop = {2};
  a.context = 6144;
  auto& [vision, projector, text, image_token] = a.model;
  if (fused) {
    a.context = 4096;
    text = {.vocabulary = 32218,
            .hidden = 3072,
            .intermediate = 8192,
            .head_dim = 96,
            .rope = {},
            .sliding_window = 2047,
            .fused = true};
    image_token = 32011 + 204;
    a.stop = {32000};
  }
  if (size == "middle") {
    vision.layers = 2;
    text.layers = 4, text.hidden = 512, text.intermediate = 1376, text.heads = text.kv_heads = 8;
    text.head_dim = 64;
  } else if (size == "tiny") {
    vision = {.image_size = 70, .hidden = 32, .layers = 2, .heads = 2};
    text.layers = 2, text.hidden = 64, text.intermediate = 96, text.heads = text.kv_heads = 4;
    text.head_dim = 16;
  } else if (size != "full") {
    fail(ErrorCode::kUsage, "--size {}: choose full, middle or tiny.", size);
  }
  projector = {.in = vision.hidden, .out = text.hidden, .layers = 4};
  a.input = film_input(vision.image_size);
  return a;
}

Json write_report_config(const ReportArchitecture& a) {
  const auto& [vision, projector, text, image_token] = a.model;
  Json scaling;
  if (!text.rope.long_factors.empty())
    scaling = {{"type", "longrope"},
               {"short_factor", text.rope.short_factors},
               {"long_factor", text.rope.long_factors}};
  else if (text.rope.factor != 1)
    scaling = {{"type", "linear"}, {"factor", text.rope.factor}};
  Json decoder{{"model_type", text.fused ? "phi3" : "llama"},
               {"vocab_size", text.vocabulary},
               {"hidden_size", text.hidden},
               {"intermediate_size", text.intermediate},
               {"num_hidden_layers", text.layers},
               {"num_attention_heads", text.heads},
               {"num_key_value_heads", text.kv_heads},
               {"head_dim", text.head_dim},
               {"hidden_act", "silu"},
               {"rms_norm_eps", text.eps},
               {"rope_theta", text.rope.theta},
               {"rope_scaling", scaling},
               {"max_position_embeddings", a.context},
               {"tie_word_embeddings", text.tied_head}};
  if (text.fused) decoder["original_max_position_embeddings"] = text.rope.original_length;
  if (text.sliding_window) decoder["sliding_window"] = *text.sliding_window;
  return {{"architectures", {"Maira2ForConditionalGeneration"}},
          {"model_type", "maira2"},
          {"image_token_index", image_token},
          {"image_seq_length", a.model.image_tokens()},
          {"projector_hidden_act", "gelu"},
          {"projector_n_layers", projector.layers},
          {"multimodal_projector_bias", projector.bias},
          {"vision_feature_layer", -1},
          {"vision_feature_select_strategy", "default"},
          {"text_config", std::move(decoder)},
          {"vision_config", write_vision_config(vision)}};
}

std::vector<TensorEntry> tensor_list(const models::Maira2Config& config) {
  const auto store = TensorStore::recording();
  const models::Maira2 model(Weights(store), config);
  return store->entries();
}

}  // namespace vesalius::catalog
