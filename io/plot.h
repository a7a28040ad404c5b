// Curves as SVG.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace eigengrad::io {

/// Points (x[i], y[i]) of a curve, or with `points` as dots. Where low and high are given they are the limits of a band
/// around it.
struct Series {
  std::string name;                   ///< for the legend
  std::vector<double> x, y;           ///< the points
  std::vector<double> low{}, high{};  ///< limits of a band; empty for none
  bool points = false;                ///< draw dots instead of a line
};

/// A place on a plot with a line through it: the best epoch, say.
struct PlotMark {
  double x, y;       ///< the point
  std::string text;  ///< beside it
};

/// What a picture shows.
struct Plot {
  std::string title, x_label, y_label;  ///< the words around it
  std::vector<Series> series;           ///< what is drawn
  double width = 720, height = 440;     ///< in pixels
  bool log_y = false;                   ///< a logarithmic axis, on which only what is above 0 is drawn
  bool whole_x = false;                 ///< x counts something: its axis has whole numbers alone
  bool hints = false;                   ///< points of curves tell their values when they are pointed at
  std::optional<PlotMark> mark{};       ///< a place that stands out
};

/// The plot as one SVG file, its axes chosen to hold everything that is finite. Parts have classes, by which the style
/// of a page that it stands in may give them other colours: plot, paper, grid, mark, and for series number n "line sn"
/// (has a stroke) or "area sn" (is filled). Throws ValueError for series whose lists differ in length.
std::string to_svg(const Plot& plot);

}  // namespace eigengrad::io
