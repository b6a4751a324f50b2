#include "tasks/outlines.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <type_traits>

#include "base/error.h"
#include "tasks/class_prompts.h"
#include "tasks/manifest.h"

namespace vesalius::tasks {
namespace {

std::vector<fs::path> images_in(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, problem))
    if (entry.is_regular_file() && entry.path().extension() == ".png")
      files.push_back(entry.path());
  if (problem)
    fail(ErrorCode::kUnsupported, "{}: cannot be read ({}).", folder.string(), problem.message());
  std::ranges::sort(files);
  return files;
}

std::string spaced(std::string text) {
  std::ranges::replace(text, '+', ' ');
  return text;
}

/// "CT abdomen" of "07_CT_abdomen".
std::string kind_of(const std::string& stem) {
  const size_t site = stem.rfind('_');
  if (site == std::string::npos || site == 0) return {};
  const size_t modality = stem.rfind('_', site - 1);
  if (modality == std::string::npos) return {};
  return spaced(stem.substr(modality + 1, site - modality - 1) + " " + stem.substr(site + 1));
}

std::vector<OutlinedImage> read_pictures(const fs::path& folder, const std::string& split) {
  std::vector<OutlinedImage> result;
  for (const fs::path& file : images_in(folder / split))
    result.push_back({file, kind_of(file.stem().string()), {}, 1});
  if (result.empty())
    fail(ErrorCode::kUnsupported,
         "{}: holds no PNG images. The published layouts have them there, or volumes as .npz and "
         "class_prompts.json in a folder above.",
         (folder / split).string());
  for (const fs::path& mask : images_in(folder / (split + "_mask"))) {
    const std::string stem = mask.stem().string();
    const size_t cut = stem.rfind('_');
    const std::string image = cut == std::string::npos ? "" : stem.substr(0, cut);
    const auto owner = std::ranges::find_if(
        result, [&](const OutlinedImage& one) { return one.image.stem().string() == image; });
    if (owner == result.end())
      fail(ErrorCode::kUnsupported,
           "{}: belongs to no image of {}. Masks are named IMAGE_MODALITY_SITE_TARGET.png.",
           mask.string(), (folder / split).string());
    owner->outlines.push_back({spaced(stem.substr(cut + 1)), mask, 0, {}});
  }
  std::erase_if(result, [](const OutlinedImage& one) { return one.outlines.empty(); });
  return result;
}

template <class T>
T number_of(const Json& row, const std::string& column, T otherwise, const fs::path& manifest,
            size_t number) {
  const std::string text = column_text(row, column);
  if (text.empty()) return otherwise;
  T value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !(value >= 0))
    fail(ErrorCode::kUnsupported, "{}: row {} has the {} '{}', which is no {}number from 0 on.",
         manifest.string(), number, column, text, std::is_integral_v<T> ? "whole " : "");
  return value;
}

std::vector<OutlinedImage> read_rows(const fs::path& manifest) {
  std::vector<OutlinedImage> result;
  std::map<std::string, size_t> place;
  size_t number = 0;
  for (const Json& row : read_manifest(manifest)) {
    ++number;
    const std::string image = column_text(row, "image"), prompt = column_text(row, "prompt");
    if (image.empty() || prompt.empty())
      fail(ErrorCode::kUnsupported,
           "{}: row {} lacks {}. Columns are image, prompt, mask and, where wanted, kind.",
           manifest.string(), number, image.empty() ? "an image" : "a prompt");
    const auto [found, is_new] = place.emplace(image, result.size());
    if (is_new)
      result.push_back({beside(manifest, image),
                        column_text(row, "kind"),
                        {},
                        number_of<double>(row, "weight", 1, manifest, number)});
    const std::string mask = column_text(row, "mask");
    result[found->second].outlines.push_back(
        {.prompt = prompt,
         .mask = mask.empty() ? fs::path() : beside(manifest, mask),
         .label = number_of<uint16_t>(row, "label", 0, manifest, number),
         .phrasings = {}});
  }
  return result;
}

}  // namespace

std::vector<OutlinedImage> read_outlines(const fs::path& source, const std::string& split) {
  std::error_code ignored;
  std::optional<std::vector<OutlinedImage>> found;
  if (!fs::is_directory(source, ignored))
    found = read_rows(source);
  else if (found = read_class_prompts(source, split); !found)
    found = read_pictures(source, split);
  auto result = *std::move(found);
  if (result.empty()) fail(ErrorCode::kUnsupported, "{}: has no outlined images.", source.string());
  return result;
}

}  // namespace vesalius::tasks
