#include "catalog/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/family.h"
#include "catalog/weights_hash.h"

namespace vesalius::catalog {
namespace {

/// What the reference stored for weights of this hash, else what was stored beside the package.
Json stored_outputs(const fs::path& folder, const std::string& hash) {
  std::error_code ignored;
  std::vector<fs::path> files{folder / "golden.json"};
  for (const auto& entry : fs::directory_iterator(catalog_folder() / "golden", ignored))
    if (entry.path().extension() == ".json") files.insert(files.begin(), entry.path());
  for (const fs::path& file : files) {
    if (!fs::exists(file, ignored)) continue;
    Json golden = read_json(file);
    if (golden.value("weights_sha256", "") == hash) return golden;
  }
  return {};
}

Check check_hash(const Json& card, const std::string& hash) {
  const std::string stored = card.value("weights_sha256", "");
  Check check{.what = "weights hash", .passed = stored.empty() || stored == hash};
  if (stored.empty()) check.note = "the folder's card stores none to compare with";
  if (!check.passed) check.note = fmt::format("the card says {}", stored);
  return check;
}

Seeding seeding_of(const Json& card) {
  Seeding seeding;
  seeding.seed = std::stoull(card.value("seed", "0"));
  for (const Json& gain : card.value("gains", Json::array()))
    seeding.gains.push_back(parse_gain(gain.get<std::string>()));
  return seeding;
}

Check check_arithmetic(const Family& family, const Package& package) {
  Check check{.what = "seeded values"};
  check.note = family.find_unseeded(package, seeding_of(package.card));
  check.passed = check.note.empty();
  if (!check.passed) check.note = "first difference in " + check.note;
  return check;
}

}  // namespace

bool Verification::passed() const {
  return std::ranges::all_of(checks, [](const Check& check) { return check.passed; });
}

Verification verify_model(const std::string& name_or_folder, const OpenOptions& options) {
  const fs::path folder = model_folder(name_or_folder);
  const Package package = find_package(folder);
  const Family& family = family_named(package.family, folder.string());
  Verification result{.card = card_of_package(package),
                      .weights_sha256 = file_sha256(package.weights)};
  remember_sha256(package.weights, result.weights_sha256);
  result.checks.push_back(check_hash(package.card, result.weights_sha256));
  if (result.card.seeded) result.checks.push_back(check_arithmetic(family, package));
  OpenOptions exact = options;
  if (exact.precision == "auto") exact.precision = "fp32";
  const Json now = family.outputs(folder, exact, "");
  const Json stored = stored_outputs(folder, result.weights_sha256);
  if (stored.is_null()) return result;
  result.reference = stored.value("reference", "");
  for (Check& check : family.compare(now, stored, exact.precision))
    result.checks.push_back(std::move(check));
  return result;
}

}  // namespace vesalius::catalog
