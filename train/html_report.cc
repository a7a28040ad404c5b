#include "eigengrad/train/html_report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <map>
#include <numeric>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/html.h"
#include "eigengrad/io/plot.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/train/html_style.h"
#include "eigengrad/train/machine.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/run_files.h"
#include "eigengrad/train/wording.h"

namespace eigengrad::train {
namespace {

namespace fs = std::filesystem;
using config::Value;
using io::escape_html;

constexpr std::size_t kMostEpochs = 1000;         // in the table
constexpr std::size_t kHintedPoints = 150;        // up to so many tell their values
constexpr std::int64_t kMostMatrixClasses = 100;  // shown as a picture
constexpr std::int64_t kCountedClasses = 20;      // up to so many have their counts written in it
constexpr std::int64_t kMostTableClasses = 300;
constexpr int kReloadSeconds = 5;
constexpr double kLargestShare = 0.02;  // of the time of a run that its report may take

std::string in(const std::string& folder, const char* file) { return (fs::path(folder) / file).string(); }

std::string time_now() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

// ---- The parts of the page.

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : fmt::format("<section><h2>{}</h2>\n{}</section>\n", title, body);
}

std::string card(const std::string& body) { return "<div class=\"card\">" + body + "</div>\n"; }

std::string head(const RunFiles& files, const ReportMatter& matter) {
  const std::string stopped = text_at(files.result, "stopped_by");
  std::string pill;
  if (!files.ended())
    pill = fmt::format("<span class=\"pill now\">running, {} epoch{} done</span>", files.epochs.size(),
                       files.epochs.size() == 1 ? "" : "s");
  else
    pill = fmt::format("<span class=\"pill{}\">{}{}</span>", stopped == "non_finite" ? " bad" : "",
                       stopped == "non_finite" ? "failed: " : "stopped by ", escape_html(title_of(stopped)));
  std::string text =
      fmt::format("<header><p class=\"kicker\">Eigengrad training run</p><div class=\"title\"><h1>{}</h1>{}</div>\n",
                  escape_html(files.name), pill);
  if (const std::string reason = text_at(files.result, "reason"); !reason.empty())
    text += fmt::format("<p>It stopped because {}.</p>\n", escape_html(reason));
  const std::string data = matter.data.empty() ? text_at(files.result, "data") : matter.data;
  std::string about;
  if (!data.empty()) about += (files.ended() ? "Trained on " : "Training on ") + escape_html(data);
  if (!matter.test_data.empty())
    about += (about.empty() ? "Tested on " : ", tested on ") + escape_html(matter.test_data);
  if (!about.empty()) text += "<p class=\"soft\">" + about + ".</p>\n";
  for (const std::string& note : matter.notes) text += "<p class=\"note\">" + escape_html(note) + "</p>\n";
  return text + "</header>\n";
}

std::string tile(const std::string& value, const std::string& what, bool main = false) {
  return fmt::format("<div class=\"card tile{}\"><b>{}</b><span>{}</span></div>\n", main ? " main" : "", value,
                     escape_html(what));
}

// The figures of the test set, the most telling first.
std::vector<std::pair<std::string, double>> test_figures(const RunFiles& files) {
  std::vector<std::pair<std::string, double>> figures;
  if (files.result.is_null()) return figures;
  for (const auto& [key, value] : *files.result.as_object())
    if (const auto number = number_at(files.result, key); number && key.starts_with("test_") && key != "test_samples")
      figures.emplace_back(key, *number);
  const auto rank = [](const std::string& key) { return key == "test_accuracy" ? 0 : key == "test_loss" ? 2 : 1; };
  std::stable_sort(figures.begin(), figures.end(),
                   [&](const auto& a, const auto& b) { return rank(a.first) < rank(b.first); });
  return figures;
}

std::string headline(const RunFiles& files, const ReportMatter& matter) {
  std::string tiles;
  for (const auto& [key, value] : test_figures(files))
    tiles += tile(shown(key, value), capital(title_of(key)), tiles.empty());
  for (const char* metric : {"valid_loss", "valid_accuracy"})
    if (const auto best = files.best(metric))
      tiles += tile(shown(metric, best->value),
                    fmt::format("Best {}, epoch\u00a0{:.0f}", title_of(metric), best->epoch), tiles.empty());
  const Value none = Value::object();
  const Value& last = files.epochs.empty() ? none : files.epochs.back();
  const auto of = [&](const char* in_result, const char* in_epoch) {
    const auto value = files.ended() ? number_at(files.result, in_result) : std::nullopt;
    return value ? value : number_at(last, in_epoch);
  };
  if (const auto epochs = of("epochs", "epoch"))
    tiles += tile(grouped(*epochs), fmt::format("Epochs, {} steps", grouped(of("steps", "step").value_or(0))));
  if (const auto seconds = of("seconds", "seconds")) tiles += tile(duration(*seconds), "Training and validation");
  const auto epochs = number_at(last, "epoch"), seconds = number_at(last, "seconds");
  if (epochs && seconds && *seconds > 0 && matter.train_samples > 0)
    tiles += tile(abbreviated(*epochs * static_cast<double>(matter.train_samples) / *seconds), "Samples a second");
  if (matter.summary) {
    const auto parameters = static_cast<double>(matter.summary->parameters());
    tiles += tile(abbreviated(parameters), parameters < 1000 ? "Parameters" : grouped(parameters) + " parameters");
  }
  // In one row, or in two that are equally long.
  std::size_t count = 0;
  for (std::size_t at = 0; (at = tiles.find("<b>", at)) != std::string::npos; ++at) ++count;
  return tiles.empty() ? ""
                       : fmt::format("<div class=\"tiles\" style=\"--n:{}\">\n{}</div>\n",
                                     count > 6 ? (count + 1) / 2 : count, tiles);
}

// Whether a curve falls through so many powers of ten that a linear axis would hide its end.
bool needs_logarithm(const std::vector<io::Series>& all) {
  double low = INFINITY, high = 0;
  for (const io::Series& series : all)
    for (const double y : series.y) {
      if (!std::isfinite(y)) continue;
      if (y <= 0) return false;
      low = std::min(low, y);
      high = std::max(high, y);
    }
  return high > 30 * low;
}

std::string curve(const RunFiles& files, const std::string& metric) {
  io::Plot plot{
      .title = "", .x_label = "epoch", .y_label = "", .series = {}, .width = 560, .height = 300, .whole_x = true};
  const bool plain = metric == "lr" || metric == "grad_norm", valid = files.has("valid_" + metric);
  if (files.has(metric)) plot.series.push_back(files.series(metric, plain ? title_of(metric) : "training"));
  if (valid) plot.series.push_back(files.series("valid_" + metric, "validation"));
  if (plot.series.empty()) return "";
  const bool single = plot.series.size() == 1;
  plot.log_y = !is_share(metric) && metric != "r2" && metric != "lr" && needs_logarithm(plot.series);
  plot.hints = plot.series[0].x.size() <= kHintedPoints;
  const std::string watched = valid ? "valid_" + metric : metric;
  if (!plain && files.epochs.size() > 1)
    if (const auto best = files.best(watched))
      plot.mark = {best->epoch, best->value,
                   fmt::format("best: {}, epoch {:.0f}", shown(metric, best->value), best->epoch)};
  return fmt::format("<div class=\"card{}\"><h3>{}{}</h3>{}</div>\n", single ? " single" : "",
                     escape_html(capital(title_of(metric))),
                     plot.log_y ? " <span class=\"soft\">(logarithmic)</span>" : "", io::to_svg(plot));
}

// The figures of every epoch.
std::string epoch_table(const RunFiles& files) {
  std::vector<std::string> columns;
  for (const std::string& metric : files.metrics())
    for (const std::string& name : {metric, "valid_" + metric})
      if (files.has(name)) columns.push_back(name);
  std::string table = "<tr><th class=\"n\">epoch</th><th class=\"n\">step</th><th class=\"n\">time</th>";
  for (const std::string& name : columns) table += "<th class=\"n\">" + escape_html(title_of(name)) + "</th>";
  table += "</tr>\n";
  const std::size_t first = files.epochs.size() > kMostEpochs ? files.epochs.size() - kMostEpochs : 0;
  for (std::size_t i = first; i < files.epochs.size(); ++i) {
    const Value& epoch = files.epochs[i];
    table += fmt::format("<tr><td class=\"n\">{:.0f}</td><td class=\"n\">{:.0f}</td><td class=\"n\">{}</td>",
                         *number_at(epoch, "epoch"), number_at(epoch, "step").value_or(0),
                         duration(number_at(epoch, "seconds").value_or(0)));
    for (const std::string& name : columns) {
      const auto value = number_at(epoch, name);
      table += "<td class=\"n\">" + (value ? shown(name, *value) : std::string("–")) + "</td>";
    }
    table += "</tr>\n";
  }
  return "<details class=\"card below\"><summary>The figures of every epoch</summary><div class=\"scroll\"><table>" +
         table + "</table></div></details>\n";
}

std::string curves(const RunFiles& files) {
  if (files.epochs.empty()) return "";
  std::string cards;
  for (const std::string& metric : files.metrics()) cards += curve(files, metric);
  return "<div class=\"grid\">" + cards + "</div>\n" + epoch_table(files);
}

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

// ---- Numbers.

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

// ---- The model.

std::string step_bar(const ModuleTime& time, double all) {
  if (all <= 0) return "";
  return fmt::format(
      "{:.1f} %<span class=\"bar two wide\"><i style=\"width:{:.1f}%\"></i><i style=\"width:{:.1f}%\"></i></span>",
      100 * (time.forward + time.backward) / all, 100 * time.forward / all, 100 * time.backward / all);
}

std::string model_table(const ReportMatter& matter) {
  if (!matter.summary) return "";
  const nn::Summary& summary = *matter.summary;
  const bool timed = matter.profile && matter.profile->modules.size() == summary.rows.size();
  std::string table = "<tr><th>layer</th><th>output</th><th class=\"n\">parameters</th><th class=\"n\">FLOPs</th>";
  if (timed) table += "<th class=\"n\">share of a step</th>";
  table += "</tr>\n";
  for (std::size_t i = 0; i < summary.rows.size(); ++i) {
    const nn::SummaryRow& row = summary.rows[i];
    const std::string last = row.name.substr(row.name.rfind('.') + 1);
    table += fmt::format(
        "<tr><td style=\"padding-left:{}px\">{}<span class=\"type\">{}</span></td><td class=\"soft\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td>",
        18 * row.depth, row.name.empty() ? "" : "<b>" + escape_html(last) + "</b> ", escape_html(row.type),
        row.ran ? to_string(row.output) : "not run",
        row.parameters == 0 ? "–" : grouped(static_cast<double>(row.parameters)),
        row.flops == 0 ? "–" : abbreviated(row.flops));
    if (timed) table += "<td class=\"n\">" + step_bar(matter.profile->modules[i], matter.profile->seconds) + "</td>";
    table += "</tr>\n";
  }
  std::string text = fmt::format("<p class=\"soft\">{} parameters, {} of them trainable; {}FLOP for a sample forward.",
                                 grouped(static_cast<double>(summary.parameters())),
                                 grouped(static_cast<double>(summary.trainable())), abbreviated(summary.flops()));
  if (timed)
    text += fmt::format(
        " A step of {} samples takes {} forward and back, without the update: <span class=\"key\"></span>forward <span "
        "class=\"key b\"></span>backward. What no layer takes is the loss.",
        matter.profile->batch, duration(matter.profile->seconds));
  return text + "</p>" + card("<div class=\"scroll\"><table>" + table + "</table></div>");
}

// ---- How it was computed.

// JSON with colours: short arrays on one line.
std::string colored(const Value& value, int depth) {
  const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
  const auto is_flat = [](const Value& v) { return !v.as_array() && !v.as_object(); };
  std::string text;
  if (const Value::Object* const object = value.as_object()) {
    if (object->empty()) return "{}";
    for (const auto& [key, member] : *object)
      text += fmt::format("{}{}  <span class=\"k\">{}</span>: {}", text.empty() ? "{\n" : ",\n", indent,
                          escape_html(config::to_json(key, -1)), colored(member, depth + 1));
    return text + "\n" + indent + "}";
  }
  if (const Value::Array* const array = value.as_array()) {
    if (array->empty()) return "[]";
    const bool flat = std::all_of(array->begin(), array->end(), is_flat);
    for (const Value& element : *array)
      text += flat ? (text.empty() ? "[" : ", ") + colored(element, depth)
                   : fmt::format("{}{}  {}", text.empty() ? "[\n" : ",\n", indent, colored(element, depth + 1));
    return flat ? text + "]" : text + "\n" + indent + "]";
  }
  return fmt::format("<span class=\"{}\">{}</span>", value.as_string() ? "s" : "v",
                     escape_html(config::to_json(value, -1)));
}

std::string machine(const RunFiles& files, const ReportMatter& matter) {
  const Value* const left = files.ended() ? files.result.find("machine") : nullptr;
  const Value facts = left && left->as_object() ? *left : machine_facts();
  std::string list;
  const auto fact = [&](const char* name, const std::string& text) {
    if (!text.empty()) list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escape_html(text));
  };
  const auto count = [&](const char* key) {
    const auto number = number_at(facts, key);
    return number ? fmt::format("{:.0f}", *number) : "";
  };
  fact("Version", "Eigengrad " + text_at(facts, "version"));
  if (const auto seed = number_at(files.config, "seed")) fact("Seed", fmt::format("{:.0f}", *seed));
  if (const auto seconds = number_at(files.result, "seconds")) fact("Time", duration(*seconds));
  fact("Processor", text_at(facts, "processor"));
  fact("Threads", count("threads") + " of " + count("processors"));
  fact("Instructions", text_at(facts, "instructions"));
  fact("Products by", text_at(facts, "engine"));
  if (const auto bytes = number_at(facts, "memory_bytes"))
    fact("Memory", fmt::format("{:.1f} GiB", *bytes / (1 << 30)));
  fact("System", text_at(facts, "system"));
  if (matter.train_samples > 0) fact("Training samples", grouped(static_cast<double>(matter.train_samples)));
  return "<dl>" + list + "</dl>";
}

}  // namespace

