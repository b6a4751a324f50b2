// Named tensors under a prefix: how a model meets its checkpoint.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "checkpoint/safetensors_header.h"

namespace vesalius {

/// The tensors behind a family of Weights views, and the account of what was taken from them.
/// Taking a tensor that is missing or of another shape is noted, not thrown: `finish()` lists
/// everything at once.
class TensorStore {
 public:
  /// Tensors of a checkpoint, by the names the model asks for. `source` names the file in errors.
  TensorStore(std::string source, std::map<std::string, at::Tensor> tensors);
  /// Draws every tensor that is asked for: normal(0, gain / sqrt(fan_in)) matrices, zero biases,
  /// one for the rest. For training from scratch.
  static std::shared_ptr<TensorStore> initialised(uint64_t seed);
  /// Has every tensor that is asked for, as zeros that take no memory: for the list of names and
  /// shapes alone.
  static std::shared_ptr<TensorStore> recording();

  at::Tensor take(const std::string& name, at::IntArrayRef shape);
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Error kModel listing every missing, extra and mis-shaped tensor. `leftovers` may stay untaken
  /// (names, or prefixes ending in '*').
  void finish(const std::vector<std::string>& leftovers = {}) const;
  /// What was taken, in order of taking.
  const std::vector<std::pair<std::string, at::Tensor>>& taken() const { return taken_; }
  /// Their names and shapes, to write a file of them.
  std::vector<TensorEntry> entries() const;
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::map<std::string, at::Tensor> tensors_;
  std::vector<std::pair<std::string, at::Tensor>> taken_;
  std::vector<std::string> problems_;
  bool initialise_ = false, record_ = false;
  uint64_t seed_ = 0;
};

/// A view on a TensorStore under a prefix: `w / "blocks" / 3` is "blocks.3.". Cheap to copy.
class Weights {
 public:
  explicit Weights(std::shared_ptr<TensorStore> store, std::string prefix = {})
      : store_(std::move(store)), prefix_(std::move(prefix)) {}
  Weights operator/(std::string_view name) const;
  Weights operator/(int64_t index) const { return *this / std::to_string(index); }
  /// The tensor `prefix.name`, checked to be of this shape.
  at::Tensor operator()(std::string_view name, at::IntArrayRef shape) const;
  /// The full name of the scope itself, without a dot at its end: what trace() calls its stage.
  const std::string& name() const { return prefix_; }
  TensorStore& store() const { return *store_; }

 private:
  std::shared_ptr<TensorStore> store_;
  std::string prefix_;
};

}  // namespace vesalius
