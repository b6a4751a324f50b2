// Runs MedImageInsight's towers on request, for bench/embedding, which times its peers between two
// requests.
//   embedding WEIGHTS INPUTS CONFIG THREADS
//     WEIGHTS  safetensors of the published names; mapped
//     INPUTS   safetensors: image batches "images.N" [N, 3, S, S], texts "tokens.I" of ids
//     CONFIG   JSON: "depths", "layers", where they are not the published ones
// Requests come as lines on standard input, and each is answered by one JSON object a line:
//   fp32|bf16 images.N|tokens
//             one forward pass: {"seconds", "cpu_seconds", "resident_mb", "peak_mb"}
//   save PATH
//             writes what the last pass gave, as "features"
//   peak fp32|bf16
//             {"flops", "cpu_flops"} a second of the inner loop of products, on data in the first
//             cache
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <numeric>
#include <sstream>

#include "base/json.h"
#include "checkpoint/safetensors.h"
#include "models/medimageinsight.h"
#include "nn/plan.h"

using namespace vesalius;

namespace {

using Clock = std::chrono::steady_clock;
using Tensors = std::map<std::string, at::Tensor>;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// "VmRSS" or "VmHWM" of this process in megabytes.
double memory_mb(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what + ":")) return std::stod(line.substr(what.size() + 1)) / 1000;
  return 0;
}

nn::Precision parse_precision(const std::string& name) {
  if (name != "fp32" && name != "bf16")
    fail(ErrorCode::kUsage, "Precision '{}' is not known; use fp32 or bf16.", name);
  return name == "bf16" ? nn::Precision::kBf16 : nn::Precision::kFp32;
}

std::vector<std::vector<int32_t>> texts_of(const Tensors& inputs) {
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; inputs.contains("tokens." + std::to_string(i)); ++i) {
    const auto& ids = inputs.at("tokens." + std::to_string(i));
    texts.emplace_back(ids.const_data_ptr<int32_t>(), ids.const_data_ptr<int32_t>() + ids.numel());
  }
  return texts;
}

models::MedImageInsight load_model(const std::string& weights, const Json& changes) {
  models::MedImageInsightConfig config;
  config.image.depths = changes.value("depths", config.image.depths);
  config.text.layers = changes.value("layers", config.text.layers);
  const auto store = std::make_shared<TensorStore>(weights, read_safetensors(weights));
  models::MedImageInsight model(Weights(store), config);
  store->finish();
  return model;
}

/// Of all threads together, in the inner loop of products of this precision; a second of the
/// clock and of a processor.
Json peak_flops(nn::Precision precision) {
  const nn::PlanScope plan(precision);
  const auto* kernels = nn::planned_kernels();
  if (kernels == nullptr) return {{"flops", 0}, {"cpu_flops", 0}};
  const std::clock_t cpu = std::clock();
  const auto start = Clock::now();
  std::vector<double> done(at::get_num_threads());
  nn::run_tasks(std::ssize(done), 0, [&](int64_t task, float*) {
    constexpr int64_t kRepeats = 100'000;
    done[task] = kernels->inner_loop(kRepeats);
  });
  const double all = std::accumulate(done.begin(), done.end(), 0.0);
  return {{"flops", all / seconds_since(start)},
          {"cpu_flops", all * CLOCKS_PER_SEC / static_cast<double>(std::clock() - cpu)}};
}

/// Answers requests until standard input ends.
class Worker {
 public:
  Worker(models::MedImageInsight model, Tensors inputs)
      : model_(std::move(model)), inputs_(std::move(inputs)), texts_(texts_of(inputs_)) {}

  Json answer(const std::string& verb, const std::string& object) {
    if (verb == "save") {
      write_safetensors(object, {{"features", last_}});
      return Json::object();
    }
    if (verb == "peak") return peak_flops(parse_precision(object));
    return pass(parse_precision(verb), object);
  }

 private:
  Json pass(nn::Precision precision, const std::string& input) {
    const nn::PlanScope plan(precision);
    const std::clock_t cpu = std::clock();
    const auto start = Clock::now();
    last_ =
        input == "tokens" ? model_.embed_tokens(texts_) : model_.embed_images(inputs_.at(input));
    return {{"seconds", seconds_since(start)},
            {"cpu_seconds", static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC},
            {"resident_mb", memory_mb("VmRSS")},
            {"peak_mb", memory_mb("VmHWM")}};
  }

  models::MedImageInsight model_;
  Tensors inputs_;
  std::vector<std::vector<int32_t>> texts_;
  at::Tensor last_;
};

int run(char** arguments) {
  const c10::InferenceMode inference;
  at::set_num_threads(std::stoi(arguments[4]));
  Worker worker(load_model(arguments[1], read_json(arguments[3])), read_safetensors(arguments[2]));
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, object;
    words >> verb >> object;
    std::cout << worker.answer(verb, object).dump() << std::endl;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return std::cerr << "usage: embedding WEIGHTS INPUTS CONFIG THREADS\n", 2;
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    return std::cerr << error.what() << "\n", 1;
  }
}
