#include "nn/pages.h"

#include <sys/mman.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <new>
#include <string>

namespace vesalius::nn {
namespace {

constexpr uintptr_t kPage = 4096, kHugePage = uintptr_t{2} << 20;

uintptr_t round_down(uintptr_t x, uintptr_t to) { return x / to * to; }

/// True if the whole range lies in one mapping of a file that this process can't write to.
bool in_read_only_file(uintptr_t begin, uintptr_t end) {
  std::ifstream maps("/proc/self/maps");  // "from-to perms offset device inode path"
  std::string line;
  while (std::getline(maps, line)) {
    uintptr_t from = 0, to = 0;
    uint64_t inode = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %" SCNu64, &from, &to,
                    rights, &inode) != 4)
      continue;
    if (begin >= from && end <= to) return inode != 0 && rights[1] != 'w';
  }
  return false;
}

}  // namespace

at::Tensor huge_empty(int64_t count) {
  const auto bytes = static_cast<size_t>(count) * sizeof(float);
  if (bytes < kHugePage) return at::empty({count}, at::kFloat);
  // Mapped with room to begin at a huge page, and given back to the system when it is freed.
  const size_t mapped = bytes + kHugePage;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  const auto begin = round_down(reinterpret_cast<uintptr_t>(memory) + kHugePage - 1, kHugePage);
  madvise(reinterpret_cast<void*>(begin), bytes, MADV_HUGEPAGE);
  return at::from_blob(
      reinterpret_cast<void*>(begin), {count}, [=](void*) { munmap(memory, mapped); }, at::kFloat);
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  static const bool done = [] {
    constexpr int kMegabytes = 1 << 20;
    return mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, 1024 * kMegabytes) == 1 &&
           mallopt(M_TOP_PAD, 16 * kMegabytes) == 1;
  }();
  (void)done;
#endif
}

void release_file_pages(const at::Tensor& tensor) {
  if (!tensor.is_cpu() || !tensor.is_contiguous() || tensor.nbytes() < kPage) return;
  const auto data = reinterpret_cast<uintptr_t>(tensor.const_data_ptr());
  const auto begin = round_down(data + kPage - 1, kPage);
  const auto end = round_down(data + tensor.nbytes(), kPage);
  if (begin < end && in_read_only_file(begin, end))
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace vesalius::nn
