// A dictionary of words and numbers out of a Python pickle, as NumPy archives hold them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/files.h"

namespace vesalius::media {

using PickledScalar = std::variant<int64_t, double, std::string>;
using PickledDict = std::vector<std::pair<PickledScalar, PickledScalar>>;

/// The one dictionary of a pickle, bare or as the only element of a NumPy array of objects, in its
/// order. Nothing in a pickle is run: the calls by which NumPy (1 or 2) rebuilds arrays and scalars
/// are read as data. Error kUnsupported, naming it, for any other function, and for values that are
/// neither. At most 1 MiB.
PickledDict parse_pickled_dict(Bytes pickle, const std::string& where);

}  // namespace vesalius::media
