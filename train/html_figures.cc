#include <algorithm>
#include <cmath>
#include <ctime>

#include "eigengrad/core/check.h"
#include "eigengrad/io/html.h"
#include "eigengrad/io/plot.h"
#include "eigengrad/train/html_sections.h"
#include "eigengrad/train/wording.h"

namespace eigengrad::train::html {

using config::Value;
using io::escape_html;

namespace {

constexpr std::size_t kMostEpochs = 1000;   // in the table
constexpr std::size_t kHintedPoints = 150;  // up to so many tell their values

}  // namespace

std::string head(const RunFiles& files, const ReportMatter& matter) {
  const std::string stopped = text_at(files.result, "stopped_by");
  std::string pill;
  if (matter.at_work)
    pill = fmt::format("<span class=\"pill now\">running, {}</span>", files.progress());
  else if (!files.ended())
    pill = fmt::format("<span class=\"pill bad\">not finished: {}</span>", files.progress());
  else
    pill = fmt::format("<span class=\"pill{}\">{}{}</span>", stopped == "non_finite" ? " bad" : "",
                       stopped == "non_finite" ? "failed: " : "stopped by ", escape_html(title_of(stopped)));
  std::string text =
      fmt::format("<header><p class=\"kicker\">Eigengrad training run</p><div class=\"title\"><h1>{}</h1>{}</div>\n",
                  escape_html(files.name), pill);
  if (const std::string reason = text_at(files.result, "reason"); !reason.empty())
    text += fmt::format("<p>It stopped because {}.</p>\n", escape_html(reason));
  // What was true when the page was written, whatever becomes of the run.
  if (matter.at_work)
    text += fmt::format(
        "<p>It was running at {}. Should that time stand still, it was ended from outside, and "
        "<code>eigengrad report</code> will say so.</p>\n",
        time_text(std::time(nullptr)));
  else if (!files.ended())
    text += fmt::format(
        "<p>It was last written at {}, and nobody is at work in its folder: <code>eigengrad train "
        "--resume</code> goes on with it.</p>\n",
        time_text(files.last_written));
  const std::string data = matter.data.empty() ? text_at(files.result, "data") : matter.data;
  std::string about;
  if (!data.empty()) about += (matter.at_work ? "Training on " : "Trained on ") + escape_html(data);
  if (!matter.test_data.empty())
    about += (about.empty() ? "Tested on " : ", tested on ") + escape_html(matter.test_data);
  if (!about.empty()) text += "<p class=\"soft\">" + about + ".</p>\n";
  for (const std::string& note : matter.notes) text += "<p class=\"note\">" + escape_html(note) + "</p>\n";
  return text + "</header>\n";
}

namespace {

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

}  // namespace

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
  if (tiles.empty()) return "";
  return fmt::format("<div class=\"tiles\" style=\"--n:{}\">\n{}</div>\n", count > 6 ? (count + 1) / 2 : count, tiles) +
         (matter.targets.empty() ? "" : "<p class=\"soft\">The targets are " + escape_html(matter.targets) + ".</p>\n");
}

namespace {

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

}  // namespace

std::string curves(const RunFiles& files) {
  if (files.epochs.empty()) return "";
  std::string cards;
  for (const std::string& metric : files.metrics()) cards += curve(files, metric);
  return "<div class=\"grid\">" + cards + "</div>\n" + epoch_table(files);
}

}  // namespace eigengrad::train::html
