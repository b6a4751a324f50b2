// From sources to vectors: decoding and preparing run ahead of the model on threads; order is kept.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "recipes/recipe.h"
#include "tasks/inputs.h"

namespace vesalius::tasks {

/// Which frames of a multi-frame DICOM are looked at.
struct FrameChoice {
  enum class Kind { kMiddle, kAll, kOne } kind = Kind::kMiddle;
  int index = 0;  // of kOne, from 0

  /// "middle", "all", "first" or a number from 0. Error kUsage.
  static FrameChoice parse(const std::string& text);
  std::vector<int> of(int frames, const std::string& where) const;
};

struct PipelineOptions {
  FrameChoice frames;
  int workers = 0;             // 0: one a core
  int64_t batch = 0;           // 0: by the model's input size and device
  std::function<bool()> stop;  // asked between batches; true ends the run, what is done stays done
};

/// One image, or one frame of one, after the model; or why there is none.
struct Embedded {
  Source source;
  Json identity =
      Json::object();  // DICOM UIDs and modality; "frame" and "frames" of a multi-frame object
  std::vector<std::string> warnings;  // "constant image", …
  at::Tensor features;  // [dimension] float32, not L2-normalised; undefined when there is none
  std::optional<Error> problem;
  bool skipped = false;  // met in a folder and no image
};

/// What became of a run's inputs.
struct Tally {
  int64_t done = 0, failed = 0, skipped = 0;
  std::vector<std::string> problems;  // the first hundred
  ErrorCode first = ErrorCode::kFailed;

  void add(const Embedded& embedded);
  /// 0; kSomeFailed when some failed; the first failure's own code when nothing was done.
  int exit_code() const;
  Json to_json() const;
};

/// Runs every source through recipe and model and hands each to `sink`, in order. A source that
/// fails is handed on with its problem and does not end the run; what the model itself throws does.
void embed_sources(const catalog::EmbeddingModel& model, const recipes::Recipe& recipe,
                   const std::vector<Source>& sources, const PipelineOptions& options,
                   const std::function<void(Embedded&&)>& sink);

/// The batch that PipelineOptions::batch 0 stands for.
int64_t default_batch(const catalog::EmbeddingModel& model);

}  // namespace vesalius::tasks
