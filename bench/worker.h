// What a benchmark's program does between requests of the script that drives it beside its peers.
// Requests come as lines on standard input, and each is answered by one JSON object a line:
//   fp32|bf16|int8|int4 INPUT
//             one forward pass: {"seconds", "cpu_seconds", "resident_mb", "peak_mb"}
//   save PATH
//             writes what the last pass gave (safetensors)
//   peak fp32|bf16|int8|int4
//             {"flops", "cpu_flops"} a second of the inner loop of products, on data in the first
//             cache
//   read bandwidth
//             {"bytes", "cpu_bytes"} a second that all threads together read from memory
#pragma once

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <numeric>
#include <sstream>
#include <string>

#include "base/json.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/weights.h"
#include "nn/pages.h"
#include "nn/plan.h"

namespace vesalius::bench {

using Tensors = std::map<std::string, at::Tensor>;
using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// "VmRSS" or "VmHWM" of this process in megabytes.
inline double memory_mb(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what + ":")) return std::stod(line.substr(what.size() + 1)) / 1000;
  return 0;
}

inline nn::Precision parse_precision(const std::string& name) {
  static const std::map<std::string, nn::Precision> kNames{{"fp32", nn::Precision::kFp32},
                                                           {"bf16", nn::Precision::kBf16},
                                                           {"int8", nn::Precision::kInt8},
                                                           {"int4", nn::Precision::kInt4}};
  if (const auto found = kNames.find(name); found != kNames.end()) return found->second;
  fail(ErrorCode::kUsage, "Precision '{}' is not known; use fp32, bf16, int8 or int4.", name);
}

/// Of all threads together, in the inner loop of products of this precision; a second of the
/// clock and of a processor.
inline Json peak_flops(nn::Precision precision) {
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

/// Of all threads together: each looks for a byte that is not in its part of a gigabyte, which the
/// C library does as fast as memory gives.
inline Json read_bandwidth() {
  const auto memory = nn::huge_empty(int64_t{1} << 28).zero_();
  const int64_t parts = 4 * at::get_num_threads();
  const auto part = static_cast<int64_t>(memory.nbytes()) / parts;
  const auto* from = static_cast<const char*>(memory.const_data_ptr());
  constexpr int kRounds = 4;
  std::atomic<int64_t> found{0};
  const std::clock_t cpu = std::clock();
  const auto start = Clock::now();
  for (int round = 0; round < kRounds; ++round)
    nn::run_tasks(parts, 0, [&](int64_t task, float*) {
      found += std::memchr(from + task * part, 1, static_cast<size_t>(part)) != nullptr;
    });
  const double all = found > 0 ? 0 : static_cast<double>(kRounds * parts * part);
  return {{"bytes", all / seconds_since(start)},
          {"cpu_bytes", all * CLOCKS_PER_SEC / static_cast<double>(std::clock() - cpu)}};
}

/// Answers requests until standard input ends; `forward` makes a pass over the input of that name.
class Worker {
 public:
  explicit Worker(std::function<Tensors(const std::string& input)> forward)
      : forward_(std::move(forward)) {}

  void serve() {
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string verb, object;
      words >> verb >> object;
      std::cout << answer(verb, object).dump() << std::endl;
    }
  }

 private:
  Json answer(const std::string& verb, const std::string& object) {
    if (verb == "save") {
      write_safetensors(object, last_);
      return Json::object();
    }
    if (verb == "read") return read_bandwidth();
    if (verb == "peak") return peak_flops(parse_precision(object));
    return pass(parse_precision(verb), object);
  }

  Json pass(nn::Precision precision, const std::string& input) {
    const nn::PlanScope plan(precision);
    const std::clock_t cpu = std::clock();
    const auto start = Clock::now();
    last_ = forward_(input);
    return {{"seconds", seconds_since(start)},
            {"cpu_seconds", static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC},
            {"resident_mb", memory_mb("VmRSS")},
            {"peak_mb", memory_mb("VmHWM")}};
  }

  std::function<Tensors(const std::string& input)> forward_;
  Tensors last_;
};

/// The model of a mapped file, which holds nothing else; its names begin with `part`, where given.
template <class Model, class Config>
Model load_model(const std::string& weights, const Config& config, const std::string& part = {}) {
  const auto store = std::make_shared<TensorStore>(weights, read_safetensors(weights));
  const Weights all(store);
  Model model(part.empty() ? all : all / part, config);
  store->finish();
  return model;
}

/// A program's main, of four arguments: WEIGHTS INPUTS CONFIG THREADS. `start` opens the model and
/// gives what Worker asks for.
template <class Start>
int run_worker(int count, char** arguments, Start start) {
  if (count != 5)
    return std::cerr << "usage: " << arguments[0] << " WEIGHTS INPUTS CONFIG THREADS\n", 2;
  try {
    const c10::InferenceMode inference;
    at::set_num_threads(std::stoi(arguments[4]));
    Worker(start(arguments[1], read_safetensors(arguments[2]), read_json(arguments[3]))).serve();
    return 0;
  } catch (const std::exception& error) {
    return std::cerr << error.what() << "\n", 1;
  }
}

}  // namespace vesalius::bench
