// Which instructions of the CPU the kernels may use.
#pragma once

#include <cstdint>
#include <string_view>

namespace vesalius::nn {

/// Each level has what the ones before it have. kAvx2 has FMA beside it; kAvx512 is F, BW, DQ and
/// VL; kAvx512Bf16 has VNNI too.
enum class CpuLevel { kGeneric, kAvx2, kAvx512, kAvx512Bf16 };

/// What the machine has, lowered by the environment variable VESALIUS_CPU (generic, avx2, avx512,
/// bf16), which tests use. Error kUsage for another word.
CpuLevel cpu_level();
/// "generic", "avx2", "avx512", "bf16"
std::string_view name_of(CpuLevel level);
/// The level of such a name, as VESALIUS_CPU holds it. Error kUsage for another word.
CpuLevel parse_cpu_level(std::string_view name);

/// Lowers the level of the whole process while it lives; never raises it. For tests and benchmarks.
class CpuLevelScope {
 public:
  explicit CpuLevelScope(CpuLevel level);
  ~CpuLevelScope();
  CpuLevelScope(const CpuLevelScope&) = delete;
  CpuLevelScope& operator=(const CpuLevelScope&) = delete;

 private:
  CpuLevel before_;
};

}  // namespace vesalius::nn