std::string report_page(const std::string& folder, const ReportMatter& matter) {
  const RunFiles files(folder);
  const std::string config =
      "<details class=\"card\" open><summary>The configuration, with every default (config.json)"
      "</summary><pre>" +
      colored(files.config, 0) + "</pre></details>\n";
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // Nothing is loaded, whatever stands in names.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n";
  if (!files.ended()) page += fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", kReloadSeconds);
  page +=
      fmt::format("<title>{}</title>\n<style>{}</style></head><body><main>\n", escape_html(files.name), kReportStyle);
  page += head(files, matter) + headline(files, matter);
  page += section("How it learned", curves(files));
  page += section("Classes", classes(matter));
  page += section("Mistakes", mistakes(matter));
  page += section("Sequences", sequences(matter));
  page += section("Outputs and targets", scatter(matter));
  page += section("The model", model_table(matter));
  page += section("The run", "<div class=\"grid pair\">" + card(machine(files, matter)) + config + "</div>\n");
  return page +
         fmt::format(
             "<footer>Written {} by Eigengrad {} from the files of the run; <code>eigengrad report</code> makes it "
             "again.</footer>\n</main></body></html>\n",
             time_now(), EIGENGRAD_VERSION);
}

// ---- What goes into it.

namespace {

bool are_images(const Shape& shape) {
  return shape.rank() == 3 && (shape[0] == 1 || shape[0] == 3) && shape[1] >= 4 && shape[2] >= 4 && shape[1] <= 256 &&
         shape[2] <= 256;
}

// An input as a picture, from its darkest value to its brightest.
std::string picture_of(const Tensor& input) {
  const Tensor image = to(input, kFloat64);
  const double low = min(image).item(), high = max(image).item();
  return io::png_data_uri((image - low) / (high > low ? high - low : 1));
}

}  // namespace

