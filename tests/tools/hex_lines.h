// How Python hands texts to the small programs: one a line of standard input, its bytes in
// hexadecimal.
#pragma once

#include <iostream>
#include <string>

namespace vesalius {

inline std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// Calls `use` with each text.
template <class Use>
void for_each_text(Use&& use) {
  for (std::string line; std::getline(std::cin, line);) use(from_hex(line));
}

}  // namespace vesalius
