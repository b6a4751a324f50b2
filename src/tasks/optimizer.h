// AdamW (arXiv 1711.05101), gradient clipping, the cosine schedule and the smoothed copy of the
// weights.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

namespace vesalius::tasks {

struct Parameter {
  std::string name;
  at::Tensor value;  // requires grad unless frozen
  bool decay = true;
  double rate = 1;  // share of the learning rate
};

/// All tensors, requiring grad but for those whose name matches a freeze pattern (regular
/// expressions, searched). Weight decay is for matrices other than embeddings. Error kUsage for a
/// pattern that matches nothing.
std::vector<Parameter> make_parameters(
    const std::vector<std::pair<std::string, at::Tensor>>& tensors,
    const std::vector<std::string>& freeze);

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.05;
  double clip = 1.0;         // largest norm of all gradients together; 0 turns it off
  double smoothing = 0.999;  // of the exponential moving average of the weights; 0 turns it off
};

class AdamW {
 public:
  AdamW(std::vector<Parameter> parameters, AdamWOptions options);
  /// Clips, steps with this learning rate, updates the average, clears the gradients. Returns the
  /// gradients' norm before clipping.
  double step(double learning_rate);
  int64_t steps() const { return steps_; }

  /// The weights to use after training: the average where there is one.
  std::map<std::string, at::Tensor> smoothed() const;
  /// Everything that resuming needs, by name; restore() takes it back. Error kUnsupported if it is
  /// another model's.
  std::map<std::string, at::Tensor> state() const;
  void restore(const std::map<std::string, at::Tensor>& state);

 private:
  double clip_gradients() const;
  void update_average();
  struct Slot {
    Parameter parameter;
    at::Tensor first, second, average;
  };
  std::vector<Slot> slots_;
  AdamWOptions options_;
  int64_t steps_ = 0;
};

/// Linear warm-up, then a cosine down to `floor` * peak at `total` steps.
double cosine_rate(int64_t step, int64_t total, int64_t warm_up, double peak, double floor = 0.01);

}  // namespace vesalius::tasks
