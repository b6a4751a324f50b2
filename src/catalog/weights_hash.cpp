#include "catalog/weights_hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "catalog/shards.h"

namespace vesalius::catalog {
namespace {

constexpr size_t kPiece = 4 << 20;

fs::path cache_folder() {
  if (const char* set = std::getenv("XDG_CACHE_HOME"); set != nullptr && *set != '\0')
    return fs::path(set) / "vesalius/hashes";
  if (const char* user = std::getenv("HOME"); user != nullptr && *user != '\0')
    return fs::path(user) / ".cache/vesalius/hashes";
  return {};
}

/// What tells this file from any other, and from itself before it was changed: a rename or a hard
/// link leaves it the same.
struct Identity {
  std::string file, content;
};

Identity identity(const fs::path& path) {
  Identity whole;
  for (const fs::path& file : weight_files(path)) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return {};
    if (whole.file.empty()) whole.file = fmt::format("{:x}-{:x}", status.st_dev, status.st_ino);
    whole.content += fmt::format("{}{} bytes, changed {}.{:09}", whole.content.empty() ? "" : "; ",
                                 status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return whole;
}

fs::path cache_file(const Identity& identity) {
  const auto folder = cache_folder();
  if (folder.empty() || identity.file.empty()) return {};
  return folder / (identity.file + ".json");
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

void add_file(EVP_MD_CTX& context, const fs::path& path,
              const std::function<void(int64_t)>& advance) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(kPiece);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    EVP_DigestUpdate(&context, piece.data(), static_cast<size_t>(file.gcount()));
    if (advance && file.gcount() > 0) advance(file.gcount());
  }
  if (!file.eof())
    fail(ErrorCode::kUnsupported, "{}: cannot be read. Check the path and its permissions.",
         path.string());
}

}  // namespace

std::string file_sha256(const fs::path& path, const std::function<void(int64_t)>& advance) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const fs::path& file : weight_files(path)) add_file(*context, file, advance);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest, &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string known_sha256(const fs::path& path) {
  try {
    const auto now = identity(path);
    const auto file = cache_file(now);
    if (file.empty() || !fs::exists(file)) return {};
    const Json kept = read_json(file);
    const auto hash = kept.at("sha256").get<std::string>();
    return kept.at("content") == now.content && hash.size() == 64 ? hash : std::string();
  } catch (const std::exception&) {
    return {};  // a damaged entry is as good as none
  }
}

void remember_sha256(const fs::path& path, const std::string& hash) {
  try {
    const auto now = identity(path);
    const auto file = cache_file(now);
    if (!file.empty())
      write_file(file, dump_json(Json{{"content", now.content}, {"sha256", hash}}) + "\n");
  } catch (const std::exception&) {  // read-only home, full disk: computed again next time
  }
}

WeightsHash::WeightsHash(fs::path path) {
  if (auto known = known_sha256(path); !known.empty()) {
    std::promise<std::string> ready;
    ready.set_value(std::move(known));
    hash_ = ready.get_future().share();
    return;
  }
  hash_ = std::async(std::launch::async, [path = std::move(path)] {
            auto hash = file_sha256(path);
            remember_sha256(path, hash);
            return hash;
          }).share();
}

}  // namespace vesalius::catalog
