#include "eigengrad/data/digits.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"

namespace eigengrad::data {
namespace {

constexpr int kSide = 28;

struct Point {
  double x, y;
};
// Points in a unit square, y downwards; a smooth stroke is a curve through them, else they are joined by lines.
struct Stroke {
  bool smooth;
  std::vector<Point> points;
};
using Glyph = std::vector<Stroke>;

// The shapes of each digit, as people write them.
const std::vector<std::vector<Glyph>>& shapes() {
  static const std::vector<std::vector<Glyph>> all{
      // 0
      {{{true,
         {{.5, .03}, {.24, .16}, {.15, .5}, {.25, .85}, {.5, .97}, {.76, .85}, {.85, .5}, {.76, .15}, {.5, .03}}}},
       {{true,
         {{.62, .06}, {.36, .08}, {.18, .4}, {.22, .8}, {.45, .97}, {.74, .84}, {.84, .45}, {.68, .12}, {.45, .1}}}}},
      // 1
      {{{false, {{.5, .03}, {.5, .97}}}},
       {{false, {{.32, .24}, {.54, .03}, {.54, .97}}}},
       {{false, {{.32, .24}, {.52, .03}, {.52, .95}}}, {false, {{.28, .96}, {.76, .96}}}}},
      // 2
      {{{true, {{.18, .28}, {.28, .09}, {.52, .03}, {.76, .14}, {.77, .34}, {.58, .58}, {.34, .78}, {.16, .95}}},
        {false, {{.16, .95}, {.84, .95}}}},
       {{true,
         {{.2, .25},
          {.42, .04},
          {.72, .12},
          {.74, .36},
          {.52, .64},
          {.26, .92},
          {.14, .86},
          {.28, .74},
          {.5, .86},
          {.86, .93}}}}},
      // 3
      {{{true, {{.2, .14}, {.45, .03}, {.74, .13}, {.72, .36}, {.44, .47}}},
        {true, {{.44, .47}, {.76, .55}, {.82, .77}, {.52, .97}, {.16, .86}}}},
       {{false, {{.2, .06}, {.78, .06}, {.46, .42}}},
        {true, {{.46, .42}, {.78, .52}, {.82, .78}, {.5, .97}, {.16, .86}}}}},
      // 4
      {{{false, {{.28, .05}, {.18, .56}, {.86, .56}}}, {false, {{.68, .08}, {.66, .97}}}},
       {{false, {{.64, .03}, {.14, .66}, {.9, .66}}}, {false, {{.66, .05}, {.66, .97}}}}},
      // 5
      {{{false, {{.8, .05}, {.3, .05}, {.25, .45}}},
        {true, {{.25, .45}, {.5, .37}, {.78, .5}, {.8, .76}, {.52, .97}, {.18, .86}}}},
       {{true, {{.78, .05}, {.5, .06}, {.28, .12}, {.26, .42}, {.55, .42}, {.8, .62}, {.66, .92}, {.22, .93}}}}},
      // 6
      {{{true,
         {{.72, .04}, {.42, .2}, {.22, .54}, {.24, .84}, {.5, .97}, {.76, .84}, {.74, .62}, {.5, .51}, {.26, .66}}}},
       {{true, {{.46, .03}, {.28, .34}, {.2, .7}, {.4, .96}, {.7, .9}, {.76, .68}, {.54, .56}, {.28, .72}}}}},
      // 7
      {{{false, {{.16, .08}, {.84, .08}, {.42, .97}}}},
       {{false, {{.16, .08}, {.82, .08}, {.4, .97}}}, {false, {{.32, .5}, {.76, .5}}}},
       {{true, {{.16, .16}, {.3, .06}, {.6, .1}, {.84, .06}, {.66, .4}, {.52, .68}, {.46, .97}}}}},
      // 8
      {{{true,
         {{.72, .14},
          {.5, .03},
          {.27, .15},
          {.31, .35},
          {.5, .47},
          {.72, .62},
          {.77, .83},
          {.5, .97},
          {.23, .83},
          {.29, .62},
          {.5, .47},
          {.7, .34},
          {.72, .14}}}},
       {{true, {{.5, .03}, {.28, .14}, {.3, .36}, {.5, .46}, {.7, .36}, {.72, .14}, {.5, .03}}},
        {true, {{.5, .46}, {.24, .62}, {.26, .88}, {.5, .97}, {.76, .88}, {.76, .62}, {.5, .46}}}}},
      // 9
      {{{true, {{.74, .24}, {.52, .04}, {.27, .2}, {.3, .42}, {.52, .5}, {.72, .32}, {.74, .24}}},
        {true, {{.74, .24}, {.71, .6}, {.6, .97}}}},
       {{true, {{.72, .2}, {.46, .04}, {.24, .26}, {.4, .5}, {.7, .4}, {.74, .2}, {.76, .6}, {.6, .92}, {.3, .9}}}}}};
  return all;
}

// What is drawn of a sample: short straight pieces, in pixels.
struct Segment {
  Point from, to;
};

// Points along a curve through the given ones (Catmull and Rom 1974), its ends continued straight.
std::vector<Point> smooth_curve(const std::vector<Point>& p) {
  constexpr int pieces = 5;
  std::vector<Point> curve;
  const auto at = [&](std::ptrdiff_t i) {
    return p[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, std::ssize(p) - 1))];
  };
  for (std::ptrdiff_t i = 0; i + 1 < std::ssize(p); ++i)
    for (int k = 0; k < pieces; ++k) {
      const double t = static_cast<double>(k) / pieces, t2 = t * t, t3 = t2 * t;
      const Point a = at(i - 1), b = at(i), c = at(i + 1), d = at(i + 2);
      const auto blend = [&](double pa, double pb, double pc, double pd) {
        return 0.5 * (2 * pb + (pc - pa) * t + (2 * pa - 5 * pb + 4 * pc - pd) * t2 + (3 * pb - pa - 3 * pc + pd) * t3);
      };
      curve.push_back({blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)});
    }
  curve.push_back(p.back());
  return curve;
}

