// Masks in files, read to be compared.
#pragma once

#include "base/files.h"
#include "media/npz.h"

namespace vesalius::tasks {

/// Labels of a mask file, 0 for background:
///   PNG, TIFF        grey values or palette indices; colours only where they are shades of grey.
///                    One slice, not placed
///   .nii, .nii.gz    whole numbers
///   .npz             its array `segs`, `gts` or `masks`, or its only one
/// Error kUnsupported for other files, naming what is read; for lossy ones, whose labels would not
/// survive; and for values that are no labels, 0 to 65535.
media::LabelVolume read_mask(const fs::path& path);

/// Whether a file's name is that of a mask that read_mask() reads.
bool may_be_mask(const fs::path& path);

}  // namespace vesalius::tasks
