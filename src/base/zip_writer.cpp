#include "base/zip_writer.h"

#include <algorithm>

#include "base/deflate.h"

namespace vesalius {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kLocalBytes = 30, kPaddingHead = 4;
constexpr uint64_t kFull32 = 0xFFFFFFFF, kFull16 = 0xFFFF;
constexpr uint16_t kVersion = 45;  // of the format: the first with 64-bit records
constexpr uint16_t kUtf8 = 0x0800, kBehind = 0x0008;  // names; sizes and checksum, of the content
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr uint32_t kNoTime = 0;  // as torch.save writes it: the same bytes at any time
constexpr uint16_t kPadding = 0x4246, kWide = 1;

/// Little-endian, as everything in a zip archive.
template <class T>
std::string le(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string le16(uint64_t value) { return le(static_cast<uint16_t>(value)); }
std::string le32(uint64_t value) { return le(static_cast<uint32_t>(value)); }
std::string le64(uint64_t value) { return le(value); }

}  // namespace

bool ZipWriter::Entry::is_wide() const { return packed >= kFull32 || size >= kFull32; }
uint16_t ZipWriter::Entry::flags() const { return behind ? kUtf8 | kBehind : kUtf8; }

void ZipWriter::put(std::string_view bytes) {
  file_.write(bytes);
  at_ += bytes.size();
}

void ZipWriter::begin(std::string name, uint64_t size) {
  start({.name = std::move(name), .packed = size, .size = size, .method = kStored, .behind = true});
}

void ZipWriter::start(Entry entry) {
  end();
  entry.offset = at_;
  // Where sizes stand behind the content, the empty 64-bit field says that they are that wide
  // there.
  const bool wide = entry.is_wide();
  const uint64_t size = entry.behind ? 0 : entry.size, packed = entry.behind ? 0 : entry.packed;
  std::string extra = wide ? le16(kWide) + le16(16) + le64(size) + le64(packed) : "";
  const uint64_t head = at_ + kLocalBytes + entry.name.size() + extra.size() + kPaddingHead;
  const uint64_t padding = (kAlignment - head % kAlignment) % kAlignment;
  extra += le16(kPadding) + le16(padding) + std::string(padding, 'Z');
  const bool full = wide && !entry.behind;
  put("PK\x03\x04" + le16(kVersion) + le16(entry.flags()) + le16(entry.method) + le32(kNoTime) +
      le32(entry.behind ? 0 : entry.crc) + le32(full ? kFull32 : packed) +
      le32(full ? kFull32 : size) + le16(entry.name.size()) + le16(extra.size()) + entry.name +
      extra);
  entries_.push_back(std::move(entry));
  open_ = true;
}

void ZipWriter::write(Bytes bytes) {
  entries_.back().crc = crc32(bytes, entries_.back().crc);
  put({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void ZipWriter::write(std::string_view text) {
  write(Bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

void ZipWriter::add(std::string name, std::string_view content) {
  begin(std::move(name), content.size());
  write(content);
}

void ZipWriter::add_deflated(std::string name, Bytes head, Bytes body) {
  Deflater deflater(Wrapping::kRaw);
  deflater.write(head);
  deflater.write(body);
  deflater.finish();
  const std::vector<uint8_t> packed = deflater.take();
  start({.name = std::move(name),
         .packed = packed.size(),
         .size = head.size() + body.size(),
         .method = kDeflated,
         .crc = crc32(body, crc32(head))});
  put({reinterpret_cast<const char*>(packed.data()), packed.size()});
}

void ZipWriter::end() {
  if (!open_) return;
  open_ = false;
  const Entry& entry = entries_.back();
  if (!entry.behind) return;
  put("PK\x07\x08" + le32(entry.crc) +
      (entry.is_wide() ? le64(entry.packed) + le64(entry.size)
                       : le32(entry.packed) + le32(entry.size)));
}

void ZipWriter::commit() {
  end();
  const uint64_t begin = at_;
  for (const Entry& entry : entries_) {
    const bool wide = entry.is_wide();
    std::string extra = (wide ? le64(entry.size) + le64(entry.packed) : "") +
                        (entry.offset >= kFull32 ? le64(entry.offset) : "");
    if (!extra.empty()) extra = le16(kWide) + le16(extra.size()) + extra;
    put("PK\x01\x02" + le16(kVersion) + le16(kVersion) + le16(entry.flags()) + le16(entry.method) +
        le32(kNoTime) + le32(entry.crc) + le32(wide ? kFull32 : entry.packed) +
        le32(wide ? kFull32 : entry.size) + le16(entry.name.size()) + le16(extra.size()) + le16(0) +
        le16(0) + le16(0) + le32(0) + le32(std::min(entry.offset, kFull32)) + entry.name + extra);
  }
  const uint64_t size = at_ - begin, end = at_, count = entries_.size();
  put("PK\x06\x06" + le64(44) + le16(kVersion) + le16(kVersion) + le32(0) + le32(0) + le64(count) +
      le64(count) + le64(size) + le64(begin));
  put("PK\x06\x07" + le32(0) + le64(end) + le32(1));
  const auto short_count = le16(std::min(count, kFull16));
  put("PK\x05\x06" + le16(0) + le16(0) + short_count + short_count + le32(std::min(size, kFull32)) +
      le32(std::min(begin, kFull32)) + le16(0));
  file_.commit();
}

}  // namespace vesalius
