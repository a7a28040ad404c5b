#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "eigengrad/core/check.h"
#include "eigengrad/io/html.h"
#include "eigengrad/io/plot.h"
#include "eigengrad/train/html_sections.h"
#include "eigengrad/train/wording.h"

namespace eigengrad::train::html {

using io::escape_html;

namespace {

constexpr std::int64_t kMostMatrixClasses = 100;  // shown as a picture
constexpr std::int64_t kCountedClasses = 20;      // up to so many have their counts written in it
constexpr std::int64_t kMostTableClasses = 300;

// Signs that most fonts have, for characters that show nothing.
const std::map<std::string, std::string> kSigns{{" ", "␣"}, {"\n", "↵"}, {"\t", "⇥"}};

std::string class_name(const ReportMatter& matter, std::int64_t label) {
  const auto i = static_cast<std::size_t>(label);
  const std::string name = i < matter.class_names.size() ? matter.class_names[i] : std::to_string(label);
  const auto sign = kSigns.find(name);
  return sign == kSigns.end() ? name : sign->second;
}

// ---- Classes.

std::string matrix_picture(const Answers& answers, const ReportMatter& matter) {
  const std::int64_t n = answers.classes;
  const bool counted = n <= kCountedClasses;
  std::size_t longest = 1;
  for (std::int64_t i = 0; i < n; ++i) longest = std::max(longest, class_name(matter, i).size());
  const double cell =
      counted ? std::max(30.0, 440.0 / static_cast<double>(n)) : std::max(7.0, 600.0 / static_cast<double>(n));
  const double font = std::min(12.0, 0.72 * cell);
  const double left = 26 + font * 0.62 * static_cast<double>(std::min<std::size_t>(longest, 14)),
               top = 22 + (longest > 3 ? left - 26 : font);
  const double size = cell * static_cast<double>(n), width = left + size + 4, height = top + size + 4;
  const auto label = [&](std::int64_t i) {
    std::string name = class_name(matter, i);
    return escape_html(name.size() > 14 ? name.substr(0, name.find_last_not_of("\x80\x81", 12)) + "…" : name);
  };
  std::string svg = fmt::format(
      "<svg class=\"matrix\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"confusion matrix\" "
      "font-size=\"{:.1f}\">\n"
      "<rect class=\"ground\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"4\"/>\n"
      "<text x=\"{:.1f}\" y=\"11\" text-anchor=\"middle\" font-size=\"11\">predicted</text>\n"
      "<text transform=\"translate(10 {:.1f}) rotate(-90)\" text-anchor=\"middle\" font-size=\"11\">actual</text>\n",
      width, height, font, left, top, size, size, left + size / 2, top + size / 2);
  for (std::int64_t i = 0; i < n; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * cell;
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", left - 5,
                       top + middle + font * 0.35, label(i));
    if (longest > 3)
      svg += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\">{}</text>\n",
                         left + middle + font * 0.35, top - 5, label(i));
    else
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", left + middle, top - 5,
                         label(i));
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const double row = answers.counts(i).actual;
    for (std::int64_t j = 0; j < n; ++j) {
      const double count = answers.confusion[static_cast<std::size_t>(i * n + j)];
      if (count == 0) continue;
      const double share = count / row, x = left + static_cast<double>(j) * cell,
                   y = top + static_cast<double>(i) * cell;
      // Mistakes are few: their root shows them.
      const double strength = i == j ? 0.12 + 0.88 * share : std::min(1.0, 0.15 + 0.85 * std::sqrt(share));
      svg += fmt::format(
          "<g><title>{} taken for {}: {} of {} ({})</title><rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" "
          "width=\"{:.1f}\" "
          "height=\"{:.1f}\" rx=\"{}\" fill-opacity=\"{:.3f}\"/>",
          escape_html(class_name(matter, i)), escape_html(class_name(matter, j)), grouped(count), grouped(row),
          percent(share), i == j ? "hit" : "miss", x + 0.5, y + 0.5, cell - 1, cell - 1, counted ? 3 : 1, strength);
      if (counted)
        svg += fmt::format(
            "<text class=\"count{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" "
            "font-size=\"{:.1f}\">{:.0f}</text>",
            strength > 0.55 ? " on" : "", x + cell / 2, y + cell / 2 + 4,
            std::min(12.0, 1.5 * cell / std::max(3.0, std::floor(std::log10(count)) + 1)), count);
      svg += "</g>\n";
    }
  }
  return svg + "</svg>\n";
}

