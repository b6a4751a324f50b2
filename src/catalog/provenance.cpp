// What every result says of the model that it came from.
#include "base/version.h"
#include "catalog/report_model.h"
#include "catalog/segmentation_model.h"

namespace vesalius::catalog {
namespace {

template <class Model>
Json provenance_of(const Model& model, const recipes::Recipe& recipe) {
  Json result{{"model", model.card().name},     {"weights_sha256", model.weights_sha256()},
              {"recipe", recipe.id()},          {"recipe_parameters", recipe.parameters},
              {"precision", model.precision()}, {"device", model.device()},
              {"version", version()},           {"research_use_only", true}};
  if (model.card().seeded) result["seeded"] = true;
  return result;
}

}  // namespace

Json provenance(const EmbeddingModel& model, const recipes::Recipe& recipe) {
  return provenance_of(model, recipe);
}

Json provenance(const ReportModel& model, const recipes::Recipe& recipe) {
  return provenance_of(model, recipe);
}

Json provenance(const SegmentationModel& model, const recipes::Recipe& recipe) {
  return provenance_of(model, recipe);
}

}  // namespace vesalius::catalog