// How one hand writes: drawn anew for every sample.
struct Hand {
  explicit Hand(Generator& random)
      : slant(between(random, -0.3, 0.5)),
        turn(0.14 * random.normal()),
        width(between(random, 10, 18)),
        height(between(random, 16, 21)),
        shift_x(1.3 * random.normal()),
        shift_y(1.1 * random.normal()),
        jitter(between(random, 0.02, 0.065)),
        thickness(between(random, 1.3, 3.8)),
        softness(between(random, 0.8, 1.5)),
        ink(between(random, 0.85, 1)),
        noise(between(random, 0, 0.06)) {}

  Point place(Point p, Generator& random) const {
    double x = p.x - 0.5 + jitter * random.normal(), y = p.y - 0.5 + jitter * random.normal();
    x = x * width - slant * y * height * 0.7;
    y *= height;
    const double c = 1 - turn * turn / 2, s = turn;
    return {kSide / 2.0 + shift_x + c * x - s * y, kSide / 2.0 + shift_y + s * x + c * y};
  }

  double slant, turn, width, height, shift_x, shift_y, jitter, thickness, softness, ink, noise;

 private:
  static double between(Generator& random, double low, double high) { return low + (high - low) * random.uniform(); }
};

std::vector<Segment> segments_of(const Glyph& glyph, const Hand& hand, Generator& random) {
  std::vector<Segment> segments;
  for (const Stroke& stroke : glyph) {
    std::vector<Point> points;
    for (const Point& p : stroke.points) points.push_back(hand.place(p, random));
    if (stroke.smooth) points = smooth_curve(points);
    for (std::size_t i = 0; i + 1 < points.size(); ++i) segments.push_back({points[i], points[i + 1]});
  }
  return segments;
}

double squared_distance(const Segment& s, double x, double y) {
  const double dx = s.to.x - s.from.x, dy = s.to.y - s.from.y, length = dx * dx + dy * dy;
  const double t = length > 0 ? std::clamp(((x - s.from.x) * dx + (y - s.from.y) * dy) / length, 0.0, 1.0) : 0;
  const double ex = x - s.from.x - t * dx, ey = y - s.from.y - t * dy;
  return ex * ex + ey * ey;
}

// The pen leaves full ink within half its thickness and fades out over its softness.
void draw(const std::vector<Segment>& segments, const Hand& hand, Generator& random, std::uint8_t* pixels) {
  const double reach = (hand.thickness + hand.softness) / 2;
  double nearest[kSide * kSide];
  std::fill_n(nearest, kSide * kSide, 1e9);
  for (const Segment& s : segments) {
    const auto bound = [](double v) { return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(kSide))); };
    const int left = bound(std::min(s.from.x, s.to.x) - reach), right = bound(std::max(s.from.x, s.to.x) + reach + 1);
    const int top = bound(std::min(s.from.y, s.to.y) - reach), bottom = bound(std::max(s.from.y, s.to.y) + reach + 1);
    for (int y = top; y < bottom; ++y)
      for (int x = left; x < right; ++x)
        nearest[y * kSide + x] = std::min(nearest[y * kSide + x], squared_distance(s, x + 0.5, y + 0.5));
  }
  for (int i = 0; i < kSide * kSide; ++i) {
    const double cover = std::clamp((reach - std::sqrt(nearest[i])) / hand.softness, 0.0, 1.0);
    const double speck = hand.noise * random.uniform();
    pixels[i] = static_cast<std::uint8_t>(std::lround(255 * std::min(1.0, hand.ink * cover + speck)));
  }
}

}  // namespace

DatasetPtr digits(const DigitsOptions& options) {
  EG_CHECK(options.count >= 0 && options.count <= 10'000'000, ValueError,
           "[digits] count must be in [0, 10000000], found {}", options.count);
  EG_CHECK(options.first >= 0, ValueError, "[digits] first must not be negative, found {}", options.first);
  const auto count = static_cast<std::size_t>(options.count);
  std::vector<std::uint8_t> pixels(count * kSide * kSide);
  std::vector<std::int64_t> labels(count);
  parallel_for(options.count, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Generator random(options.seed, static_cast<std::uint64_t>(options.first + i));
      const auto label = random.below(10);
      const std::vector<Glyph>& variants = shapes()[label];
      const Glyph& glyph = variants[random.below(variants.size())];
      const Hand hand(random);
      draw(segments_of(glyph, hand, random), hand, random, pixels.data() + i * kSide * kSide);
      labels[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(label);
    }
  });
  return std::make_shared<ImageDataset>(
      Images{std::move(pixels), std::move(labels), {1, kSide, kSide}, numbered_classes(10)}, options.normalization,
      "embedded digits");
}

}  // namespace eigengrad::data
