// Similar cases: queries against an index, and what a query may leave out.
#pragma once

#include <string>
#include <vector>

#include "tasks/embed.h"
#include "tasks/index.h"

namespace vesalius::tasks {

/// A hit with what the index knows of it.
struct Neighbour {
  double score = 0;
  Json entry;  // {"path", …}
};

/// The entry that an index stores for an embedded image: path, file, identity, columns.
Json index_entry(const Embedded& embedded);

/// The `k` nearest of a vector. With `self`, rows of that same image (same file, or same SOP
/// instance UID and frame) are left out.
std::vector<Neighbour> find_neighbours(const Index& index, const at::Tensor& features, int64_t k,
                                       const Embedded* self = nullptr);

/// [{"path", "score", …}…]
Json hits_json(const std::vector<Neighbour>& neighbours);

/// Where an entry's file lies.
std::string entry_file(const Json& entry);

}  // namespace vesalius::tasks
