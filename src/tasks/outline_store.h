// Outlined images as a model reads them, kept in memory for training and validation.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "tasks/outlines.h"

namespace vesalius::tasks {

/// An image with the masks of what is in it.
struct OutlinedSample {
  at::Tensor pixels;                 // u8 [3, side, side]
  at::Tensor masks;                  // u8 [present, side, side]
  std::vector<std::string> present;  // prompts of the masks
  std::vector<std::string> absent;   // looked for and not there
  std::string kind, name;
  double weight = 1;
  bool sided = false;   // a target names left or right
  bool slices = false;  // the channels are a slice and its neighbours

  OutlinedSample(const OutlinedImage& image, at::Tensor planes);
  /// `mask` u8 [side, side], or undefined where there is none.
  void add(const Outline& outline, const at::Tensor& mask);
};

/// What images are made into.
struct PlaneForm {
  int64_t side = 512;
  int version = 2;  // of BiomedParse
};

/// A mask [rows, columns] of truth values on a square plane: u8 [side, side]. Small objects
/// survive: a pixel is set where half of it was, or where the target would vanish, any of it.
at::Tensor plane_mask(const at::Tensor& mask, int64_t side);

/// A picture with its masks. What is not square is padded with zeros, half of them on both sides,
/// the odd one behind, as version 2 has it; version 1 stretches it.
OutlinedSample read_outlined_picture(const OutlinedImage& image, const PlaneForm& form);

class OutlineStore {
 public:
  /// Files that cannot be read are named on standard error and left out; Error kUnsupported if none
  /// is left. Takes 3 + (targets present) bytes a pixel of a plane.
  OutlineStore(const std::vector<OutlinedImage>& images, const PlaneForm& form, bool quiet);
  size_t size() const { return samples_.size(); }
  const OutlinedSample& operator[](size_t i) const { return samples_[i]; }
  /// Prompts of each kind.
  const std::map<std::string, std::vector<std::string>>& vocabulary() const { return vocabulary_; }
  /// Other words for a prompt; mostly none.
  const std::vector<std::string>& phrasings(const std::string& prompt) const;

 private:
  void learn_words(const std::vector<OutlinedImage>& images);
  std::vector<OutlinedSample> samples_;
  std::map<std::string, std::vector<std::string>> vocabulary_, phrasings_;
};

}  // namespace vesalius::tasks