ReportMatter outline_of(const Run& run) {
  ReportMatter matter;
  matter.data = run.data.train->description();
  if (run.data.test) {
    matter.test_data = run.data.test->description();
    if (run.data.test->classes() > 0) matter.class_names = run.data.test->class_names();
  }
  matter.train_samples =
      data::random_split(run.data.train, run.training.valid_fraction, static_cast<std::uint64_t>(run.seed))
          .first->size();
  const std::int64_t first = 0;
  matter.summary = nn::summary(*run.model, run.data.train->get({&first, 1}).inputs);
  return matter;
}

ReportMatter matter_of(Run& run) {
  ReportMatter matter = outline_of(run);
  if (run.data.test && run.data.test->size() > 0) {
    matter.answers = collect_answers(*run.model, *run.loss, run.data.test);
    if (are_images(run.data.test->input_shape()))
      for (const Mistake& mistake : matter.answers->mistakes)
        matter.mistake_images.push_back(picture_of(select(run.data.test->get({&mistake.sample, 1}).inputs, 0, 0)));
  }
  try {
    matter.profile = profile_step(run, *matter.summary);
  } catch (const Error& error) {  // a layer of the user's own cannot be copied
    matter.notes.push_back(fmt::format("Without the times of the layers: {}", error.what()));
  }
  return matter;
}

