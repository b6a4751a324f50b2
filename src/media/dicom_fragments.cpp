#include "media/dicom_fragments.h"

#include <algorithm>

#include "base/error.h"

namespace vesalius::media {

namespace {
using Frames = std::vector<std::vector<Bytes>>;

/// Empty when an offset points to no fragment's start.
Frames split_by_offsets(const std::vector<Bytes>& fragments, const std::vector<uint64_t>& offsets) {
  constexpr uint64_t kItemHeader = 8;
  Frames frames;
  uint64_t at = 0;
  size_t next = 0;
  for (const Bytes fragment : fragments) {
    if (next < offsets.size() && offsets[next] == at) {
      frames.emplace_back();
      ++next;
    }
    if (frames.empty()) return {};
    frames.back().push_back(fragment);
    at += kItemHeader + fragment.size();
  }
  return next == offsets.size() ? frames : Frames{};
}

bool ends_code_stream(Bytes fragment) {
  const Bytes tail = fragment.last(std::min<size_t>(fragment.size(), 10));
  constexpr uint8_t kEndMarker[] = {0xFF, 0xD9};
  return std::search(tail.begin(), tail.end(), std::begin(kEndMarker), std::end(kEndMarker)) !=
         tail.end();
}

Frames split_by_markers(const std::vector<Bytes>& fragments) {
  Frames frames;
  bool open = false;
  for (const Bytes fragment : fragments) {
    if (!open) frames.emplace_back();
    frames.back().push_back(fragment);
    open = !ends_code_stream(fragment);
  }
  return frames;
}

Frames split(const std::vector<Bytes>& fragments, const std::vector<uint64_t>& offsets,
             size_t frames) {
  if (offsets.size() >= frames) {
    Frames found = split_by_offsets(fragments, offsets);
    if (!found.empty()) return found;
  }
  if (frames == 1) return {fragments};
  if (fragments.size() != frames) return split_by_markers(fragments);
  Frames found;
  for (const Bytes fragment : fragments) found.push_back({fragment});
  return found;
}
}  // namespace

Frames split_frames(const std::vector<Bytes>& fragments, const std::vector<uint64_t>& offsets,
                    int frames, const std::string& where) {
  Frames found;
  if (!fragments.empty()) found = split(fragments, offsets, static_cast<size_t>(frames));
  if (found.size() < static_cast<size_t>(frames)) {
    fail(ErrorCode::kUnsupported,
         "{}: {} frames are claimed and {} are there; the file is truncated or its header is wrong",
         where, frames, found.size());
  }
  found.resize(static_cast<size_t>(frames));
  return found;
}

std::vector<uint8_t> join(const std::vector<Bytes>& fragments) {
  std::vector<uint8_t> out;
  for (const Bytes fragment : fragments) out.insert(out.end(), fragment.begin(), fragment.end());
  return out;
}

}  // namespace vesalius::media
