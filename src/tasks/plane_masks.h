// From a model's small masks back to the slices of the input's own grid.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "tasks/plane_layout.h"
#include "tasks/slicing.h"

namespace vesalius::tasks {

/// Logits [planes, prompts, h, w] to probabilities, float32 on the CPU, in the size in which the
/// published code decides between prompts. Logits are resized before the sigmoid: version 1
/// bilinear, version 2 bicubic with anti-aliasing. Version 2's volumes are decided on the model's
/// plane: [planes, prompts, side, side]; all others on the slice: [planes, prompts, rows, columns].
at::Tensor probabilities(const at::Tensor& logits, const PlaneLayout& layout);

/// What was decided, masks or label maps [planes, ..., height, width] of probabilities()' size, on
/// the slices: [planes, ..., rows, columns] in the same type. Version 2's volumes are resized to
/// the nearest pixel as process_output in its src/utils.py does it, and lose their padding; all
/// others are there already. Numbers must be whole up to 2^24, or floats.
at::Tensor on_slices(const at::Tensor& masks, const PlaneLayout& layout);

/// Puts masks or labels of slices `begin` and on, [slices, rows, columns] of type T, where they
/// stand in values of the input's grid: whatever way the volume was turned and sliced is undone.
/// For uint8_t, uint16_t and float.
template <class T>
void put_on_grid(const at::Tensor& masks, int64_t begin, const Slicing& slicing,
                 std::vector<T>& grid);

}  // namespace vesalius::tasks
