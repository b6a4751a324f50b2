#include "catalog/open.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/InferenceMode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/version.h"
#include "catalog/config_yaml.h"
#include "catalog/spellings.h"
#include "catalog/weights_hash.h"
#include "checkpoint/safetensors.h"
#include "nn/plan.h"
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

at::Device parse_device(const std::string& name) {
  const bool cuda = at::globalContext().hasCUDA();
  if (name == "cpu" || (name == "auto" && !cuda)) return at::kCPU;
  if (name == "auto") return at::Device(at::kCUDA, 0);
  if (name == "cuda" || name.starts_with("cuda:")) {
    if (!cuda)
      fail(ErrorCode::kDevice, "device '{}': this LibTorch sees no GPU. Use --device cpu.", name);
    const auto number = std::string_view(name).substr(std::min<size_t>(name.size(), 5));
    int index = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), index);
    const bool whole = number.empty() ? name == "cuda"
                                      : read.ec == std::errc() &&
                                            read.ptr == number.data() + number.size() && index >= 0;
    const int count = at::detail::getCUDAHooks().deviceCount();
    if (whole && index >= count)
      fail(ErrorCode::kDevice, "device '{}': this machine has {}, counted from 0.", name, count);
    if (whole) return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
  }
  fail(ErrorCode::kUsage, "device '{}' is not known; choose auto, cpu, cuda or cuda:N.", name);
}

/// What a precision asked for means on a device.
struct Numbers {
  std::string name;                               // "fp32"
  at::ScalarType type = at::kFloat;               // of the weights
  nn::Precision products = nn::Precision::kFp32;  // of the CPU's kernels
};

Numbers choose_numbers(const std::string& asked, at::Device device) {
  const bool cpu = device.is_cpu();
  const bool bf16 =
      asked == "bf16" || (asked == "auto" && cpu && nn::auto_precision() == nn::Precision::kBf16);
  if (bf16 && cpu && nn::auto_precision() != nn::Precision::kBf16)
    fail(ErrorCode::kDevice,
         "precision bf16: this CPU has no fast bfloat16. Use --precision auto or fp32.");
  if (bf16) return {"bf16", cpu ? at::kFloat : at::kBFloat16, nn::Precision::kBf16};
  if (asked == "fp16" && !cpu) return {"fp16", at::kHalf};
  if (asked == "auto" || asked == "fp32") return {"fp32"};
  fail(ErrorCode::kUsage,
       "precision '{}' is not offered by this model on {}; choose auto, fp32 or bf16{}.", asked,
       device.str(), cpu ? "" : " or fp16");
}

/// Moves the towers that will be used; mapped float32 on the CPU stays where it is.
void place(std::map<std::string, at::Tensor>& tensors, const Placement& placement) {
  for (auto& [name, tensor] : tensors) {
    const bool image = name.starts_with("image_"), text = name.starts_with("lang_");
    if ((image && !placement.images) || (text && !placement.texts)) continue;
    tensor = tensor.to(placement.device, image || text ? placement.type : at::kFloat);
  }
}

/// Weights are floating-point numbers; a file of others is another kind of file, whatever its
/// names.
void check_types(const std::map<std::string, at::Tensor>& tensors, const fs::path& path) {
  std::vector<std::string> wrong;
  for (const auto& [name, tensor] : tensors)
    if (!tensor.is_floating_point())
      wrong.push_back(fmt::format("{} ({})", name, at::toString(tensor.scalar_type())));
  if (!wrong.empty())
    fail(ErrorCode::kModel,
         "{}: {} of its tensors are not floating-point ({}). Use the published weights; quantised "
         "files are not read.",
         path.string(), wrong.size(), fmt::join(wrong, ", "));
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
  opened.config = read_config(opened.package.config);
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

fs::path model_folder(const std::string& name) {
  const auto cards = list_cards();
  const auto installed = [&](const std::string& wanted) -> fs::path {
    for (const Card& card : cards)
      if (card.name == wanted) return card.folder;
    return {};
  };
  if (name.empty()) {
    if (const auto full = installed("medimageinsight"); !full.empty()) return full;
    if (const auto starter = installed("starter-insight"); !starter.empty()) return starter;
    fail(ErrorCode::kModel,
         "no model is installed. Add one with `vesalius models add NAME --from FOLDER`.");
  }
  if (const auto folder = installed(name); !folder.empty()) return folder;
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) return name;
  std::vector<std::string> known;
  for (const Card& card : cards)
    known.push_back(card.name + (card.folder.empty() ? " (not installed)" : ""));
  fail(ErrorCode::kModel,
       "model '{}' is neither installed nor a folder. Known: {}. Add one with `vesalius models add "
       "NAME --from FOLDER`.",
       name, fmt::join(known, ", "));
}

std::unique_ptr<EmbeddingModel> open_embedding_model(const std::string& name_or_folder,
                                                     const OpenOptions& options) {
  return std::make_unique<OpenedMedImageInsight>(model_folder(name_or_folder), options);
}

Json provenance(const EmbeddingModel& model, const recipes::Recipe& recipe) {
  Json result{{"model", model.card().name},     {"weights_sha256", model.weights_sha256()},
              {"recipe", recipe.id()},          {"recipe_parameters", recipe.parameters},
              {"precision", model.precision()}, {"device", model.device()},
              {"version", version()},           {"research_use_only", true}};
  if (model.card().seeded) result["seeded"] = true;
  return result;
}

}  // namespace vesalius::catalog
