#include "catalog/install.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "catalog/family.h"
#include "catalog/shards.h"
#include "catalog/toml.h"
#include "catalog/weights_hash.h"

namespace vesalius::catalog {
namespace {

constexpr size_t kPiece = 4 << 20;
constexpr double kSlack = 64e6;  // bytes for the small files

const Family& family_of(const Package& package) {
  return family_named(package.family, package.folder.string());
}

fs::path models_folder() { return home() / "models"; }

void check_name(const std::string& name) {
  const bool good = !name.empty() && name[0] != '.' && name.size() <= 64 &&
                    std::ranges::all_of(name, [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                    });
  if (!good)
    fail(ErrorCode::kUsage, "'{}' cannot be a model's name. Use letters, digits, '-', '_' and '.'.",
         name);
  if (fs::exists(models_folder() / name))
    fail(ErrorCode::kUsage,
         "model '{0}' is already installed. Take it away first with `vesalius models rm {0}`.",
         name);
}

void check_space(const Package& package) {
  std::error_code problem;
  fs::create_directories(models_folder(), problem);
  const auto space = fs::space(models_folder(), problem);
  const double need = static_cast<double>(weight_bytes(package.weights)) + kSlack;
  if (!problem && static_cast<double>(space.available) < need)
    fail(
        ErrorCode::kFailed,
        "{}: has {:.1f} GB free, {:.1f} are needed. Make room, set VESALIUS_HOME to a larger disk, "
        "or link with --link.",
        models_folder().string(), static_cast<double>(space.available) / 1e9, need / 1e9);
}

void copy_bytes(const fs::path& from, const fs::path& to,
                const std::function<void(int64_t)>& advance) {
  std::ifstream file(from, std::ios::binary);
  FileWriter writer(to);
  std::vector<char> piece(kPiece);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    writer.write(piece.data(), static_cast<size_t>(file.gcount()));
    if (advance && file.gcount() > 0) advance(file.gcount());
  }
  if (!file.eof())
    fail(ErrorCode::kUnsupported, "{}: cannot be read to its end. Check the disk it is on.",
         from.string());
  writer.commit();
}

void link_bytes(const fs::path& from, const fs::path& to,
                const std::function<void(int64_t)>& advance) {
  fs::create_directories(to.parent_path());
  std::error_code problem;
  fs::create_hard_link(fs::canonical(from), to, problem);
  if (problem)
    fail(
        ErrorCode::kFailed,
        "{}: cannot be linked into {} ({}). Both must be on one disk; without --link it is copied.",
        from.string(), to.parent_path().string(), problem.message());
  if (advance) advance(static_cast<int64_t>(fs::file_size(from)));
}

/// A folder that vanishes unless it is moved into place.
class Staging {
 public:
  explicit Staging(const std::string& name)
      : folder_(models_folder() / fmt::format(".{}.{}.part", name, ::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  const fs::path& folder() const { return folder_; }
  void commit(const fs::path& to) const {
    std::error_code problem;
    fs::rename(folder_, to, problem);
    if (problem)
      fail(ErrorCode::kFailed, "{}: cannot be put in place ({}).", to.string(), problem.message());
  }

 private:
  fs::path folder_;
};

void stage_files(const Package& package, const InstalledFiles& files, const fs::path& folder,
                 const InstallOptions& options) {
  for (const auto& [from, to] : files.others) copy_bytes(from, folder / to, {});
  const auto place = options.link ? link_bytes : copy_bytes;
  const auto weights = weight_files(package.weights);
  for (const fs::path& file : weights)
    place(file, (folder / files.weights).replace_filename(file.filename()), options.advance);
  if (weights.front() != package.weights) copy_bytes(package.weights, folder / files.weights, {});
}

/// The catalog's description of a published model: whatever bears its name is exactly that.
std::optional<Card> published_card(const std::string& name) {
  auto card = find_card(name);
  if (card && (card->starter || !card->details.contains("architecture"))) card.reset();
  return card;
}

void check_family(const Package& package, const Card& published) {
  if (package.family != published.family)
    fail(ErrorCode::kModel,
         "{}: is another model than {}: it is of the family {}, not {}. Use the published package, "
         "or add this one under another name.",
         package.folder.string(), published.name, package.family, published.family);
}

/// The catalog's description with what the package says of itself over it.
Json installed_card(const std::string& name, const Package& package, const std::string& hash) {
  Json details = Json::object();
  if (const auto card = find_card(name)) details = card->details;
  details.update(package.card);
  if (!details.contains("family")) details["family"] = package.family;
  if (!details.contains("recipe")) details["recipe"] = family_of(package).added_recipe;
  details["name"] = name;
  details["weights_sha256"] = hash;
  details["weights_bytes"] = weight_bytes(package.weights);
  details["added_from"] = fs::absolute(package.folder).string();
  return details;
}

std::string origin_remark(const std::string& name, const Json& card, const std::string& hash) {
  if (card.value("seeded", false))
    return "Its weights are seeded arithmetic, not trained: results mean nothing and say so.";
  const Json pointer = card.value("/files/weights/sha256"_json_pointer, Json());
  if (!pointer.is_string()) return {};
  if (pointer == hash) return "The weights are the published file, to the byte.";
  return fmt::format(
      "The weights have the names and shapes of {}, but are not the published file (SHA-256 {}, "
      "published {}): fine-tuned, or another release.",
      name, hash, pointer.get<std::string>());
}

void store_outputs(const Family& family, const fs::path& folder) {
  const Json golden = family.outputs(folder, {.device = "cpu", .precision = "fp32"},
                                     "this program when the model was added");
  if (!all_finite(golden))
    fail(ErrorCode::kModel,
         "{}: gives values that are not numbers. The weights are damaged: fetch them again.",
         folder.string());
  write_file(folder / "golden.json", dump_json(golden, 1) + "\n");
}

}  // namespace

int64_t install_work(const Package& package) {
  return 2 * weight_bytes(package.weights);  // copied, then hashed
}

Package package_to_install(const std::string& name, const fs::path& from) {
  const auto card = find_card(name);
  return find_package(from, card ? card->family : "");
}

Installed install_package(const std::string& name, const fs::path& from,
                          const InstallOptions& options) {
  check_name(name);
  const Package package = package_to_install(name, from);
  const Family& family = family_of(package);
  const auto published = published_card(name);
  if (published) check_family(package, *published);
  family.check(package, published ? &*published : nullptr);
  if (!options.link) check_space(package);
  const Staging staging(name);
  const InstalledFiles files = family.installed(package);
  stage_files(package, files, staging.folder(), options);
  const std::string hash = file_sha256(staging.folder() / files.weights, options.advance);
  remember_sha256(staging.folder() / files.weights, hash);
  const Json details = installed_card(name, package, hash);
  write_file(staging.folder() / "card.toml", card_toml(details));
  store_outputs(family, staging.folder());
  staging.commit(models_folder() / name);
  return {.card = card_of_package(find_package(models_folder() / name)),
          .weights_sha256 = hash,
          .remark = origin_remark(name, details, hash)};
}

void remove_package(const std::string& name) {
  const fs::path folder = models_folder() / name;
  std::error_code problem;
  if (name.empty() || fs::path(name).filename() != name || name[0] == '.' ||
      !fs::is_directory(folder, problem)) {
    const auto card = find_card(name);
    fail(ErrorCode::kModel, "model '{}' is not installed under {}{}.", name,
         models_folder().string(),
         card && !card->folder.empty() ? "; it comes with the program and stays" : "");
  }
  const fs::path gone = models_folder() / fmt::format(".{}.{}.gone", name, ::getpid());
  fs::rename(folder, gone, problem);  // at once for whoever opens it meanwhile
  if (!problem) fs::remove_all(gone, problem);
  if (problem)
    fail(ErrorCode::kFailed, "{}: cannot be removed ({}).", folder.string(), problem.message());
}

}  // namespace vesalius::catalog
