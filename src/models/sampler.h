// Which token comes next: the likeliest, or one drawn by its probability.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace vesalius::models {

/// One token of a text.
struct Step {
  int32_t id = 0;
  float log_prob = 0;  // of the model itself, whatever temperature it was drawn with
  at::Tensor logits;   // [vocabulary], fp32, on the CPU
};

struct Sampling {
  double temperature = 0;  // 0: the likeliest token, of equal ones the first
  double top_p = 1;        // draw among the likeliest that have this much together
  uint64_t seed = 0;       // equal seeds draw equal texts
};

class Sampler {
 public:
  /// Error kUsage for a negative temperature, or a top_p outside (0, 1].
  explicit Sampler(const Sampling& sampling);
  /// The next step from logits [vocabulary]; `forced` in place of choosing. Error kModel for
  /// logits that are no numbers.
  Step operator()(const at::Tensor& logits, std::optional<int32_t> forced = {});

 private:
  int32_t draw(const float* logits, int64_t count, float largest);

  Sampling sampling_;
  std::mt19937_64 generator_;
};

}  // namespace vesalius::models
