#include "media/nifti_header.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace vesalius::media {

namespace {
static_assert(std::endian::native == std::endian::little);

/// Where the fields stand in a version, and how wide they are. Source: nifti1.h and nifti2.h of the
/// NIfTI data format working group.
struct Layout {
  size_t bytes, magic, dim, type, bitpix, pixdim, vox_offset, slope, inter, units, descrip, qform,
      sform, quatern, qoffset, srow;
};
constexpr Layout kLayout1{348, 344, 40,  70,  72,  76,  108, 112,
                          116, 123, 148, 252, 254, 256, 268, 280};
constexpr Layout kLayout2{540, 4,   16,  12,  14,  104, 168, 176,
                          184, 500, 240, 344, 348, 352, 376, 400};
constexpr size_t kDescripBytes = 80;
constexpr int64_t kMaxVolumes = 1 << 24;

const Layout& layout_of(int version) { return version == 1 ? kLayout1 : kLayout2; }

struct TypeRow {
  int code;
  const char* name;
  int64_t bytes;  // 0: not read here
};
constexpr std::array<TypeRow, 18> kTypes{{{2, "uint8", 1},
                                          {4, "int16", 2},
                                          {8, "int32", 4},
                                          {16, "float32", 4},
                                          {64, "float64", 8},
                                          {256, "int8", 1},
                                          {512, "uint16", 2},
                                          {768, "uint32", 4},
                                          {1024, "int64", 8},
                                          {1280, "uint64", 8},
                                          {0, "of no kind", 0},
                                          {1, "single bits", 0},
                                          {32, "complex64", 0},
                                          {128, "RGB24", 0},
                                          {1536, "float128", 0},
                                          {1792, "complex128", 0},
                                          {2048, "complex256", 0},
                                          {2304, "RGBA32", 0}}};

/// Numbers of a header in either byte order.
class Fields {
 public:
  Fields(Bytes bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}
  template <class T>
  T at(size_t offset) const {
    std::array<uint8_t, sizeof(T)> raw{};
    std::memcpy(raw.data(), bytes_.data() + offset, sizeof(T));
    if (swapped_) std::ranges::reverse(raw);
    return std::bit_cast<T>(raw);
  }
  /// As double, from the version's kind of float.
  double real(int version, size_t offset, size_t index = 0) const {
    return version == 1 ? at<float>(offset + 4 * index) : at<double>(offset + 8 * index);
  }
  std::string text(size_t offset, size_t size) const {
    const std::string all(reinterpret_cast<const char*>(bytes_.data()) + offset, size);
    return all.substr(0, all.find('\0'));
  }

