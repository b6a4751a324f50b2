// Word stems by Porter's rules (Program 14(3), 1980, "An algorithm for suffix stripping").
#pragma once

#include <string>
#include <string_view>

namespace vesalius::tasks {

/// The stem of a word of the letters a to z (digits count as consonants), equal to that of NLTK's
/// PorterStemmer in its default mode: a few irregular forms by a table, words of one or two letters
/// as they are, and NLTK's changes to steps 1a, 1b, 1c and 2.
std::string porter_stem(std::string_view word);

}  // namespace vesalius::tasks
