// NIfTI files: .nii, .nii.gz, and pairs of .hdr and .img (.hdr.gz, .img.gz).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/nifti_header.h"
#include "media/volume.h"

namespace vesalius::media {

/// A volume and the header that it came with, for what is written beside it later.
struct NiftiImage {
  Volume volume;
  NiftiHeader header;
};

struct NiftiReadOptions {
  std::optional<int64_t> index;  // of the volume that is wanted when there are several, from 0
};

/// Values are slope * stored + intercept, NaN and infinities as they are; a two-dimensional image
/// is a volume of one slice. Error kUnsupported for kinds of voxels other than single real numbers,
/// for several volumes without an index, and for files that are damaged or cut off.
NiftiImage read_nifti(const fs::path& path, const NiftiReadOptions& options = {});

/// The same from the bytes of a single file, packed by gzip or not.
NiftiImage parse_nifti(Bytes file, const std::string& where, const NiftiReadOptions& options = {});

struct NiftiWriteOptions {
  std::string description;  // the first 79 bytes are kept
  // Of the image that the values belong to: its affine, both forms, is written again bit by bit.
  const NiftiHeader* like = nullptr;
};

/// Writes a single file, packed if the path ends in .nii.gz; NIfTI-2 where a side is longer than
/// 32767. The voxels' type is T: uint8_t, int16_t, uint16_t or float. Without `like` the affine is
/// exact to float32. Error kUsage for another ending.
template <class T>
void write_nifti(const fs::path& path, const Grid& grid, const std::vector<T>& values,
                 const NiftiWriteOptions& options = {});

}  // namespace vesalius::media
