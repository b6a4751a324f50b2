#include "nn/pages.h"

#include <sys/mman.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <new>
#include <string>

namespace vesalius::nn {
namespace {

constexpr uintptr_t kPage = 4096, kHugePage = uintptr_t{2} << 20;

uintptr_t round_down(uintptr_t x, uintptr_t to) { return x / to * to; }

/// How far it is from an address to the next multiple of `to`.
size_t to_next(const void* memory, uintptr_t to) {
  const auto address = reinterpret_cast<uintptr_t>(memory);
  return round_down(address + to - 1, to) - address;
}

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

/// Memory of huge pages.
struct Block {
  void* memory;
  size_t bytes;
  void* mapping;  // with room to begin at a huge page

  static Block map(size_t bytes) {
    bytes = round_down(bytes + kHugePage - 1, kHugePage);
    void* mapping = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    void* memory = static_cast<char*>(mapping) + to_next(mapping, kHugePage);
    madvise(memory, bytes, MADV_HUGEPAGE);
    return {memory, bytes, mapping};
  }
  void unmap() const { munmap(mapping, bytes + kHugePage); }
};

/// Freed blocks by size, the smallest that fits goes out again unless it is more than twice as
/// large.
class Pool {
 public:
  static Pool& shared() {
    static auto* pool = new Pool;  // tensors may outlive every static object
    return *pool;
  }

  Block take(size_t bytes) {
    const std::lock_guard lock(guard_);
    const auto found = free_.lower_bound(bytes);
    if (found == free_.end() || found->first > 2 * bytes + kHugePage) return Block::map(bytes);
    const Block block = found->second;
    free_.erase(found);
    waiting_ -= block.bytes;
    return block;
  }

  void give(const Block& block) {
    const std::lock_guard lock(guard_);
    free_.emplace(block.bytes, block);
    waiting_ += block.bytes;
    while (waiting_ > kMostWaiting) {
      waiting_ -= free_.begin()->first;
      free_.begin()->second.unmap();
      free_.erase(free_.begin());
    }
  }

 private:
  static constexpr size_t kMostWaiting = size_t{384} << 20;
  std::mutex guard_;
  std::multimap<size_t, Block> free_;
  size_t waiting_ = 0;
};

}  // namespace

at::Tensor huge_empty(int64_t count) {
  const auto bytes = static_cast<size_t>(count) * sizeof(float);
  if (bytes < kHugePage) return at::empty({count}, at::kFloat);
  const Block block = Block::map(bytes);
  return at::from_blob(
      block.memory, {count}, [=](void*) { block.unmap(); }, at::kFloat);
}

at::Tensor pooled_empty(at::IntArrayRef shape) {
  const auto bytes = static_cast<size_t>(c10::multiply_integers(shape)) * sizeof(float);
  if (bytes < kHugePage) return at::empty(shape, at::kFloat);
  const Block block = Pool::shared().take(bytes);
  return at::from_blob(
      block.memory, shape, [=](void*) { Pool::shared().give(block); }, at::kFloat);
}

void release_file_pages(const at::Tensor& tensor) {
  if (!tensor.is_cpu() || !tensor.is_contiguous() || tensor.nbytes() < kPage) return;
  auto* data = static_cast<char*>(const_cast<void*>(tensor.const_data_ptr()));
  auto* memory = data + to_next(data, kPage);
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const auto end = round_down(reinterpret_cast<uintptr_t>(data) + tensor.nbytes(), kPage);
  if (begin < end && in_read_only_file(begin, end)) madvise(memory, end - begin, MADV_DONTNEED);
}

}  // namespace vesalius::nn
