#include "checkpoint/weights.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/hash.h"

namespace vesalius {
namespace {

std::string shape_text(at::IntArrayRef shape) {
  return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", "));
}

/// Zeros of any shape in the memory of one: what a missing tensor is until finish() refuses the
/// file.
at::Tensor placeholder(at::IntArrayRef shape) { return at::zeros({}).expand(shape); }

/// Standard deviation that a matrix or kernel starts from.
/// Image tower: 0.02 as DaViT's authors have it; wider starts saturate channel attention, whose
/// logits are sums over all positions. Kernels that a norm follows keep their input's size instead:
/// small ones would turn with every step.
/// Text tower: wide enough that different texts start apart. At CLIP's 0.02 the first steps, when
/// all images look alike to the image tower, overwrite those differences, and the texts end on one
/// line.
/// BiomedParse: matrices that keep their input's size, learned tables as wide as what they meet.
/// MAIRA-2: the same, since 0.02 is meant for layers of a thousand and more.
double initial_std(std::string_view name, at::IntArrayRef shape) {
  const auto begins = [&](auto... towers) { return (name.starts_with(towers) || ...); };
  const auto ends = [&](auto... tables) { return (name.ends_with(tables) || ...); };
  if (ends("token_embedding.weight", "embed_tokens.weight")) return 0.2;
  if (ends("positional_embedding", "position_embeddings", "cls_token", "mask_token")) return 0.1;
  if (name.ends_with("_projection") || name.ends_with("lang_proj"))
    return 1 / std::sqrt(static_cast<double>(shape[0]));  // x @ p
  if (ends("query_feat_.weight", "query_embed_.weight", "level_embed.weight",
           "classifier_query.weight"))
    return 1;
  const bool dense = shape.size() == 4 && shape[1] > 1;
  const bool keeps_size = begins("lang_encoder", "backbone.", "sem_seg_head.", "vision_tower.",
                                 "multi_modal_projector.", "language_model.");
  if (!dense && !keeps_size) return 0.02;
  return 1 / std::sqrt(static_cast<double>(c10::multiply_integers(shape.slice(1))));  // fan-in
}

/// The same values whatever else the model asks for and in whichever order.
at::Tensor initial(std::string_view name, at::IntArrayRef shape, uint64_t seed) {
  if (name == "pixel_mean") return at::full(shape, 114.495);  // ImageNet's, grey
  if (name == "pixel_std") return at::full(shape, 57.63);
  if (name.ends_with("bias")) return at::zeros(shape);
  if (name.ends_with("language_encoder.logit_scale")) return at::ones(shape);
  if (name.ends_with("logit_scale")) return at::full(shape, std::log(1 / 0.07));  // CLIP's start
  if (shape.size() < 2) return at::ones(shape);
  auto generator = at::detail::createCPUGenerator(fnv1a64(name) ^ (seed * 0x9E3779B97F4A7C15ULL));
  return at::empty(shape).normal_(0, initial_std(name, shape), generator);
}

bool matches(const std::string& name, const std::string& pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  return name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
}

}  // namespace

TensorStore::TensorStore(std::string source, std::map<std::string, at::Tensor> tensors)
    : source_(std::move(source)), tensors_(std::move(tensors)) {}

std::shared_ptr<TensorStore> TensorStore::initialised(uint64_t seed) {
  auto store = std::make_shared<TensorStore>("initial values", std::map<std::string, at::Tensor>{});
  store->initialise_ = true;
  store->seed_ = seed;
  return store;
}

std::shared_ptr<TensorStore> TensorStore::recording() {
  auto store = std::make_shared<TensorStore>("a record", std::map<std::string, at::Tensor>{});
  store->record_ = true;
  return store;
}

at::Tensor TensorStore::take(const std::string& name, at::IntArrayRef shape) {
  auto found = tensors_.find(name);
  if (found == tensors_.end() && initialise_)
    found = tensors_.emplace(name, initial(name, shape, seed_)).first;
  if (found == tensors_.end() && record_) found = tensors_.emplace(name, placeholder(shape)).first;
  if (found == tensors_.end()) {
    problems_.push_back(fmt::format("missing {} {}", name, shape_text(shape)));
    return placeholder(shape);
  }
  const bool first =
      std::ranges::none_of(taken_, [&](const auto& one) { return one.first == name; });
  if (first) taken_.emplace_back(name, found->second);
  if (found->second.sizes() == shape) return found->second;
  problems_.push_back(fmt::format("mis-shaped {}: {} in the file, {} expected", name,
                                  shape_text(found->second.sizes()), shape_text(shape)));
  return placeholder(shape);
}

std::vector<TensorEntry> TensorStore::entries() const {
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : taken_)
    entries.push_back({.name = name, .shape = tensor.sizes().vec()});
  return entries;
}

void TensorStore::finish(const std::vector<std::string>& leftovers) const {
  std::set<std::string_view> taken;
  for (const auto& [name, tensor] : taken_) taken.insert(name);
  auto problems = problems_;
  for (const auto& [name, tensor] : tensors_) {
    const bool known = std::ranges::any_of(
        leftovers, [&, &n = name](const auto& pattern) { return matches(n, pattern); });
    if (!known && !taken.contains(name))
      problems.push_back(fmt::format("extra {} {}", name, shape_text(tensor.sizes())));
  }
  if (problems.empty()) return;
  fail(ErrorCode::kModel,
       "{} is not the model that was asked for: {} of its tensors do not fit ({}). "
       "Use the published file of this model, or name the model that the file belongs to.",
       source_, problems.size(), fmt::join(problems, "; "));
}

Weights Weights::operator/(std::string_view name) const {
  return Weights(store_, prefix_.empty() ? std::string(name) : fmt::format("{}.{}", prefix_, name));
}

at::Tensor Weights::operator()(std::string_view name, at::IntArrayRef shape) const {
  return store_->take((*this / name).name(), shape);
}

}  // namespace vesalius
