// MedImageInsight's outputs on the fixed inputs.
#include "catalog/insight_package.h"
#include "catalog/verify.h"
#include "text/clip_tokenizer.h"

namespace vesalius::catalog {
namespace {

constexpr double kLimit = 1e-4;        // of the largest stored value, float32 end to end
constexpr double kLowPrecision = 0.1;  // what a wrong model would exceed all the same

/// One short, one empty, one with punctuation, one that is cut at the context's end.
const std::vector<std::string>& golden_texts() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> texts{"x-ray chest anteroposterior Pneumonia", "",
                                   "dermatology, malignant melanoma."};
    std::string longer;
    for (int i = 0; i < 40; ++i) longer += "computed tomography abdomen ";
    texts.push_back(longer);
    return texts;
  }();
  return all;
}

}  // namespace

at::Tensor golden_image(const recipes::ModelInput& input) {
  auto image = at::empty({1, 3, input.size, input.size});
  recipes::normalise(golden_pixels(input.size), input, image.data_ptr<float>());
  return image;
}

Json golden_outputs(const EmbeddingModel& model, const std::string& reference) {
  const auto& texts = golden_texts();
  const auto tokenizer = text::ClipTokenizer::load(find_package(model.card().folder).tokenizer);
  const auto vectors = model.embed_texts(texts);
  Json rows = Json::array();
  for (size_t i = 0; i < texts.size(); ++i) {
    Json row{{"text", texts[i]}, {"ids", tokenizer.encode(texts[i])}};
    row.update(outline(vectors[static_cast<int64_t>(i)]));
    rows.push_back(std::move(row));
  }
  return {{"weights_sha256", model.weights_sha256()},
          {"reference", reference},
          {"image", outline(model.embed_images(golden_image(model.input()))[0])},
          {"texts", rows}};
}

Json insight_outputs(const fs::path& folder, const OpenOptions& options,
                     const std::string& reference) {
  return golden_outputs(*open_embedding_model(folder.string(), options), reference);
}

std::vector<Check> compare_insight(const Json& now, const Json& stored,
                                   const std::string& precision) {
  const double limit = precision == "fp32" ? kLimit : kLowPrecision;
  std::vector<Check> checks{compare_outlines("image", now.at("image"), stored.at("image"), limit)};
  Check tokens{.what = "tokens", .passed = true};
  for (const Json& text : stored.at("texts")) {
    const auto label = label_of("text", text.at("text"));
    const Json* same = row_like(now.at("texts"), "text", text);
    if (same == nullptr) {
      checks.push_back({.what = label, .note = "this program has no such text"});
      continue;
    }
    tokens.passed = tokens.passed && same->at("ids") == text.at("ids");
    checks.push_back(compare_outlines(label, *same, text, limit));
  }
  checks.insert(checks.begin() + 1, tokens);
  return checks;
}

}  // namespace vesalius::catalog