ReportFile::ReportFile(std::string folder, const Run& run) : folder_(std::move(folder)), matter_(outline_of(run)) {}

void ReportFile::on_epoch_end(const EpochRecord& record) {
  if (record.seconds < next_) return;
  const auto before = std::chrono::steady_clock::now();
  try {
    io::write_file(in(folder_, "report.html"), report_page(folder_, matter_));
  } catch (const std::exception& error) {
    log_warning(fmt::format("the report could not be written: {}", error.what()));
  }
  const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  next_ = record.seconds + taken / kLargestShare;
}

void write_report(const std::string& folder, Run& run) {
  const std::string path = in(folder, "report.html");
  try {
    io::write_file(path, report_page(folder, matter_of(run)));
    log_info("report: " + path);
  } catch (const std::exception& error) {
    log_warning(fmt::format("the report could not be made: {}", error.what()));
  }
}

std::string remake_report(const std::string& folder, const std::string& data_folder) {
  start_logging();
  const RunFiles files(folder);
  const std::string trained_on = text_at(files.result, "data"), path = in(folder, "report.html");
  ReportMatter matter;
  try {
    train::Run run = build_run(files.config, in(folder, "config.json"), data_folder);
    matter = outline_of(run);
    EG_CHECK(trained_on.empty() || trained_on == matter.data, ValueError,
             "the run was trained on {}, but here are {}: name their folder (--data DIR)", trained_on, matter.data);
    run.model->load_state_dict(io::load_safetensors(in(folder, "model.safetensors")).tensors);
    matter = matter_of(run);
  } catch (const Error& error) {
    if (!trained_on.empty()) matter.data = trained_on;
    matter.test_data.clear();
    matter.notes.push_back(fmt::format("Without the answers of the model: {}", error.what()));
  }
  io::write_file(path, report_page(folder, matter));
  for (const std::string& note : matter.notes) log_warning(note);
  return path;
}

}  // namespace eigengrad::train
