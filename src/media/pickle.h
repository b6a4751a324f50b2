// The part of Python's pickle format that a dictionary of words and numbers needs.
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
/// order. Nothing in a pickle is run: constants, lists, tuples and dictionaries are read, of calls
/// only those by which NumPy rebuilds arrays and scalars, and these are read as data. Error
/// kUnsupported, naming it, for anything else. Protocols 3 to 5,
/// at most 1 MiB.
PickledDict parse_pickled_dict(Bytes pickle, const std::string& where);

}  // namespace vesalius::media
