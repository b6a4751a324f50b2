// A model that finds what words name, behind one interface for BiomedParse's versions.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "models/biomedparse.h"
#include "recipes/recipe.h"

namespace vesalius::catalog {

/// What a model says of a batch of planes.
struct PlaneMasks {
  at::Tensor logits;     // [planes, prompts, side / 4, side / 4], float32; / 2 with an output head
  at::Tensor existence;  // [planes, prompts], logits; undefined in version 1
};

/// Whether the prompts of a call see each other, as in the published code.
enum class Company { kTogether, kIsolated };

/// Calls are const and thread-safe.
class SegmentationModel {
 public:
  virtual ~SegmentationModel() = default;
  virtual const Card& card() const = 0;
  /// 1: one query of many is chosen by its text (BiomedParse v1). 2: queries vote, pixels are drawn
  /// at random, and existence is told (BiomedParse v2, MedImageParse).
  virtual int version() const = 0;
  virtual int64_t side() const = 0;   // of the square planes that it reads, pixels
  virtual int64_t heads() const = 0;  // uniform numbers are asked for per head
  /// Prompts through the tokenizer and the text tower; each is run once and kept.
  virtual models::Prompts encode(const std::vector<std::string>& prompts) const = 0;
  /// Pixel values 0 to 255, float32 [planes, 3, side, side] on the CPU: channels are red, green and
  /// blue, or a slice, the one before and the one behind. They are normalised here. `uniforms` is
  /// not asked by version 1.
  virtual PlaneMasks segment(const at::Tensor& pixels, const models::Prompts& prompts,
                             const models::Uniforms& uniforms, Company company) const = 0;
  virtual std::string weights_sha256() const = 0;
  virtual std::string device() const = 0;
  virtual std::string precision() const = 0;
};

/// Opens a model by name, or a folder in a published layout. Empty: medimageparse when installed,
/// else biomedparse-v2, biomedparse-v1, starter-parse. Error kModel.
std::unique_ptr<SegmentationModel> open_segmentation_model(const std::string& name_or_folder,
                                                           const OpenOptions& options = {});

/// Draws by arithmetic: number k, from 0 over the whole call, is (unit("draw.k", seed) + 1) / 2, so
/// that any language makes the same ones (docs/models.md).
models::Uniforms seeded_uniforms(uint64_t seed);
using models::generated_uniforms;

/// What a version's results and cards call the way from pixels to its planes.
const char* parse_recipe(int version);

/// The fields that every JSON result carries, as for an embedding model.
Json provenance(const SegmentationModel& model, const recipes::Recipe& recipe);

}  // namespace vesalius::catalog
