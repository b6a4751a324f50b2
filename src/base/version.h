// What every result says about the program that made it.
#pragma once

namespace vesalius {
const char* version();
/// The sentence shown wherever a result is shown.
inline constexpr const char* kResearchUse =
    "Research software: not a medical device, not for diagnosis or treatment.";
}  // namespace vesalius
