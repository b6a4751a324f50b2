#include <ATen/Parallel.h>

#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <set>

#include "base/files.h"
#include "levels.h"
#include "nn/layers.h"
#include "nn/pages.h"

namespace vesalius::nn {
namespace {

class PlanTest : public LevelTest {};
INSTANTIATE_TEST_SUITE_P(Cpu, PlanTest, testing::ValuesIn(levels()), level_name);

TEST_P(PlanTest, LayerNormEqualsFloat64) {
  for (const int64_t dim : {1, 3, 8, 31, 256, 1000}) {
    SCOPED_TRACE(dim);
    LayerNorm norm(Weights(TensorStore::initialised(7)) / "norm", dim);
    norm.weight.normal_();
    norm.bias.normal_();
    const auto x = at::randn({3, 65, dim}) * 5 + 20;  // far from zero mean
    const auto y = at::layer_norm(x.to(at::kDouble), {dim}, norm.weight.to(at::kDouble),
                                  norm.bias.to(at::kDouble), 1e-5);
    expect_close(norm(x), y, /*slack=*/GetParam().precision == Precision::kBf16 ? 1 : 5);
  }
}

TEST_P(PlanTest, LayerNormOfAConstantRowIsTheBias) {
  LayerNorm norm(Weights(TensorStore::initialised(7)) / "norm", 40, 1e-12);
  norm.bias.normal_();
  EXPECT_TRUE(at::allclose(norm(at::full({1, 40}, 3.0)), norm.bias.view({1, 40})));
}

TEST_P(PlanTest, EveryTaskRunsOnce) {
  for (const int64_t count : {0, 1, 2, 1000}) {
    std::vector<std::atomic<int>> runs(count);
    run_tasks(count, 16, [&](int64_t task, float* scratch) {
      scratch[15] = 1;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(scratch) % 64, 0U);
      ++runs[task];
    });
    for (const auto& one : runs) EXPECT_EQ(one, 1);
  }
}

TEST(Plan, ScopesNestAndEnd) {
  EXPECT_EQ(planned_precision(), Precision::kFp32);
  {
    const PlanScope outer(Precision::kBf16);
    const PlanScope inner(Precision::kFp32);
    EXPECT_EQ(planned_precision(), Precision::kFp32);
  }
  EXPECT_EQ(planned_precision(), Precision::kFp32);
  const auto machine = cpu_level();
  {
    const CpuLevelScope generic(CpuLevel::kGeneric);
    EXPECT_EQ(planned_kernels(), nullptr);
    EXPECT_EQ(auto_precision(), Precision::kFp32);
    const CpuLevelScope higher(CpuLevel::kAvx512Bf16);  // never raises
    EXPECT_EQ(cpu_level(), CpuLevel::kGeneric);
  }
  EXPECT_EQ(cpu_level(), machine);
}

TEST(Plan, ReadsCpuLevelsByName) {
  for (const auto level :
       {CpuLevel::kGeneric, CpuLevel::kAvx2, CpuLevel::kAvx512, CpuLevel::kAvx512Bf16})
    EXPECT_EQ(parse_cpu_level(name_of(level)), level);
  try {
    parse_cpu_level("sse9");
    FAIL() << "an unknown level was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("VESALIUS_CPU is 'sse9'"), std::string::npos);
  }
}

TEST(Pages, PooledMemoryComesBack) {
  std::set<const void*> seen;
  for (int i = 0; i < 20; ++i) seen.insert(pooled_empty({1 << 20}).const_data_ptr());
  EXPECT_EQ(seen.size(), 1U);
  const auto one = pooled_empty({1 << 20}), other = pooled_empty({1 << 20});
  EXPECT_NE(one.const_data_ptr(), other.const_data_ptr());
  EXPECT_EQ(pooled_empty({3, 5}).sizes(), at::IntArrayRef({3, 5}));
  EXPECT_EQ(pooled_empty({0, 5}).numel(), 0);
}

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096 / 1e6;
}

TEST(Pages, FilePagesGoAndComeBack) {
  const auto path = fs::temp_directory_path() / ("pages_test." + std::to_string(getpid()));
  write_file(path, std::string(64 << 20, 'x'));
  const auto file = MappedFile::open(path);
  const auto tensor =
      at::from_blob(const_cast<uint8_t*>(file->bytes().data()), {64 << 20}, at::dtype(at::kByte));
  EXPECT_EQ(tensor.sum().item<int64_t>(), int64_t{'x'} * (64 << 20));
  const double before = resident_mb();
  release_file_pages(tensor);
  EXPECT_LT(resident_mb(), before - 50);
  EXPECT_EQ(tensor[12345678].item<int>(), 'x');
  fs::remove(path);
}

TEST(Pages, ReleasingAnyPartOfAFileLosesNoByte) {
  const auto path = fs::temp_directory_path() / ("pages_part." + std::to_string(getpid()));
  std::string content(5 * 4096 + 77, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 % 251);
  write_file(path, content);
  const auto file = MappedFile::open(path);
  auto* data = const_cast<uint8_t*>(file->bytes().data());
  for (const auto& [from, count] :
       {std::pair{0, 4096}, {1, 4096}, {4095, 4097}, {100, 12345}, {4096, 16461}}) {
    release_file_pages(at::from_blob(data + from, {count}, at::kByte));
    EXPECT_EQ(std::memcmp(data, content.data(), content.size()), 0) << from;
  }
  fs::remove(path);
}

TEST(Pages, LargeMemoryBeginsAtAHugePage) {
  for (const int64_t count : {(1 << 19) - 1, 1 << 19, (1 << 19) + 1, 1'000'000}) {
    const auto memory = huge_empty(count);
    if (count >= 1 << 19) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.const_data_ptr()) % (2 << 20), 0U) << count;
    }
    memory.fill_(1);
    EXPECT_EQ(memory.sum().item<float>(), static_cast<float>(count));
  }
}

TEST(Pages, OtherMemoryKeepsItsValues) {
  const auto tensor = at::ones({16 << 20});
  release_file_pages(tensor);
  EXPECT_EQ(tensor.sum().item<float>(), float{16 << 20});
}

}  // namespace
}  // namespace vesalius::nn
