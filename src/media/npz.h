// NumPy's .npz archives, and volumes in the form of the CVPR 2025 challenge on segmentation guided
// by text: `imgs` and `gts` with slices first, `spacing` by column, row and slice, `direction` and
// `origin` as SimpleITK gives them, `text_prompts` by label.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/zip.h"
#include "media/npy.h"
#include "media/pickled_dict.h"
#include "media/volume.h"

namespace vesalius::media {

/// An open archive; arrays are unpacked one at a time.
class NpzFile {
 public:
  static NpzFile open(const fs::path& path);
  /// `archive` must live as long as what comes of it.
  static NpzFile parse(Bytes archive, const std::string& where);

  std::vector<std::string> names() const;  // without ".npy"
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Error kUnsupported when there is none of that name, naming those that are there, or when it is
  /// damaged.
  NpyArray array(std::string_view name) const;
  PickledDict dictionary(std::string_view name) const;
  const std::string& where() const { return where_; }

 private:
  const ZipEntry* find(std::string_view name) const;
  const ZipEntry& entry(std::string_view name) const;
  std::shared_ptr<const MappedFile> file_;
  std::string where_;
  std::vector<ZipEntry> entries_;
};

/// `imgs` of an archive. Without `direction` and `origin` it is not placed; without `spacing` its
/// spacing is 1. Error kUnsupported for arrays of other than two or three dimensions.
Volume read_npz_volume(const NpzFile& file);

/// Labels on a grid, 0 for background.
struct LabelVolume {
  Grid grid;
  std::vector<uint16_t> labels;
};

/// An array of whole numbers (`gts`, `segs`) with the same geometry entries.
LabelVolume read_npz_labels(const NpzFile& file, std::string_view name);

struct TextPrompts {
  std::map<int, std::string> texts;  // by label, from 1
  bool instances = false;  // whether each object has a label of its own (`instance_label` is 1)
};

TextPrompts read_text_prompts(const NpzFile& file);

/// One array, [slices, rows, columns], deflated, under `name` ("segs"). T: uint8_t or uint16_t.
template <class T>
void write_npz(const fs::path& path, const std::string& name, const std::array<int64_t, 3>& size,
               const std::vector<T>& labels);

}  // namespace vesalius::media
