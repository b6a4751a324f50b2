// What a training asks of either version of BiomedParse: a batch's loss, and an image's answers.
#pragma once

#include <string>
#include <vector>

#include "catalog/parse_open.h"
#include "models/drop_path.h"
#include "tasks/outline_batches.h"
#include "text/clip_tokenizer.h"

namespace vesalius::tasks {

/// All that is random in a step.
struct StepDraws {
  models::Uniforms uniforms;
  models::DropPath drop;
};

/// The published loss of the model's version, differentiable: grounding_loss (1), where the prompts
/// of an image see each other, or segment_loss (2). A prompt that is asked twice of an image counts
/// once in version 1, whose queries go to one prompt each. `bf16`: matrix products in bfloat16, the
/// loss itself in float32.
at::Tensor batch_loss(const catalog::ParseModel& model, const text::ClipTokenizer& tokenizer,
                      const OutlineBatch& batch, const StepDraws& draws, bool bf16);

/// Of one image's prompts.
struct ImageAnswers {
  at::Tensor masks;      // [prompts, side, side], logits
  at::Tensor existence;  // [prompts], the higher the surer; in version 1 its mask's highest logit
};

/// As `segment` would answer: `pixels` u8 [3, side, side].
ImageAnswers answer_image(const catalog::ParseModel& model, const text::ClipTokenizer& tokenizer,
                          const at::Tensor& pixels, const std::vector<std::string>& prompts,
                          const models::Uniforms& uniforms);

}  // namespace vesalius::tasks
