#include "tasks/box_metrics.h"

#include <gtest/gtest.h>

namespace vesalius::tasks {
namespace {

using Boxes = std::vector<text::Box>;

void expect(const Boxes& predicted, const Boxes& truth, std::optional<double> iou,
            std::optional<double> precision, std::optional<double> recall) {
  const BoxFigures figures = compare_boxes(predicted, truth);
  EXPECT_EQ(figures.iou, iou);
  EXPECT_EQ(figures.precision, precision);
  EXPECT_EQ(figures.recall, recall);
}

TEST(BoxMetrics, NothingWhereThereIsNothingToDivideBy) {
  const Boxes all{{0, 0, 1, 1}};
  expect({}, {}, {}, {}, {});
  expect({}, all, 0, {}, 0);
  expect(all, {}, 0, 0, {});
  expect({{0.5, 0.1, 0.5, 0.9}}, all, 0, {}, 0);  // a box without an area is none
}

TEST(BoxMetrics, HalvesAndQuarters) {
  const Boxes left{{0, 0, 0.5, 1}}, top{{0, 0, 1, 0.5}};
  expect(left, left, 1, 1, 1);
  expect(left, top, 1.0 / 3, 0.5, 0.5);
  expect({{0, 0, 0.25, 1}}, left, 0.5, 1, 0.5);
}

TEST(BoxMetrics, OverlapsCountOnce) {
  expect({{0, 0, 0.5, 1}, {0.25, 0, 0.5, 1}, {0, 0, 0.5, 0.5}}, {{0, 0, 1, 1}}, 0.5, 1, 0.5);
}

TEST(BoxMetrics, CornersComeInEitherOrder) { expect({{0.5, 1, 0, 0}}, {{0, 0, 0.5, 1}}, 1, 1, 1); }

TEST(BoxMetrics, CoordinatesAreCutOffToCells) {
  // 0.0089 and 0.0133 are cells 1.99 and 2.98: one cell, the second.
  expect({{0.0089, 0, 0.0133, 1}}, {{1.0 / 224, 0, 2.0 / 224, 1}}, 1, 1, 1);
}

}  // namespace
}  // namespace vesalius::tasks
