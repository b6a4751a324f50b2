// What a report model gives for the fixed film and words.
#include "catalog/report_model.h"
#include "catalog/report_package.h"
#include "catalog/verify.h"

namespace vesalius::catalog {
namespace {

// Rounding in another order moves features by 3e-6 and logits by 3e-5 of their largest value.
constexpr double kFeatures = 1e-4, kLogits = 1e-3;
constexpr double kLowPrecision = 0.25;
constexpr int64_t kTokens = 8;

text::ReportPrompt golden_prompt(const ReportModel& model) {
  return text::report_prompt(text::ReportTask::kGroundedFindings,
                             {.indication = "Shortness of breath."}, model.architecture().wording);
}

}  // namespace

Json report_outputs(const fs::path& folder, const OpenOptions& options,
                    const std::string& reference) {
  const auto model = open_report_model(folder.string(), options);
  const auto features = model->features(golden_image(model->architecture().input));
  auto ids = model->encode(golden_prompt(*model));
  at::Tensor first;
  Json written = Json::array();
  const auto prompt = model->prompt(ids, features, std::vector<uint64_t>{1});
  model->session()->generate(prompt, {.max_new_tokens = kTokens, .on_step = [&](const auto& step) {
                                        if (!first.defined()) first = step.logits.clone();
                                        written.push_back(step.id);
                                        return true;
                                      }});
  return {{"weights_sha256", model->weights_sha256()},
          {"reference", reference},
          {"prompt_ids", std::move(ids)},
          {"features", outline(features.to(at::kCPU, at::kFloat).flatten())},
          {"logits", outline(first)},
          {"output_ids", std::move(written)}};
}

std::vector<Check> compare_report(const Json& now, const Json& stored,
                                  const std::string& precision) {
  const bool exact = precision == "fp32";
  return {{.what = "prompt tokens", .passed = now.at("prompt_ids") == stored.at("prompt_ids")},
          compare_outlines("image tokens", now.at("features"), stored.at("features"),
                           exact ? kFeatures : kLowPrecision),
          compare_outlines("first scores", now.at("logits"), stored.at("logits"),
                           exact ? kLogits : kLowPrecision)};
}

}  // namespace vesalius::catalog
