// Embedding: images, texts and whole series or studies to vectors.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "tasks/pipeline.h"
#include "tasks/pool.h"

namespace vesalius::tasks {

/// What belongs into one pooled vector. Images without the UID go by their folder.
enum class PoolBy { kSeries, kStudy, kFolder, kAll };
PoolBy parse_pool_by(const std::string& name);

struct EmbedOptions {
  PipelineOptions pipeline;
  Pool pool = Pool::kNone;
  PoolBy pool_by = PoolBy::kSeries;
  bool raw = false;  // projected, not L2-normalised
};

/// One vector and what it is of. `head` holds, in order, "input" (or the text), "kind" (image,
/// text, study), DICOM identity, a manifest's columns, "warnings" where there are any.
struct Record {
  Json head = Json::object();
  at::Tensor features;  // [n] float32
};

/// Keys of results that a manifest's column may not replace; such a column comes as "column_NAME".
Json record_head(const Embedded& embedded, const std::string& kind);

/// Embeds every source, shows each to `see` (failures too) and gives each vector to `give`. Pooled
/// vectors come when everything has been read, in the order in which their first image was met;
/// they are pooled from L2-normalised image vectors and normalised again (a study vector is not:
/// its distances carry meaning). With `raw` nothing is normalised. The study and series pools take
/// every frame unless told otherwise.
Tally embed_images(const catalog::EmbeddingModel& model, const recipes::Recipe& recipe,
                   const std::vector<Source>& sources, const EmbedOptions& options,
                   const std::function<void(Record&&)>& give,
                   const std::function<void(const Embedded&)>& see);

/// The model's vectors of texts, not normalised. Error kFailed unless they are finite.
at::Tensor text_features(const catalog::EmbeddingModel& model,
                         const std::vector<std::string>& texts);

/// One record of kind "text" for each.
std::vector<Record> embed_texts(const catalog::EmbeddingModel& model,
                                const std::vector<std::string>& texts, bool raw);

/// [d] or [n, d] with rows of length one.
at::Tensor unit_rows(const at::Tensor& x);

}  // namespace vesalius::tasks
