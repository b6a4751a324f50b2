#include "cli/machine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace vesalius::cli {
namespace {

/// The value of the first line "key : value" of /proc/cpuinfo.
std::string cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (line.starts_with(key) && colon != std::string::npos && colon + 2 <= line.size())
      return line.substr(colon + 2);
  }
  return "";
}

/// The features that decide how fast a model runs here.
Json cpu_features() {
  constexpr std::array kTelling{"sse4_2",      "avx2",        "fma",      "f16c",
                                "avx512f",     "avx512_vnni", "amx_bf16", "avx512_bf16",
                                "avx512_fp16", "amx_int8",    "asimd",    "bf16"};
  std::istringstream flags(cpuinfo("flags") + " " + cpuinfo("Features"));
  Json found = Json::array();
  for (std::string flag; flags >> flag;)
    for (const char* wanted : kTelling)
      if (flag == wanted) found.push_back(flag);
  return found;
}

double memory_gb() {
  constexpr double kGiga = 1024.0 * 1024 * 1024;
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<double>(::sysconf(_SC_PAGESIZE)) / kGiga;
}

}  // namespace

Json machine_facts() {
  const bool cuda = at::hasCUDA();
  return {{"cpu", cpuinfo("model name")},
          {"features", cpu_features()},
          {"cores", std::thread::hardware_concurrency()},
          {"threads", at::get_num_threads()},
          {"memory_gb", memory_gb()},
          {"libtorch", TORCH_VERSION},
          {"cuda_devices", cuda ? at::detail::getCUDAHooks().deviceCount() : 0}};
}

}  // namespace vesalius::cli