std::string class_table(const Answers& answers, const ReportMatter& matter) {
  const std::int64_t n = answers.classes;
  std::int64_t weakest = 0;
  for (std::int64_t i = 0; i < n; ++i)
    if (answers.counts(i).actual > 0 && f1_of(answers.counts(i)) < f1_of(answers.counts(weakest))) weakest = i;
  std::string table =
      "<tr><th>class</th><th class=\"n\">labels</th><th class=\"n\">precision</th><th class=\"n\">recall</th>"
      "<th class=\"n\">F1</th><th>most often taken for</th></tr>\n";
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  if (n > kCountedClasses)  // the frequent ones first
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return answers.counts(a).actual > answers.counts(b).actual;
    });
  for (const std::int64_t i : order) {
    const ClassCounts counts = answers.counts(i);
    if (counts.actual + counts.predicted == 0) continue;
    std::int64_t worst = -1;
    double most = 0;
    for (std::int64_t j = 0; j < n; ++j)
      if (const double count = answers.confusion[static_cast<std::size_t>(i * n + j)]; j != i && count > most)
        worst = j, most = count;
    table += fmt::format(
        "<tr><td><b>{}</b></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td>{}</td></tr>\n",
        escape_html(class_name(matter, i)), grouped(counts.actual), percent(precision_of(counts)),
        percent(recall_of(counts)),
        i == weakest ? "<b class=\"weak\">" + percent(f1_of(counts)) + "</b>" : percent(f1_of(counts)),
        worst < 0 ? ""
                  : fmt::format("{} <span class=\"soft\">({})</span>", escape_html(class_name(matter, worst)),
                                grouped(most)));
  }
  return "<div class=\"scroll\"><table>" + table + "</table></div>";
}

// The pairs that are confused most, where there are too many classes for a picture.
std::string confused_pairs(const Answers& answers, const ReportMatter& matter) {
  struct Pair {
    std::int64_t actual, predicted;
    double count;
  };
  std::vector<Pair> pairs;
  for (std::int64_t i = 0; i < answers.classes; ++i)
    for (std::int64_t j = 0; j < answers.classes; ++j)
      if (const double count = answers.confusion[static_cast<std::size_t>(i * answers.classes + j)];
          i != j && count > 0)
        pairs.push_back({i, j, count});
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.count > b.count; });
  if (pairs.size() > 25) pairs.resize(25);
  std::string table = "<tr><th>actual</th><th>taken for</th><th class=\"n\">times</th></tr>\n";
  for (const Pair& pair : pairs)
    table += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>\n",
                         escape_html(class_name(matter, pair.actual)), escape_html(class_name(matter, pair.predicted)),
                         grouped(pair.count));
  return "<div class=\"scroll\"><table>" + table + "</table></div>";
}

}  // namespace

std::string classes(const ReportMatter& matter) {
  if (!matter.answers || matter.answers->classes == 0) return "";
  const Answers& answers = *matter.answers;
  std::string cards = answers.classes <= kMostMatrixClasses
                          ? card("<h3>Confusion matrix</h3>" + matrix_picture(answers, matter))
                          : card("<h3>What is confused most</h3>" + confused_pairs(answers, matter));
  if (answers.classes <= kMostTableClasses)
    cards += "<div class=\"card tall\"><h3>Every class</h3>" + class_table(answers, matter) + "</div>\n";
  return fmt::format("<p class=\"soft\">On {} test samples.</p><div class=\"grid pair\">{}</div>\n",
                     grouped(static_cast<double>(answers.samples)), cards);
}

