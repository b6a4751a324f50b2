#include "catalog/segmentation_model.h"

#include <c10/core/InferenceMode.h>

#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "catalog/parse_open.h"
#include "catalog/weights_hash.h"

namespace vesalius::catalog {
namespace {

constexpr size_t kMostCachedPrompts = 100'000;

/// One call of a decoder for all prompts, or one for each.
std::vector<models::Prompts> calls_of(const models::Prompts& prompts, Company company) {
  if (company == Company::kTogether) return {prompts};
  std::vector<models::Prompts> calls;
  calls.reserve(prompts.tokens.size());
  for (size_t i = 0; i < prompts.tokens.size(); ++i)
    calls.push_back({.tokens = {prompts.tokens[i]},
                     .classes = prompts.classes.narrow(0, static_cast<int64_t>(i), 1)});
  return calls;
}

/// Planes one by one: version 1 takes one image a call.
PlaneMasks run(const models::BiomedParseV1& model, const at::Tensor& pixels,
               const std::vector<models::Prompts>& calls, const models::Uniforms& /*uniforms*/) {
  std::vector<at::Tensor> planes;
  planes.reserve(static_cast<size_t>(pixels.size(0)));
  for (const at::Tensor& plane : pixels.split(1)) {
    const auto features = model.features(plane);
    std::vector<at::Tensor> masks;
    masks.reserve(calls.size());
    for (const auto& prompts : calls) masks.push_back(model.ground(features, prompts).masks);
    planes.push_back(at::cat(masks));  // [prompts, side / 4, side / 4]
  }
  return {.logits = at::stack(planes), .existence = {}};
}

PlaneMasks run(const models::BiomedParseV2& model, const at::Tensor& pixels,
               const std::vector<models::Prompts>& calls, const models::Uniforms& uniforms) {
  const auto features = model.features(pixels);
  std::vector<at::Tensor> masks, existence;
  for (const auto& prompts : calls) {
    const auto parsed = model.parse(pixels, features, prompts, uniforms);
    masks.push_back(parsed.masks);
    existence.push_back(parsed.existence);
  }
  return {.logits = at::cat(masks, 1), .existence = at::cat(existence, 1)};
}

/// BiomedParse and MedImageParse behind the catalog's interface.
class OpenedParse : public SegmentationModel {
 public:
  OpenedParse(const fs::path& folder, const OpenOptions& options)
      : device_(parse_device(options.device)),
        numbers_(choose_numbers(options.precision, device_)),
        opened_(open_parse_package(folder, {.device = device_, .type = numbers_.type})),
        card_(card_of_package(opened_.package)),
        tokenizer_(clip_tokenizer()),
        hash_(opened_.package.weights) {}

  const Card& card() const override { return card_; }
  int version() const override { return opened_.architecture.version; }
  int64_t side() const override { return opened_.architecture.image_size; }
  int64_t heads() const override { return config().boltzformer.transformer.heads; }
  std::string weights_sha256() const override { return hash_.get(); }
  std::string device() const override { return device_.str(); }
  std::string precision() const override { return numbers_.name; }

  models::Prompts encode(const std::vector<std::string>& prompts) const override {
    const c10::InferenceMode inference;
    const nn::PlanScope plan(numbers_.products);
    const std::lock_guard lock(guard_);
    if (cache_.size() > kMostCachedPrompts) cache_.clear();
    encode_new(prompts);
    models::Prompts encoded;
    std::vector<at::Tensor> classes;
    classes.reserve(prompts.size());
    for (const std::string& prompt : prompts) {
      encoded.tokens.push_back(cache_.at(prompt));
      classes.push_back(encoded.tokens.back()[-1]);
    }
    if (!classes.empty()) encoded.classes = at::stack(classes);
    return encoded;
  }

  PlaneMasks segment(const at::Tensor& pixels, const models::Prompts& prompts,
                     const models::Uniforms& uniforms, Company company) const override {
    if (prompts.tokens.empty())
      fail(ErrorCode::kUsage, "there is no prompt to segment by. Name at least one structure.");
    const c10::InferenceMode inference;
    const nn::PlanScope plan(numbers_.products);
    const auto calls = calls_of(prompts, company);
    const auto drawn = [&](at::IntArrayRef shape) { return uniforms(shape).to(device_); };
    const auto masks = std::visit(
        [&](const auto& model) {
          const auto values = model.normalised(pixels.to(device_)).to(numbers_.type);
          return run(model, values, calls, drawn);
        },
        *opened_.model);
    const auto home = [](const at::Tensor& x) {
      return x.defined() ? x.to(at::kCPU, at::kFloat) : x;
    };
    return {.logits = home(masks.logits), .existence = home(masks.existence)};
  }

 private:
  const models::BiomedParseConfig& config() const { return opened_.architecture.model; }

  void encode_new(const std::vector<std::string>& prompts) const {
    std::vector<std::string> fresh;
    std::vector<std::vector<int32_t>> ids;
    std::unordered_set<std::string_view> asked;
    for (const std::string& prompt : prompts) {
      if (cache_.contains(prompt) || !asked.insert(prompt).second) continue;
      fresh.push_back(prompt);
      ids.push_back(tokenizer_.encode(prompt, static_cast<int>(config().text.context)));
    }
    if (fresh.empty()) return;
    const auto encoded = prompt_encoder(*opened_.model)(ids);
    for (size_t i = 0; i < fresh.size(); ++i) cache_[fresh[i]] = encoded.tokens[i].clone();
  }

  at::Device device_;
  Numbers numbers_;
  OpenParsePackage opened_;
  Card card_;
  text::ClipTokenizer tokenizer_;
  mutable std::mutex guard_;
  mutable std::unordered_map<std::string, at::Tensor> cache_;  // tokens, the class the last of them
  WeightsHash hash_;  // computed meanwhile, where it is not known
};

}  // namespace

std::unique_ptr<SegmentationModel> open_segmentation_model(const std::string& name_or_folder,
                                                           const OpenOptions& options) {
  return std::make_unique<OpenedParse>(
      model_folder(name_or_folder,
                   {"medimageparse", "biomedparse-v2", "biomedparse-v1", "starter-parse"}),
      options);
}

const char* parse_recipe(int version) { return version == 1 ? "biomedparse" : "biomedparse-v2"; }

}  // namespace vesalius::catalog
