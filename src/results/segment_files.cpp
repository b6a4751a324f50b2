#include "results/segment_files.h"

#include <algorithm>
#include <cmath>

#include "media/nifti.h"
#include "media/npz.h"
#include "media/resize.h"
#include "results/overlay.h"
#include "results/png_file.h"
#include "results/rtstruct_writer.h"
#include "results/seg_writer.h"
#include "results/terminology.h"

namespace vesalius::results {
namespace {

using tasks::Target;

constexpr int64_t kShownSlices = 12;
constexpr int kSheetColumns = 4, kSheetSide = 320;

/// A prompt as part of a file's name: without what file systems mind, and not too long for them.
std::string file_name(std::string prompt) {
  constexpr size_t kLongest = 120;
  for (char& c : prompt) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ')
      c = '+';
    else if (byte < 0x80 && std::isalnum(byte) == 0 && c != '-' && c != '_')
      c = '_';
  }
  if (prompt.size() <= kLongest) return prompt;
  size_t end = kLongest;
  while ((static_cast<unsigned char>(prompt[end]) & 0xC0U) == 0x80U) --end;  // a whole character
  return prompt.substr(0, end);
}

/// One a target, no two alike: prompts that differ in what is left out get a number.
std::vector<std::string> file_names(const std::vector<Target>& targets) {
  std::set<std::string> taken{"overview"};
  std::vector<std::string> names;
  for (const Target& target : targets)
    names.push_back(unused_name(taken, file_name(target.prompt)));
  return names;
}

media::Image grey(const std::vector<uint8_t>& values, const media::Grid& grid, int scale) {
  media::Image image{.width = static_cast<int>(grid.size[0]),
                     .height = static_cast<int>(grid.size[1]),
                     .mode = media::Mode::kGray,
                     .data = values};
  for (uint8_t& value : image.data) value = static_cast<uint8_t>(value * scale);
  return image;
}

bool share_voxels(const std::vector<Target>& targets) {
  for (size_t i = 0; targets.size() > 1 && i < targets[0].mask.size(); ++i) {
    int count = 0;
    for (const Target& target : targets) count += target.mask[i];
    if (count > 1) return true;
  }
  return false;
}

/// Where masks share a voxel, the first counts.
std::vector<uint16_t> label_map(const std::vector<Target>& targets,
                                const std::vector<uint16_t>& numbers) {
  std::vector<uint16_t> labels(targets.empty() ? 0 : targets[0].mask.size());
  for (size_t t = targets.size(); t-- > 0;) {
    const auto number = numbers.empty() ? static_cast<uint16_t>(t + 1) : numbers[t];
    for (size_t i = 0; i < labels.size(); ++i)
      if (targets[t].mask[i] != 0) labels[i] = number;
  }
  return labels;
}

std::string evidence(const Target& target) {
  if (target.existence_probability)
    return fmt::format("existence probability {:.3f}", *target.existence_probability);
  if (target.p_value) return fmt::format("existence statistic {:.3f}", *target.p_value);
  return "no statistic of existence";
}

media::Segmentation segmentation_of(const tasks::SegmentInput& input,
                                    const std::vector<Target>& targets) {
  media::Segmentation all{.grid = input.volume.grid};
  all.fractional =
      std::ranges::all_of(targets, [](const Target& t) { return !t.probability.empty(); });
  for (const Target& target : targets) {
    const auto term = find_term(target.prompt);
    all.segments.push_back({.label = target.prompt,
                            .description = target.prompt + ", " + evidence(target),
                            .category = term.category,
                            .type = term.type,
                            .modifier = term.modifier,
                            .region = term.region,
                            .colour = term.colour,
                            .voxels = all.fractional ? target.probability : target.mask});
  }
  return all;
}

DicomSource source_of(const tasks::SegmentInput& input) {
  std::vector<fs::path> files;
  for (const auto& slice : input.slices)
    if (!slice.path.empty() && (files.empty() || files.back() != slice.path))
      files.push_back(slice.path);
  if (files.empty())
    fail(ErrorCode::kUnsupported,
         "{}: is not DICOM, and DICOM objects need a patient, a study and a series to belong to. "
         "Use --format nifti or png, or give the DICOM series.",
         input.path);
  return read_dicom_source(files);
}

/// Writes the files of one run.
class Writer {
 public:
  Writer(const tasks::SegmentInput& input, const tasks::Planes& planes,
         const std::vector<Target>& targets, const SegmentFiles& files)
      : input_(input),
        planes_(planes),
        targets_(targets),
        files_(files),
        names_(file_names(targets)) {}

  void png() {
    for (size_t i = 0; i < targets_.size(); ++i) {
      const Target& target = targets_[i];
      const auto& grid = input_.volume.grid;
      const fs::path file = path("_" + names_[i] + ".png");
      if (grid.size[2] > 1) {
        write_png(file, overview(planes_, {target}));
        continue;
      }
      write_png(file, grey(target.mask, grid, 255));
      maps(i, ".png", [&](const fs::path& to, const std::vector<uint8_t>& values) {
        write_png(to, grey(values, grid, 1));
      });
    }
  }

