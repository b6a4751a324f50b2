#include "media/nifti.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/deflate.h"
#include "base/error.h"

namespace vesalius::media {

namespace {
constexpr size_t kPieceVoxels = size_t{1} << 18;

/// The bytes of a file in order, unpacked where it is gzip.
class Source {
 public:
  Source(Bytes file, std::string where) : rest_(file), where_(std::move(where)) {
    if (is_gzip(file)) inflater_.emplace(file, Wrapping::kGzip, Origin{where_});
  }
  size_t read_some(uint8_t* out, size_t size) {
    if (inflater_) return inflater_->read(out, size);
    const size_t count = std::min(size, rest_.size());
    std::copy_n(rest_.begin(), count, out);
    rest_ = rest_.subspan(count);
    return count;
  }
  void read(uint8_t* out, size_t size) {
    if (read_some(out, size) != size)
      fail(ErrorCode::kUnsupported, "{}: ends before its last voxel; fetch the file again", where_);
  }
  void skip(uint64_t size) {
    std::vector<uint8_t> piece(std::min<uint64_t>(size, 1 << 16));
    for (; size > 0; size -= std::min<uint64_t>(size, piece.size()))
      read(piece.data(), std::min<uint64_t>(size, piece.size()));
  }
  /// Has gzip's checksum compared when the voxels are the last bytes.
  void touch_end() {
    uint8_t next = 0;
    read_some(&next, 1);
  }

