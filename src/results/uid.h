// Unique identifiers of DICOM objects.
#pragma once

#include <string>
#include <string_view>

namespace vesalius::results {

/// A new UID from a random UUID (PS3.5 B.2).
std::string new_uid();

/// The UID of a name: always the same for the same name (a UUID of version 8, from SHA-256).
std::string uid_of_name(std::string_view name);

}  // namespace vesalius::results
