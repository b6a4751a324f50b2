// The catalog: which models there are, which are installed, and opening one.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "recipes/recipe.h"

namespace vesalius::catalog {

/// What a model does, and by that which commands take it.
enum class Task { kEmbedding, kSegmentation, kReport };

/// A model as its card describes it.
struct Card {
  std::string name;    // "medimageinsight", "starter-insight"
  std::string family;  // "medimageinsight": which architecture and layout, see family.h
  std::string title, publisher, licence, source, intended_use, limits;
  std::string recipe;    // default recipe's name
  bool seeded = false;   // values come from arithmetic on the tensors' names, not from training
  bool starter = false;  // ours, for trying the program
  fs::path folder;       // where it is installed; empty when it is not
  Json details = Json::object();  // all of the card, for `models show`
};

/// Every card that the program knows, and every model installed under $VESALIUS_HOME.
std::vector<Card> list_cards();
std::optional<Card> find_card(const std::string& name);

/// The folder behind a model's name, or the folder itself. An empty name means the first of `usual`
/// that is installed. Error kModel says what there is.
fs::path model_folder(const std::string& name_or_folder, const std::vector<std::string>& usual = {
                                                             "medimageinsight", "starter-insight"});

/// $VESALIUS_HOME, else ~/.local/share/vesalius.
fs::path home();
/// Where the program's own cards and starter weights lie: $VESALIUS_CATALOG, else catalog/ beside
/// the source tree or under share/vesalius beside the program.
fs::path catalog_folder();

struct OpenOptions {
  std::string device = "auto";     // auto, cpu, cuda, cuda:N
  std::string precision = "auto";  // auto, fp32, bf16, fp16
  bool images = true,
       texts = true;  // towers that will be used; the other's weights are not touched
};

/// A model that embeds images, most also texts into the same space. Calls: const, thread-safe.
class EmbeddingModel {
 public:
  virtual ~EmbeddingModel() = default;
  virtual const Card& card() const = 0;
  virtual recipes::ModelInput input() const = 0;
  virtual int64_t dimension() const = 0;
  /// [n, 3, S, S] float32 on the CPU -> [n, dimension] float32 on the CPU, as the reference gives
  /// them, not L2-normalised.
  virtual at::Tensor embed_images(const at::Tensor& pixels) const = 0;
  /// [texts, dimension] float32 on the CPU, projected, not L2-normalised. Repeated texts are run
  /// once and kept; batches are sorted by length. Error kModel where there is no text encoder.
  virtual at::Tensor embed_texts(const std::vector<std::string>& texts) const = 0;
  /// The log temperature as published; similarity is multiplied by its exp. Error as above.
  virtual double logit_scale() const = 0;
  virtual std::string weights_sha256() const = 0;
  virtual std::string device() const = 0;
  virtual std::string precision() const = 0;
};

/// Opens a model by name or folder, with or without our card. Empty: medimageinsight when
/// installed, else starter-insight. Error kModel, also for texts where there is no encoder of them.
std::unique_ptr<EmbeddingModel> open_embedding_model(const std::string& name_or_folder,
                                                     const OpenOptions& options = {});

/// The fields that every JSON result carries: model, weights_sha256, recipe, recipe_parameters,
/// precision, device, version, research_use_only (and seeded: true where it is).
Json provenance(const EmbeddingModel& model, const recipes::Recipe& recipe);

}  // namespace vesalius::catalog