 private:
  Bytes rest_;
  std::string where_;
  std::optional<Inflater> inflater_;
};

struct Scale {
  double slope = 1, inter = 0;
};

Scale scale_of(const NiftiHeader& header, const std::string& where) {
  if (header.scl_slope == 0 || !std::isfinite(header.scl_slope)) return {};
  if (std::isfinite(header.scl_inter)) return {header.scl_slope, header.scl_inter};
  fail(ErrorCode::kUnsupported, "{}: its scl_inter is not a number; mend the header", where);
}

template <class T>
void convert(const uint8_t* from, size_t count, bool swapped, const Scale& scale, float* to) {
  for (size_t i = 0; i < count; ++i) {
    std::array<uint8_t, sizeof(T)> raw{};
    std::memcpy(raw.data(), from + i * sizeof(T), sizeof(T));
    if (swapped) std::ranges::reverse(raw);
    const auto value = static_cast<double>(std::bit_cast<T>(raw));
    to[i] = static_cast<float>(value * scale.slope + scale.inter);
  }
}

using Convert = void (*)(const uint8_t*, size_t, bool, const Scale&, float*);

Convert converter_of(NiftiType type) {
  switch (type) {
    case NiftiType::kUint8:
      return convert<uint8_t>;
    case NiftiType::kInt8:
      return convert<int8_t>;
    case NiftiType::kInt16:
      return convert<int16_t>;
    case NiftiType::kUint16:
      return convert<uint16_t>;
    case NiftiType::kInt32:
      return convert<int32_t>;
    case NiftiType::kUint32:
      return convert<uint32_t>;
    case NiftiType::kInt64:
      return convert<int64_t>;
    case NiftiType::kUint64:
      return convert<uint64_t>;
    case NiftiType::kFloat32:
      return convert<float>;
    case NiftiType::kFloat64:
      return convert<double>;
  }
  return nullptr;
}

NiftiHeader read_header(Bytes file, const std::string& where) {
  std::array<uint8_t, kNifti2HeaderBytes> head{};
  const size_t size = Source(file, where).read_some(head.data(), head.size());
  return parse_nifti_header(Bytes(head).first(size), where);
}

/// Which of the volumes is read.
int64_t index_of_volume(const NiftiHeader& header, const NiftiReadOptions& options,
                        const std::string& where) {
  const int64_t count = header.volumes();
  if (!options.index && count > 1)
    fail(ErrorCode::kUnsupported,
         "{}: holds {} volumes (a time series, or several contrasts); say which one by its number "
         "from 0, or split the file",
         where, count);
  const int64_t index = options.index.value_or(0);
  if (index < 0 || index >= count)
    fail(ErrorCode::kUsage, "{}: volume {} was asked for, and there are {}; the first is 0", where,
         index, count);
  return index;
}

/// Where the wanted voxels begin, having checked that the file can hold them.
uint64_t checked_start(const NiftiHeader& header, int64_t index, Bytes file,
                       const std::string& where) {
  const size_t head = header.version == 1 ? kNifti1HeaderBytes : kNifti2HeaderBytes;
  const auto least = static_cast<int64_t>(header.single_file ? head + 4 : 0);
  const int64_t offset = header.vox_offset == 0 ? least : header.vox_offset;
  if (offset < least)
    fail(ErrorCode::kUnsupported, "{}: says that its voxels begin inside its header", where);
  const Grid shape{.size = header.size()};
  const int64_t bytes = shape.voxels() * type_bytes(header.type);
  const auto start = static_cast<uint64_t>(offset + index * bytes);  // below 2^59
  const uint64_t end = start + static_cast<uint64_t>(bytes);
  const bool possible = is_gzip(file) ? plausible_deflate(end, file.size()) : end <= file.size();
  if (!possible)
    fail(ErrorCode::kUnsupported,
         "{}: its header claims {} x {} x {} voxels of {} bytes from byte {} on, which {} bytes of "
         "file cannot hold; the file is cut off or its header is wrong",
         where, shape.size[0], shape.size[1], shape.size[2], type_bytes(header.type), start,
         file.size());
  return start;
}

std::vector<float> read_voxels(const NiftiHeader& header, int64_t index, Bytes file,
                               const std::string& where) {
  const uint64_t start = checked_start(header, index, file, where);
  const Scale scale = scale_of(header, where);
  const Convert convert_piece = converter_of(header.type);
  const auto width = static_cast<size_t>(type_bytes(header.type));
  Source source(file, where);
  source.skip(start);
  std::vector<float> values(static_cast<size_t>(Grid{.size = header.size()}.voxels()));
  std::vector<uint8_t> piece(std::min(values.size(), kPieceVoxels) * width);
  for (size_t done = 0; done < values.size();) {
    const size_t count = std::min(values.size() - done, kPieceVoxels);
    source.read(piece.data(), count * width);
    convert_piece(piece.data(), count, header.big_endian, scale, values.data() + done);
    done += count;
  }
  source.touch_end();
  return values;
}

NiftiImage assemble(NiftiHeader header, Bytes file, const std::string& where,
                    const NiftiReadOptions& options) {
  const int64_t index = index_of_volume(header, options, where);
  Grid grid = nifti_grid(header, where);
  return {{grid, read_voxels(header, index, file, where)}, std::move(header)};
}

/// The other file of a pair: "a.hdr.gz" to "a.img.gz", or "a.img" where only that is there.
fs::path partner(const fs::path& path, const char* extension) {
  fs::path plain = path;
  if (plain.extension() == ".gz") plain.replace_extension();
  plain.replace_extension(extension);
  fs::path packed = plain;
  packed += ".gz";
  std::error_code ignored;
  const bool prefer_packed = path.extension() == ".gz" || !fs::exists(plain, ignored);
  return prefer_packed && fs::exists(packed, ignored) ? packed : plain;
}

bool ends_in(const fs::path& path, std::string_view ending) {
  return path.filename().string().ends_with(ending);
}

template <class T>
constexpr NiftiType kTypeOf = NiftiType::kUint8;
template <>
constexpr NiftiType kTypeOf<int16_t> = NiftiType::kInt16;
template <>
constexpr NiftiType kTypeOf<uint16_t> = NiftiType::kUint16;
template <>
constexpr NiftiType kTypeOf<float> = NiftiType::kFloat32;

NiftiHeader header_to_write(const fs::path& path, const Grid& grid,
                            const NiftiWriteOptions& options) {
  if (options.like == nullptr) return nifti_header_of(grid);
  if (!(nifti_grid(*options.like, path.string()) == grid))
    fail(ErrorCode::kFailed, "{}: the values are not on the grid of the image that they belong to",
         path.string());
  NiftiHeader header = *options.like;
  header.dim[0] = std::min<int64_t>(header.dim[0], 3);
  std::fill(header.dim.begin() + 1 + header.dim[0], header.dim.end(), 1);
  header.scl_slope = 1;
  header.scl_inter = 0;
  return header;
}

void write_packed(FileWriter& file, Bytes header, Bytes voxels) {
  Deflater deflater(Wrapping::kGzip);
  const auto pass = [&] {
    const std::vector<uint8_t> packed = deflater.take();
    file.write(packed.data(), packed.size());
  };
  deflater.write(header);
  while (!voxels.empty()) {
    const Bytes piece = voxels.first(std::min<size_t>(voxels.size(), 1 << 20));
    deflater.write(piece);
    pass();
    voxels = voxels.subspan(piece.size());
  }
  deflater.finish();
  pass();
}
}  // namespace

NiftiImage parse_nifti(Bytes file, const std::string& where, const NiftiReadOptions& options) {
  NiftiHeader header = read_header(file, where);
  if (!header.single_file)
    fail(ErrorCode::kUnsupported, "{}: is the header of a pair; its voxels are in an .img file",
         where);
  return assemble(std::move(header), file, where, options);
}

NiftiImage read_nifti(const fs::path& path, const NiftiReadOptions& options) {
  const bool is_voxels = ends_in(path, ".img") || ends_in(path, ".img.gz");
  const fs::path head_path = is_voxels ? partner(path, ".hdr") : path;
  auto file = MappedFile::open(head_path);
  NiftiHeader header = read_header(file->bytes(), head_path.string());
  if (header.single_file) return assemble(std::move(header), file->bytes(), path.string(), options);
  const fs::path voxel_path = is_voxels ? path : partner(path, ".img");
  file = MappedFile::open(voxel_path);
  return assemble(std::move(header), file->bytes(), voxel_path.string(), options);
}

template <class T>
void write_nifti(const fs::path& path, const Grid& grid, const std::vector<T>& values,
                 const NiftiWriteOptions& options) {
  const bool packed = ends_in(path, ".nii.gz");
  if (!packed && !ends_in(path, ".nii"))
    fail(ErrorCode::kUsage, "{}: a NIfTI file is named .nii or .nii.gz", path.string());
  if (static_cast<int64_t>(values.size()) != grid.voxels())
    fail(ErrorCode::kFailed, "{}: {} values do not fill {} voxels", path.string(), values.size(),
         grid.voxels());
  NiftiHeader header = header_to_write(path, grid, options);
  header.type = kTypeOf<T>;
  header.descrip = options.description;
  const std::vector<uint8_t> head = nifti_header_bytes(header);
  const Bytes voxels(reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T));
  FileWriter file(path);
  if (packed) {
    write_packed(file, head, voxels);
  } else {
    file.write(head.data(), head.size());
    file.write(voxels.data(), voxels.size());
  }
  file.commit();
}

template void write_nifti(const fs::path&, const Grid&, const std::vector<uint8_t>&,
                          const NiftiWriteOptions&);
template void write_nifti(const fs::path&, const Grid&, const std::vector<int16_t>&,
                          const NiftiWriteOptions&);
template void write_nifti(const fs::path&, const Grid&, const std::vector<uint16_t>&,
                          const NiftiWriteOptions&);
template void write_nifti(const fs::path&, const Grid&, const std::vector<float>&,
                          const NiftiWriteOptions&);

}  // namespace vesalius::media
