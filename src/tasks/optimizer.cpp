#include "tasks/optimizer.h"

#include <c10/core/GradMode.h>

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <regex>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

bool decays(const std::string& name, const at::Tensor& value) {
  return value.dim() > 1 && name.find("embedding") == std::string::npos;
}

std::regex compile(const std::string& pattern) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error& problem) {
    fail(ErrorCode::kUsage, "freeze pattern '{}' is not a regular expression ({}).", pattern,
         problem.what());
  }
}

}  // namespace

std::vector<Parameter> make_parameters(
    const std::vector<std::pair<std::string, at::Tensor>>& tensors,
    const std::vector<std::string>& freeze) {
  std::vector<Parameter> result;
  result.reserve(tensors.size());
  for (const auto& [name, value] : tensors)
    result.push_back({.name = name, .value = value, .decay = decays(name, value)});
  for (const auto& [name, value] : tensors) value.requires_grad_(true);
  for (const std::string& text : freeze) {
    const std::regex pattern = compile(text);
    int64_t matched = 0;
    for (const Parameter& parameter : result) {
      if (!std::regex_search(parameter.name, pattern)) continue;
      parameter.value.requires_grad_(false);
      ++matched;
    }
    if (matched == 0)
      fail(ErrorCode::kUsage,
           "freeze pattern '{}' matches none of the {} tensors. Names look like '{}'.", text,
           result.size(), result.front().name);
  }
  return result;
}

AdamW::AdamW(std::vector<Parameter> parameters, AdamWOptions options) : options_(options) {
  for (Parameter& parameter : parameters) {
    const bool trained = parameter.value.requires_grad();
    Slot slot{.parameter = std::move(parameter), .first = {}, .second = {}, .average = {}};
    const at::Tensor value = slot.parameter.value.detach();
    if (trained) {
      slot.first = at::zeros_like(value);
      slot.second = at::zeros_like(value);
      if (options_.smoothing > 0) slot.average = value.clone();
    }
    slots_.push_back(std::move(slot));
  }
}

double AdamW::clip_gradients() const {
  double squares = 0;
  for (const Slot& slot : slots_)
    if (slot.parameter.value.grad().defined())
      squares += slot.parameter.value.grad().to(at::kDouble).square().sum().item<double>();
  const double norm = std::sqrt(squares);
  if (options_.clip > 0 && norm > options_.clip)
    for (const Slot& slot : slots_)
      if (slot.parameter.value.grad().defined())
        slot.parameter.value.mutable_grad().mul_(options_.clip / (norm + 1e-6));
  return norm;
}

double AdamW::step(double learning_rate) {
  const c10::NoGradGuard no_grad;
  const double norm = clip_gradients();
  ++steps_;
  const double correction1 = 1 - std::pow(options_.beta1, steps_);
  const double correction2 = 1 - std::pow(options_.beta2, steps_);
  for (Slot& slot : slots_) {
    at::Tensor value = slot.parameter.value;
    const at::Tensor& gradient = value.grad();
    if (!gradient.defined()) continue;
    const double rate = learning_rate * slot.parameter.rate;
    if (slot.parameter.decay) value.mul_(1 - rate * options_.weight_decay);
    slot.first.lerp_(gradient, 1 - options_.beta1);
    slot.second.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    const auto root = (slot.second.sqrt() / std::sqrt(correction2)).add_(options_.eps);
    value.addcdiv_(slot.first, root, -rate / correction1);
    value.mutable_grad().reset();
  }
  update_average();
  return norm;
}

void AdamW::update_average() {
  // A young average follows quickly, or it would remember the random start.
  const double decay = std::min(options_.smoothing, (1.0 + steps_) / (10.0 + steps_));
  for (Slot& slot : slots_)
    if (slot.average.defined()) slot.average.lerp_(slot.parameter.value.detach(), 1 - decay);
}

std::map<std::string, at::Tensor> AdamW::smoothed() const {
  std::map<std::string, at::Tensor> result;
  for (const Slot& slot : slots_)
    result[slot.parameter.name] =
        slot.average.defined() ? slot.average : slot.parameter.value.detach();
  return result;
}

std::map<std::string, at::Tensor> AdamW::state() const {
  std::map<std::string, at::Tensor> result{{"steps", at::full({1}, steps_, at::kLong)}};
  for (const Slot& slot : slots_) {
    const std::string& name = slot.parameter.name;
    result["value." + name] = slot.parameter.value.detach();
    if (slot.first.defined()) result["first." + name] = slot.first;
    if (slot.second.defined()) result["second." + name] = slot.second;
    if (slot.average.defined()) result["average." + name] = slot.average;
  }
  return result;
}

void AdamW::restore(const std::map<std::string, at::Tensor>& state) {
  const c10::NoGradGuard no_grad;
  const auto mine = this->state();
  for (const auto& [name, tensor] : mine) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != tensor.sizes())
      fail(ErrorCode::kUnsupported,
           "the saved training state does not fit this model or these options at '{}'. Resume with "
           "the options the "
           "run was started with.",
           name);
  }
  steps_ = state.at("steps").item<int64_t>();
  for (auto& [name, tensor] : mine)
    if (name != "steps") at::Tensor(tensor).copy_(state.at(name));
}

double cosine_rate(int64_t step, int64_t total, int64_t warm_up, double peak, double floor) {
  if (step < warm_up) return peak * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  const double span = std::max<double>(1, static_cast<double>(total - warm_up));
  const double done = std::min(1.0, static_cast<double>(step - warm_up) / span);
  return peak * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * done)));
}

}  // namespace vesalius::tasks
