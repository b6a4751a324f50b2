#include "catalog/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catalog/open.h"
#include "catalog/package.h"
#include "catalog/weights_hash.h"
#include "checkpoint/seeded.h"
#include "text/clip_tokenizer.h"

namespace vesalius::catalog {
namespace {

constexpr double kLimit = 1e-4;        // of the largest stored value, float32 end to end
constexpr double kLowPrecision = 0.1;  // what a wrong model would exceed all the same
constexpr int64_t kSamples = 64;       // of each vector
constexpr size_t kShownText = 32;

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

/// A vector's numbers worth keeping: evenly spaced values, its largest and its length.
Json outline(const at::Tensor& vector) {
  const int64_t step = std::max<int64_t>(1, vector.numel() / kSamples);
  const auto samples = vector.slice(0, 0, vector.numel(), step).contiguous();
  return {{"largest", vector.abs().max().item<double>()},
          {"length", vector.to(at::kDouble).norm().item<double>()},
          {"every", step},
          {"values", std::vector<float>(samples.const_data_ptr<float>(),
                                        samples.const_data_ptr<float>() + samples.numel())}};
}

/// Largest difference of samples and length, in units of the stored vector's largest value;
/// infinite for vectors that cannot be compared, such as those with a NaN.
double difference(const Json& now, const Json& stored) {
  const auto a = now.at("values").get<std::vector<double>>();
  const auto b = stored.at("values").get<std::vector<double>>();
  if (a.size() != b.size() || a.empty()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(a[i] - b[i]);
    worst = std::isfinite(d) ? std::max(worst, d) : INFINITY;
  }
  worst /= stored.at("largest").get<double>();
  const double length = stored.at("length").get<double>();
  const double longer = std::abs(now.at("length").get<double>() - length) / length;
  return std::isfinite(longer) ? std::max(worst, longer) : INFINITY;
}

Check compare(std::string what, const Json& now, const Json& stored, double limit) {
  Check check{.what = std::move(what), .limit = limit};
  check.difference = difference(now, stored);
  check.passed = check.difference <= limit;
  return check;
}

std::string label_of(const std::string& text) {
  return fmt::format("text '{}{}'", text.substr(0, kShownText),
                     text.size() > kShownText ? "…" : "");
}

Json numbers_or_null(const Json& value) { return value.is_number() ? value : Json(INFINITY); }

/// JSON has no NaN or infinity: both were written as null.
Json restored(Json outline) {
  for (const char* key : {"largest", "length"}) outline[key] = numbers_or_null(outline.at(key));
  for (Json& value : outline.at("values")) value = numbers_or_null(value);
  return outline;
}

std::vector<Check> compare_outputs(const Json& now, const Json& stored, double limit) {
  std::vector<Check> checks{compare("image", now.at("image"), restored(stored.at("image")), limit)};
  Check tokens{.what = "tokens", .passed = true};
  for (const Json& text : stored.at("texts")) {
    const auto same = std::ranges::find_if(
        now.at("texts"), [&](const Json& t) { return t.at("text") == text.at("text"); });
    if (same == now.at("texts").end()) {
      checks.push_back(
          {.what = label_of(text.at("text")), .note = "this program has no such text"});
      continue;
    }
    tokens.passed = tokens.passed && same->at("ids") == text.at("ids");
    checks.push_back(compare(label_of(text.at("text")), *same, restored(text), limit));
  }
  checks.insert(checks.begin() + 1, tokens);
  return checks;
}

/// What the reference stored for weights of this hash, else what was stored beside the package.
Json stored_outputs(const fs::path& folder, const std::string& hash) {
  std::error_code ignored;
  std::vector<fs::path> files{folder / "golden.json"};
  for (const auto& entry : fs::directory_iterator(catalog_folder() / "golden", ignored))
    if (entry.path().extension() == ".json") files.insert(files.begin(), entry.path());
  for (const fs::path& file : files) {
    if (!fs::exists(file, ignored)) continue;
    Json golden = read_json(file);
    if (golden.value("weights_sha256", "") == hash) return golden;
  }
  return {};
}

Check check_hash(const Json& card, const std::string& hash) {
  const std::string stored = card.value("weights_sha256", "");
  Check check{.what = "weights hash", .passed = stored.empty() || stored == hash};
  if (stored.empty()) check.note = "the folder's card stores none to compare with";
  if (!check.passed) check.note = fmt::format("the card says {}", stored);
  return check;
}

Seeding seeding_of(const Json& card) {
  Seeding seeding;
  seeding.seed = std::stoull(card.value("seed", "0"));
  for (const Json& gain : card.value("gains", Json::array()))
    seeding.gains.push_back(parse_gain(gain.get<std::string>()));
  return seeding;
}

Check check_arithmetic(const Package& package) {
  Check check{.what = "seeded values"};
  check.note = find_unseeded(package.weights, seeding_of(package.card));
  check.passed = check.note.empty();
  if (!check.passed) check.note = "first difference in " + check.note;
  return check;
}

}  // namespace

bool Verification::passed() const {
  return std::ranges::all_of(checks, [](const Check& check) { return check.passed; });
}

at::Tensor golden_image(const recipes::ModelInput& input) {
  recipes::Prepared pixels{.size = input.size};
  pixels.rgb.reserve(static_cast<size_t>(input.size) * static_cast<size_t>(input.size) * 3);
  for (int y = 0; y < input.size; ++y)
    for (int x = 0; x < input.size; ++x)
      for (int c = 0; c < 3; ++c)
        pixels.rgb.push_back(static_cast<uint8_t>((x * (c + 1) + y * (3 - c)) / 2 + (x ^ y)));
  auto image = at::empty({1, 3, input.size, input.size});
  recipes::normalise(pixels, input, image.data_ptr<float>());
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

Verification verify_model(const std::string& name_or_folder, const OpenOptions& options) {
  const fs::path folder = model_folder(name_or_folder);
  const Package package = find_package(folder);
  Verification result{.card = card_of_package(package),
                      .weights_sha256 = file_sha256(package.weights)};
  remember_sha256(package.weights, result.weights_sha256);
  result.checks.push_back(check_hash(package.card, result.weights_sha256));
  if (result.card.seeded) result.checks.push_back(check_arithmetic(package));
  OpenOptions exact = options;
  if (exact.precision == "auto") exact.precision = "fp32";
  const auto model = open_embedding_model(folder.string(), exact);
  const Json now = golden_outputs(*model, "");
  const Json stored = stored_outputs(folder, result.weights_sha256);
  if (stored.is_null()) return result;
  result.reference = stored.value("reference", "");
  const double limit = model->precision() == "fp32" ? kLimit : kLowPrecision;
  for (Check& check : compare_outputs(now, stored, limit))
    result.checks.push_back(std::move(check));
  return result;
}

}  // namespace vesalius::catalog