std::string mistakes(const ReportMatter& matter) {
  if (!matter.answers || matter.mistake_images.empty()) return "";
  std::string sheet;
  for (std::size_t i = 0; i < matter.mistake_images.size(); ++i) {
    const Mistake& mistake = matter.answers->mistakes[i];
    const std::string predicted = escape_html(class_name(matter, mistake.predicted)),
                      actual = escape_html(class_name(matter, mistake.label));
    sheet += fmt::format(
        "<figure><img src=\"{}\" alt=\"test sample {}: {} taken for {}\" loading=\"lazy\"><figcaption>"
        "<b class=\"wrong\">{}</b> {}<br><span class=\"soft\">is</span> <b class=\"right\">{}</b> {}<br>"
        "<span class=\"soft\">no. {}</span></figcaption></figure>\n",
        matter.mistake_images[i], mistake.sample, actual, predicted, predicted, percent(mistake.probability), actual,
        percent(mistake.label_probability), mistake.sample);
  }
  return "<p class=\"soft\">Test samples that were predicted wrongly, the most confident first: what was predicted, "
         "what "
         "it is, and the probabilities of both.</p><div class=\"sheet\">" +
         sheet + "</div>\n";
}

std::string sequences(const ReportMatter& matter) {
  if (!matter.answers || matter.answers->sequences.empty()) return "";
  std::string cards;
  for (const SequenceExample& example : matter.answers->sequences) {
    std::string text;
    for (std::size_t i = 0; i < example.labels.size(); ++i) {
      const bool right = example.labels[i] == example.predicted[i];
      const std::string name = class_name(matter, example.labels[i]);
      text += fmt::format("<span{} style=\"--p:{:.0f}%\" title=\"probability {}{}\">{}</span>{}",
                          right ? "" : " class=\"x\"", right ? 8 + 42 * example.probabilities[i] : 30,
                          percent(example.probabilities[i]),
                          right ? "" : ", predicted: " + escape_html(class_name(matter, example.predicted[i])),
                          name == "␣" ? " " : escape_html(name), name == "↵" ? "\n" : "");
    }
    cards += card("<p class=\"text\">" + text + "</p>");
  }
  return "<p class=\"soft\">Test sequences, every label predicted from what came before it: the bluer the surer; "
         "orange "
         "where something else was predicted. Point at one to see what.</p><div class=\"grid pair\">" +
         cards + "</div>\n";
}

namespace {

// ---- Numbers.

}  // namespace

std::string scatter(const ReportMatter& matter) {
  if (!matter.answers || matter.answers->targets.empty()) return "";
  const Answers& answers = *matter.answers;
  std::string cards;
  for (std::size_t i = 0; i < answers.targets.size(); ++i) {
    const auto& wanted = answers.targets[i];
    const auto& given = answers.outputs[i];
    if (wanted.empty()) continue;
    const auto [low, high] = std::minmax_element(wanted.begin(), wanted.end());
    const std::string of = answers.targets.size() > 1 ? fmt::format(" {}", i + 1) : "";
    io::Plot agreement{
        .title = "",
        .x_label = "target",
        .y_label = "output",
        .series = {{.name = "target = output", .x = {*low, *high}, .y = {*low, *high}},
                   {.name = fmt::format("{} samples", wanted.size()), .x = wanted, .y = given, .points = true}},
        .width = 560,
        .height = 360};
    cards += card("<h3>Outputs against targets" + of + "</h3>" + io::to_svg(agreement));
    std::vector<double> errors(wanted.size());
    for (std::size_t j = 0; j < errors.size(); ++j) errors[j] = given[j] - wanted[j];
    io::Plot missed{.title = "",
                    .x_label = "target",
                    .y_label = "output − target",
                    .series = {{.name = "no error", .x = {*low, *high}, .y = {0, 0}},
                               {.name = "errors", .x = wanted, .y = std::move(errors), .points = true}},
                    .width = 560,
                    .height = 360};
    cards += card("<h3>Errors" + of + "</h3>" + io::to_svg(missed));
  }
  return "<div class=\"grid\">" + cards + "</div>\n";
}

}  // namespace eigengrad::train::html
