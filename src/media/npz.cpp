#include "media/npz.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/zip_writer.h"

namespace vesalius::media {

namespace {
constexpr std::string_view kEnding = ".npy";

/// Columns, rows, slices of an array with slices first.
std::array<int64_t, 3> size_of(const NpyHeader& header, const std::string& where) {
  const std::vector<int64_t>& shape = header.shape;
  if (shape.size() != 2 && shape.size() != 3)
    fail(ErrorCode::kUnsupported,
         "{}: has {} dimensions; a volume has three, slices first, without colours", where,
         shape.size());
  const std::array<int64_t, 3> size{shape[shape.size() - 1], shape[shape.size() - 2],
                                    shape.size() == 3 ? shape[0] : 1};
  check_size(size, where);
  return size;
}

/// `count` numbers under a name, or none when the name is not there.
std::vector<double> numbers(const NpzFile& file, std::string_view name, int64_t count) {
  if (!file.has(name)) return {};
  const std::string where = fmt::format("{}: {}", file.where(), name);
  const NpyArray array = file.array(name);
  const bool sound = array.header.elements() == count && array.header.type.kind != 'O';
  std::vector<double> values = sound ? elements_of<double>(array, where) : std::vector<double>();
  if (!sound || !std::ranges::all_of(values, [](double value) { return std::isfinite(value); }))
    fail(ErrorCode::kUnsupported, "{}: is not {} numbers", where, count);
  return values;
}

Grid read_grid(const NpzFile& file, const std::array<int64_t, 3>& size) {
  Grid grid{.size = size};
  const std::vector<double> spacing = numbers(file, "spacing", 3),
                            origin = numbers(file, "origin", 3);
  const std::vector<double> direction = numbers(file, "direction", 9);  // row by row
  grid.placed = !direction.empty() && !origin.empty();
  for (size_t a = 0; a < 3; ++a) {
    const double step = spacing.empty() ? 1 : spacing[a];
    for (size_t x = 0; x < 3; ++x)
      grid.step[a][x] = step * (grid.placed ? direction[3 * x + a] : a == x ? 1 : 0);
    if (grid.placed) grid.origin[a] = origin[a];
  }
  if (!spans_space(grid))
    fail(ErrorCode::kUnsupported, "{}: its spacing and direction span no volume", file.where());
  return grid;
}

std::string text_of(const PickledScalar& scalar) {
  if (const auto* integer = std::get_if<int64_t>(&scalar)) return std::to_string(*integer);
  const auto* text = std::get_if<std::string>(&scalar);
  return text == nullptr ? std::string() : *text;
}
}  // namespace

NpzFile NpzFile::open(const fs::path& path) {
  auto mapped = MappedFile::open(path);
  NpzFile file = parse(mapped->bytes(), path.string());
  file.file_ = std::move(mapped);
  return file;
}

NpzFile NpzFile::parse(Bytes archive, const std::string& where) {
  NpzFile file;
  file.where_ = where;
  file.entries_ = read_zip(archive, {where});
  return file;
}

std::vector<std::string> NpzFile::names() const {
  std::vector<std::string> out;
  for (const ZipEntry& entry : entries_)
    if (entry.name.ends_with(kEnding))
      out.push_back(entry.name.substr(0, entry.name.size() - kEnding.size()));
  return out;
}

const ZipEntry* NpzFile::find(std::string_view name) const {
  const std::string wanted = std::string(name) + std::string(kEnding);
  const auto found = std::ranges::find(entries_, wanted, &ZipEntry::name);
  return found == entries_.end() ? nullptr : &*found;
}

const ZipEntry& NpzFile::entry(std::string_view name) const {
  if (const ZipEntry* found = find(name)) return *found;
  std::vector<std::string> there = names();
  constexpr size_t kShown = 12;
  there.resize(std::min(there.size(), kShown));
  fail(ErrorCode::kUnsupported, "{}: has no array \"{}\"; it has {}", where_, name,
       fmt::join(there, ", "));
}

NpyArray NpzFile::array(std::string_view name) const {
  const std::string where = fmt::format("{}: {}", where_, name);
  NpyArray array;
  array.bytes = unpack(entry(name), {where});
  array.header = parse_npy_header(array.bytes, where);
  const uint64_t have = array.bytes.size() - array.header.data_start;
  const auto need = static_cast<uint64_t>(array.header.elements() * array.header.type.width);
  if (array.header.type.kind != 'O' && need != have)
    fail(ErrorCode::kUnsupported, "{}: its shape needs {} bytes, and {} are there", where, need,
         have);
  array.bytes.erase(array.bytes.begin(),
                    array.bytes.begin() + static_cast<std::ptrdiff_t>(array.header.data_start));
  return array;
}

PickledDict NpzFile::dictionary(std::string_view name) const {
  const std::string where = fmt::format("{}: {}", where_, name);
  constexpr uint64_t kLargest = 2 << 20;
  const std::vector<uint8_t> bytes = unpack(entry(name), {where}, kLargest);
  const NpyHeader header = parse_npy_header(bytes, where);
  if (header.type.kind != 'O' || header.elements() != 1)
    fail(ErrorCode::kUnsupported, "{}: is not one Python object", where);
  return parse_pickled_dict(Bytes(bytes).subspan(header.data_start), where);
}

Volume read_npz_volume(const NpzFile& file) {
  const std::string where = file.where() + ": imgs";
  const NpyArray array = file.array("imgs");
  const Grid grid = read_grid(file, size_of(array.header, where));
  return {grid, elements_of<float>(array, where)};
}

LabelVolume read_npz_labels(const NpzFile& file, std::string_view name) {
  const std::string where = fmt::format("{}: {}", file.where(), name);
  const NpyArray array = file.array(name);
  const Grid grid = read_grid(file, size_of(array.header, where));
  return {grid, elements_of<uint16_t>(array, where)};
}

TextPrompts read_text_prompts(const NpzFile& file) {
  TextPrompts prompts;
  for (const auto& [key, value] : file.dictionary("text_prompts")) {
    const std::string name = text_of(key);
    if (name == "instance_label") {
      prompts.instances = text_of(value) == "1";
      continue;
    }
    int label = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), label);
    const bool whole = problem == std::errc() && end == name.data() + name.size();
    if (!whole || label < 1 || label > 0xFFFF || !std::holds_alternative<std::string>(value))
      fail(ErrorCode::kUnsupported,
           "{}: text_prompts: \"{}\" is no label from 1 to 65535 with a text", file.where(),
           name.substr(0, 40));
    prompts.texts[label] = std::get<std::string>(value);
  }
  return prompts;
}

template <class T>
void write_npz(const fs::path& path, const std::string& name, const std::array<int64_t, 3>& size,
               const std::vector<T>& labels) {
  const NpyType type{'u', sizeof(T), false};
  if (static_cast<int64_t>(labels.size()) != size[0] * size[1] * size[2])
    fail(ErrorCode::kFailed, "{}: {} labels do not fill {} x {} x {} voxels", path.string(),
         labels.size(), size[0], size[1], size[2]);
  ZipWriter writer(path);
  writer.add_deflated(name + std::string(kEnding),
                      npy_header_bytes(type, {size[2], size[1], size[0]}),
                      {reinterpret_cast<const uint8_t*>(labels.data()), labels.size() * sizeof(T)});
  writer.commit();
}

template void write_npz(const fs::path&, const std::string&, const std::array<int64_t, 3>&,
                        const std::vector<uint8_t>&);
template void write_npz(const fs::path&, const std::string&, const std::array<int64_t, 3>&,
                        const std::vector<uint16_t>&);

}  // namespace vesalius::media
