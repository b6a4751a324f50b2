// The vector index, read side: open with every check, search exactly. Format: docs/index-format.md.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace vesalius::tasks {

/// Where the vectors of an index come from; two that differ never mix.
struct IndexOrigin {
  std::string model, weights_sha256, recipe, precision, device;
  Json recipe_parameters = Json::object();

  /// From catalog::provenance().
  static IndexOrigin from_provenance(const Json& provenance);
  /// Error kModel saying what differs, and what to do, unless `other` fits. `index` names it.
  void check_fits(const IndexOrigin& other, const std::string& index) const;
};

/// The parsed and checked index.json.
struct IndexHeader {
  struct Segment {
    std::string vectors, entries, vectors_sha256, entries_sha256;
    int64_t count = 0;
  };
  IndexOrigin origin;
  int64_t dimension = 0, count = 0;
  std::vector<Segment> segments;

  /// Error kUnsupported naming `where` when anything is missing, of another type, or out of bounds.
  static IndexHeader parse(std::string_view text, const std::string& where);
  Json to_json() const;
};

inline constexpr const char* kIndexHeaderFile = "index.json";

struct Hit {
  int64_t row = 0;
  float score = 0;  // cosine
};

class Index {
 public:
  /// Maps all segments and checks sizes and sums. Error kUnsupported when there is no index or it
  /// is damaged.
  static Index open(const fs::path& folder);

  const IndexHeader& header() const { return header_; }
  const fs::path& folder() const { return folder_; }
  /// What was stored with a row: {"path", …}.
  Json entry(int64_t row) const;
  /// [dimension]
  at::Tensor vector(int64_t row) const;
  /// The `k` best rows for a query of any length but zero, best first, equal scores in order of
  /// rows; rows that `leave_out` says true to are passed over.
  std::vector<Hit> search(const at::Tensor& query, int64_t k,
                          const std::function<bool(int64_t row)>& leave_out = {}) const;

 private:
  struct Segment {
    std::shared_ptr<const MappedFile> vectors, entries;
    std::vector<size_t> lines;  // where each entry begins, and the end
    int64_t first = 0;          // its first row's number
    at::Tensor matrix;          // [count, dimension], a view on the mapped file
  };
  const Segment& segment_of(int64_t row) const;
  at::Tensor scores(const at::Tensor& query) const;

  fs::path folder_;
  IndexHeader header_;
  std::vector<Segment> segments_;
};

}  // namespace vesalius::tasks
