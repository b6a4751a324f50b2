#include "nn/cpu.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>

#include "base/error.h"

namespace vesalius::nn {
namespace {

constexpr std::array<std::string_view, 4> kNames{"generic", "avx2", "avx512", "bf16"};

CpuLevel of_machine() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return CpuLevel::kGeneric;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return CpuLevel::kAvx2;
  const bool bf16 = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
  return bf16 ? CpuLevel::kAvx512Bf16 : CpuLevel::kAvx512;
#else
  return CpuLevel::kGeneric;
#endif
}

CpuLevel initial_level() {
  const char* wanted = std::getenv("VESALIUS_CPU");
  if (wanted == nullptr || *wanted == '\0') return of_machine();
  return std::min(of_machine(), parse_cpu_level(wanted));
}

std::atomic<CpuLevel>& level() {
  static std::atomic<CpuLevel> value{initial_level()};
  return value;
}

}  // namespace

CpuLevel cpu_level() { return level().load(std::memory_order_relaxed); }

CpuLevel parse_cpu_level(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end())
    fail(ErrorCode::kUsage,
         "The environment variable VESALIUS_CPU is '{}'; use generic, avx2, avx512 or bf16, or "
         "unset it.",
         name);
  return static_cast<CpuLevel>(found - kNames.begin());
}

std::string_view name_of(CpuLevel value) { return kNames[static_cast<size_t>(value)]; }

CpuLevelScope::CpuLevelScope(CpuLevel wanted) : before_(cpu_level()) {
  level() = std::min(before_, wanted);
}

CpuLevelScope::~CpuLevelScope() { level() = before_; }

}  // namespace vesalius::nn
