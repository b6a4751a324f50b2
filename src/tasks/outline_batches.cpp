#include "tasks/outline_batches.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "base/parallel.h"

namespace vesalius::tasks {
namespace {

enum Stream : uint64_t { kImage = 21, kChange, kWords };

constexpr size_t kTries = 16;  // for a prompt that the image does not have

/// Where an output pixel is read, in the units of grid_sampler: [1, side, side, 2].
at::Tensor affine_grid(int64_t side, double degrees, double scale, double right, double down,
                       bool mirror) {
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle) / scale, sine = std::sin(angle) / scale;
  const double x = mirror ? -1 : 1;
  const auto map = at::tensor({cosine * x, -sine, right, sine * x, cosine, down}, at::kFloat);
  return at::affine_grid_generator(map.view({1, 2, 3}), {1, 1, side, side},
                                   /*align_corners=*/false);
}

/// Each square of four pixels averaged, and spread again.
at::Tensor blurred(const at::Tensor& pixels) {
  const auto half = at::avg_pool2d(pixels.unsqueeze(0), 2);
  return at::upsample_bilinear2d(half, pixels.sizes().slice(1), /*align_corners=*/false)[0];
}

/// Gamma, contrast, brightness, and noise.
at::Tensor toned(const at::Tensor& pixels, const OutlineAugmentation& how, KeyedRandom& random,
                 uint64_t noise_seed) {
  const double gamma = std::exp(random.uniform(-how.tone, how.tone));
  const double contrast = std::exp(random.uniform(-how.tone, how.tone));
  const double brightness = random.uniform(-how.tone, how.tone) * 64;
  auto y = at::pow(pixels.clamp(0, 255) / 255, gamma) * 255;
  y = (y - 128) * contrast + 128 + brightness;
  const double strength = random.uniform(0, how.noise);
  auto generator = at::detail::createCPUGenerator(noise_seed);
  y = y + strength * at::empty(y.sizes()).normal_(0, 1, generator);
  return y.clamp(0, 255);
}

}  // namespace

OutlineBatches::OutlineBatches(const OutlineStore& store, const OutlineSampling& sampling)
    : store_(store), sampling_(sampling) {
  std::map<std::string, double> count;
  for (size_t i = 0; i < store_.size(); ++i) ++count[store_[i].kind];
  double sum = 0;
  for (size_t i = 0; i < store_.size(); ++i)
    cumulative_.push_back(sum +=
                          store_[i].weight * std::pow(count[store_[i].kind], -sampling_.balance));
}

int64_t OutlineBatches::per_epoch() const {
  return std::max<int64_t>(1, static_cast<int64_t>(store_.size()) / sampling_.batch);
}

size_t OutlineBatches::choose(KeyedRandom& random) const {
  const auto found = std::ranges::upper_bound(cumulative_, random.uniform(0, cumulative_.back()));
  return std::min<size_t>(found - cumulative_.begin(), store_.size() - 1);
}

std::vector<std::string> OutlineBatches::choose_prompts(const OutlinedSample& sample,
                                                        KeyedRandom& random) const {
  std::vector<std::string> chosen;
  const auto any = [&](const std::vector<std::string>& names) {
    return names[random.below(static_cast<int64_t>(names.size()))];
  };
  // What is not there: known to be absent, else what belongs to images of another kind.
  const auto negative = [&]() -> std::optional<std::string> {
    if (!sample.absent.empty() && random.chance(0.7)) return any(sample.absent);
    for (size_t i = 0; i < kTries; ++i) {
      const auto& other = store_[choose(random)];
      if (other.kind == sample.kind || other.present.empty()) continue;
      auto prompt = any(other.present);
      const auto& own = store_.vocabulary().at(sample.kind);
      if (std::ranges::find(own, prompt) == own.end()) return prompt;
    }
    return sample.absent.empty() ? std::nullopt : std::optional(any(sample.absent));
  };
  auto order = sample.present;
  for (size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<int64_t>(i))]);
  for (int64_t i = 0, next = 0; i < sampling_.prompts; ++i) {
    std::optional<std::string> prompt;
    if (order.empty() || random.chance(sampling_.negatives)) prompt = negative();
    if (!prompt && !order.empty()) prompt = order[next++ % order.size()];
    chosen.push_back(prompt.value_or("nothing"));
  }
  return chosen;
}

std::string OutlineBatches::phrased(const std::string& prompt, KeyedRandom& random) const {
  const auto& others = store_.phrasings(prompt);
  const auto which = static_cast<size_t>(random.below(std::ssize(others) + 1));
  return which == 0 ? prompt : others[which - 1];
}

OutlineBatch OutlineBatches::make(int64_t number) const {
  const int64_t side = store_[0].pixels.size(-1), batch = sampling_.batch;
  OutlineBatch result{.pixels = at::empty({batch, 3, side, side}),
                      .masks = at::zeros({batch, sampling_.prompts, side, side}),
                      .prompts = std::vector<std::string>(batch * sampling_.prompts)};
  const auto& how = sampling_.augmentation;
  parallel_for(batch, [&](int64_t i) {
    const c10::NoGradGuard no_grad;
    const auto key = static_cast<uint64_t>(number), place = static_cast<uint64_t>(i);
    KeyedRandom random({sampling_.seed, kImage, key, place});
    const auto& sample = store_[choose(random)];
    const auto prompts = choose_prompts(sample, random);
    std::vector<at::Tensor> layers{sample.pixels.to(at::kFloat)};
    for (const std::string& prompt : prompts) {
      const auto found = std::ranges::find(sample.present, prompt);
      layers.push_back(
          found == sample.present.end()
              ? at::zeros({1, side, side})
              : sample.masks[found - sample.present.begin()].to(at::kFloat).unsqueeze(0));
    }
    auto all = at::cat(layers);  // [3 + prompts, side, side]
    KeyedRandom change({sampling_.seed, kChange, key, place});
    if (how.on) {
      const bool mirror = !sample.sided && change.chance(how.flip);
      const double scale =
          std::exp(change.uniform(std::log(how.scale_min), std::log(how.scale_max)));
      const double turn = change.uniform(-how.turn, how.turn);
      const double right = change.uniform(-how.shift, how.shift) * 2;
      const double down = change.uniform(-how.shift, how.shift) * 2;
      const auto grid = affine_grid(side, turn, scale, right, down, mirror);
      all = at::grid_sampler(all.unsqueeze(0), grid, 0, 0, /*align_corners=*/false)[0];
      if (change.chance(how.blur)) all.narrow(0, 0, 3).copy_(blurred(all.narrow(0, 0, 3)));
      all.narrow(0, 0, 3).copy_(toned(all.narrow(0, 0, 3), how, change, change.next()));
      // Before and behind are alike from the other side, as published.
      if (sample.slices && change.chance(0.5))
        all.narrow(0, 1, 2).copy_(all.narrow(0, 1, 2).flip(0).clone());
    }
    result.pixels[i].copy_(all.narrow(0, 0, 3));
    result.masks[i].copy_(all.narrow(0, 3, sampling_.prompts) >= 0.5);
    KeyedRandom words({sampling_.seed, kWords, key, place});
    std::ranges::transform(prompts, result.prompts.begin() + i * sampling_.prompts,
                           [&](const std::string& prompt) { return phrased(prompt, words); });
  });
  return result;
}

OutlineBatch OutlineBatches::get(int64_t number) {
  auto batch = next_number_ == number ? next_.get() : make(number);
  next_number_ = number + 1;
  next_ = std::async(std::launch::async, [this, number] { return make(number + 1); });
  return batch;
}

}  // namespace vesalius::tasks
