#include "results/spool.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace vesalius::results {

Spool::Spool(const fs::path& target) : target_(target) {
  std::error_code ignored;
  if (target.has_parent_path()) fs::create_directories(target.parent_path(), ignored);
  fs::path name = target;
  name.replace_filename("." + target.filename().string() + "." + std::to_string(::getpid()) +
                        ".spool");
  file_ = std::fopen(name.c_str(), "w+be");
  if (file_ == nullptr)
    fail(ErrorCode::kFailed, "{}: cannot be written ({}). Choose another place with -o.",
         target.string(), std::strerror(errno));
  fs::remove(name, ignored);
}

Spool::~Spool() { std::fclose(file_); }

void Spool::write(const void* data, size_t size) {
  if (size > 0 && std::fwrite(data, 1, size, file_) != size)
    fail(ErrorCode::kFailed, "{}: writing stopped ({}). Nothing was left behind.", target_.string(),
         std::strerror(errno));
}

void Spool::rewind() {
  if (std::fflush(file_) != 0)
    fail(ErrorCode::kFailed, "{}: writing stopped ({}). Nothing was left behind.", target_.string(),
         std::strerror(errno));
  std::rewind(file_);
}

std::string Spool::next(size_t size) {
  std::string piece(size, '\0');
  if (std::fread(piece.data(), 1, size, file_) != size)
    fail(ErrorCode::kFailed, "{}: what was kept aside for it cannot be read back.",
         target_.string());
  return piece;
}

template <class Take>
void Spool::read(const Take& take) {
  constexpr size_t kBlock = size_t{1} << 20;
  std::vector<char> block(kBlock);
  rewind();
  for (size_t got = 0; (got = std::fread(block.data(), 1, kBlock, file_)) > 0;)
    take(std::string_view(block.data(), got));
}

void Spool::copy_to(FileWriter& out) {
  read([&](std::string_view part) { out.write(part); });
}

std::string Spool::text() {
  std::string all;
  read([&](std::string_view part) { all += part; });
  return all;
}

}  // namespace vesalius::results
