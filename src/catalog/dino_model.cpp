// RAD-DINO behind the catalog's interface: images alone.
#include <c10/core/InferenceMode.h>

#include "catalog/dino_package.h"
#include "catalog/verify.h"
#include "catalog/weights_hash.h"
#include "nn/trace.h"

namespace vesalius::catalog {
namespace {

constexpr double kLimit = 1e-4;         // of the largest stored value, float32 end to end
constexpr double kLowPrecision = 0.25;  // as for MAIRA-2's image tokens

[[noreturn]] void refuse_texts(const std::string& name) {
  fail(
      ErrorCode::kModel,
      "model {} has no text encoder: it embeds images alone. For words (labels, --text, texts of a "
      "manifest) use a model that reads both, such as medimageinsight or starter-insight.",
      name);
}

class OpenedDino : public EmbeddingModel {
 public:
  OpenedDino(const fs::path& folder, const OpenOptions& options)
      : device_(parse_device(options.device)),
        numbers_(choose_numbers(options.precision, device_)),
        opened_(open_dino_package(folder, {device_, numbers_.type})),
        card_(card_of_package(opened_.package)),
        hash_(opened_.package.weights) {}

  const Card& card() const override { return card_; }
  recipes::ModelInput input() const override { return opened_.input; }
  int64_t dimension() const override { return opened_.model->config.hidden; }
  double logit_scale() const override { refuse_texts(card_.name); }
  std::string weights_sha256() const override { return hash_.get(); }
  std::string device() const override { return device_.str(); }
  std::string precision() const override { return numbers_.name; }

  /// Dinov2Model's pooler_output: CLS behind the last LayerNorm.
  at::Tensor embed_images(const at::Tensor& pixels) const override {
    const c10::InferenceMode inference;
    const nn::PlanScope plan(numbers_.products);
    const auto hidden = (*opened_.model)(pixels.to(device_, numbers_.type));
    auto pooled = hidden.select(1, 0).to(at::kCPU, at::kFloat).contiguous();
    nn::trace("pooler_output", pooled);
    return pooled;
  }

  at::Tensor embed_texts(const std::vector<std::string>&) const override {
    refuse_texts(card_.name);
  }

 private:
  at::Device device_;
  Numbers numbers_;
  OpenDinoPackage opened_;
  Card card_;
  WeightsHash hash_;
};

}  // namespace

std::unique_ptr<EmbeddingModel> open_dino(const fs::path& folder, const OpenOptions& options) {
  if (options.texts) refuse_texts(card_of_package(find_package(folder)).name);
  return std::make_unique<OpenedDino>(folder, options);
}

Json dino_outputs(const fs::path& folder, const OpenOptions& options,
                  const std::string& reference) {
  OpenOptions images = options;
  images.texts = false;
  const auto model = open_dino(folder, images);
  return {{"weights_sha256", model->weights_sha256()},
          {"reference", reference},
          {"image", outline(model->embed_images(golden_image(model->input()))[0])}};
}

std::vector<Check> compare_dino(const Json& now, const Json& stored, const std::string& precision) {
  return {compare_outlines("image", now.at("image"), stored.at("image"),
                           precision == "fp32" ? kLimit : kLowPrecision)};
}

}  // namespace vesalius::catalog