  void nifti() {
    const auto& grid = input_.volume.grid;
    const media::NiftiWriteOptions options{.description = "Vesalius, research use only",
                                           .like = input_.nifti ? &*input_.nifti : nullptr};
    const auto write = [&](const fs::path& to, const auto& values) {
      media::write_nifti(to, grid, values, options);
    };
    write(path(".nii.gz"), labels());
    const bool each = share_voxels(targets_);
    for (size_t i = 0; i < targets_.size(); ++i) {
      if (each) write(path("_" + names_[i] + ".nii.gz"), targets_[i].mask);
      maps(i, ".nii.gz", write);
    }
  }

  void npz() { media::write_npz(path(".npz"), "segs", input_.volume.grid.size, labels()); }

  void seg() {
    write_dicom_seg(path(".seg.dcm"), segmentation_of(input_, targets_), source(),
                    files_.algorithm);
  }

  void rtstruct() {
    write_rtstruct(path(".rtstruct.dcm"), segmentation_of(input_, targets_), source(),
                   files_.algorithm);
  }

  void picture(const media::Image& image) { write_png(path("_overview.png"), image); }

  SegmentWritten take() { return std::move(written_); }

 private:
  fs::path path(const std::string& ending) {
    written_.files.push_back(files_.folder / (files_.stem + ending));
    return written_.files.back();
  }

  template <class Write>
  void maps(size_t i, const char* ending, const Write& write) {
    const Target& target = targets_[i];
    const std::string name = "_" + names_[i];
    if (!target.probability.empty())
      write(path(name + "_probability" + ending), target.probability);
    if (!target.uncertainty.empty())
      write(path(name + "_uncertainty" + ending), target.uncertainty);
  }

  DicomSource source() {
    auto source = source_of(input_);
    written_.note = source.note;
    return source;
  }

  std::vector<uint16_t> labels() const { return label_map(targets_, files_.numbers); }

  const tasks::SegmentInput& input_;
  const tasks::Planes& planes_;
  const std::vector<Target>& targets_;
  const SegmentFiles& files_;
  std::vector<std::string> names_;  // of the targets, in file names
  SegmentWritten written_;
};

/// Voxels of all masks in a slice.
int64_t filled(const tasks::Planes& planes, const std::vector<Target>& targets, int64_t slice) {
  int64_t count = 0;
  for (const Target& target : targets)
    for (const uint8_t value : planes.slicing().slice<uint8_t>(target.mask, slice)) count += value;
  return count;
}

/// Of a volume: slices spread over those that hold anything, or over all.
std::vector<int64_t> slices_to_show(const tasks::Planes& planes,
                                    const std::vector<Target>& targets) {
  std::vector<int64_t> holding;
  for (int64_t i = 0; i < planes.count(); ++i)
    if (filled(planes, targets, i) > 0) holding.push_back(i);
  if (holding.empty())
    for (int64_t i = 0; i < planes.count(); ++i) holding.push_back(i);
  const auto count = std::ssize(holding), shown = std::min(count, kShownSlices);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < shown; ++i) chosen.push_back(holding[(2 * i + 1) * count / (2 * shown)]);
  return chosen;
}

}  // namespace

std::set<std::string> segment_formats(const std::string& list) {
  static const std::set<std::string> kKnown{"png", "nifti", "npz", "seg", "rtstruct", "json"};
  std::set<std::string> formats;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    const std::string name = list.substr(start, end - start);
    if (!kKnown.contains(name))
      fail(ErrorCode::kUsage,
           "--format {}: choose of seg, rtstruct, nifti, png, npz and json, separated by commas.",
           name);
    formats.insert(name);
    start = end + 1;
  }
  return formats;
}

std::set<std::string> default_formats(const tasks::SegmentInput& input) {
  std::set<std::string> formats{"json"};
  formats.insert(input.kind == tasks::InputKind::kPicture ? "png" : "nifti");
  if (!input.slices.empty()) formats.insert("seg");
  return formats;
}

media::Image overview(const tasks::Planes& planes, const std::vector<Target>& targets) {
  std::vector<media::Image> pictures;
  const bool several = planes.count() > 1;
  for (const int64_t slice : slices_to_show(planes, targets)) {
    auto image = planes.shown(slice);
    for (size_t t = 0; t < targets.size(); ++t)
      draw_mask(image, planes.slicing().slice<uint8_t>(targets[t].mask, slice), overlay_colour(t));
    const double scale = double{kSheetSide} / std::max(image.width, image.height);
    if (several)
      image = media::resize(image, std::max(1, static_cast<int>(image.width * scale)),
                            std::max(1, static_cast<int>(image.height * scale)),
                            media::Filter::kBilinear);
    pictures.push_back(std::move(image));
  }
  return contact_sheet(pictures, kSheetColumns);
}

SegmentWritten write_segment_files(const tasks::SegmentInput& input, const tasks::Planes& planes,
                                   const std::vector<tasks::Target>& targets,
                                   const SegmentFiles& files) {
  Writer writer(input, planes, targets, files);
  const std::pair<const char*, void (Writer::*)()> kinds[] = {{"png", &Writer::png},
                                                              {"nifti", &Writer::nifti},
                                                              {"npz", &Writer::npz},
                                                              {"seg", &Writer::seg},
                                                              {"rtstruct", &Writer::rtstruct}};
  for (const auto& [name, write] : kinds)
    if (files.formats.contains(name)) (writer.*write)();
  writer.picture(overview(planes, targets));
  return writer.take();
}

}  // namespace vesalius::results
