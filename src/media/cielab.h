// sRGB to CIELab and back, as DICOM objects recommend colours.
#pragma once

#include <array>
#include <cstdint>

namespace vesalius::media {

/// L* over 0..100 and a*, b* over -128..127, each spread over 16 bits (PS3.3 C.10.7.1.1). The white
/// is sRGB's own, D65: the standard has the profile connection space of the ICC in mind, whose
/// white is D50, but DCMTK, highdicom, 3D Slicer and OHIF all read and write D65, and a colour
/// should look the same in all of them. The other reading moves a colour by at most 6 of 255 steps.
std::array<uint16_t, 3> cielab_of(const std::array<uint8_t, 3>& srgb);

/// The nearest sRGB colour.
std::array<uint8_t, 3> srgb_of(const std::array<uint16_t, 3>& cielab);

}  // namespace vesalius::media
