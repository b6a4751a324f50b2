// A small deterministic embedding for tests: a seeded random projection of pixels, and of letters.
#pragma once

#include <ATen/ATen.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/version.h"
#include "catalog/catalog.h"

namespace vesalius::testing {

class FakeModel : public catalog::EmbeddingModel {
 public:
  static constexpr int64_t kDimension = 16;
  static constexpr int kSize = 8;

  explicit FakeModel(uint64_t seed = 1) : seed_(seed) {
    card_.name = "fake";
    card_.recipe = "vesalius";
    auto generator = at::detail::createCPUGenerator(seed);
    projection_ = at::randn({3 * kSize * kSize, kDimension}, generator);
    letters_ = at::randn({256, kDimension}, generator);
  }

  const catalog::Card& card() const override { return card_; }
  recipes::ModelInput input() const override {
    recipes::ModelInput input;
    input.size = kSize;
    return input;
  }
  int64_t dimension() const override { return kDimension; }
  at::Tensor embed_images(const at::Tensor& pixels) const override {
    ++batches;
    largest_batch = std::max<int64_t>(largest_batch, pixels.size(0));
    return at::mm(pixels.reshape({pixels.size(0), -1}), projection_);
  }
  at::Tensor embed_texts(const std::vector<std::string>& texts) const override {
    std::vector<at::Tensor> rows;
    for (const auto& text : texts) {
      at::Tensor row = at::zeros({kDimension});
      for (size_t i = 0; i < text.size(); ++i)
        row += letters_[static_cast<unsigned char>(text[i])] / static_cast<double>(i + 1);
      rows.push_back(row);
    }
    return at::stack(rows);
  }
  double logit_scale() const override { return 2.0; }
  std::string weights_sha256() const override { return sha256(std::to_string(seed_)); }
  std::string device() const override { return "cpu"; }
  std::string precision() const override { return "fp32"; }

  mutable int64_t batches = 0, largest_batch = 0;

 private:
  catalog::Card card_;
  uint64_t seed_;
  at::Tensor projection_, letters_;
};

inline Json fake_provenance(const FakeModel& model, const std::string& recipe = "vesalius@1") {
  return {{"model", "fake"},      {"weights_sha256", model.weights_sha256()},
          {"recipe", recipe},     {"recipe_parameters", Json::object()},
          {"precision", "fp32"},  {"device", "cpu"},
          {"version", version()}, {"research_use_only", true}};
}

}  // namespace vesalius::testing
