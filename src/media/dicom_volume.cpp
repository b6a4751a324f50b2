#include "media/dicom_volume.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "media/codecs.h"
#include "media/dicom_display.h"
#include "media/walk.h"

namespace vesalius::media {

namespace {
constexpr size_t kShown = 5;  // of a list in a message

/// A frame and how to get its pixels: a multi-frame file is parsed once and kept.
struct Slice {
  SliceSource source;
  std::shared_ptr<const DicomFile> file;
};

/// Of folders the DICOM images; reports and other files in them are left out.
std::vector<fs::path> list_files(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> files;
  for (const fs::path& input : inputs) {
    std::error_code ignored;
    if (!fs::is_directory(input, ignored)) {
      files.push_back(input);
      continue;
    }
    for (const Found& found : walk_folder(input)) {
      if (!found.problem.empty())
        fail(ErrorCode::kUnsupported, "{}: {}", found.path.string(), found.problem);
      const auto file = MappedFile::open(found.path);
      if (looks_like_dicom(file->bytes()) && may_be_image(file->bytes()))
        files.push_back(found.path);
    }
  }
  return files;
}

std::string list_series(const std::vector<Series>& all) {
  std::string text;
  for (size_t i = 0; i < std::min(all.size(), kShown); ++i)
    text += fmt::format("{}{} ({} {}, {} files)", i == 0 ? "" : "; ",
                        all[i].uid.empty() ? "without a UID" : all[i].uid, all[i].modality,
                        all[i].description, all[i].files.size());
  return all.size() > kShown ? fmt::format("{}; and {} more", text, all.size() - kShown) : text;
}

/// Files that name no series, as some programs for anonymising leave them, count as one together.
std::vector<Series> join_nameless(std::vector<Series> all) {
  std::vector<Series> joined;
  for (Series& series : all) {
    const auto same = std::ranges::find(joined, series.uid, &Series::uid);
    if (series.uid.empty() && same != joined.end()) {
      same->files.insert(same->files.end(), series.files.begin(), series.files.end());
    } else {
      joined.push_back(std::move(series));
    }
  }
  return joined;
}

std::vector<fs::path> files_of_series(const std::vector<fs::path>& files, const std::string& wanted,
                                      const fs::path& where) {
  SeriesGroups groups = group_series(files);
  if (!groups.failures.empty())
    fail(ErrorCode::kUnsupported, "{}{}; without it the series may not be whole",
         groups.failures.front(),
         groups.failures.size() == 1 ? std::string()
                                     : fmt::format(" (and {} more)", groups.failures.size() - 1));
  const std::vector<Series> all = join_nameless(std::move(groups.series));
  if (all.size() == 1 && wanted.empty()) return all.front().files;
  const auto found = std::ranges::find(all, wanted, &Series::uid);
  if (!wanted.empty() && found != all.end()) return found->files;
  fail(ErrorCode::kUnsupported,
       "{}: {}{}; say which by its SeriesInstanceUID (--series), or give its files alone",
       where.string(),
       wanted.empty() ? fmt::format("the files are of {} series: ", all.size())
                      : fmt::format("there is no series {} among ", wanted),
       list_series(all));
}

struct Gathered {
  std::vector<Slice> slices;
  std::vector<SliceHead> heads;  // the same in number and order
};

void add_slice(Gathered& all, const fs::path& path, DicomInfo info, int frame,
               std::shared_ptr<const DicomFile> file) {
  const std::string name =
      file == nullptr ? path.string() : fmt::format("{}, frame {}", path.string(), frame + 1);
  if (info.samples != 1 || info.photometric.starts_with("PALETTE"))
    fail(ErrorCode::kUnsupported,
         "{}: is in colour ({}), and a volume has one value a voxel; give it as single images",
         name, info.photometric);
  all.slices.push_back({{path, info.sop_class_uid, info.sop_instance_uid, frame}, std::move(file)});
  all.heads.push_back({name, std::move(info)});
}

Gathered gather(const std::vector<fs::path>& files, int threads) {
  std::vector<DicomInfo> infos(files.size());
  parallel_for(
      static_cast<int64_t>(files.size()),
      [&](int64_t i) {
        infos[static_cast<size_t>(i)] = read_dicom_header(files[static_cast<size_t>(i)]);
      },
      threads);
  Gathered all;
  for (size_t i = 0; i < files.size(); ++i) {
    if (infos[i].frames == 1) {
      add_slice(all, files[i], std::move(infos[i]), 0, nullptr);
      continue;
    }
    const auto file = std::make_shared<const DicomFile>(DicomFile::open(files[i]));
    for (int frame = 0; frame < file->info().frames; ++frame)
      add_slice(all, files[i], file->frame_info(frame), frame, file);
  }
  return all;
}

/// Values of one slice, rescaled.
std::vector<double> read_values(const Slice& slice, const SliceHead& head) {
  const std::optional<DicomFile> opened =
      slice.file == nullptr ? std::optional(DicomFile::open(slice.source.path)) : std::nullopt;
  const DicomFrame frame = (opened ? *opened : *slice.file).frame(slice.source.frame);
  if (frame.samples != 1 || frame.rows != head.info.rows || frame.columns != head.info.columns)
    fail(ErrorCode::kUnsupported, "{}: its pixels are not as its header says", head.name);
  std::vector<double> stored(frame.values.begin(), frame.values.end());
  if (!head.info.is_signed)  // 32-bit samples without sign are kept as their bits
    for (double& value : stored) value = value < 0 ? value + 0x1p32 : value;
  return modality_values(std::move(stored), head.info);
}

/// What is claimed must be backed by bytes of the files.
void check_plausible(const Grid& grid, const Gathered& all) {
  uint64_t bytes = 0;
  const fs::path* last = nullptr;
  for (const Slice& slice : all.slices) {
    if (last == nullptr || *last != slice.source.path)
      bytes += MappedFile::open(slice.source.path)->bytes().size();
    last = &slice.source.path;
  }
  if (!plausible_size(4.0 * static_cast<double>(grid.voxels()), bytes))
    fail(ErrorCode::kUnsupported,
         "{}: {} x {} x {} voxels are claimed, which {} bytes of files cannot hold",
         all.heads.front().name, grid.size[0], grid.size[1], grid.size[2], bytes);
}

std::vector<float> read_stack(const Stack& stack, const Gathered& all, int threads) {
  check_plausible(stack.grid, all);
  const auto plane = static_cast<size_t>(stack.grid.size[0] * stack.grid.size[1]);
  std::vector<float> values(plane * stack.places.size());
  parallel_for(
      static_cast<int64_t>(stack.places.size()),
      [&](int64_t k) {
        const std::optional<size_t> slice = stack.places[static_cast<size_t>(k)];
        if (!slice) return;
        const std::vector<double> read = read_values(all.slices[*slice], all.heads[*slice]);
        std::ranges::transform(read, values.begin() + k * static_cast<int64_t>(plane),
                               [](double value) { return static_cast<float>(value); });
      },
      threads);
  return values;
}

/// Missing slices get the least value of the others: air in a CT, nothing in an MR.
void fill_gaps(const Stack& stack, std::vector<float>& values) {
  const size_t plane = values.size() / stack.places.size();
  std::optional<float> least;
  for (size_t k = 0; k < stack.places.size(); ++k) {
    if (!stack.places[k]) continue;
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(k * plane);
    const float here = *std::min_element(begin, begin + static_cast<std::ptrdiff_t>(plane));
    least = std::min(least.value_or(here), here);
  }
  for (size_t k = 0; k < stack.places.size(); ++k)
    if (!stack.places[k])
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(k * plane), plane,
                  least.value_or(0));
}
}  // namespace

