// Curves as SVG.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace eigengrad::io {

/// Points (x[i], y[i]) of a curve, or with `points` as dots. Where low and high are given they are the limits of a band
/// around it.
struct Series {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low{}, high{};
  bool points = false;
};

/// A place on a plot with a line through it: the best epoch, say.
struct PlotMark {
  double x, y;
  std::string text;
};

struct Plot {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  double width = 720, height = 440;
  bool log_y = false;    ///< a logarithmic axis, on which only what is above 0 is drawn
  bool whole_x = false;  ///< x counts something: its axis has whole numbers alone
  bool hints = false;    ///< points of curves tell their values when they are pointed at
  std::optional<PlotMark> mark{};
};

/// The plot as one SVG file, its axes chosen to hold everything that is finite. Parts have classes, by which the style
/// of a page that it stands in may give them other colours: plot, paper, grid, mark, and for series number n "line sn"
/// (has a stroke) or "area sn" (is filled). Throws ValueError for series whose lists differ in length.
std::string to_svg(const Plot& plot);

}  // namespace eigengrad::io
