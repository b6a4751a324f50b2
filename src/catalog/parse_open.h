// Opening a package of BiomedParse or MedImageParse: its weights mapped, checked and bound.
#pragma once

#include <memory>
#include <variant>

#include "catalog/device.h"
#include "catalog/package.h"
#include "catalog/parse_architecture.h"
#include "text/clip_tokenizer.h"

namespace vesalius::catalog {

using ParseModel = std::variant<models::BiomedParseV1, models::BiomedParseV2>;

/// A package with its model. The store holds the tensors by their published names.
struct OpenParsePackage {
  Package package;
  ParseArchitecture architecture;
  std::shared_ptr<TensorStore> store;
  std::unique_ptr<ParseModel> model;
};

/// Binds every tensor of the file to the model, mapped where the file holds what is wanted. The
/// sizes are the published ones unless the card has others. Error kModel lists all that is missing,
/// extra or mis-shaped.
OpenParsePackage open_parse_package(const fs::path& folder, const Placement& placement = {});

/// A model over tensors that somebody else holds: those of a training, or initial ones.
std::unique_ptr<ParseModel> make_parse_model(const std::shared_ptr<TensorStore>& store,
                                             const ParseArchitecture& architecture);

/// CLIP's own tokenizer, which comes with the program: the published packages carry none.
text::ClipTokenizer clip_tokenizer();

/// Text tower and projection of either version.
const models::PromptEncoder& prompt_encoder(const ParseModel& model);

}  // namespace vesalius::catalog
