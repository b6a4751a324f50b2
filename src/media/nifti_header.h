// The header of NIfTI-1 (Cox et al. 2004) and NIfTI-2 (2011), and where it puts the voxels.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "media/volume.h"

namespace vesalius::media {

/// Kinds of voxels, by NIfTI's datatype codes.
enum class NiftiType : int16_t {
  kUint8 = 2,
  kInt16 = 4,
  kInt32 = 8,
  kFloat32 = 16,
  kFloat64 = 64,
  kInt8 = 256,
  kUint16 = 512,
  kUint32 = 768,
  kInt64 = 1024,
  kUint64 = 1280,
};

int64_t type_bytes(NiftiType type);

/// The fields that matter here, as they are in the file.
struct NiftiHeader {
  int version = 1;
  bool big_endian = false;
  bool single_file = true;  // voxels follow in the same file, not in an .img beside it
  std::array<int64_t, 8> dim{};
  NiftiType type = NiftiType::kFloat32;
  std::array<double, 8> pixdim{1, 1, 1, 1, 1, 1, 1, 1};  // [0] is qfac
  int64_t vox_offset = 0;               // of the voxels in their file; -1 when it makes no sense
  double scl_slope = 1, scl_inter = 0;  // value = slope * stored + inter, unless slope is 0
  int xyzt_units = 2;                   // of the low three bits: 1 m, 2 mm, 3 um
  int qform_code = 0, sform_code = 0;
  std::array<double, 3> quatern{}, qoffset{};
  std::array<std::array<double, 4>, 3> srow{};
  std::string descrip;

  /// Columns, rows, slices; 1 for dimensions that are not there.
  std::array<int64_t, 3> size() const;
  int64_t volumes() const;  // how many of that size: the product of the dimensions behind
};

inline constexpr size_t kNifti1HeaderBytes = 348, kNifti2HeaderBytes = 540;

/// Error kUnsupported for what is not NIfTI (Analyze 7.5 too, which does not say where left is),
/// for kinds of voxels that are not read here, and for dimensions that make no volume.
NiftiHeader parse_nifti_header(Bytes bytes, const std::string& where);

/// The grid of one volume. The affine is chosen as nibabel does: sform where its code is not 0,
/// else qform where its code is not 0, else one from the voxel sizes alone (centred, x backwards),
/// which is not `placed`. Unlike nibabel, metres and micrometres become mm. Error kUnsupported for
/// an affine that has no volume.
Grid nifti_grid(const NiftiHeader& header, const std::string& where);

/// A header that says `grid` in both forms. Where steps are not at right angles, which a qform
/// cannot say, its code is 0. A grid that is not placed gets neither.
NiftiHeader nifti_header_of(const Grid& grid);

/// The bytes in front of the voxels of a single file, little-endian.
std::vector<uint8_t> nifti_header_bytes(const NiftiHeader& header);

}  // namespace vesalius::media