 private:
  Bytes bytes_;
  bool swapped_;
};

struct Kind {
  int version;
  bool swapped;
};

std::optional<Kind> kind_of(Bytes bytes) {
  if (bytes.size() < kNifti1HeaderBytes) return std::nullopt;
  for (const bool swapped : {false, true}) {
    const auto size = Fields(bytes, swapped).at<uint32_t>(0);
    if (size == kNifti1HeaderBytes) return Kind{1, swapped};
    if (size == kNifti2HeaderBytes && bytes.size() >= size) return Kind{2, swapped};
  }
  return std::nullopt;
}

/// True if voxels follow in the same file.
bool read_magic(const Fields& fields, int version, const std::string& where) {
  const std::string magic = fields.text(layout_of(version).magic, 4);
  const std::string single = version == 1 ? "n+1" : "n+2", pair = version == 1 ? "ni1" : "ni2";
  if (magic == single || magic == pair) return magic == single;
  fail(
      ErrorCode::kUnsupported,
      "{}: has no NIfTI mark; Analyze 7.5 files do not say which side is left: convert it to NIfTI "
      "with a program that knows its origin",
      where);
}

NiftiType read_type(int code, const std::string& where) {
  const auto row = std::ranges::find(kTypes, code, &TypeRow::code);
  if (row != kTypes.end() && row->bytes > 0) return static_cast<NiftiType>(code);
  fail(
      ErrorCode::kUnsupported,
      "{}: its voxels are {} (NIfTI datatype {}), which is not read here; convert them to one real "
      "number a voxel",
      where, row == kTypes.end() ? "unknown" : row->name, code);
}

void check_dimensions(const NiftiHeader& header, const std::string& where) {
  const int64_t count = header.dim[0];
  const bool sound = count >= 1 && count <= 7 &&
                     std::all_of(header.dim.begin() + 1, header.dim.begin() + 1 + count,
                                 [](int64_t side) { return side >= 1; });
  if (!sound)
    fail(ErrorCode::kUnsupported, "{}: its {} dimensions ({} x {} x {} …) make no volume", where,
         count, header.dim[1], header.dim[2], header.dim[3]);
  check_size(header.size(), where);
  if (header.volumes() > kMaxVolumes)
    fail(ErrorCode::kUnsupported, "{}: claims more volumes than a file can hold", where);
}

/// Unknown codes count as none, as nibabel has it.
int form_code(int code) { return code >= 0 && code <= 5 ? code : 0; }

void read_sizes(const Fields& fields, NiftiHeader& header) {
  const Layout& layout = layout_of(header.version);
  const bool first = header.version == 1;
  for (size_t i = 0; i < 8; ++i) {
    header.dim[i] =
        first ? fields.at<int16_t>(layout.dim + 2 * i) : fields.at<int64_t>(layout.dim + 8 * i);
    header.pixdim[i] = fields.real(header.version, layout.pixdim, i);
  }
  const double offset = first ? fields.at<float>(layout.vox_offset)
                              : static_cast<double>(fields.at<int64_t>(layout.vox_offset));
  const bool sound = offset >= 0 && offset < 0x1p50;
  header.vox_offset = sound ? static_cast<int64_t>(offset) : -1;
  header.xyzt_units = first ? fields.at<uint8_t>(layout.units) : fields.at<int32_t>(layout.units);
}

void read_forms(const Fields& fields, NiftiHeader& header) {
  const Layout& layout = layout_of(header.version);
  const auto code = [&](size_t at) {
    return form_code(header.version == 1 ? fields.at<int16_t>(at) : fields.at<int32_t>(at));
  };
  header.qform_code = code(layout.qform);
  header.sform_code = code(layout.sform);
  for (size_t i = 0; i < 3; ++i) {
    header.quatern[i] = fields.real(header.version, layout.quatern, i);
    header.qoffset[i] = fields.real(header.version, layout.qoffset, i);
    for (size_t a = 0; a < 4; ++a)
      header.srow[i][a] = fields.real(header.version, layout.srow, 4 * i + a);
  }
}

template <class T>
void put(std::vector<uint8_t>& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

void put_real(std::vector<uint8_t>& bytes, int version, size_t offset, size_t index, double value) {
  if (version == 1) {
    put(bytes, offset + 4 * index, static_cast<float>(value));
  } else {
    put(bytes, offset + 8 * index, value);
  }
}

void put_integer(std::vector<uint8_t>& bytes, int version, size_t offset, int value) {
  if (version == 1) {
    put(bytes, offset, static_cast<int16_t>(value));
  } else {
    put(bytes, offset, int32_t{value});
  }
}

void put_forms(std::vector<uint8_t>& bytes, const NiftiHeader& header) {
  const Layout& layout = layout_of(header.version);
  put_integer(bytes, header.version, layout.qform, header.qform_code);
  put_integer(bytes, header.version, layout.sform, header.sform_code);
  for (size_t i = 0; i < 3; ++i) {
    put_real(bytes, header.version, layout.quatern, i, header.quatern[i]);
    put_real(bytes, header.version, layout.qoffset, i, header.qoffset[i]);
    for (size_t a = 0; a < 4; ++a)
      put_real(bytes, header.version, layout.srow, 4 * i + a, header.srow[i][a]);
  }
}
}  // namespace

int64_t type_bytes(NiftiType type) {
  return std::ranges::find(kTypes, static_cast<int>(type), &TypeRow::code)->bytes;
}

std::array<int64_t, 3> NiftiHeader::size() const {
  std::array<int64_t, 3> out{1, 1, 1};
  for (size_t a = 0; a < 3 && static_cast<int64_t>(a) < dim[0]; ++a) out[a] = dim[a + 1];
  return out;
}

int64_t NiftiHeader::volumes() const {
  int64_t count = 1;
  for (size_t a = 4; a < 8 && static_cast<int64_t>(a) <= dim[0]; ++a) {
    if (dim[a] > kMaxVolumes / count) return kMaxVolumes + 1;
    count *= dim[a];
  }
  return count;
}

NiftiHeader parse_nifti_header(Bytes bytes, const std::string& where) {
  const auto kind = kind_of(bytes);
  if (!kind)
    fail(ErrorCode::kUnsupported, "{}: is no NIfTI file, or is cut off in its header", where);
  const auto [version, swapped] = *kind;
  const Layout& layout = layout_of(version);
  const Fields fields(bytes, swapped);
  NiftiHeader header{.version = version, .big_endian = swapped};
  header.single_file = read_magic(fields, version, where);
  header.type = read_type(fields.at<int16_t>(layout.type), where);
  read_sizes(fields, header);
  header.scl_slope = fields.real(version, layout.slope);
  header.scl_inter = fields.real(version, layout.inter);
  read_forms(fields, header);
  header.descrip = fields.text(layout.descrip, kDescripBytes);
  check_dimensions(header, where);
  return header;
}

std::vector<uint8_t> nifti_header_bytes(const NiftiHeader& header) {
  const Layout& layout = layout_of(header.version);
  constexpr size_t kExtensionFlag = 4;
  std::vector<uint8_t> bytes(layout.bytes + kExtensionFlag);
  put(bytes, 0, static_cast<int32_t>(layout.bytes));
  const std::string_view magic =
      header.version == 1 ? std::string_view("n+1\0", 4) : std::string_view("n+2\0\r\n\x1A\n", 8);
  std::ranges::copy(magic, bytes.begin() + static_cast<std::ptrdiff_t>(layout.magic));
  put(bytes, layout.type, static_cast<int16_t>(header.type));
  put(bytes, layout.bitpix, static_cast<int16_t>(8 * type_bytes(header.type)));
  for (size_t i = 0; i < 8; ++i) {
    if (header.version == 1) {
      put(bytes, layout.dim + 2 * i, static_cast<int16_t>(header.dim[i]));
    } else {
      put(bytes, layout.dim + 8 * i, header.dim[i]);
    }
    put_real(bytes, header.version, layout.pixdim, i, header.pixdim[i]);
  }
  if (header.version == 1) {
    put(bytes, layout.vox_offset, static_cast<float>(bytes.size()));
    put(bytes, layout.units, static_cast<uint8_t>(header.xyzt_units));
  } else {
    put(bytes, layout.vox_offset, static_cast<int64_t>(bytes.size()));
    put(bytes, layout.units, int32_t{header.xyzt_units});
  }
  put_real(bytes, header.version, layout.slope, 0, header.scl_slope);
  put_real(bytes, header.version, layout.inter, 0, header.scl_inter);
  put_forms(bytes, header);
  const std::string text = header.descrip.substr(0, kDescripBytes - 1);
  std::ranges::copy(text, bytes.begin() + static_cast<std::ptrdiff_t>(layout.descrip));
  return bytes;
}

}  // namespace vesalius::media
