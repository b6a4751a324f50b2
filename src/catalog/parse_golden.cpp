// BiomedParse's outputs on the fixed inputs.
#include <cmath>

#include "catalog/parse_open.h"
#include "catalog/parse_package.h"
#include "catalog/verify.h"
#include "checkpoint/seeded.h"

namespace vesalius::catalog {
namespace {

// Ten times what the published code differs from itself when another order of summation is chosen:
// rounding decides which pixels are drawn.
constexpr double kMask = 5e-3, kProbability = 3.1e-3;
constexpr double kLowPrecision = 0.25;  // bf16 on seeded weights: 0.04
constexpr uint64_t kSeed = 7;

const std::vector<std::string>& golden_prompts() {
  static const std::vector<std::string> all{"liver", "left kidney", "enhancing tumor in brain MRI"};
  return all;
}

/// [1, 3, side, side], values 0 to 255
at::Tensor golden_plane(int64_t side) {
  const auto pixels = golden_pixels(static_cast<int>(side));
  return at::from_blob(const_cast<uint8_t*>(pixels.rgb.data()), {1, side, side, 3}, at::kByte)
      .permute({0, 3, 1, 2})
      .to(at::kFloat, /*non_blocking=*/false, /*copy=*/true, at::MemoryFormat::Contiguous);
}

double probability(const Json& row) {
  return 1 / (1 + std::exp(-row.at("existence").get<double>()));
}

Check compare_existence(const std::string& prompt, const Json& now, const Json& stored,
                        double limit) {
  Check check{.what = label_of("existence", prompt), .limit = limit};
  check.difference = stored.at("existence").is_number()
                         ? std::abs(probability(now) - probability(stored))
                         : INFINITY;  // a NaN was written as null
  check.passed = check.difference <= limit;
  return check;
}

}  // namespace

models::Uniforms seeded_uniforms(uint64_t seed) {
  return [seed, draw = 0](at::IntArrayRef shape) mutable {
    const auto unit = at::empty(shape, at::kFloat);
    seeded_stream("draw." + std::to_string(draw++), seed, 0,
                  {unit.mutable_data_ptr<float>(), static_cast<size_t>(unit.numel())});
    return (unit + 1) / 2;
  };
}

Json golden_outputs(const SegmentationModel& model, const std::string& reference) {
  const auto& prompts = golden_prompts();
  const auto tokenizer = clip_tokenizer();
  const auto masks = model.segment(golden_plane(model.side()), model.encode(prompts),
                                   seeded_uniforms(kSeed), Company::kTogether);
  Json rows = Json::array();
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    Json row{{"prompt", prompts[i]},
             {"ids", tokenizer.encode(prompts[i])},
             {"mask", outline(masks.logits[0][at].flatten())}};
    if (masks.existence.defined()) row["existence"] = masks.existence[0][at].item<double>();
    rows.push_back(std::move(row));
  }
  return {{"weights_sha256", model.weights_sha256()},
          {"reference", reference},
          {"prompts", std::move(rows)}};
}

Json parse_outputs(const fs::path& folder, const OpenOptions& options,
                   const std::string& reference) {
  return golden_outputs(*open_segmentation_model(folder.string(), options), reference);
}

std::vector<Check> compare_parse(const Json& now, const Json& stored,
                                 const std::string& precision) {
  const bool exact = precision == "fp32";
  std::vector<Check> checks{{.what = "tokens", .passed = true}};
  for (const Json& row : stored.at("prompts")) {
    const std::string prompt = row.at("prompt");
    const Json* same = row_like(now.at("prompts"), "prompt", row);
    if (same == nullptr) {
      checks.push_back(
          {.what = label_of("mask", prompt), .note = "this program has no such prompt"});
      continue;
    }
    checks[0].passed = checks[0].passed && same->at("ids") == row.at("ids");
    checks.push_back(compare_outlines(label_of("mask", prompt), same->at("mask"), row.at("mask"),
                                      exact ? kMask : kLowPrecision));
    if (row.contains("existence") && same->contains("existence"))
      checks.push_back(compare_existence(prompt, *same, row, exact ? kProbability : kLowPrecision));
  }
  return checks;
}

}  // namespace vesalius::catalog