DicomVolume read_dicom_volume(const std::vector<fs::path>& inputs,
                              const DicomVolumeOptions& options) {
  const std::vector<fs::path> files = list_files(inputs);
  if (files.empty())
    fail(ErrorCode::kUnsupported, "{}: no DICOM file is there",
         inputs.empty() ? std::string("nothing was given") : inputs.front().string());
  const Gathered all =
      gather(files_of_series(files, options.series_uid, inputs.front()), options.threads);
  Stack stack = stack_slices(all.heads, options.gaps, [&](size_t a, size_t b) {
    return read_values(all.slices[a], all.heads[a]) == read_values(all.slices[b], all.heads[b]);
  });
  DicomVolume out;
  out.volume = {stack.grid, read_stack(stack, all, options.threads)};
  if (options.gaps == Gaps::kFill) fill_gaps(stack, out.volume.values);
  for (const std::optional<size_t>& place : stack.places)
    out.slices.push_back(place ? all.slices[*place].source : SliceSource{});
  out.info = all.heads[*stack.places.front()].info;
  out.remarks = std::move(stack.remarks);
  if (out.info.series_instance_uid.empty() && files.size() > 1)
    out.remarks.emplace_back("the files name no series; all are taken as one");
  return out;
}

}  // namespace vesalius::media
