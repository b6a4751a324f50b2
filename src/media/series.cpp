// DICOM files to series, and the order of the slices in one.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "media/dicom.h"
#include "media/walk.h"

namespace vesalius::media {

namespace {
struct Slice {
  fs::path path;
  DicomInfo info;
};

/// Along which a volume is stacked: rows crossed with columns.
std::optional<std::vector<double>> plane_normal(const DicomInfo& info) {
  const std::vector<double>& o = info.image_orientation;
  if (o.size() != 6) return std::nullopt;
  return std::vector<double>{o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5],
                             o[0] * o[4] - o[1] * o[3]};
}

/// One key a slice, or none if any slice lacks it.
std::vector<double> sort_keys(const std::vector<Slice>& slices) {
  const auto normal = plane_normal(slices.front().info);
  std::vector<double> along, instances;
  for (const Slice& slice : slices) {
    const std::vector<double>& p = slice.info.image_position;
    if (normal && p.size() == 3) {
      const double distance = p[0] * (*normal)[0] + p[1] * (*normal)[1] + p[2] * (*normal)[2];
      if (std::isfinite(distance)) along.push_back(distance);
    }
    if (slice.info.instance_number) instances.push_back(*slice.info.instance_number);
  }
  if (along.size() == slices.size()) return along;
  if (instances.size() == slices.size()) return instances;
  return {};
}

std::vector<fs::path> ordered_paths(const std::vector<Slice>& slices) {
  const std::vector<double> keys = sort_keys(slices);
  std::vector<size_t> order(slices.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (!keys.empty()) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      // The same place more than once (phases, echoes): by instance number.
      if (keys[a] != keys[b]) return keys[a] < keys[b];
      return slices[a].info.instance_number < slices[b].info.instance_number;
    });
  }
  std::vector<fs::path> paths;
  paths.reserve(order.size());
  for (const size_t i : order) paths.push_back(slices[i].path);
  return paths;
}
}  // namespace

SeriesGroups group_series(const std::vector<fs::path>& dicom_files) {
  SeriesGroups groups;
  std::map<std::string, size_t> index_of;
  std::vector<std::vector<Slice>> members;
  for (const fs::path& path : dicom_files) {
    try {
      DicomInfo info = read_dicom_header(path);
      // A file without a series is a series of its own.
      const std::string key =
          info.series_instance_uid.empty() ? path.string() : info.series_instance_uid;
      const auto [at, fresh] = index_of.try_emplace(key, members.size());
      if (fresh) {
        members.emplace_back();
        groups.series.push_back({info.series_instance_uid,
                                 info.study_instance_uid,
                                 info.modality,
                                 info.series_description,
                                 {}});
      }
      members[at->second].push_back({path, std::move(info)});
    } catch (const Error& error) {
      groups.failures.emplace_back(error.what());
    }
  }
  for (size_t i = 0; i < members.size(); ++i) groups.series[i].files = ordered_paths(members[i]);
  return groups;
}

}  // namespace vesalius::media
