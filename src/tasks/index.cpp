#include "tasks/index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <future>

#include "base/error.h"
#include "base/hash.h"
#include "tasks/embed.h"

namespace vesalius::tasks {
namespace {

[[noreturn]] void damaged(const fs::path& file, const std::string& why) {
  fail(ErrorCode::kUnsupported,
       "{}: the index is damaged ({}). Restore it from a copy or build it again.", file.string(),
       why);
}

std::shared_ptr<const MappedFile> map_checked(const fs::path& file, const std::string& sum) {
  auto mapped = MappedFile::open(file);
  if (sha256(mapped->bytes()) != sum) damaged(file, "its SHA-256 is not the one stored");
  return mapped;
}

/// Where each line begins, and the end.
std::vector<size_t> line_starts(Bytes text) {
  std::vector<size_t> starts{0};
  for (size_t at = 0; at < text.size();) {
    const void* end = std::memchr(text.data() + at, '\n', text.size() - at);
    at = end == nullptr ? text.size()
                        : static_cast<size_t>(static_cast<const uint8_t*>(end) - text.data()) + 1;
    starts.push_back(at);
  }
  return starts;
}

}  // namespace

Index Index::open(const fs::path& folder) {
  const fs::path header_file = folder / kIndexHeaderFile;
  if (!fs::exists(header_file))
    fail(ErrorCode::kUnsupported,
         "{}: is not an index. `vesalius index build INPUT -o {}` makes one.", folder.string(),
         folder.string());
  Index index;
  index.folder_ = folder;
  index.header_ = IndexHeader::parse(read_text(header_file), header_file.string());
  const int64_t dimension = index.header_.dimension;
  int64_t row = 0;
  for (const auto& named : index.header_.segments) {
    Segment segment{.first = row};
    const fs::path vectors = folder / named.vectors, entries = folder / named.entries;
    const auto bytes = static_cast<uint64_t>(named.count * dimension) * sizeof(float);
    std::error_code problem;
    if (fs::file_size(vectors, problem) != bytes || problem)
      damaged(vectors, fmt::format("it should be {} bytes long", bytes));
    segment.vectors = map_checked(vectors, named.vectors_sha256);
    segment.entries = map_checked(entries, named.entries_sha256);
    segment.lines = line_starts(segment.entries->bytes());
    if (static_cast<int64_t>(segment.lines.size()) != named.count + 1)
      damaged(entries, fmt::format("it should have {} lines", named.count));
    // Read-only; at::from_blob has no const form.
    auto* data = const_cast<uint8_t*>(segment.vectors->bytes().data());
    if (named.count > 0) segment.matrix = at::from_blob(data, {named.count, dimension}, at::kFloat);
    row += named.count;
    index.segments_.push_back(std::move(segment));
  }
  return index;
}

const Index::Segment& Index::segment_of(int64_t row) const {
  const auto after = std::upper_bound(segments_.begin(), segments_.end(), row,
                                      [](int64_t r, const Segment& s) { return r < s.first; });
  return *std::prev(after);
}

Json Index::entry(int64_t row) const {
  const Segment& segment = segment_of(row);
  const auto line = static_cast<size_t>(row - segment.first);
  const auto* text = reinterpret_cast<const char*>(segment.entries->bytes().data());
  const size_t begin = segment.lines[line], end = segment.lines[line + 1];
  Json entry = parse_json({text + begin, end - begin}, segment.entries->path().string());
  if (!entry.is_object() || !entry.contains("path") || !entry["path"].is_string())
    damaged(segment.entries->path(), fmt::format("line {} has no path", line + 1));
  return entry;
}

at::Tensor Index::vector(int64_t row) const {
  const Segment& segment = segment_of(row);
  return segment.matrix[row - segment.first].clone();
}

at::Tensor Index::scores(const at::Tensor& query) const {
  std::vector<at::Tensor> parts;
  for (const auto& segment : segments_)
    if (segment.matrix.defined()) parts.push_back(at::mv(segment.matrix, query));
  return parts.empty() ? at::empty({0}) : at::cat(parts);
}

std::vector<Hit> Index::search(const at::Tensor& query, int64_t k,
                               const std::function<bool(int64_t)>& leave_out) const {
  if (query.numel() != header_.dimension)
    fail(ErrorCode::kModel, "{}: holds vectors of {} numbers; the query has {}.", folder_.string(),
         header_.dimension, query.numel());
  const at::Tensor all = scores(unit_rows(query.reshape({-1}).to(at::kFloat)).contiguous());
  const float* score = all.data_ptr<float>();
  // A heap of the best so far, the worst of them in front.
  const auto better = [](const Hit& a, const Hit& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  };
  std::vector<Hit> best;
  for (int64_t row = 0; row < all.numel() && k > 0; ++row) {
    if (std::isnan(score[row])) continue;  // has no place in an order
    const Hit hit{row, score[row]};
    const bool full = static_cast<int64_t>(best.size()) == k;
    if (full && !better(hit, best.front())) continue;
    if (leave_out && leave_out(row)) continue;
    if (full) {
      std::pop_heap(best.begin(), best.end(), better);
      best.pop_back();
    }
    best.push_back(hit);
    std::push_heap(best.begin(), best.end(), better);
  }
  std::sort(best.begin(), best.end(), better);
  return best;
}

}  // namespace vesalius::tasks
