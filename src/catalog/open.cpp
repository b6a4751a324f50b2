#include "catalog/open.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "catalog/config_yaml.h"
#include "catalog/family.h"
#include "catalog/spellings.h"
#include "catalog/weights_file.h"
#include "catalog/weights_hash.h"
#include "checkpoint/safetensors.h"
#include "text/clip_tokenizer.h"

namespace vesalius::catalog {
namespace {

constexpr size_t kMostCachedTexts = 100'000;
const std::string kPositions = "lang_encoder.positional_embedding";
const std::string kTokens = "lang_encoder.token_embedding.weight";

/// The original stretches position embeddings of another length linearly.
void fit_positions(std::map<std::string, at::Tensor>& tensors, int64_t context) {
  const auto found = tensors.find(kPositions);
  if (found == tensors.end() || found->second.dim() != 2 || found->second.size(0) == context ||
      found->second.numel() == 0)
    return;
  const auto rows = found->second.t().unsqueeze(0);  // [1, width, length]
  found->second =
      at::upsample_linear1d(rows, {context}, /*align_corners=*/false).squeeze(0).t().contiguous();
}

/// Moves the towers that will be used; mapped float32 on the CPU stays where it is.
void place(std::map<std::string, at::Tensor>& tensors, const Placement& placement) {
  for (auto& [name, tensor] : tensors) {
    const bool image = name.starts_with("image_"), text = name.starts_with("lang_");
    if ((image && !placement.images) || (text && !placement.texts)) continue;
    tensor = tensor.to(placement.device, image || text ? placement.type : at::kFloat);
  }
}

/// MedImageInsight and its like behind the catalog's interface.
class OpenedMedImageInsight : public EmbeddingModel {
 public:
  OpenedMedImageInsight(const fs::path& folder, const OpenOptions& options)
      : device_(parse_device(options.device)),
        numbers_(choose_numbers(options.precision, device_)),
        opened_(open_package(folder, {device_, numbers_.type, options.images, options.texts})),
        card_(card_of_package(opened_.package)),
        hash_(opened_.package.weights) {
    if (options.texts) tokenizer_.emplace(text::ClipTokenizer::load(opened_.package.tokenizer));
  }

  const Card& card() const override { return card_; }
  int64_t dimension() const override { return opened_.config.projection; }
  double logit_scale() const override { return opened_.model->logit_scale.item<double>(); }
  std::string device() const override { return device_.str(); }
  std::string precision() const override { return numbers_.name; }

  recipes::ModelInput input() const override {
    recipes::ModelInput input{.size = static_cast<int>(opened_.config.image_size)};
    std::copy_n(opened_.config.mean, 3, input.mean);
    std::copy_n(opened_.config.std, 3, input.std);
    return input;
  }

  at::Tensor embed_images(const at::Tensor& pixels) const override {
    const c10::InferenceMode inference;
    const nn::PlanScope plan(numbers_.products);
    return opened_.model->embed_images(pixels).to(at::kCPU, at::kFloat);
  }

  at::Tensor embed_texts(const std::vector<std::string>& texts) const override {
    const c10::InferenceMode inference;
    const nn::PlanScope plan(numbers_.products);
    const std::lock_guard lock(guard_);
    if (cache_.size() > kMostCachedTexts) cache_.clear();
    embed_new(texts);
    std::vector<at::Tensor> rows;
    rows.reserve(texts.size());
    for (const std::string& text : texts) rows.push_back(cache_.at(text));
    return rows.empty() ? at::empty({0, dimension()}) : at::stack(rows);
  }

  std::string weights_sha256() const override { return hash_.get(); }

 private:
  void embed_new(const std::vector<std::string>& texts) const {
    if (!tokenizer_) fail(ErrorCode::kFailed, "model {} was opened for images alone.", card_.name);
    std::vector<std::string> fresh;
    std::vector<std::vector<int32_t>> ids;
    std::unordered_set<std::string_view> asked;
    for (const std::string& text : texts) {
      if (cache_.contains(text) || !asked.insert(text).second) continue;
      fresh.push_back(text);
      ids.push_back(tokenizer_->encode(text, static_cast<int>(opened_.config.text.context)));
    }
    if (fresh.empty()) return;
    const auto features = opened_.model->embed_tokens(ids).to(at::kCPU, at::kFloat);
    for (size_t i = 0; i < fresh.size(); ++i)
      cache_[fresh[i]] = features[static_cast<int64_t>(i)].clone();
  }

  at::Device device_;
  Numbers numbers_;
  OpenPackage opened_;
  Card card_;
  std::optional<text::ClipTokenizer> tokenizer_;
  mutable std::mutex guard_;
  mutable std::unordered_map<std::string, at::Tensor> cache_;
  WeightsHash hash_;  // computed meanwhile, where it is not known
};

}  // namespace

OpenPackage open_package(const fs::path& folder, const Placement& placement) {
  OpenPackage opened{.package = find_package(folder)};
  require_task(opened.package, Task::kEmbedding);
  if (opened.package.family != kInsightFamily)
    fail(ErrorCode::kModel,
         "{}: is of the family {}; here MedImageInsight or a model like it is needed, which reads "
         "texts too.",
         folder.string(), opened.package.family);
  opened.config = read_config(opened.package.config);
  refuse_pointer(opened.package.weights);
  auto tensors = medimageinsight_spellings().apply(read_safetensors(opened.package.weights),
                                                   opened.package.weights.string());
  check_types(tensors, opened.package.weights);
  place(tensors, placement);
  fit_positions(tensors, opened.config.text.context);
  if (const auto found = tensors.find(kTokens); found != tensors.end() && found->second.dim() == 2)
    opened.config.text.vocabulary = found->second.size(0);
  opened.store = std::make_shared<TensorStore>(opened.package.weights.string(), std::move(tensors));
  opened.model = std::make_unique<models::MedImageInsight>(Weights(opened.store), opened.config);
  opened.store->finish();
  return opened;
}

std::unique_ptr<EmbeddingModel> open_insight(const fs::path& folder, const OpenOptions& options) {
  return std::make_unique<OpenedMedImageInsight>(folder, options);
}

std::unique_ptr<EmbeddingModel> open_embedding_model(const std::string& name_or_folder,
                                                     const OpenOptions& options) {
  const Package package = find_package(model_folder(name_or_folder));
  require_task(package, Task::kEmbedding);
  return family_named(package.family, package.folder.string())
      .open_embedding(package.folder, options);
}

}  // namespace vesalius::catalog
