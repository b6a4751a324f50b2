#include "tasks/class_prompts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"

namespace vesalius::tasks {
namespace {

constexpr const char* kPrompts = "class_prompts";
constexpr const char* kFile = "class_prompts.json";
constexpr const char* kInstances = "instance_label";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Without a slash behind it, so that it has a name.
fs::path named(const fs::path& folder) {
  const fs::path clean = fs::absolute(folder).lexically_normal();
  return clean.has_filename() ? clean : clean.parent_path();
}

/// What one data set's labels are called.
struct Labels {
  std::map<uint16_t, std::vector<std::string>> texts;
  bool instances = false;  // labels number objects of one kind
};

bool says_yes(const Json& value) {
  return value.is_boolean() ? value.get<bool>() : value.is_number() && value.get<double>() != 0;
}

std::vector<std::string> read_texts(const Json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> texts;
  for (const Json& text : value)
    if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts.size() == value.size() ? texts : std::vector<std::string>();
}

Labels read_labels(const Json& table, const std::string& where) {
  if (!table.is_object())
    fail(ErrorCode::kUnsupported, "{}: is no table of labels and their words.", where);
  Labels labels;
  for (const auto& [key, value] : table.items()) {
    if (key == kInstances) {
      labels.instances = says_yes(value);
      continue;
    }
    uint16_t label = 0;
    const auto read = std::from_chars(key.data(), key.data() + key.size(), label);
    const auto texts = read_texts(value);
    if (read.ec != std::errc() || read.ptr != key.data() + key.size() || label == 0 ||
        texts.empty() || std::ranges::find(texts, "") != texts.end())
      fail(ErrorCode::kUnsupported,
           "{}: '{}' is no label from 1 to 65535 with a text or a list of texts.", where, key);
    labels.texts[label] = texts;
  }
  if (labels.texts.empty()) fail(ErrorCode::kUnsupported, "{}: has no labels.", where);
  if (labels.instances && labels.texts.size() > 1)
    fail(ErrorCode::kUnsupported,
         "{}: has {} = 1, so its masks number objects of one kind, and words for {} kinds.", where,
         kInstances, labels.texts.size());
  return labels;
}

std::vector<Outline> outlines_of(const Labels& labels, const fs::path& mask) {
  std::vector<Outline> outlines;
  for (const auto& [label, texts] : labels.texts)
    outlines.push_back({.prompt = texts.front(),
                        .mask = mask,
                        .label = labels.instances ? uint16_t{0} : label,
                        .phrasings = {texts.begin() + 1, texts.end()}});
  return outlines;
}

std::string text_at(const Json& row, const char* key, const fs::path& file) {
  const auto found = row.find(key);  // of what is no table: end()
  if (found == row.end() || !found->is_string())
    fail(ErrorCode::kUnsupported, "{}: an annotation has no {}.", file.string(), key);
  return found->get<std::string>();
}

bool known(const Labels& labels, int64_t id) {
  return id >= 0 && id <= 0xFFFF && labels.texts.contains(static_cast<uint16_t>(id));
}

void check_labels(const Json& row, const Labels& labels, const fs::path& file,
                  const std::string& image) {
  if (labels.instances || !row.contains("class_ids")) return;
  for (const Json& id : row.at("class_ids"))
    if (!id.is_number_integer() || !known(labels, id.get<int64_t>())) {
      std::vector<uint16_t> numbers;
      for (const auto& [label, texts] : labels.texts) numbers.push_back(label);
      fail(ErrorCode::kUnsupported,
           "{}: {} holds the label {}, for which there are no words (there are for {}). Add them "
           "to {}.",
           file.string(), image, dump_json(id), fmt::join(numbers, ", "), kPrompts);
    }
}

void check_there(const fs::path& path, const fs::path& file) {
  if (!is_there(path))
    fail(ErrorCode::kUnsupported, "{}: names {}, which is not there.", file.string(),
         path.string());
}

/// The words of every data set.
Json read_prompts(const fs::path& file) {
  Json prompts = read_json(file);
  if (!prompts.is_object())
    fail(ErrorCode::kUnsupported, "{}: is no table of data sets.", file.string());
  return prompts;
}

/// What process_2D.py wrote about one folder into its SPLIT.json; null where it did not.
Json read_slices(const fs::path& folder, const std::string& split) {
  const fs::path file = folder / (split + ".json");
  if (!is_there(file)) return {};
  Json root = read_json(file);
  if (!root.is_object()) return {};
  // Version 1's own train.json has sentences instead.
  const auto rows = root.find("annotations");
  const bool each =
      rows != root.end() && rows->is_array() && !rows->empty() && rows->front().contains(kPrompts);
  return each || root.contains(kPrompts) ? std::move(root) : Json();
}

void add_slices(const fs::path& folder, const std::string& split, const Json& root,
                std::vector<OutlinedImage>& result) {
  const fs::path file = folder / (split + ".json");
  const std::string kind = folder.parent_path().filename().string();
  const std::string where = fmt::format("{}: {}", file.string(), kPrompts);
  const auto common = root.find(kPrompts);
  std::optional<Labels> of_all;
  if (common != root.end() && !common->is_null()) of_all = read_labels(*common, where);
  for (const Json& row : root.value("annotations", Json::array())) {
    const std::string image = text_at(row, "file_name", file);
    const Labels labels = of_all ? *of_all : read_labels(row.value(kPrompts, Json()), where);
    check_labels(row, labels, file, image);
    const fs::path mask = folder / (split + "_mask") / text_at(row, "mask_file", file);
    check_there(folder / split / image, file);
    check_there(mask, file);
    result.push_back({.image = folder / split / image,
                      .kind = kind,
                      .outlines = outlines_of(labels, mask),
                      .slices = true});
  }
}

std::vector<fs::path> volumes_in(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".npz") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

void add_volumes(const fs::path& set, const std::string& split, const Json& prompts,
                 std::vector<OutlinedImage>& result) {
  const auto volumes = volumes_in(set / split);
  if (volumes.empty()) return;
  const std::string name = set.filename().string();
  const std::string where = (set.parent_path() / kFile).string();
  if (!prompts.contains(name))
    fail(ErrorCode::kUnsupported, "{}: has no words for the labels of {}, which holds volumes.",
         where, (set / split).string());
  const Labels labels = read_labels(prompts.at(name), fmt::format("{}: {}", where, name));
  for (const fs::path& volume : volumes) {
    const fs::path own = set / (split + "_mask") / volume.filename();
    result.push_back({.image = volume,
                      .kind = name,
                      .outlines = outlines_of(labels, is_there(own) ? own : volume),
                      .complete = true});
  }
}

/// One of the data sets that a class_prompts.json above it is about.
bool is_set(const fs::path& folder, const std::string& split) {
  return is_there(folder.parent_path() / kFile) && !volumes_in(folder / split).empty();
}

}  // namespace

std::optional<std::vector<OutlinedImage>> read_class_prompts(const fs::path& folder,
                                                             const std::string& split) {
  const fs::path root = named(folder);
  std::vector<OutlinedImage> result;
  if (const Json slices = read_slices(root, split); !slices.is_null()) {
    add_slices(root, split, slices, result);
    for (const char* view : {"_view1", "_view2"}) {
      const fs::path one = root.parent_path() / (root.filename().string() + view);
      const Json seen = read_slices(one, split);
      if (!seen.is_null()) add_slices(one, split, seen, result);
    }
  } else if (is_there(root / kFile)) {
    const Json prompts = read_prompts(root / kFile);
    std::vector<fs::path> sets;
    for (const auto& entry : fs::directory_iterator(root))
      if (entry.is_directory()) sets.push_back(entry.path());
    std::ranges::sort(sets);
    for (const fs::path& set : sets) add_volumes(set, split, prompts, result);
    for (const auto& [name, ignored] : prompts.items())
      if (!is_there(root / name))
        warn(fmt::format("{}: has words for {}, and there is no such folder beside it.",
                         (root / kFile).string(), name));
  } else if (is_set(root, split)) {
    add_volumes(root, split, read_prompts(root.parent_path() / kFile), result);
  } else {
    return std::nullopt;
  }
  if (result.empty())
    fail(ErrorCode::kUnsupported, "{}: no slices, and no .npz volumes in DATASET/{}/.",
         folder.string(), split);
  return result;
}

}  // namespace vesalius::tasks
