#include "base/zip.h"

#include <algorithm>
#include <cstring>

#include "base/deflate.h"

namespace vesalius {
namespace {

constexpr uint32_t kLocalHeader = 0x04034B50, kCentralHeader = 0x02014B50, kEnd = 0x06054B50,
                   kEnd64 = 0x06064B50, kLocator64 = 0x07064B50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                   kLocatorBytes = 20;
constexpr uint64_t kLongestComment = 0xFFFF;
constexpr uint32_t kFull16 = 0xFFFF, kFull32 = 0xFFFFFFFF;  // "see the 64-bit record"
constexpr uint32_t kEncrypted = 1, kSizesFollow = 8;        // flags of an entry

template <class... Args>
[[noreturn]] void refuse(const Origin& origin, fmt::format_string<Args...> reason, Args&&... args) {
  fail(origin.code,
       "{}: is not a whole zip archive: {}. Fetch the file again and compare its hash.",
       origin.where, fmt::format(reason, std::forward<Args>(args)...));
}

/// A number at a place that the caller knows to be within the bytes (zip is little-endian).
template <class T>
T number(Bytes bytes, uint64_t at) {
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool is_record(Bytes bytes, uint64_t at, uint64_t size, uint32_t signature) {
  return at <= bytes.size() && bytes.size() - at >= size &&
         number<uint32_t>(bytes, at) == signature;
}

struct Directory {
  uint64_t count = 0, begin = 0, end = 0;
};

/// A field of the old end record: full, or the same as in the 64-bit one.
void check_same(uint64_t old, uint64_t full, uint64_t wide, const Origin& origin) {
  if (old != full && old != wide) refuse(origin, "its two end records disagree");
}

/// The end record is the last thing in the file but for a comment.
uint64_t find_end(Bytes file, const Origin& origin) {
  for (uint64_t comment = 0; comment <= kLongestComment && kEndBytes + comment <= file.size();
       ++comment) {
    const uint64_t at = file.size() - kEndBytes - comment;
    if (is_record(file, at, kEndBytes, kEnd) && number<uint16_t>(file, at + 20) == comment)
      return at;
  }
  refuse(origin, "the directory at its end is missing, so the file was cut short");
}

Directory find_directory(Bytes file, const Origin& origin) {
  const uint64_t at = find_end(file, origin);
  uint64_t count = number<uint16_t>(file, at + 10), size = number<uint32_t>(file, at + 12),
           begin = number<uint32_t>(file, at + 16), limit = at;
  if (at >= kLocatorBytes && is_record(file, at - kLocatorBytes, kLocatorBytes, kLocator64)) {
    limit = number<uint64_t>(file, at - kLocatorBytes + 8);
    if (!is_record(file.first(at - kLocatorBytes), limit, kEnd64Bytes, kEnd64))
      refuse(origin, "its 64-bit end record is missing");
    check_same(count, kFull16, number<uint64_t>(file, limit + 32), origin);
    check_same(size, kFull32, number<uint64_t>(file, limit + 40), origin);
    check_same(begin, kFull32, number<uint64_t>(file, limit + 48), origin);
    count = number<uint64_t>(file, limit + 32);
    size = number<uint64_t>(file, limit + 40);
    begin = number<uint64_t>(file, limit + 48);
  }
  if (begin > limit || size > limit - begin)
    refuse(origin, "its directory claims {} bytes from byte {} of {}", size, begin, file.size());
  return {count, begin, begin + size};
}

/// Takes the place of each full 32-bit field from the 64-bit extra field, in the standard's order.
void widen(Bytes extra, uint64_t& size, uint64_t& packed, uint64_t& offset, const Origin& origin) {
  while (extra.size() >= 4) {
    const auto kind = number<uint16_t>(extra, 0);
    const uint64_t length = number<uint16_t>(extra, 2);
    if (length > extra.size() - 4) refuse(origin, "an extra field is longer than its place");
    Bytes body = extra.subspan(4, length);
    extra = extra.subspan(4 + length);
    if (kind != 1) continue;
    for (uint64_t* field : {&size, &packed, &offset}) {
      if (*field != kFull32) continue;
      if (body.size() < 8) refuse(origin, "a 64-bit size is missing");
      *field = number<uint64_t>(body, 0);
      body = body.subspan(8);
    }
    return;
  }
}

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_name(const std::string& name, const Origin& origin) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (name.empty() || std::ranges::any_of(name, is_control))
    refuse(origin, "an entry has no proper name");
}

/// Follows an entry to its own header, and from there to its content.
void locate(Bytes before_directory, ZipEntry& entry, uint64_t offset, uint64_t size,
            const Origin& origin) {
  if (!is_record(before_directory, offset, kLocalBytes, kLocalHeader))
    refuse(origin, "the header of '{}' is not at byte {}", entry.name, offset);
  const Bytes header = before_directory.subspan(offset);
  const uint64_t name_size = number<uint16_t>(header, 26),
                 skip = kLocalBytes + name_size + number<uint16_t>(header, 28);
  if (skip > header.size() || size > header.size() - skip)
    refuse(origin, "'{}' claims {} bytes, more than are there", entry.name, size);
  if (text_of(header.subspan(kLocalBytes, name_size)) != entry.name)
    refuse(origin, "the header of '{}' names another entry", entry.name);
  const auto claimed = number<uint32_t>(header, 18);
  const bool sizes_follow = (number<uint16_t>(header, 6) & kSizesFollow) != 0;
  if (!sizes_follow && claimed != kFull32 && claimed != size)
    refuse(origin, "the header of '{}' claims another size", entry.name);
  entry.packed = header.subspan(skip, size);
}

ZipMethod method_of(Bytes record) {
  constexpr uint16_t kStored = 0, kDeflated = 8;
  const auto method = number<uint16_t>(record, 10);
  if ((number<uint16_t>(record, 8) & kEncrypted) != 0) return ZipMethod::kOther;
  if (method == kStored) return ZipMethod::kStored;
  return method == kDeflated ? ZipMethod::kDeflated : ZipMethod::kOther;
}

struct Placed {
  ZipEntry entry;
  const uint8_t* header;
};

/// The entry at the start of `directory`, which loses it.
Placed take_entry(Bytes file, Bytes& directory, uint64_t limit, const Origin& origin) {
  if (!is_record(directory, 0, kCentralBytes, kCentralHeader))
    refuse(origin, "its directory ends before its last entry");
  const uint64_t name = number<uint16_t>(directory, 28), extra = number<uint16_t>(directory, 30),
                 comment = number<uint16_t>(directory, 32);
  if (name + extra + comment > directory.size() - kCentralBytes)
    refuse(origin, "its directory ends within an entry");
  uint64_t packed = number<uint32_t>(directory, 20), size = number<uint32_t>(directory, 24),
           offset = number<uint32_t>(directory, 42);
  widen(directory.subspan(kCentralBytes + name, extra), size, packed, offset, origin);
  ZipEntry entry{.name = text_of(directory.subspan(kCentralBytes, name)),
                 .size = size,
                 .crc = number<uint32_t>(directory, 16),
                 .method = method_of(directory)};
  check_name(entry.name, origin);
  if (entry.method == ZipMethod::kStored && packed != size)
    refuse(origin, "'{}' has two sizes", entry.name);
  locate(file.first(limit), entry, offset, packed, origin);
  directory = directory.subspan(kCentralBytes + name + extra + comment);
  return {std::move(entry), file.data() + offset};
}

void check_apart(std::vector<Placed>& entries, const Origin& origin) {
  std::ranges::sort(entries, {}, &Placed::header);
  for (size_t i = 1; i < entries.size(); ++i) {
    const ZipEntry &one = entries[i - 1].entry, &next = entries[i].entry;
    if (entries[i].header < one.packed.data() + one.packed.size())
      refuse(origin, "'{}' and '{}' share bytes", one.name, next.name);
  }
}

/// Exactly as many bytes as the entry claims.
std::vector<uint8_t> inflated(const ZipEntry& entry, const Origin& origin) {
  std::vector<uint8_t> out(entry.size);
  Inflater inflater(entry.packed, Wrapping::kRaw, origin);
  uint8_t beyond = 0;
  if (inflater.read(out.data(), out.size()) != out.size() || inflater.read(&beyond, 1) != 0)
    refuse(origin, "'{}' has another size than it claims", entry.name);
  return out;
}

}  // namespace

std::vector<ZipEntry> read_zip(Bytes file, const Origin& origin) {
  const Directory place = find_directory(file, origin);
  Bytes directory = file.subspan(place.begin, place.end - place.begin);
  std::vector<Placed> placed;
  while (!directory.empty()) placed.push_back(take_entry(file, directory, place.begin, origin));
  if (placed.size() != place.count)
    refuse(origin, "its directory has {} entries where {} are due", placed.size(), place.count);
  check_apart(placed, origin);
  std::vector<ZipEntry> entries;
  for (Placed& one : placed) entries.push_back(std::move(one.entry));
  std::ranges::sort(entries, {}, &ZipEntry::name);
  const auto twice = std::ranges::adjacent_find(entries, {}, &ZipEntry::name);
  if (twice != entries.end()) refuse(origin, "it has two entries named '{}'", twice->name);
  return entries;
}

void check_crc(const ZipEntry& entry, Bytes content, const Origin& origin) {
  if (crc32(content) != entry.crc)
    refuse(origin, "the checksum of '{}' does not agree with its content", entry.name);
}

std::vector<uint8_t> unpack(const ZipEntry& entry, const Origin& origin, uint64_t max_bytes) {
  if (entry.method == ZipMethod::kOther)
    fail(origin.code,
         "{}: '{}' is encrypted, or compressed in a way other than deflate. Pack the archive again "
         "with neither.",
         origin.where, entry.name);
  const bool deflated = entry.method == ZipMethod::kDeflated;
  if (entry.size > max_bytes || (deflated && !plausible_deflate(entry.size, entry.packed.size())))
    refuse(origin, "'{}' claims {} bytes from {} packed ones", entry.name, entry.size,
           entry.packed.size());
  std::vector<uint8_t> content =
      deflated ? inflated(entry, origin)
               : std::vector<uint8_t>(entry.packed.begin(), entry.packed.end());
  check_crc(entry, content, origin);
  return content;
}

}  // namespace vesalius
