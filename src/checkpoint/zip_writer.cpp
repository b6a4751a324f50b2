#include "checkpoint/zip_writer.h"

#include <algorithm>

#include "checkpoint/crc32.h"

namespace vesalius {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kLocalBytes = 30, kPaddingHead = 4;
constexpr uint64_t kFull32 = 0xFFFFFFFF, kFull16 = 0xFFFF;
constexpr uint16_t kVersion = 45;    // of the format: the first with 64-bit records
constexpr uint16_t kFlags = 0x0808;  // checksum behind the content; names in UTF-8
constexpr uint16_t kPadding = 0x4246, kWide = 1;

/// Little-endian, as everything in a zip archive.
template <class T>
std::string le(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string le16(uint64_t value) { return le(static_cast<uint16_t>(value)); }
std::string le32(uint64_t value) { return le(static_cast<uint32_t>(value)); }
std::string le64(uint64_t value) { return le(value); }

bool is_wide(uint64_t value) { return value >= kFull32; }

}  // namespace

void ZipWriter::put(std::string_view bytes) {
  file_.write(bytes);
  at_ += bytes.size();
}

void ZipWriter::begin(std::string name, uint64_t size) {
  end();
  // Sizes stand behind the content; the empty 64-bit field says that they are 64 bits wide there.
  std::string extra = is_wide(size) ? le16(kWide) + le16(16) + le64(0) + le64(0) : "";
  const uint64_t head = at_ + kLocalBytes + name.size() + extra.size() + kPaddingHead;
  const uint64_t padding = (kAlignment - head % kAlignment) % kAlignment;
  extra += le16(kPadding) + le16(padding) + std::string(padding, 'Z');
  entries_.push_back({.name = std::move(name), .size = size, .offset = at_});
  const std::string& stored = entries_.back().name;
  put("PK\x03\x04" + le16(kVersion) + le16(kFlags) + le16(0) + le32(0) + le32(0) + le32(0) +
      le32(0) + le16(stored.size()) + le16(extra.size()) + stored + extra);
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

void ZipWriter::end() {
  if (!open_) return;
  const Entry& entry = entries_.back();
  const auto size = is_wide(entry.size) ? le64(entry.size) : le32(entry.size);
  put("PK\x07\x08" + le32(entry.crc) + size + size);
  open_ = false;
}

void ZipWriter::commit() {
  end();
  const uint64_t begin = at_;
  for (const Entry& entry : entries_) {
    const bool wide_size = is_wide(entry.size), wide_offset = is_wide(entry.offset);
    std::string extra = (wide_size ? le64(entry.size) + le64(entry.size) : "") +
                        (wide_offset ? le64(entry.offset) : "");
    if (!extra.empty()) extra = le16(kWide) + le16(extra.size()) + extra;
    const auto size = le32(std::min(entry.size, kFull32));
    put("PK\x01\x02" + le16(kVersion) + le16(kVersion) + le16(kFlags) + le16(0) + le32(0) +
        le32(entry.crc) + size + size + le16(entry.name.size()) + le16(extra.size()) + le16(0) +
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
